//! People: who has which handle, who is there, and how they call each other.
//!
//! Everything here travels as `{"people":{…}}` on the socket of the page. A page proves its handle once
//! for each socket; what it writes before is refused. A call is known by an id that the caller draws, so
//! that it can be repeated after a server's restart and is still one call.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::handle::{Handle, Nonce, PublicKey, Signature};
use crate::id::CallId;

/// What a page writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PeopleRequest {
    /// Asks what to sign. Answered by `challenge`, or by the error `tokens_only`.
    Challenge {},
    /// Proves a handle. Answered by `signed_in` or an error.
    SignIn {
        /// Whose.
        handle: Handle,
        /// The browser's key.
        key: PublicKey,
        /// By that key, over [`crate::handle::proof`].
        signature: Signature,
        /// Links the key to a handle that another key has: see [`PeopleEvent::Code`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Takes the handle if nobody has it. A page says so when its person asked for the handle, and not
        /// when it comes back by itself: what the operator has freed is not for it to take.
        #[serde(default, skip_serializing_if = "is_false")]
        take: bool,
        /// What others see: see [`crate::text::check_name`].
        name: String,
    },
    /// Proves a handle by a token that the operator's own site signed, where the server takes such tokens
    /// and nothing else. Answered by `signed_in` or an error.
    SignInByToken {
        /// A JSON Web Token (RFC 7519): see [`crate::limits::TOKEN_BYTES`].
        token: String,
        /// What others see: see [`crate::text::check_name`].
        name: String,
    },
    /// Gives the handle up on this socket. Calls of this page end.
    SignOut {},
    /// Asks for a code by which another browser may take this handle. Answered by `code`.
    MakeCode {},
    /// Adds somebody to the contacts. Whether they exist is not told.
    Add {
        /// Whom.
        handle: Handle,
    },
    /// Takes somebody off them.
    Remove {
        /// Whom.
        handle: Handle,
    },
    /// Hears nothing of somebody any more; to them the person is offline. Or hears of them again.
    Block {
        /// Whom.
        handle: Handle,
        /// Whether from now on.
        blocked: bool,
    },
    /// Calls somebody. Repeated with the same id it is the same call.
    Ring {
        /// Drawn by the caller.
        call: CallId,
        /// Whom.
        to: Handle,
        /// Whether with pictures.
        video: bool,
        /// What the callee needs to meet the caller, told upon `accept`. Opaque to the server.
        invite: String,
        /// For how long it has rung already, in milliseconds, where it is repeated: to a server that was
        /// started anew it is not a new call.
        #[serde(default, skip_serializing_if = "is_zero")]
        rung_ms: u64,
    },
    /// The page is in a call that was taken, and says so on each new socket. A server that was started
    /// anew knows it again once both sides have said so. Rooms have a `resume` of their own.
    #[serde(rename = "resume_call")]
    Resume {
        /// Which.
        call: CallId,
        /// With whom.
        with: Handle,
        /// Whether this side called.
        outgoing: bool,
        /// Whether the caller shows themselves.
        video: bool,
        /// The caller's, for a callee whose answer the old server still heard; empty from a callee.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        invite: String,
    },
    /// The page shows the call. Only then it rings for the caller.
    Ack {
        /// Which.
        call: CallId,
    },
    /// Takes it.
    Accept {
        /// Which.
        call: CallId,
        /// Whether with the own picture.
        video: bool,
        /// Drawn for this answer: said again on another socket it is the same page's, while the former
        /// socket may still pass for alive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<CallId>,
    },
    /// Does not.
    Decline {
        /// Which.
        call: CallId,
    },
    /// Ends it: before the answer or after.
    HangUp {
        /// Which.
        call: CallId,
    },
    /// The page has shown the calls that were missed; up to this one they need not be told again.
    Seen {
        /// The number of the last one.
        missed: u64,
    },
}

impl PeopleRequest {
    /// Every [`PeopleRequest::kind`].
    pub const KINDS: [&'static str; 15] = [
        "challenge",
        "sign_in",
        "sign_in_by_token",
        "sign_out",
        "make_code",
        "add",
        "remove",
        "block",
        "ring",
        "resume_call",
        "ack",
        "accept",
        "decline",
        "hang_up",
        "seen",
    ];

