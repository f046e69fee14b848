//! What people do who call each other: made from a seed, or written by hand for a test.
//!
//! As with rooms, a script says when somebody acts and what breaks; how long messages take is drawn from
//! the same seed while it runs, a stream of random numbers for each page.

use std::time::Duration;

use fastrand::Rng;

use crate::script::Noticed;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Where every random number comes from.
    pub seed: u64,
    /// How many pages each person has open at the start.
    pub pages: Vec<usize>,
    /// How fast things are.
    pub pace: Pace,
    /// Milliseconds since the start, and what happens then; in order of time.
    pub actions: Vec<(u64, Action)>,
}

/// How fast and how reliable the surroundings are while faults are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest way of a message in one direction, in milliseconds.
    pub network_ms: u64,
    /// The longest time that a signature takes, in milliseconds.
    pub sign_ms: u64,
    /// How many of a hundred messages about people come twice, one right behind the other.
    pub doubled: u8,
}

impl Pace {
    /// Nothing takes long and nothing comes twice.
    pub const CALM: Self = Self {
        network_ms: 5,
        sign_ms: 1,
        doubled: 0,
    };
}

/// One of a person's pages: people are counted from 0, their open pages in the order of opening, again
/// from the first where there are fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Whose.
    pub person: usize,
    /// Which.
    pub page: usize,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Proves the person's handle.
    SignIn(At),
    /// Gives it up.
    SignOut(At),
    /// Opens one more page, which signs in.
    Open {
        /// Who.
        person: usize,
    },
    /// Closes a page; without notice the server learns at once that it is gone with its page.
    Close(At, Option<Noticed>),
    /// Closes it and opens another one in its place a moment later.
    Reload(At, Option<Noticed>),
    /// Puts it in the background or brings it back.
    Hide(At, bool),
    /// Adds somebody to the contacts.
    Add(At, usize),
    /// Blocks somebody, or no longer.
    Block(At, usize, bool),
    /// Calls somebody.
    Call {
        /// From where.
        at: At,
        /// Whom.
        to: usize,
        /// Whether with pictures.
        video: bool,
    },
    /// Takes the call that rings there.
    Accept(At, bool),
    /// Declines, cancels or ends the call.
    End(At),
    /// The page finds that the call cannot be: no microphone, or no connection.
    Fail(At),
    /// Reads why the call is over.
    Dismiss(At),
    /// Sees the calls that were missed.
    SeeMissed(At),
    /// The socket breaks; all that is under way is lost.
    Cut {
        /// Whose.
        at: At,
        /// When the page learns of it.
        client: Noticed,
        /// When the server learns of it.
        server: Noticed,
    },
    /// A hole in the network: what is said meanwhile comes behind it, unless another socket is quicker.
    Stall(At, u64),
    /// No network for a while, in milliseconds: sockets are cut and no other opens.
    Offline(usize, u64),
    /// The server loses its memory, but for what it wrote down, and is away for a while.
    Restart {
        /// For so many milliseconds.
        down_ms: u64,
        /// When the pages learn of it.
        noticed: Noticed,
    },
}

impl Script {
    /// When the last action happens.
    #[must_use]
    pub fn end(&self) -> Duration {
        let last = self.actions.last().map_or(0, |(at, _)| *at);
        Duration::from_millis(last + 1)
    }

    /// The script of a seed.
    #[must_use]
    pub fn generate(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x9e09_1e0f_ca11_5eed);
        let people = match rng.u8(0..100) {
            0..60 => 2,
            60..87 => 3,
            _ => 4,
        };
        let pages: Vec<usize> = (0..people)
            .map(|_| match rng.u8(0..100) {
                0..50 => 1,
                50..85 => 2,
                _ => 3,
            })
            .collect();
        let pace = Pace {
            network_ms: *pick(&mut rng, &[5, 40, 40, 200, 900]),
            sign_ms: *pick(&mut rng, &[1, 5, 50]),
            doubled: *pick(&mut rng, &[0, 0, 20]),
        };
        let mut draft = Draft {
            people,
            actions: Vec::new(),
            has_faults: rng.u8(0..100) < 65,
            rng,
        };
        draft.arrive(&pages);
        draft.scenes();
        let mut actions = draft.actions;
        actions.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            pages,
            pace,
            actions,
        }
    }
}

fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(0..choices.len())]
}

/// A script that is being written.
struct Draft {
    people: usize,
    actions: Vec<(u64, Action)>,
    has_faults: bool,
    rng: Rng,
}

impl Draft {
    fn at(&mut self, person: usize) -> At {
        At {
            person,
            page: self.rng.usize(0..3),
        }
    }

    fn put(&mut self, at: u64, action: Action) {
        self.actions.push((at, action));
    }

    /// A while, short ones as often as long ones.
    fn while_ms(&mut self) -> u64 {
        let longest = *pick(&mut self.rng, &[20, 200, 1_500, 4_000, 15_000]);
        self.rng.u64(0..longest)
    }

    fn other_than(&mut self, one: usize) -> usize {
        (one + self.rng.usize(1..self.people)) % self.people
    }

    fn arrive(&mut self, pages: &[usize]) {
        let late = *pick(&mut self.rng, &[0, 0, 1_000, 8_000]);
        for (person, count) in pages.iter().enumerate() {
            for page in 0..*count {
                let at = if late == 0 { 0 } else { self.rng.u64(0..late) };
                // Some never do.
                if self.rng.u8(0..100) < 94 {
                    self.put(at, Action::SignIn(At { person, page }));
                }
            }
            if self.rng.u8(0..100) < 40 {
                let (at, whom) = (self.at(person), self.other_than(person));
                self.put(1_000, Action::Add(at, whom));
            }
        }
    }

    fn scenes(&mut self) {
        let mut at = 1_500 + self.while_ms();
        for _ in 0..*pick(&mut self.rng, &[1, 1, 2, 3]) {
            let began = at;
            at = self.scene(at);
            if self.has_faults {
                for _ in 0..self.rng.u8(1..4) {
                    // Most of them soon after the first word, where most can go wrong.
                    let span = (at - began)
                        .min(*pick(&mut self.rng, &[500, 3_000, 60_000]))
                        .max(1);
                    let when = began + self.rng.u64(0..span);
                    self.fault(when);
                }
            }
            // Somebody who calls again at once is refused.
            at += *pick(&mut self.rng, &[0, 3_000, 5_500, 5_500]);
        }
    }

    /// A call and what becomes of it; when it is over.
    fn scene(&mut self, at: u64) -> u64 {
        let from = self.rng.usize(0..self.people);
        let to = self.other_than(from);
        let mut last = self.call(at, from, to);
        match self.rng.u8(0..100) {
            0..35 => last = self.take(last, from, to),
            35..45 => last = self.decline(last, to),
            45..58 => last = self.cancel(last, from, to),
            58..66 => last += 46_000,
            66..85 => {
                let gap = *pick(&mut self.rng, &[0, 1, 20, 300]);
                let cross = at + if gap == 0 { 0 } else { self.rng.u64(0..gap) };
                let back = self.call(cross, to, from);
                last = match self.rng.u8(0..4) {
                    0 => self.cancel(back, to, from),
                    1 => self.take(back, to, from),
                    _ => self.hang_up(back + 1_000, from, to),
                };
            }
            _ => {
                let third = self.other_than(to);
                let whom = if self.rng.bool() { from } else { to };
                let early = self.rng.bool();
                if !early {
                    last = self.take(last, from, to);
                }
                if third != whom {
                    let when = at + self.while_ms();
                    last = last.max(self.call(when, third, whom));
                }
                if early {
                    last = self.take(last, from, to);
                }
            }
        }
        if self.rng.u8(0..100) < 20 {
            let person = self.at(to);
            let (missed, dismissed) = (last + self.while_ms(), last + self.while_ms());
            self.put(missed, Action::SeeMissed(person));
            let person = self.at(from);
            self.put(dismissed, Action::Dismiss(person));
        }
        last
    }

