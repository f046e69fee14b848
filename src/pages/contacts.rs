//! `/contacts`: who one is, whom one knows, and the calls there were.

mod lines;
mod person;
mod sign_in;

use leptos::prelude::*;
use visavis_call_core::{PeopleIntent, Standing};
use visavis_protocol::handle::InvalidHandle;
use visavis_protocol::people::{Contact, Presence};
use visavis_protocol::{ErrorCode, Handle};

use super::set_title;
use crate::components::dom::{El, button, each, el, el_class, live};
use crate::components::{Avatar, Field, Icon, brand_link, heading, icon};
use crate::i18n::words;
use crate::runtime::{Runtime, use_runtime};
use lines::call_list;
pub use person::conversation;
use sign_in::sign_in;

/// The page.
pub fn page() -> El {
    set_title(words().contacts);
    let head = heading(words().contacts);
    known_or(head, |runtime| {
        el_class("div", "contacts-columns")
            .child(
                el_class("div", "contacts-side")
                    .child(me())
                    .child(add())
                    .child(contact_list())
                    .slot({
                        let others = runtime.others();
                        let handles = Memo::new(move |_| others.with(|others| others.blocked.clone()));
                        move || blocked(handles.get())
                    }),
            )
            .child(
                el("section")
                    .child(el_class("h2", "section-title").text(words().phone.calls))
                    .child(call_list(None))
                    .live(move |_| {
                        runtime.past_calls().track();
                        runtime.look_at_calls();
                    }),
            )
    })
}

/// A page for those who are somebody here; others are asked to sign in.
fn known_or(head: El, content: impl Fn(Runtime) -> El + 'static) -> El {
    let runtime = use_runtime();
    let others = runtime.others();
    let is_known = Memo::new(move |_| {
        others.with(|others| {
            others.handle.is_some() && !matches!(others.standing, Standing::Refused(_) | Standing::NoKey)
        })
    });
    el_class("main", "page contacts")
        .child(el("div").child(brand_link(words().visavis)))
        .child(el_class("div", "contacts-head").child(head))
        .slot(move || {
            Some(if is_known.get() {
                content(runtime)
            } else {
                sign_in()
            })
        })
}

/// Who one is, and what one does about it.
fn me() -> El {
    let runtime = use_runtime();
    let (others, words) = (runtime.others(), &words().phone);
    let line = el_class("span", "quiet")
        .attr("role", "status")
        .live_text(move || {
            others.with(|others| {
                let handle = others.handle.as_ref().map(Handle::to_string).unwrap_or_default();
                match others.standing {
                    Standing::SignedIn => words.signed_in_as.fill(&handle),
                    Standing::SigningIn | Standing::SignedOut | Standing::Refused(_) | Standing::NoKey => {
                        words.signing_in.to_owned()
                    }
                }
            })
        });
    let link = button("button button-small", move || {
        runtime.about_people(PeopleIntent::MakeCode);
    })
    .text(words.link_device);
    let out = button("button button-small button-plain", move || runtime.sign_out()).text(words.sign_out);
    let asked = RwSignal::new(false);
    let notify = move || {
        (!asked.get() && runtime.may_ask_to_notify()).then(|| {
            button("button button-small", move || {
                runtime.ask_to_notify(move || asked.set(true));
            })
            .text(words.notify)
        })
    };
    let code = Memo::new(move |_| others.with(|others| others.code.as_ref().map(|(code, _)| code.clone())));
    el_class("div", "contacts-me")
        .child(line)
        .child(link)
        .child(out)
        .slot(notify)
        .slot(move || {
            code.get().map(|code| {
                el_class("div", "contacts-code")
                    .child(el_class("output", "code").text(&code))
                    .child(el_class("p", "quiet").text(words.code_hint))
            })
        })
}

