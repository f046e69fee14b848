//! What happens to the people of one run: made from a seed, or written by hand for a test.
//!
//! A script says when somebody acts and what breaks. How long everything else takes (networks,
//! browsers, permission prompts) is drawn from the same seed while the script runs, a stream of
//! random numbers for each actor, so that a script with an action less still runs alike.

use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{CaptureError, CaptureKind};

use crate::browser::{Direction, MediaKind};

mod files;
mod hosts;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Where every random number comes from.
    pub seed: u64,
    /// How many people take part, from 2 to 6.
    pub people: usize,
    /// Whose the room is.
    pub room: RoomKind,
    /// How fast things are.
    pub pace: Pace,
    /// Milliseconds since the start, and what happens then; in order of time.
    pub actions: Vec<(u64, Action)>,
}

/// Whose the room is, and who comes in without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomKind {
    /// Nobody's: everybody comes in.
    Open,
    /// The first person's.
    Hosted {
        /// Whether the others wait before it from its first second.
        waiting_room: bool,
    },
}

/// How fast and how reliable the surroundings are while faults are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest way of a message in one direction, in milliseconds.
    pub network_ms: u64,
    /// The longest step of a browser operation, in milliseconds.
    pub browser_ms: u64,
    /// The longest time a person needs for a permission prompt, in milliseconds.
    pub prompt_ms: u64,
    /// How many of a hundred relayed packets come twice, as they could over a second road.
    pub duplicated: u8,
    /// How many of a hundred relayed packets are overtaken, as they could be over a second road.
    pub overtaken: u8,
    /// How many of a hundred captures fail.
    pub refused: u8,
    /// Connections made ready on the page before joining.
    pub links_ahead: usize,
    /// How many of a hundred connections never recover once ICE has failed on them.
    pub stubborn: u8,
    /// How many of a thousand reads and writes of a block fail.
    pub disk_trouble: u8,
    /// How many of a hundred blocks are not what was announced.
    pub spoiled: u8,
}

/// A change that makes a browser want to negotiate, at a moment that the core did not choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// New ICE credentials.
    RestartIce,
    /// One more media section.
    AddTransceiver(MediaKind),
    /// Another direction of a section, by its place.
    Turn(usize, Direction),
}

/// How soon one end of a cut socket learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// After so many milliseconds.
    After(u64),
    /// Not before the heartbeat, or the end of all faults.
    Never,
}

