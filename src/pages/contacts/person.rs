//! `/contacts/<handle>`: what there was between two people, and the ways to call.

use leptos::prelude::*;
use visavis_call_core::{PeopleIntent, Standing};
use visavis_protocol::Handle;

use super::lines::call_list;
use super::{call_buttons, known_or, presence_of, status};
use crate::components::dom::{El, button, el_class};
use crate::components::heading;
use crate::i18n::words;
use crate::pages::set_title;
use crate::route::Route;
use crate::runtime::use_runtime;

/// The page of one person.
pub fn conversation(handle: &Handle) -> El {
    set_title(handle.as_str());
    let whose = handle.clone();
    let head = heading(handle.as_str());
    known_or(head, move |_| {
        let of = whose.clone();
        let top = el_class("div", "conversation-top")
            .child(status(move || presence_of(&of)))
            .children(call_buttons(&whose, "round"));
        let back = el_class("a", "small")
            .attr("href", &Route::Contacts.path())
            .text(words().phone.back);
        el_class("div", "conversation")
            .child(back)
            .child(top)
            .child(
                el_class("section", "conversation-lines")
                    .child(call_list(Some(whose.clone())))
                    .child(el_class("p", "quiet small").text(words().phone.write_hint)),
            )
            .child(acts(&whose))
    })
}

/// What else one can do about somebody.
fn acts(handle: &Handle) -> El {
    let runtime = use_runtime();
    let (others, words) = (runtime.others(), &words().phone);
    let (of, blocking) = (handle.clone(), handle.clone());
    let is_contact = Memo::new(move |_| presence_of(&of).is_some());
    let is_blocked = Memo::new(move |_| others.with(|others| others.blocked.contains(&blocking)));
    let (contact, block, forgotten) = (handle.clone(), handle.clone(), handle.clone());
    let keep = button("button button-small", move || {
        runtime.about_people(PeopleIntent::Contact {
            handle: contact.clone(),
            is: !is_contact.get_untracked(),
        });
    })
    .live(move |keep| {
        keep.set_text(if is_contact.get() {
            words.remove
        } else {
            words.add_contact
        });
    });
    let unblock = words.unblock.fill(handle.as_str());
    let block = button("button button-small", move || {
        runtime.about_people(PeopleIntent::Block {
            handle: block.clone(),
            blocked: !is_blocked.get_untracked(),
        });
    })
    .attr("title", words.block_hint)
    .live(move |block| block.set_text(if is_blocked.get() { &unblock } else { words.block }));
    let forget = button("button button-small button-plain", move || {
        runtime.forget_conversation(&forgotten);
    })
    .text(words.forget);
    // The server has to be there to hear it.
    let while_known = |act: El| {
        act.live(move |act| {
            let is_known = others.with(|others| others.standing == Standing::SignedIn);
            act.set_flag("disabled", !is_known);
        })
    };
    el_class("div", "conversation-acts")
        .child(while_known(keep))
        .child(while_known(block))
        .child(forget)
}
