//! Who is in the call: each with what they send, and how loud they are to be here.

mod door;

use std::cell::RefCell;

use leptos::prelude::*;
use visavis_call_core::{Me, Person};
use visavis_protocol::{PeerId, SeatId};

use super::scene::Subject;
use super::stage::{own_face, remote_face};
use crate::components::dom::{El, button, each, el, el_class, live};
use crate::components::{Avatar, Face, Icon, Mark, changing_icon, icon};
use crate::i18n::words;
use crate::runtime::{Loudness, use_runtime};

/// Step of a slider, in percent.
const STEP: &str = "5";

/// What the panel shows.
pub fn content(copy_link: impl Fn() + 'static) -> El {
    let (words, runtime) = (words(), use_runtime());
    let (me, people) = (runtime.me(), runtime.people());
    // The only thing beside its items that a list may have.
    let end = el("template");
    let list = el_class("ul", "people")
        // Without its bullets some browsers no longer take it for a list.
        .attr("role", "list")
        .attr("aria-label", words.in_call)
        // For whoever pressed a button that is gone for it.
        .attr("tabindex", "-1")
        .child(end.clone());
    each(
        &list,
        &end,
        move || me.with(|me| people.with(|people| order(me, people))),
        {
            let list = list.clone();
            move |subject| match subject {
                Subject::Person(seat) | Subject::Screen(seat) => other(seat, &list),
                Subject::Own | Subject::OwnScreen => own(),
            }
        },
    );
    let inside = list.clone();
    let hosting = runtime.hosting();
    let is_old = Memo::new(move |_| hosting.with(|hosting| hosting.is_link_old));
    let copy = button("button", copy_link)
        .child(icon(Icon::Link))
        .text(words.copy_link)
        .live(move |copy| copy.set_attr("aria-disabled", is_old.get().then_some("true")));
    let old = move || {
        let text = || el_class("p", "hint").text(words.host.link_old);
        is_old.get().then(text)
    };
    el_class("div", "slot")
        .slot(move || door::waiting(&inside))
        .child(list)
        .child(copy)
        .slot(old)
        .slot(door::gate)
}

/// Those whose hands are up, in the order in which they raised them; then oneself and everybody else
/// as they came. Two who raised theirs at once are in the same order for everybody.
fn order(me: &Me, people: &[Person]) -> Vec<Subject> {
    let own = (me.hand, me.peer, Subject::Own);
    let of = |person: &Person| {
        (
            person.status.hand,
            Some(person.peer),
            Subject::Person(person.seat),
        )
    };
    let mut all: Vec<(u32, Option<PeerId>, Subject)> = vec![own];
    all.extend(people.iter().map(of));
    let mut ordered = Vec::with_capacity(all.len());
    loop {
        let raised = all.iter().enumerate().filter(|(_, (hand, ..))| *hand > 0);
        let first = raised.min_by_key(|(_, (hand, peer, _))| (*hand, *peer));
        let Some((at, _)) = first else { break };
        ordered.push(all.remove(at).2);
    }
    ordered.extend(all.into_iter().map(|(.., subject)| subject));
    ordered
}

/// What is the same for oneself and for others.
struct Entry {
    whole: El,
    avatar: Avatar,
    name: El,
    host: El,
    marks: El,
    shown: RefCell<Vec<Mark>>,
}

impl Entry {
    fn new() -> Self {
        let avatar = Avatar::new();
        let name = el_class("span", "person-name cut").attr("dir", "auto");
        let host = el_class("span", "slot");
        let marks = el_class("span", "marks");
        let whole = el_class("li", "person")
            .child(avatar.el())
            .child(name.clone())
            .child(
                el_class("span", "person-side")
                    .child(host.clone())
                    .child(marks.clone()),
            );
        Self {
            whole,
            avatar,
            name,
            host,
            marks,
            shown: RefCell::default(),
        }
    }

    fn show_host(&self, is_host: bool) {
        let mark = is_host.then(|| el_class("span", "host-mark").text(words().host.host));
        self.host.set_only_child(mark);
    }

    fn show(&self, name: &str, face: Face) {
        self.avatar.set(&face.name);
        self.name.set_text(name);
        if *self.shown.borrow() != face.marks {
            self.marks.set_only_child(None);
            for mark in &face.marks {
                self.marks.put(&mark.view());
            }
            self.shown.replace(face.marks);
        }
    }
}