    /// Its name on the wire, by which an error says what it is about.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Challenge {} => "challenge",
            Self::SignIn { .. } => "sign_in",
            Self::SignInByToken { .. } => "sign_in_by_token",
            Self::SignOut {} => "sign_out",
            Self::MakeCode {} => "make_code",
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Block { .. } => "block",
            Self::Ring { .. } => "ring",
            Self::Resume { .. } => "resume_call",
            Self::Ack { .. } => "ack",
            Self::Accept { .. } => "accept",
            Self::Decline { .. } => "decline",
            Self::HangUp { .. } => "hang_up",
            Self::Seen { .. } => "seen",
        }
    }
}

/// What the server writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleEvent {
    /// What to sign.
    Challenge {
        /// New for each socket.
        nonce: Nonce,
    },
    /// The handle is proven. All there is to know follows within.
    SignedIn {
        /// Whose.
        handle: Handle,
        /// Everybody who was added.
        contacts: Vec<Contact>,
        /// Everybody who was blocked.
        blocked: Vec<Handle>,
        /// Calls that came while nobody was there.
        missed: Vec<Missed>,
    },
    /// The handle was given up.
    SignedOut {},
    /// A code for another browser.
    Code {
        /// Good once.
        code: String,
        /// And for so long, in milliseconds.
        lifetime_ms: u64,
    },
    /// The contacts as they are now; told to all pages of a person after a change.
    Contacts {
        /// Everybody who was added.
        contacts: Vec<Contact>,
        /// Everybody who was blocked.
        blocked: Vec<Handle>,
    },
    /// How it stands with a contact now.
    Presence(Contact),
    /// Somebody calls. To be answered by `ack`.
    Incoming {
        /// Which.
        call: CallId,
        /// Who, as the server knows them.
        from: Handle,
        /// What they call themselves.
        name: String,
        /// Whether with pictures.
        video: bool,
        /// For how long it has rung already, in milliseconds, for a page that comes later.
        #[serde(default, skip_serializing_if = "is_zero")]
        rung_ms: u64,
    },
    /// Somebody's page shows the call.
    Ringing {
        /// Which.
        call: CallId,
    },
    /// This person calls from another page of theirs.
    Outgoing {
        /// Which.
        call: CallId,
        /// Whom.
        to: Handle,
        /// Whether with pictures.
        video: bool,
        /// For how long it has rung already, in milliseconds.
        #[serde(default, skip_serializing_if = "is_zero")]
        rung_ms: u64,
    },
    /// It was taken. Told to both, on the pages that are in it.
    Accepted {
        /// Which: where both called each other, the one of the two that goes on.
        call: CallId,
        /// With whom.
        with: Handle,
        /// Whether the other one shows themselves.
        video: bool,
        /// Where to meet: the caller's.
        invite: String,
    },
    /// It is over, for this page.
    Ended {
        /// Which.
        call: CallId,
        /// Why.
        reason: EndReason,
    },
    /// A call that was missed, as soon as that is known.
    Missed(Missed),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One person among the contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Who.
    pub handle: Handle,
    /// How it stands with them, as far as this person may know.
    pub presence: Presence,
}

/// How it stands with somebody. Who may not know it reads that they are offline, as of somebody who does
/// not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// No page of theirs is open.
    #[default]
    Offline,
    /// All of them were hidden for a while.
    Away,
    /// They are in a call.
    Busy,
    /// Here.
    Online,
    /// What a newer server may say.
    #[serde(other)]
    Unknown,
}

/// A call that nobody took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Counts up for each person.
    pub number: u64,
    /// Whose call.
    pub from: Handle,
    /// Whether with pictures.
    pub video: bool,
    /// When, by the server's clock: milliseconds since 1970.
    pub at: u64,
}

/// Why a call is over, for one page. Every end has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Nobody's page showed it in time: offline, unknown, blocked or cut off, which a caller cannot tell.
    Unreachable,
    /// They are in a call, or somebody else is calling them.
    Busy,
    /// The caller is in a call, on another page.
    InAnotherCall,
    /// They said no.
    Declined,
    /// The caller thought better of it.
    Cancelled,
    /// It rang for its time.
    TimedOut,
    /// Another page of this person took it.
    AnsweredElsewhere,
    /// Another page of this person said no.
    DeclinedElsewhere,
    /// Both called each other; it goes on as the other call.
    Merged,
    /// Both called each other under the same id: nobody can tell whose it is. Try again.
    Collision,
    /// One of the two ended it after it was taken.
    HungUp,
    /// One of the two was lost after it was taken.
    Lost,
    /// The server knows no such call: it ended, or never was.
    UnknownCall,
    /// What a newer server may say.
    #[serde(other)]
    Unknown,
}