/// One thing that happens. People are counted from 0; they act through their newest tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens the room's page.
    Enter {
        /// Who.
        person: usize,
    },
    /// Takes a seat, or comes back.
    Join {
        /// Who.
        person: usize,
    },
    /// Hangs up and stays on the page.
    HangUp {
        /// Who.
        person: usize,
    },
    /// Closes the page.
    Leave {
        /// Who.
        person: usize,
    },
    /// Turns a camera or microphone on or off.
    Want {
        /// Who.
        person: usize,
        /// Which.
        kind: CaptureKind,
        /// On or off.
        on: bool,
    },
    /// Chooses another device.
    Choose {
        /// Who.
        person: usize,
        /// Which kind.
        kind: CaptureKind,
        /// Which of a few; 0 for the browser's choice.
        device: u8,
    },
    /// A device is unplugged while in use.
    Unplug {
        /// Whose.
        person: usize,
        /// Which kind.
        kind: CaptureKind,
    },
    /// Changes to the camera on the other side.
    Flip {
        /// Who.
        person: usize,
    },
    /// Devices are plugged in and out; the browser lists those that there are now.
    Plug {
        /// Whose.
        person: usize,
        /// Which kind.
        kind: CaptureKind,
        /// Which of a few there are, a bit each.
        devices: u8,
    },
    /// Reloads the tab and joins again under the same seat.
    Reload {
        /// Who.
        person: usize,
        /// When the server learns that the old tab's socket is gone.
        noticed: Noticed,
    },
    /// The tab is gone without a word: closed, crashed, the laptop shut.
    Vanish {
        /// Whose.
        person: usize,
        /// When the server learns of it.
        noticed: Noticed,
    },
    /// Opens a second tab with the same seat and joins there; the first stays open.
    Duplicate {
        /// Who.
        person: usize,
    },
    /// Puts the tab in the background or brings it back.
    Hide {
        /// Who.
        person: usize,
        /// Which of the two.
        hidden: bool,
    },
    /// The socket breaks; all that is under way is lost.
    Cut {
        /// Whose.
        person: usize,
        /// When the tab learns of it.
        client: Noticed,
        /// When the server learns of it.
        server: Noticed,
    },
    /// No network for a while: the socket is cut and no other opens.
    Offline {
        /// Who.
        person: usize,
        /// For so many milliseconds.
        for_ms: u64,
    },
    /// The server loses its memory and is away for a while.
    Restart {
        /// For so many milliseconds.
        down_ms: u64,
        /// When the tabs learn of it.
        noticed: Noticed,
    },
    /// Something in one person's connection to another wants to be negotiated.
    Change {
        /// Whose browser.
        person: usize,
        /// Which of their connections, counted in the order of making.
        link: usize,
        /// What.
        change: Change,
    },
    /// The same, at the moment when the nth description operation of all begins, on its own side or
    /// on the other.
    ChangeAtAwait {
        /// Counted over the whole run, from 0.
        nth: u64,
        /// On the other side of the connection.
        far_side: bool,
        /// What.
        change: Change,
    },
    /// The media of one person and another, found by a connection, do not reach each other for a while.
    Sever {
        /// Whose.
        person: usize,
        /// Which of their connections.
        link: usize,
        /// For so many milliseconds.
        for_ms: u64,
    },
    /// Nothing passes any more on a connection and ICE says nothing of it, until it is restarted.
    BlackHole {
        /// Whose.
        person: usize,
        /// Which of their connections.
        link: usize,
    },
    /// A sender brings nothing more until its track is attached anew.
    Freeze {
        /// Whose.
        person: usize,
        /// On which of their connections.
        link: usize,
        /// What they send.
        kind: CaptureKind,
    },
    /// Offers a file or a folder.
    Offer {
        /// Who.
        person: usize,
        /// To which of those they see, in order; to all where there are fewer.
        to: usize,
        /// Which of a few sorts of files.
        sort: u8,
    },
    /// Answers the first offer that waits.
    Answer {
        /// Who.
        person: usize,
        /// Whether they want it.
        accept: bool,
    },
    /// Lets one of their transfers rest, or go on.
    Pause {
        /// Who.
        person: usize,
        /// Which, by its place in the list.
        nth: usize,
        /// Which of the two.
        paused: bool,
    },
    /// Ends one of their transfers.
    Cancel {
        /// Who.
        person: usize,
        /// Which of those that are not over.
        nth: usize,
    },
    /// A host lets others come in without being asked, or not.
    SetGate {
        /// Who.
        person: usize,
        /// Which of the two.
        waiting_room: bool,
    },
    /// A host lets everybody in who waits.
    Admit {
        /// Who.
        person: usize,
    },
    /// A host sends somebody away for good.
    Remove {
        /// Who.
        person: usize,
        /// Which of those they see, in order.
        nth: usize,
    },
    /// The next description operation of a connection fails for no reason of the core's.
    Hiccup {
        /// Whose browser.
        person: usize,
        /// Which of their connections.
        link: usize,
    },
}

/// Which kinds of trouble a run has.
#[derive(Clone, Copy, Default)]
struct Troubles {
    sockets: bool,
    restarts: bool,
    tabs: bool,
    devices: bool,
    changes: bool,
    hiccups: bool,
    paths: bool,
    come_and_go: bool,
}

impl Troubles {
    fn draw(rng: &mut Rng) -> Self {
        let mut troubles = Self {
            changes: rng.u8(0..100) < 75,
            ..Self::default()
        };
        // A fifth of all runs has nothing but glare.
        if rng.u8(0..5) > 0 {
            troubles.sockets = rng.u8(0..100) < 50;
            troubles.restarts = rng.u8(0..100) < 20;
            troubles.tabs = rng.u8(0..100) < 35;
            troubles.devices = rng.u8(0..100) < 40;
            troubles.hiccups = rng.u8(0..100) < 10;
            troubles.paths = rng.u8(0..100) < 15;
            troubles.come_and_go = rng.u8(0..100) < 35;
        }
        troubles
    }
}

impl Script {
    /// The script of a seed.
    #[must_use]
    pub fn generate(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed_0f5c_2197_1e55);
        let people = match rng.u8(0..100) {
            0..55 => 2,
            55..80 => 3,
            80..91 => 4,
            91..97 => 5,
            _ => 6,
        };
        let troubles = Troubles::draw(&mut rng);
        let mut pace = Pace::draw(&mut rng, troubles);
        let mut actions = Vec::new();
        let spread = *pick(&mut rng, &[0, 20, 200, 1_500, 6_000]);
        let end = spread + rng.u64(1_000..12_000);
        for person in 0..people {
            let enter = if spread == 0 { 0 } else { rng.u64(0..spread) };
            let join = enter + *pick(&mut rng, &[0, 1, 30, 300, 2_000]);
            if rng.u8(0..10) < 7 {
                for kind in CaptureKind::DEVICES {
                    actions.push((
                        enter,
                        Action::Want {
                            person,
                            kind,
                            on: true,
                        },
                    ));
                }
            }
            actions.push((enter, Action::Enter { person }));
            actions.push((join, Action::Join { person }));
            draw_media(&mut rng, person, enter..end, troubles, &mut actions);
        }
        draw_changes(&mut rng, people, spread..end, troubles, &mut actions);
        draw_faults(&mut rng, people, end, troubles, &mut actions);
        files::draw(seed, people, end, &mut pace, &mut actions);
        let room = hosts::draw(seed, people, end, &mut actions);
        // Stable: what was drawn first goes first.
        actions.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            people,
            room,
            pace,
            actions,
        }
    }

    /// When the last action has happened and its effects that were scripted are over.
    #[must_use]
    pub fn end(&self) -> Duration {
        let last = self.actions.iter().map(|(at, action)| at + action.lasts_ms());
        Duration::from_millis(last.max().unwrap_or(0))
    }
}