    fn call(&mut self, at: u64, from: usize, to: usize) -> u64 {
        let video = self.rng.bool();
        let page = self.at(from);
        self.put(at, Action::Call { at: page, to, video });
        at + self.while_ms()
    }

    fn take(&mut self, at: u64, from: usize, to: usize) -> u64 {
        let video = self.rng.bool();
        let page = self.at(to);
        self.put(at, Action::Accept(page, video));
        let mut last = at;
        if self.rng.u8(0..100) < 35 {
            last += *pick(&mut self.rng, &[0, 1, 30, 200]);
            let page = self.at(to);
            let also = match self.rng.u8(0..10) {
                0..6 => Action::Accept(page, video),
                _ => Action::End(page),
            };
            self.put(last, also);
        }
        self.hang_up(last, from, to)
    }

    /// They talk for a while, and one of them ends it: or nobody does.
    fn hang_up(&mut self, at: u64, from: usize, to: usize) -> u64 {
        let talk = *pick(
            &mut self.rng,
            &[100, 2_000, 2_000, 10_000, 10_000, 30_000, 75_000],
        );
        let last = at + self.rng.u64(0..talk);
        let who = if self.rng.bool() { from } else { to };
        // Whoever it is, on some page of theirs: often the wrong one.
        for _ in 0..3 {
            let page = self.at(who);
            if self.rng.u8(0..100) < 60 {
                let end = if self.rng.u8(0..10) == 0 {
                    Action::Fail(page)
                } else {
                    Action::End(page)
                };
                self.put(last, end);
            }
        }
        last
    }

    fn decline(&mut self, at: u64, to: usize) -> u64 {
        let page = self.at(to);
        self.put(at, Action::End(page));
        if self.rng.u8(0..100) < 30 {
            let page = self.at(to);
            let also = if self.rng.bool() {
                Action::Accept(page, false)
            } else {
                Action::End(page)
            };
            self.put(at + self.rng.clone().u64(0..60), also);
        }
        at + 60
    }

    fn cancel(&mut self, at: u64, from: usize, to: usize) -> u64 {
        let page = self.at(from);
        self.put(at, Action::End(page));
        if self.rng.u8(0..100) < 50 {
            let page = self.at(to);
            let also = if self.rng.bool() {
                Action::Accept(page, true)
            } else {
                Action::End(page)
            };
            let near = self.rng.u64(0..120);
            self.put((at + near).saturating_sub(60), also);
        }
        at + 60
    }

    fn noticed(&mut self) -> Noticed {
        match self.rng.u8(0..10) {
            0..5 => Noticed::After(self.rng.u64(0..100)),
            5..7 => Noticed::After(self.rng.u64(100..20_000)),
            _ => Noticed::Never,
        }
    }

    fn fault(&mut self, at: u64) {
        let person = self.rng.usize(0..self.people);
        let page = self.at(person);
        let notice = (self.rng.u8(0..10) < 4).then(|| self.noticed());
        let action = match self.rng.u8(0..100) {
            0..22 => Action::Restart {
                down_ms: *pick(&mut self.rng, &[50, 500, 3_000, 9_000, 20_000]),
                noticed: self.noticed(),
            },
            22..42 => Action::Cut {
                at: page,
                client: self.noticed(),
                server: self.noticed(),
            },
            42..54 => Action::Stall(page, *pick(&mut self.rng, &[300, 2_500, 7_000, 15_000])),
            54..62 => Action::Offline(person, *pick(&mut self.rng, &[500, 4_000, 15_000, 40_000])),
            62..72 => Action::Reload(page, notice),
            72..80 => Action::Close(page, notice),
            80..87 => Action::Open { person },
            87..92 => Action::Hide(page, self.rng.bool()),
            92..95 => Action::SignOut(page),
            95..97 => Action::SignIn(page),
            _ => {
                let whom = self.other_than(person);
                Action::Block(page, whom, self.rng.u8(0..4) > 0)
            }
        };
        self.put(at, action);
    }
}
