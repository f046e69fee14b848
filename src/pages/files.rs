//! Files in the call: the panel with what is sent and received, and the offer that comes while it is
//! closed.

mod dragged;
mod offer;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{FileIntent, Transfer, TransferState};
use visavis_protocol::{SeatId, TransferId};
use wasm_bindgen::JsCast;
use web_sys::{FileList, HtmlCanvasElement, HtmlInputElement};

use crate::components::dom::{El, button, el, el_class};
use crate::components::{
    Act, Beside, Icon, Panel, PickerOption, Toasts, Tone, TransferDoes, asks, badge, file_name, icon, picker,
    transfer_list,
};
use crate::i18n::{amounts, words};
use crate::runtime::{Runtime, use_runtime};

/// Names of pasted files that are shown.
const PASTED_SHOWN: u32 = 3;

/// The panel and what belongs to it. Copies are the same.
#[derive(Clone)]
pub struct Files {
    runtime: Runtime,
    pub panel: Panel,
    /// Who gets what is sent; empty for everyone.
    to: RwSignal<Vec<SeatId>>,
    /// Their name, for when they are gone.
    to_name: Rc<RefCell<String>>,
    /// What was pasted and is not sent yet.
    pasted: Rc<RefCell<Option<FileList>>>,
    /// How often that changed.
    pastes: RwSignal<u32>,
    saves: RwSignal<u32>,
}