impl Action {
    const fn lasts_ms(self) -> u64 {
        match self {
            Self::Offline { for_ms, .. } | Self::Sever { for_ms, .. } => for_ms,
            Self::Restart { down_ms, .. } => down_ms,
            Self::Enter { .. }
            | Self::Join { .. }
            | Self::HangUp { .. }
            | Self::Leave { .. }
            | Self::Want { .. }
            | Self::Choose { .. }
            | Self::Unplug { .. }
            | Self::Flip { .. }
            | Self::Plug { .. }
            | Self::Reload { .. }
            | Self::Vanish { .. }
            | Self::Duplicate { .. }
            | Self::Hide { .. }
            | Self::Cut { .. }
            | Self::Change { .. }
            | Self::ChangeAtAwait { .. }
            | Self::BlackHole { .. }
            | Self::Freeze { .. }
            | Self::Offer { .. }
            | Self::Answer { .. }
            | Self::Pause { .. }
            | Self::Cancel { .. }
            | Self::SetGate { .. }
            | Self::Admit { .. }
            | Self::Remove { .. }
            | Self::Hiccup { .. } => 0,
        }
    }
}

impl Pace {
    /// Everything quick and reliable: for tests by hand and for the time after the faults.
    pub const CALM: Self = Self {
        network_ms: 20,
        browser_ms: 5,
        prompt_ms: 100,
        duplicated: 0,
        overtaken: 0,
        refused: 0,
        links_ahead: 0,
        stubborn: 0,
        disk_trouble: 0,
        spoiled: 0,
    };

    fn draw(rng: &mut Rng, troubles: Troubles) -> Self {
        let second_road = rng.u8(0..100) < 25;
        Self {
            network_ms: *pick(rng, &[1, 10, 40, 150, 600, 2_000]),
            browser_ms: *pick(rng, &[1, 5, 20, 100, 500]),
            prompt_ms: *pick(rng, &[50, 500, 5_000]),
            duplicated: if second_road { rng.u8(0..50) } else { 0 },
            overtaken: if second_road { rng.u8(0..50) } else { 0 },
            refused: if troubles.devices { rng.u8(0..40) } else { 0 },
            links_ahead: *pick(rng, &[0, 0, 1, 6]),
            stubborn: if troubles.paths {
                *pick(rng, &[0, 0, 50])
            } else {
                0
            },
            disk_trouble: 0,
            spoiled: 0,
        }
    }
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(0..from.len())]
}

pub(crate) fn draw_noticed(rng: &mut Rng) -> Noticed {
    match rng.u8(0..10) {
        0..3 => Noticed::After(0),
        3..6 => Noticed::After(rng.u64(0..200)),
        6..8 => Noticed::After(rng.u64(200..6_000)),
        _ => Noticed::Never,
    }
}

fn draw_change(rng: &mut Rng) -> Change {
    match rng.u8(0..10) {
        0..4 => Change::RestartIce,
        4..7 => Change::AddTransceiver(if rng.bool() {
            MediaKind::Audio
        } else {
            MediaKind::Video
        }),
        _ => {
            let directions = [
                Direction::SendRecv,
                Direction::SendOnly,
                Direction::RecvOnly,
                Direction::Inactive,
            ];
            Change::Turn(rng.usize(0..3), *pick(rng, &directions))
        }
    }
}

fn draw_media(
    rng: &mut Rng,
    person: usize,
    within: std::ops::Range<u64>,
    troubles: Troubles,
    actions: &mut Vec<(u64, Action)>,
) {
    let toggles = if troubles.devices {
        rng.u8(0..8)
    } else {
        rng.u8(0..3)
    };
    for _ in 0..toggles {
        let at = rng.u64(within.clone());
        let kind = *pick(rng, &CaptureKind::ALL);
        let action = match rng.u8(0..10) {
            0..7 => Action::Want {
                person,
                kind,
                on: rng.bool(),
            },
            7..9 if troubles.devices => match rng.u8(0..4) {
                0 => Action::Flip { person },
                1 => Action::Plug {
                    person,
                    kind,
                    devices: rng.u8(0..8),
                },
                _ => Action::Choose {
                    person,
                    kind,
                    device: rng.u8(0..3),
                },
            },
            _ => Action::Unplug { person, kind },
        };
        actions.push((at, action));
    }
}