/// What becomes of two calls that meet at one person. See [`meet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The new one is refused, and noted as missed with who is called.
    Busy,
    /// It is the present one once more: nothing new.
    Same,
    /// Each of two people called the other: the present call is taken, the new one merges into it.
    TakePresent,
    /// Each of two people called the other: the new call is taken, the present one merges into it.
    TakeNew,
    /// Both are over.
    Collision,
    /// The present one is void: its caller has begun anew.
    Replace,
}

/// How far the present call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It rings.
    Ringing,
    /// It was taken.
    Taken,
}

/// The present call as [`meet`] sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present<'a> {
    /// Its id.
    pub call: CallId,
    /// Who called.
    pub from: &'a Handle,
    /// Whom.
    pub to: &'a Handle,
    /// How far it is.
    pub progress: Progress,
}

/// Decides what becomes of a new call from one person to another, one of whom is in a call already. This
/// is the only place that does (F5): the rule is that of `RingRTC`, the higher id wins.
#[must_use]
pub fn meet(present: Present<'_>, call: CallId, from: &Handle, to: &Handle) -> Meeting {
    let is_same_way = present.from == from && present.to == to;
    let is_other_way = present.from == to && present.to == from;
    match (present.progress, present.call == call) {
        (_, true) if is_same_way => Meeting::Same,
        (Progress::Ringing, true) if is_other_way => Meeting::Collision,
        // Somebody else's id: it says nothing of that call.
        (_, true) => Meeting::Busy,
        (Progress::Ringing, false) if is_other_way && call > present.call => Meeting::TakeNew,
        (Progress::Ringing, false) if is_other_way => Meeting::TakePresent,
        (Progress::Ringing, false) if is_same_way => Meeting::Replace,
        (Progress::Ringing | Progress::Taken, false) => Meeting::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meeting_of_two_calls_is_decided() {
        let [ada, bob, cleo] = ["ada", "bob", "cleo"].map(|name| name.parse::<Handle>().unwrap());
        let id = |n| CallId::from_bytes([n; 16]);
        use Meeting::{Busy, Collision, Replace, Same, TakeNew, TakePresent};
        use Progress::{Ringing, Taken};
        // The present call is 5, from ada to bob.
        for (progress, call, from, to, wanted, what) in [
            (
                Ringing,
                5,
                &ada,
                &bob,
                Same,
                "repeated, after a restart or a doubled message",
            ),
            (Taken, 5, &ada, &bob, Same, "repeated too late"),
            (Ringing, 9, &bob, &ada, TakeNew, "both call: the higher id wins"),
            (
                Ringing,
                1,
                &bob,
                &ada,
                TakePresent,
                "both call: the higher id wins",
            ),
            (Ringing, 5, &bob, &ada, Collision, "both call by one id"),
            (Taken, 9, &bob, &ada, Busy, "they talk already"),
            (Taken, 5, &bob, &ada, Busy, "they talk already"),
            (
                Ringing,
                9,
                &ada,
                &bob,
                Replace,
                "the caller's page was loaded anew",
            ),
            (Ringing, 1, &ada, &bob, Replace, "whatever the ids"),
            (Taken, 9, &ada, &bob, Busy, "they talk already"),
            (Ringing, 9, &cleo, &bob, Busy, "a third one calls who is called"),
            (Ringing, 9, &cleo, &ada, Busy, "a third one calls who calls"),
            (Taken, 9, &cleo, &bob, Busy, "a third one calls who talks"),
            (Ringing, 9, &bob, &cleo, Busy, "who is called calls a third one"),
            (Ringing, 5, &cleo, &bob, Busy, "somebody else's id"),
        ] {
            let present = Present {
                call: id(5),
                from: &ada,
                to: &bob,
                progress,
            };
            assert_eq!(meet(present, id(call), from, to), wanted, "{what}");
        }
    }

    #[test]
    fn requests_are_read_strictly_and_events_leniently() {
        let ring = r#"{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"bob","video":true,"invite":"x"}}"#;
        assert!(matches!(
            serde_json::from_str(ring),
            Ok(PeopleRequest::Ring { video: true, .. })
        ));
        for wrong in [
            ring.replace("bob", "Bob"),
            ring.replace("\"video\":true", "\"video\":1"),
            ring.replace("\"invite\"", "\"from\":\"eve\",\"invite\""),
        ] {
            assert!(serde_json::from_str::<PeopleRequest>(&wrong).is_err(), "{wrong}");
        }
        let ended = r#"{"ended":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","reason":"eclipse","more":1}}"#;
        assert!(matches!(
            serde_json::from_str(ended),
            Ok(PeopleEvent::Ended {
                reason: EndReason::Unknown,
                ..
            })
        ));
    }
}