fn own() -> El {
    let me = use_runtime().me();
    let entry = Entry::new();
    let whole = entry.whole.clone();
    let hosting = use_runtime().hosting();
    live(move || {
        me.with(|me| entry.show(&words().you.fill(&me.name), own_face(me)));
        entry.show_host(hosting.with(|hosting| hosting.is_host));
    });
    whole
}

fn other(seat: SeatId, list: &El) -> El {
    let runtime = use_runtime();
    let people = runtime.people();
    let entry = Entry::new();
    let whole = entry.whole.clone();
    let loudness = runtime.loudness(seat);
    let is_muted = RwSignal::new(loudness.is_muted);
    let slider = el_class("input", "volume")
        .attr("type", "range")
        .attr("min", "0")
        .attr("max", "100")
        .attr("step", STEP);
    slider.set_property("value", &loudness.percent.to_string().into());
    let moved = slider.clone();
    let apply = move || {
        let loudness = Loudness {
            percent: moved.field_value().parse().unwrap_or(100),
            is_muted: is_muted.get_untracked(),
        };
        runtime.set_loudness(seat, loudness);
    };
    let muted = apply.clone();
    let mute = button("sign", move || {
        is_muted.update(|muted| *muted = !*muted);
        muted();
    })
    .child(changing_icon(move || {
        if is_muted.get() {
            Icon::SpeakerOff
        } else {
            Icon::Speaker
        }
    }));
    let controls = el_class("span", "person-sound")
        .child(mute.clone())
        .child(slider.clone().on("input", move |_| apply()));
    live(move || {
        let is_muted = is_muted.get();
        people.with(|people| {
            // Somebody who has left is shown as they were until their entry is taken away.
            let Some(person) = people.iter().find(|person| person.seat == seat) else {
                return;
            };
            let (words, name) = (words(), &person.name);
            entry.show(name, remote_face(person));
            entry.show_host(person.is_host);
            slider.set_label(&words.volume_of.fill(name));
            slider.set_flag("disabled", is_muted);
            let does = if is_muted {
                words.unmute_for_me
            } else {
                words.mute_for_me
            };
            mute.set_label(&does.fill(name));
        });
    });
    let list = list.clone();
    whole.child(controls).slot(move || door::over(seat, &list))
}

#[cfg(test)]
mod tests {
    use visavis_call_core::ConnectionState;
    use visavis_protocol::MediaStatus;

    use super::*;

    fn person(n: u8, hand: u32) -> Person {
        Person {
            seat: SeatId::from_bytes([n; 16]),
            peer: PeerId::from_bytes([n; 16]),
            name: String::new(),
            link: None,
            connection: ConnectionState::Connected,
            away: false,
            is_host: false,
            status: MediaStatus {
                hand,
                ..MediaStatus::default()
            },
            receiving: [false; 4],
            silent: false,
            frozen: [false; 4],
            relayed: None,
        }
    }

    fn me(n: u8, hand: u32) -> Me {
        Me {
            peer: Some(PeerId::from_bytes([n; 16])),
            hand,
            ..Me::default()
        }
    }

    fn them(n: u8) -> Subject {
        Subject::Person(SeatId::from_bytes([n; 16]))
    }

    #[test]
    fn hands_come_first_in_the_order_in_which_they_were_raised() {
        let people = [person(1, 0), person(2, 4), person(3, 2)];
        assert_eq!(
            order(&me(9, 0), &people),
            [them(3), them(2), Subject::Own, them(1)]
        );
        assert_eq!(
            order(&me(9, 3), &people),
            [them(3), Subject::Own, them(2), them(1)]
        );
        assert_eq!(
            order(&me(9, 0), &[person(2, 0), person(1, 0)]),
            [Subject::Own, them(2), them(1)]
        );
    }

    #[test]
    fn hands_raised_at_once_are_in_one_order_for_all() {
        let here = order(&me(5, 1), &[person(7, 1)]);
        let there = order(&me(7, 1), &[person(5, 1)]);
        assert_eq!(here, [Subject::Own, them(7)]);
        assert_eq!(there, [them(5), Subject::Own]);
    }
}