impl Files {
    /// Closed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            runtime: use_runtime(),
            panel: Panel::new(words().file.files),
            to: RwSignal::new(Vec::new()),
            to_name: Rc::default(),
            pasted: Rc::default(),
            pastes: RwSignal::new(0),
            saves: RwSignal::new(0),
        }
    }

    /// The panel, which belongs beside the stage.
    pub fn panel(&self, toasts: &Toasts) -> El {
        let (files, toasts) = (self.clone(), toasts.clone());
        self.panel.with(move || files.content(&toasts))
    }

    /// Puts the number of offers that wait for an answer on a button.
    pub fn badged(&self, button: El) -> El {
        let files = self.clone();
        badge(button, move || files.asking(), words().file.waiting)
    }

    /// How many offers wait for an answer.
    pub fn asking(&self) -> usize {
        let all = self.runtime.transfers();
        all.with(|all| all.iter().filter(|transfer| asks(transfer)).count())
    }

    fn content(&self, toasts: &Toasts) -> El {
        let (words, runtime) = (words(), self.runtime);
        let transfers = runtime.transfers();
        let pasted = self.clone();
        let nothing = el_class("p", "hint")
            .text(words.file.nothing)
            .live(move |nothing| nothing.set_flag("hidden", !transfers.with(Vec::is_empty)));
        let again = file_input("The file again");
        let does = self.does(&again, toasts);
        el_class("div", "slot")
            .child(self.sending())
            .slot(move || pasted.confirm())
            .child(again)
            .child(nothing)
            .child(transfer_list(transfers, does))
    }

    // Sending

    /// Whom to send to, and the buttons.
    fn sending(&self) -> El {
        let (words, runtime) = (words(), self.runtime);
        let people = runtime.people();
        let (chosen, receivers) = (self.clone(), self.to);
        // People change all the time; the list does so when they come and go.
        let options = Memo::new(move |_| options(runtime, receivers));
        let to = picker(
            words.file.send_to,
            move || options.get(),
            move |value| chosen.choose(&value),
        );
        let pick = self.input("Files to send", false);
        let folder = runtime
            .can_pick_folder()
            .then(|| self.input("Folder to send", true));
        let pressed = pick.clone();
        let send = button("button button-primary", move || pressed.element().click())
            .child(icon(Icon::Upload))
            .text(words.file.send);
        let send_folder = folder.clone().map(|input| {
            button("button", move || input.element().click())
                .child(icon(Icon::Folder))
                .text(words.file.send_folder)
        });
        let buttons = el_class("div", "file-buttons")
            .child(send.clone())
            .children(send_folder.clone());
        let files = self.clone();
        let hint = el_class("p", "hint").attr("role", "status").live(move |hint| {
            let is_alone = people.with(Vec::is_empty);
            let text = if is_gone(runtime, files.to) {
                words.file.gone.fill(&files.to_name.borrow())
            } else if is_alone {
                words.file.alone.to_owned()
            } else {
                String::new()
            };
            let is_idle = !text.is_empty();
            hint.set_flag("hidden", !is_idle);
            hint.set_text(&text);
            send.set_flag("disabled", is_idle);
            if let Some(send_folder) = &send_folder {
                send_folder.set_flag("disabled", is_idle);
            }
        });
        el_class("div", "file-sending")
            .child(to)
            .child(pick)
            .children(folder)
            .child(buttons)
            .child(hint)
    }

    fn choose(&self, value: &str) {
        let mut to = Vec::new();
        self.runtime.people().with_untracked(|people| {
            let found = people.iter().find(|person| person.seat.to_string() == value);
            if let Some(person) = found {
                self.to_name.replace(person.name.clone());
                to.push(person.seat);
            }
        });
        if value != GONE {
            self.to.set(to);
        }
    }

    /// Whether anybody would get what is sent. Follows signals.
    fn has_receiver(&self) -> bool {
        !is_gone(self.runtime, self.to) && !self.runtime.people().with(Vec::is_empty)
    }

    /// What the browser picks files with: out of sight, for its looks are the browser's own.
    fn input(&self, name: &str, is_folder: bool) -> El {
        let files = self.clone();
        let input = file_input(name).attr("multiple", "");
        if is_folder {
            input.set_attr("webkitdirectory", Some(""));
        }
        on_picked(&input, move |list| {
            if untrack(|| files.has_receiver()) {
                files
                    .runtime
                    .offer_files(list, files.to.get_untracked(), is_folder);
            }
        });
        input
    }

    // What was pasted

    /// Keeps what was pasted until the person says to whom it is to go.
    fn paste(&self, list: FileList) {
        self.pasted.replace(Some(list));
        self.pastes.update(|count| *count += 1);
    }

    /// Asks whether what was pasted is to be sent.
    fn confirm(&self) -> Option<El> {
        self.pastes.track();
        let pasted = self.pasted.borrow();
        let list = pasted.as_ref()?;
        let (words, count) = (&words().file, list.length());
        let (sent, discarded, named) = (self.clone(), self.clone(), self.clone());
        let send = button("button button-primary", move || {
            if !untrack(|| sent.has_receiver()) {
                return;
            }
            let list = sent.pasted.take();
            if let Some(list) = list {
                sent.runtime.offer_files(&list, sent.to.get_untracked(), false);
            }
            sent.pastes.update(|count| *count += 1);
        })
        .live(move |send| {
            let text = if named.to.with(Vec::is_empty) {
                words.send_everyone.to_owned()
            } else {
                words.send_person.fill(&named.to_name.borrow())
            };
            send.set_text(&text);
            send.set_flag("disabled", !named.has_receiver());
        });
        send.focus_soon();
        let discard = button("button", move || {
            discarded.pasted.take();
            discarded.pastes.update(|count| *count += 1);
        })
        .text(words.discard);
        let names = (0..count.min(PASTED_SHOWN)).filter_map(|index| {
            let file = list.get(index)?;
            Some(
                el_class("p", "pasted-file")
                    .child(file_name(&file.name()))
                    .child(el_class("span", "hint").text(&amounts::bytes(file.size() as u64))),
            )
        });
        let text = words.pasted.of(usize::try_from(count).unwrap_or(usize::MAX));
        Some(
            el_class("div", "pasted")
                .attr("role", "group")
                .attr("aria-label", &text)
                .child(el("p").text(&text))
                .children(names)
                .child(el_class("div", "file-buttons").child(send).child(discard)),
        )
    }

    // What one does about a transfer

    /// `again` is what the browser picks a file with that is lacking.
    fn does(&self, again: &El, toasts: &Toasts) -> TransferDoes {
        let (files, known, runtime) = (self.clone(), self.clone(), self.runtime);
        let (again, toasts) = (again.clone(), toasts.clone());
        // Which transfer the file is picked for. Whoever picks without a word picks for the first.
        let again_for: Rc<RefCell<Option<TransferId>>> = Rc::default();
        let wanted = Rc::clone(&again_for);
        on_picked(&again, move |list| {
            let lacking = || {
                let all = runtime.transfers();
                let lacks = |transfer: &&Transfer| transfer.state == TransferState::Lacking { ours: true };
                all.with_untracked(|all| all.iter().find(lacks).map(|transfer| transfer.transfer))
            };
            let transfer = wanted.borrow_mut().take().or_else(lacking);
            if let Some(transfer) = transfer {
                runtime.pick_again_files(transfer, list);
            }
        });
        TransferDoes {
            act: Rc::new(move |transfer, act| {
                let id = transfer.transfer;
                match act {
                    Act::Accept => runtime.about_file(FileIntent::Accept(id)),
                    Act::Decline => runtime.about_file(FileIntent::Decline(id)),
                    Act::Pause => runtime.about_file(FileIntent::Pause(id, true)),
                    Act::Resume => runtime.about_file(FileIntent::Pause(id, false)),
                    Act::Cancel => runtime.about_file(FileIntent::Cancel(id)),
                    Act::Remove | Act::Discard => runtime.about_file(FileIntent::Dismiss(id)),
                    Act::Save => files.save(transfer, &toasts),
                    Act::Again => {
                        again_for.replace(Some(id));
                        again.set_flag("webkitdirectory", transfer.is_folder);
                        again.set_flag("multiple", transfer.is_folder);
                        again.element().click();
                    }
                    // The list does that by itself.
                    Act::Preview | Act::Keep => {}
                }
            }),
            beside: Rc::new(move |transfer| {
                known.saves.track();
                Beside {
                    is_saved: runtime.is_saved(transfer.transfer),
                    can_preview: transfer.state == TransferState::Done && runtime.can_preview(transfer),
                }
            }),
            preview: Rc::new(move |transfer, canvas: HtmlCanvasElement, done| {
                runtime.preview(transfer, canvas, done);
            }),
        }
    }

    fn save(&self, transfer: &Transfer, toasts: &Toasts) {
        let (files, toasts) = (self.clone(), toasts.clone());
        let (id, title) = (transfer.transfer, transfer.title.clone());
        self.runtime.save_file(id, move |is_saved| {
            if is_saved {
                // The call may be over by now.
                _ = files.saves.try_update(|count| *count += 1);
            } else {
                toasts.say(Tone::Error, words().file.save_failed.fill(&title));
            }
        });
    }
}

