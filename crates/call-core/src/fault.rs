//! Wrong variants of the machines, planted to prove that the simulator would notice them.
//!
//! Without the feature `planted-bugs` no fault can be set and every check folds to `false`.

/// One planted bug. Each names a failure that real products of this kind have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// A candidate that comes before its description is dropped.
    DropEarlyCandidates,
    /// Nobody yields when offers cross.
    BothImpolite,
    /// Everybody yields when offers cross.
    BothPolite,
    /// An answer is applied whichever offer it belongs to.
    AnswerNotMatched,
    /// The yielding side takes the other's offer for an answer's time without rolling back its own.
    RollbackForgotten,
    /// Candidates are applied whatever generation they belong to.
    IgnoreUfrag,
    /// A description operation starts while another is in flight.
    OperationsOverlap,
    /// Packets that were received twice are taken twice.
    DuplicatesTaken,
    /// Packets lost with a socket are not sent again.
    NoResend,
    /// A peer that the snapshot no longer lists keeps its tile.
    SnapshotTrusted,
    /// An unanswered offer is waited for without end.
    OfferNeverRepeated,
    /// Connections that both made at once are merged by a rollback.
    CrossingRolledBack,
    /// A session under the seat of another gets a tile of its own.
    SeatDoubled,
    /// Packets of a former era are taken for present ones.
    FormerEraTaken,
    /// A camera that was turned off while the browser was asking runs on.
    LateCaptureKept,
    /// ICE is restarted as often as something is wrong.
    RestartsUnbounded,
    /// Both sides restart ICE at once, and take nothing for bytes but the state's name.
    StateTrusted,
    /// What was under way on the control channel is not sent again.
    ChannelLossForgotten,
    /// Who says on the control channel that they leave keeps their tile.
    LeaveUnheard,
    /// Somebody who left comes back with the server's list.
    DepartedListed,
    /// The connection of somebody whose socket was lost is closed with it.
    LinkDiesWithServer,
    /// A connection that is not to be mended is never made anew.
    NeverRebuilt,
    /// A block is stored whatever its hash is.
    BlockNotCompared,
    /// A file that was picked again is sent without being compared.
    PickedTrusted,
    /// Blocks are sent as fast as they are read, and taken.
    SentUnacknowledged,
    /// A pipe that is not needed any more stays open.
    PipeLeftOpen,
    /// That a transfer is whole is not said again to who may have missed it.
    DoneSaidOnce,
    /// That a transfer is over is not said again to who may have missed it.
    StopSaidOnce,
    /// What was whole when a connection went is asked for again.
    WholeBlocksDropped,
    /// A call that ended on a page rings there again if it is told once more.
    EndedCallRings,
    /// Of two calls that cross, who made the one that merges takes it for over.
    MergedIsOver,
    /// That a call was taken is believed by a page that did not ask for it.
    AcceptedTrusted,
    /// A page waits without end for the end of a ring.
    RingsForEver,
    /// A page says nothing of its call to a server that was started anew.
    RingSaidOnce,
    /// The room's next secret is told to everybody, also to those who are sent away.
    SecretToldToAll,
    /// Who stops waiting can still be let in.
    LetInAfterLeaving,
}

impl Fault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::DropEarlyCandidates,
        Self::BothImpolite,
        Self::BothPolite,
        Self::AnswerNotMatched,
        Self::RollbackForgotten,
        Self::IgnoreUfrag,
        Self::OperationsOverlap,
        Self::DuplicatesTaken,
        Self::NoResend,
        Self::SnapshotTrusted,
        Self::OfferNeverRepeated,
        Self::CrossingRolledBack,
        Self::SeatDoubled,
        Self::FormerEraTaken,
        Self::LateCaptureKept,
        Self::RestartsUnbounded,
        Self::StateTrusted,
        Self::ChannelLossForgotten,
        Self::LeaveUnheard,
        Self::DepartedListed,
        Self::LinkDiesWithServer,
        Self::NeverRebuilt,
        Self::BlockNotCompared,
        Self::PickedTrusted,
        Self::SentUnacknowledged,
        Self::PipeLeftOpen,
        Self::DoneSaidOnce,
        Self::StopSaidOnce,
        Self::WholeBlocksDropped,
        Self::EndedCallRings,
        Self::MergedIsOver,
        Self::AcceptedTrusted,
        Self::RingsForEver,
        Self::RingSaidOnce,
        Self::SecretToldToAll,
        Self::LetInAfterLeaving,
    ];
}

/// The planted bugs of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    #[cfg(feature = "planted-bugs")]
    bits: u64,
}

impl Faults {
    /// Plants one bug.
    #[cfg(feature = "planted-bugs")]
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self {
            bits: self.bits | 1 << fault as u8,
        }
    }

    /// Whether a bug is planted.
    #[inline]
    #[must_use]
    pub const fn has(self, fault: Fault) -> bool {
        #[cfg(feature = "planted-bugs")]
        return self.bits & (1 << fault as u8) != 0;
        #[cfg(not(feature = "planted-bugs"))]
        {
            _ = fault;
            false
        }
    }
}
