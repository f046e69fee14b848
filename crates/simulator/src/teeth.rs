//! Whether the simulator would notice: every planted bug, and the seeds that it takes to catch it.

use std::time::Duration;

use visavis_call_core::{Fault, Faults};
use visavis_server::hub::HubFault;

use crate::sweep::{Kind, Sweep, sweep};
use crate::world::{Options, Violation};

/// Something wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// In every core.
    Core(Fault),
    /// In the hub.
    Hub(HubFault),
}

impl Planted {
    /// Every bug that can be planted.
    pub fn all() -> impl Iterator<Item = Self> {
        let cores = Fault::ALL.iter().copied().map(Self::Core);
        // The others of rooms with a host are the fuzzer's: nobody in here says what they are not.
        let hubs = HubFault::OF_ROOMS.iter().chain(HubFault::OF_PEOPLE);
        let hubs = hubs.chain(&[HubFault::RemovedComesBack]);
        cores.chain(hubs.copied().map(Self::Hub))
    }

    /// What it is planted in: rooms, or calls between people.
    const fn kind(self) -> Kind {
        match self {
            Self::Core(
                Fault::EndedCallRings
                | Fault::MergedIsOver
                | Fault::AcceptedTrusted
                | Fault::RingsForEver
                | Fault::RingSaidOnce,
            )
            | Self::Hub(
                HubFault::LowerIdWins
                | HubFault::ThirdRings
                | HubFault::SecondAnswerTaken
                | HubFault::AckNotAwaited
                | HubFault::HangUpForgotten
                | HubFault::LostCallKept
                | HubFault::SeenForgotten,
            ) => Kind::People,
            Self::Core(_) | Self::Hub(_) => Kind::Rooms,
        }
    }

    fn options(self) -> Options {
        match self {
            Self::Core(fault) => Options {
                faults: Faults::default().with(fault),
                ..Options::default()
            },
            Self::Hub(fault) => Options {
                hub_fault: Some(fault),
                ..Options::default()
            },
        }
    }
}

/// How a planted bug was caught.
#[derive(Clone, Debug)]
pub struct Bite {
    /// The bug.
    pub planted: Planted,
    /// How many seeds it took, and what broke; `None` if it got away.
    pub caught: Option<(u64, Violation)>,
    /// Wall time.
    pub took: Duration,
}

/// Plants a bug and runs seeds until one fails.
#[must_use]
pub fn bite(planted: Planted, seeds: u64, threads: usize) -> Bite {
    let report = sweep(
        &Sweep {
            kind: planted.kind(),
            start: 0,
            seeds,
            threads,
            options: planted.options(),
            stop_at_first: true,
        },
        &|_| {},
    );
    let first = report.failures.into_iter().next();
    Bite {
        planted,
        caught: first.map(|(seed, violation)| (seed + 1, violation)),
        took: report.took,
    }
}