/// The picker's value for somebody who is gone.
const GONE: &str = "gone";

/// Whom one can send to. Who was chosen and left is nobody, and so is to be chosen again. Follows signals.
fn options(runtime: Runtime, to: RwSignal<Vec<SeatId>>) -> Vec<PickerOption> {
    let (words, chosen) = (&words().file, to.get());
    let option = |value: String, label: &str, is_picked| PickerOption {
        value,
        label: label.to_owned(),
        is_picked,
    };
    let gone = is_gone(runtime, to).then(|| option(GONE.to_owned(), words.choose, true));
    let everyone = option(String::new(), words.everyone, chosen.is_empty());
    let mut options: Vec<PickerOption> = gone.into_iter().chain([everyone]).collect();
    runtime.people().with(|people| {
        options.extend(people.iter().map(|person| {
            let is_picked = chosen.contains(&person.seat);
            option(person.seat.to_string(), &person.name, is_picked)
        }));
    });
    options
}

/// Whether who was chosen has left. Follows signals.
fn is_gone(runtime: Runtime, to: RwSignal<Vec<SeatId>>) -> bool {
    runtime.people().with(|people| {
        let is_here = |seat: &SeatId| people.iter().any(|person| person.seat == *seat);
        to.with(|to| !to.iter().all(is_here))
    })
}

fn file_input(name: &str) -> El {
    // Nobody sees or hears of it: its name is for tests.
    el("input")
        .attr("type", "file")
        .attr("hidden", "")
        .attr("aria-label", name)
}

/// Hands on what was picked, and empties the input: the same may be picked again.
fn on_picked(input: &El, picked: impl Fn(&FileList) + 'static) {
    let read = input.clone();
    input.clone().on("change", move |_| {
        let input: &HtmlInputElement = read.element().unchecked_ref();
        if let Some(list) = input.files().filter(|list| list.length() > 0) {
            picked(&list);
        }
        input.set_value("");
    });
}