/// The form that adds somebody.
fn add() -> El {
    let runtime = use_runtime();
    let (others, words) = (runtime.others(), &words().phone);
    let field = Field::new(
        "add-contact",
        words.add_contact,
        Some(el_class("button", "button").text(words.add)),
    );
    handle_input(&field);
    let (typed, shown) = (field.clone(), field.clone());
    // Nothing else that others do takes the cursor away or an error off.
    let refused = Memo::new(move |_| others.with(|others| others.refused));
    live(move || {
        if let Some(problem) = refused.get().and_then(refusal) {
            shown.set_error(Some(problem));
        }
    });
    el_class("form", "contacts-add")
        .attr("novalidate", "")
        .on("submit", move |event| {
            event.prevent_default();
            match read(&typed, &others.with_untracked(|others| others.handle.clone())) {
                Ok(handle) => {
                    runtime.about_people(PeopleIntent::Contact { handle, is: true });
                    typed.input().set_property("value", &"".into());
                }
                Err(problem) => typed.set_error(Some(problem)),
            }
        })
        .child(field.whole)
        .child(el_class("p", "quiet small").text(words.add_hint))
}

/// A field for a handle: no capitals, nothing that a keyboard would complete.
fn handle_input(field: &Field) {
    field
        .input()
        .attr("autocomplete", "off")
        .attr("autocapitalize", "none")
        .attr("maxlength", "64")
        .attr("dir", "ltr");
}

/// Reads somebody else's handle.
fn read(field: &Field, own: &Option<Handle>) -> Result<Handle, &'static str> {
    let handle = Handle::read(&field.text()).map_err(handle_error)?;
    if own.as_ref() == Some(&handle) {
        return Err(words().phone.yourself);
    }
    Ok(handle)
}

/// What to say of a text that is no handle.
fn handle_error(error: InvalidHandle) -> &'static str {
    let words = &words().phone;
    match error {
        InvalidHandle::TooShort => words.short,
        InvalidHandle::TooLong => words.long,
        InvalidHandle::Character => words.character,
        InvalidHandle::Shape => words.shape,
    }
}

/// What to say of something that the server refused about contacts.
fn refusal(code: ErrorCode) -> Option<&'static str> {
    let words = &words().phone;
    let known = [
        (ErrorCode::TooMany, words.too_many_contacts),
        (ErrorCode::SelfAddressed, words.yourself),
        (ErrorCode::RateLimited, words.too_often),
    ];
    let said = known.into_iter().find(|(known, _)| *known == code);
    said.map(|(_, text)| text)
}

/// How it stands with somebody, in a word.
pub fn presence_name(presence: Presence) -> &'static str {
    let words = &words().phone;
    match presence {
        Presence::Online => words.online,
        Presence::Busy => words.busy,
        Presence::Away => words.away,
        Presence::Offline | Presence::Unknown => words.offline,
    }
}

/// How it stands with somebody, with a dot of its colour. Follows signals.
fn status(contact: impl Fn() -> Option<Presence> + 'static) -> El {
    el_class("span", "presence").live(move |status| {
        let presence = contact();
        status.set_flag("hidden", presence.is_none());
        let presence = presence.unwrap_or_default();
        status.set_text(presence_name(presence));
        status.set_attr(
            "data-presence",
            Some(match presence {
                Presence::Online => "online",
                Presence::Busy => "busy",
                Presence::Away => "away",
                Presence::Offline | Presence::Unknown => "offline",
            }),
        );
    })
}

/// Everybody who was added: who is here comes first.
fn contact_list() -> El {
    let runtime = use_runtime();
    let (others, words) = (runtime.others(), words());
    // The only thing beside its items that a list may have.
    let end = el("template");
    let list = el_class("ul", "rows contact-rows")
        // Without its bullets some browsers no longer take it for a list.
        .attr("role", "list")
        .attr("aria-label", words.contacts)
        .child(end.clone());
    // Names take the place of keys that can be copied.
    let known: StoredValue<Vec<Handle>> = StoredValue::default();
    each(
        &list,
        &end,
        move || {
            let order = others.with(|others| in_order(&others.contacts));
            let mut known = known.write_value();
            let mut keys = Vec::with_capacity(order.len());
            for handle in order {
                let at = known.iter().position(|one| *one == handle).unwrap_or_else(|| {
                    known.push(handle);
                    known.len() - 1
                });
                keys.push(at);
            }
            keys
        },
        move |at: usize| known.with_value(|known| contact(&known[at])),
    );
    let is_empty = Memo::new(move |_| others.with(|others| others.contacts.is_empty()));
    el("section")
        .child(el_class("h2", "section-title").text(words.contacts))
        .child(list)
        .slot(move || {
            is_empty
                .get()
                .then(|| el_class("p", "quiet").text(words.phone.no_contacts))
        })
}