fn draw_changes(
    rng: &mut Rng,
    people: usize,
    within: std::ops::Range<u64>,
    troubles: Troubles,
    actions: &mut Vec<(u64, Action)>,
) {
    if !troubles.changes {
        return;
    }
    for _ in 0..rng.u8(1..5) {
        let at = rng.u64(within.clone());
        // Both at once, more often than not: that is what glare is.
        let both = rng.u8(0..10) < 6;
        let person = rng.usize(0..people);
        let link = rng.usize(0..people - 1);
        let change = draw_change(rng);
        actions.push((at, Action::Change { person, link, change }));
        if both {
            let person = rng.usize(0..people);
            let link = rng.usize(0..people - 1);
            let change = draw_change(rng);
            let at = at + *pick(rng, &[0, 0, 1, 5, 30]);
            actions.push((at, Action::Change { person, link, change }));
        }
    }
    for _ in 0..rng.u8(0..5) {
        let operations = 4 * people * people;
        actions.push((
            0,
            Action::ChangeAtAwait {
                nth: rng.u64(0..operations as u64),
                far_side: rng.bool(),
                change: draw_change(rng),
            },
        ));
    }
}

fn draw_faults(rng: &mut Rng, people: usize, end: u64, troubles: Troubles, actions: &mut Vec<(u64, Action)>) {
    if troubles.sockets {
        for _ in 0..rng.u8(1..6) {
            let person = rng.usize(0..people);
            let at = rng.u64(0..end);
            let action = if rng.u8(0..5) == 0 {
                Action::Offline {
                    person,
                    for_ms: *pick(rng, &[300, 2_000, 8_000, 20_000, 20_000, 65_000, 100_000]),
                }
            } else {
                Action::Cut {
                    person,
                    client: draw_noticed(rng),
                    server: draw_noticed(rng),
                }
            };
            actions.push((at, action));
        }
    }
    if troubles.restarts {
        for _ in 0..rng.u8(1..3) {
            let down_ms = *pick(rng, &[0, 50, 1_000, 5_000, 15_000, 60_000]);
            let noticed = draw_noticed(rng);
            actions.push((rng.u64(0..end), Action::Restart { down_ms, noticed }));
        }
    }
    if troubles.tabs {
        for _ in 0..rng.u8(1..4) {
            let person = rng.usize(0..people);
            let at = rng.u64(0..end);
            let noticed = draw_noticed(rng);
            actions.push((
                at,
                match rng.u8(0..10) {
                    0..5 => Action::Reload { person, noticed },
                    5..7 => Action::Vanish { person, noticed },
                    7..9 => Action::Duplicate { person },
                    _ => Action::Hide {
                        person,
                        hidden: rng.bool(),
                    },
                },
            ));
        }
    }
    if troubles.come_and_go {
        for _ in 0..rng.u8(1..4) {
            let person = rng.usize(0..people);
            let at = rng.u64(0..end);
            let back = at + rng.u64(0..2_000);
            if rng.bool() {
                actions.push((at, Action::HangUp { person }));
            } else {
                actions.push((at, Action::Leave { person }));
                actions.push((back, Action::Enter { person }));
            }
            if rng.u8(0..4) > 0 {
                actions.push((back, Action::Join { person }));
            }
        }
    }
    if troubles.paths {
        for _ in 0..rng.u8(1..4) {
            let person = rng.usize(0..people);
            let link = rng.usize(0..people - 1);
            let for_ms = *pick(rng, &[1_000, 8_000, 20_000, 40_000]);
            let action = match rng.u8(0..10) {
                0..5 => Action::Sever { person, link, for_ms },
                5..8 => Action::BlackHole { person, link },
                _ => Action::Freeze {
                    person,
                    link,
                    // A screen may stand still.
                    kind: *pick(rng, &CaptureKind::DEVICES),
                },
            };
            actions.push((rng.u64(0..end), action));
        }
    }
    if troubles.hiccups {
        for _ in 0..rng.u8(1..4) {
            let person = rng.usize(0..people);
            let link = rng.usize(0..people - 1);
            actions.push((rng.u64(0..end), Action::Hiccup { person, link }));
        }
    }
}

/// What a capture may fail with.
pub(crate) const CAPTURE_ERRORS: [CaptureError; 6] = [
    CaptureError::NotAllowed,
    CaptureError::NotFound,
    CaptureError::NotReadable,
    CaptureError::Overconstrained,
    CaptureError::Insecure,
    CaptureError::Other,
];