/// Those who are there first, then by handle.
fn in_order(contacts: &[Contact]) -> Vec<Handle> {
    let rank = |presence| match presence {
        Presence::Online => 0,
        Presence::Busy => 1,
        Presence::Away => 2,
        Presence::Offline | Presence::Unknown => 3,
    };
    let mut ordered: Vec<&Contact> = contacts.iter().collect();
    ordered
        .sort_by(|one, other| (rank(one.presence), &one.handle).cmp(&(rank(other.presence), &other.handle)));
    ordered
        .into_iter()
        .map(|contact| contact.handle.clone())
        .collect()
}

fn contact(handle: &Handle) -> El {
    let name = handle.as_str();
    let path = crate::route::Route::Contact(handle.clone()).path();
    let whose = handle.clone();
    let link = el("a")
        .attr("href", &path)
        .child(Avatar::of(name).el())
        .child(el_class("bdi", "cut").text(name));
    el("li")
        .attr("aria-label", name)
        .child(link)
        .child(status(move || presence_of(&whose)))
        .children(call_buttons(handle, "round round-small"))
}

/// How it stands with a contact; nothing is known of others. Follows signals.
fn presence_of(handle: &Handle) -> Option<Presence> {
    use_runtime().others().with(|others| {
        let contact = others.contacts.iter().find(|contact| contact.handle == *handle);
        contact.map(|contact| contact.presence)
    })
}

/// The two ways to call somebody.
fn call_buttons(handle: &Handle, class: &str) -> [El; 2] {
    let runtime = use_runtime();
    let words = &words().phone;
    let ways = [
        (Icon::Phone, words.call, false),
        (Icon::Camera, words.video_call_to, true),
    ];
    ways.map(|(sign, label, video)| {
        let to = handle.clone();
        let call = button(class, move || runtime.call(&to, video)).child(icon(sign));
        call.set_label(&label.fill(handle.as_str()));
        call.live(move |call| call.set_flag("disabled", is_in_call(runtime)))
    })
}

/// Whether another call cannot begin now. Follows signals.
fn is_in_call(runtime: Runtime) -> bool {
    use visavis_call_core::CallState;
    runtime.others().with(|others| {
        let state = others.call.as_ref().map(|call| &call.state);
        let is_over = matches!(state, None | Some(CallState::Idle | CallState::Over { .. }));
        !is_over || others.standing != Standing::SignedIn
    })
}

/// Everybody who was blocked; nothing where nobody was.
fn blocked(blocked: Vec<Handle>) -> Option<El> {
    let runtime = use_runtime();
    let words = &words().phone;
    if blocked.is_empty() {
        return None;
    }
    let entry = |handle: Handle| {
        let name = el_class("span", "cut grow").text(handle.as_str());
        let label = words.unblock.fill(handle.as_str());
        let unblock = button("button button-small", move || {
            runtime.about_people(PeopleIntent::Block {
                handle: handle.clone(),
                blocked: false,
            });
        })
        .text(&label);
        el("li").child(name).child(unblock)
    };
    let list = el_class("ul", "rows")
        .attr("role", "list")
        .attr("aria-label", words.blocked)
        .children(blocked.into_iter().map(entry));
    Some(
        el("section")
            .child(el_class("h2", "section-title").text(words.blocked))
            .child(list),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_there_come_first() {
        let contact = |name: &str, presence| Contact {
            handle: name.parse().unwrap(),
            presence,
        };
        let contacts = [
            contact("ada", Presence::Offline),
            contact("bob", Presence::Busy),
            contact("cleo", Presence::Online),
            contact("abe", Presence::Online),
            contact("dan", Presence::Away),
        ];
        let ordered: Vec<String> = in_order(&contacts).iter().map(Handle::to_string).collect();
        assert_eq!(ordered, ["abe", "cleo", "bob", "dan", "ada"]);
    }
}
