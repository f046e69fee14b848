//! The call: the stage in its frame, controls, and what is said.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::CaptureKind;
use visavis_protocol::RoomSecret;

use super::comforts::Comforts;
use super::devices::{no_relay, pickers};
use super::more::more;
use super::prejoin::{capture_toggle, flip_button};
use super::recording::{Record, recording_chip};
use super::scene::Scene;
use super::shortcuts;
use super::stage::stage;
use super::status::{notice, status};
use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Dialog, Icon, InviteWords, Look, Toasts, Tone, heading, icon, invite};
use crate::i18n::words;
use crate::route::RoomLink;
use crate::runtime::{Runtime, use_runtime};

/// A movement within this time of the last one does not begin the controls' rest anew.
const STIR_EVERY_MS: f64 = 500.0;

/// The call of a room.
pub fn view(link: &RoomLink) -> El {
    let runtime = use_runtime();
    // Whom one talks with says more than the room that the two were given.
    let company = untrack(|| Company::at(runtime, link));
    let name = company.map_or_else(|| link.name().to_owned(), |company| company.name);
    runtime.set_title(&words().title_in_call.fill(&name));
    let people = runtime.people();
    let is_alone = Memo::new(move |_| people.with(Vec::is_empty));
    let toasts = Toasts::new();
    let share = Share::new(runtime, &toasts);

    let scene = Scene::new();
    let comforts = Comforts::new();
    let call = el_class("div", "call");
    shortcuts::hear(&comforts, toasts.clone(), rest(&call));
    let top = el_class("header", "call-top")
        .child(heading(&name))
        .child(status_line(&toasts, link))
        .child(recording_chip());
    let (alone, copied) = (share.clone(), share.clone());
    let (dropped, shown) = (comforts.clone(), comforts.clone());
    let dragged = comforts.files.dragged(scene, move || dropped.open_files());
    let of_call = link.clone();
    let company = Memo::new(move |_| Company::at(runtime, &of_call));
    let frame = el_class("div", "stage-frame").child(stage(scene)).slot(move || {
        let company = company.get();
        is_alone.get().then(|| {
            if let Some(company) = company {
                let text = el_class("p", "stage-note").text(&on_the_way(&company));
                return el_class("div", "stage-middle").child(text);
            }
            let texts = InviteWords {
                title: words().alone,
                hint: words().alone_hint,
                link: words().room_link,
                code: words().qr,
            };
            el_class("div", "stage-middle").child(alone.invite(texts, || {}))
        })
    });
    let middle = el_class("div", "call-middle")
        .child(frame)
        .child(comforts.people_panel(move || copied.copy()))
        .child(comforts.files.panel(&toasts))
        .child(comforts.chat_panel())
        .child(dragged);
    say_messages(&toasts, &comforts);
    let bottom = el_class("div", "call-bottom").child(controls(is_alone, share, scene, &comforts));
    call.live(move |call| call.set_class("may-rest", !is_alone.get()))
        .child(top)
        .child(middle)
        .child(bottom)
        .child(el("div").attr("role", "alert").child(toasts.place(Tone::Error)))
        .child(
            el_class("div", "call-warnings")
                .slot(sound)
                .slot(move || runtime.lacks_relay().get().then(no_relay))
                .child(comforts.files.offer(move || shown.open_files())),
        )
}

/// With whom one is in a room that is there for two.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Company {
    name: String,
    absence: Absence,
}

/// Why they are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    /// They took a call, and are on their way.
    OnTheWay,
    /// They have an appointment, and may take their time.
    Expected,
    /// They were here.
    Gone,
}

impl Company {
    /// Nobody, in any other room. Follows signals.
    fn at(runtime: Runtime, link: &RoomLink) -> Option<Self> {
        let of_call = runtime.direct(link).map(|direct| Self {
            absence: if direct.met {
                Absence::Gone
            } else {
                Absence::OnTheWay
            },
            name: direct.name,
        });
        of_call.or_else(|| {
            runtime.appointed(link).map(|name| Self {
                name,
                absence: if runtime.has_met(link) {
                    Absence::Gone
                } else {
                    Absence::Expected
                },
            })
        })
    }
}

/// Why one is alone in a call with somebody.
fn on_the_way(company: &Company) -> String {
    let words = &words().phone;
    let text = match company.absence {
        Absence::OnTheWay => words.connecting_to,
        Absence::Expected => words.expecting,
        Absence::Gone => words.waiting_for,
    };
    text.fill(&company.name)
}

/// Begins the rest of the controls anew at every movement, by changing which animation runs. So does
/// what is given back.
fn rest(call: &El) -> Rc<dyn Fn()> {
    let (last, is_odd) = (Cell::new(0.0), Cell::new(false));
    let stirred = call.clone();
    let stir: Rc<dyn Fn()> = Rc::new(move || {
        is_odd.set(!is_odd.get());
        stirred.set_attr("data-stir", Some(if is_odd.get() { "1" } else { "0" }));
    });
    stir();
    let moved = Rc::clone(&stir);
    call.clone().on("pointermove", move |event| {
        let now = event.time_stamp();
        if now - last.get() > STIR_EVERY_MS {
            last.set(now);
            moved();
        }
    });
    stir
}

/// The room's link and what one does with it.
#[derive(Clone)]
struct Share {
    runtime: Runtime,
    toasts: Toasts,
    /// The secret of a link that is newer than this page, and whether there is one that has not been heard yet.
    link: Memo<(Option<RoomSecret>, bool)>,
}

impl Share {
    fn new(runtime: Runtime, toasts: &Toasts) -> Self {
        let hosting = runtime.hosting();
        Self {
            runtime,
            toasts: toasts.clone(),
            link: Memo::new(move |_| hosting.with(|hosting| (hosting.secret, hosting.is_link_old))),
        }
    }

    /// Whether the link is good to be given to anybody. Says so where not.
    fn is_good(&self) -> bool {
        let (_, is_old) = self.link.get_untracked();
        if is_old {
            self.toasts.say(Tone::Polite, words().host.link_old.to_owned());
        }
        !is_old
    }

    /// A control that gives the link to somebody. It keeps the focus while that is not good.
    fn while_good(&self, control: El) -> El {
        let link = self.link;
        control.live(move |control| {
            let (_, is_old) = link.get();
            control.set_attr("aria-disabled", is_old.then_some("true"));
        })
    }

    fn copy(&self) {
        if !self.is_good() {
            return;
        }
        let toasts = self.toasts.clone();
        // As it is now: it changes when somebody is removed.
        self.runtime.copy(&self.runtime.room_url(), move |is_copied| {
            if is_copied {
                toasts.say(Tone::Polite, words().link_copied.to_owned());
            } else {
                toasts.say(Tone::Error, words().link_not_copied.to_owned());
            }
        });
    }

    /// The link with its code, or that it is on its way. `copied` runs after a click on "Copy link". Follows
    /// signals.
    fn invite(&self, texts: InviteWords, copied: impl Fn() + 'static) -> El {
        let (_, is_old) = self.link.get();
        if is_old {
            return el_class("div", "invite")
                .child(el("h2").text(texts.title))
                .child(el("p").text(words().host.link_old));
        }
        let share = self.clone();
        invite(texts, &self.runtime.room_url(), move || {
            share.copy();
            copied();
        })
    }
}

/// Says to those who do not see it that somebody wrote, and what where it is short and the chat is open.
fn say_messages(toasts: &Toasts, comforts: &Comforts) {
    let (chat, is_open, toasts) = (use_runtime().chat(), comforts.chat.is_open(), toasts.clone());
    let said = Cell::new(chat.with_untracked(|chat| chat.news));
    live(move || {
        chat.with(|chat| {
            let Some(news) = chat.last_news.as_ref().filter(|_| chat.news > said.get()) else {
                return;
            };
            said.set(chat.news);
            let text = if is_open.get_untracked() && news.is_whole {
                [&news.name, ": ", &news.beginning].concat()
            } else {
                words().chat.wrote.fill(&news.name)
            };
            toasts.say(Tone::Heard, text);
        });
    });
}

/// The status line and what is said of notices, in one live region.
fn status_line(toasts: &Toasts, link: &RoomLink) -> El {
    let runtime = use_runtime();
    let (stage, signaling, people, notices) = (
        runtime.stage(),
        runtime.signaling(),
        runtime.people(),
        runtime.notices(),
    );
    // What was said before this call is no news.
    let said = Cell::new(notices.with_untracked(|notices| notices.last().map_or(0, |last| last.number)));
    let say = toasts.clone();
    live(move || {
        notices.with(|notices| {
            for new in notices.iter().filter(|notice| notice.number > said.get()) {
                said.set(new.number);
                if let Some((tone, text)) = notice(&new.kind) {
                    say.say(tone, text);
                }
            }
        });
    });
    let (duplicates, tell) = (runtime.duplicates(), toasts.clone());
    let known = duplicates.get_untracked();
    live(move || {
        if duplicates.get() > known {
            tell.say(Tone::Polite, words().also_open.to_owned());
        }
    });
    let (line, link) = (el_class("span", "cut"), link.clone());
    el_class("div", "status-line")
        .attr("role", "status")
        // What is new is read, not all that stands there.
        .attr("aria-atomic", "false")
        .child(line.clone())
        .child(toasts.place(Tone::Polite))
        .child(toasts.place(Tone::Heard))
        .live(move |region| {
            let status = people.with(|people| status(stage.get(), signaling.get(), people));
            region.set_class("is-trouble", status.is_trouble);
            let is_alone = !status.is_trouble && people.with(Vec::is_empty);
            let alone = is_alone.then(|| Company::at(runtime, &link)).flatten();
            line.set_text(alone.map_or(status.text, |company| on_the_way(&company)).as_str());
        })
}

/// The toolbar. While alone the invitation in the middle has the link, so it is not here as well.
fn controls(is_alone: Memo<bool>, share: Share, scene: Scene, comforts: &Comforts) -> El {
    let words = words();
    let runtime = use_runtime();
    let toasts = share.toasts.clone();
    let code = Dialog::new(words.invite);
    let (shared, opened, closed) = (share.clone(), code.clone(), code.clone());
    let dialog = code.with(move || {
        let texts = InviteWords {
            title: words.invite,
            hint: words.qr_hint,
            link: words.room_link,
            code: words.qr,
        };
        let closed = closed.clone();
        shared.invite(texts, move || closed.close())
    });
    let settings = Dialog::new(words.settings);
    let opening = settings.clone();
    let settings_button = round(Icon::Settings, words.settings, move || opening.open());
    if runtime.is_language_picked() {
        settings.open_soon(&settings_button);
    }
    let settings = settings.with(|| {
        el_class("div", "settings")
            .child(el_class("h2", "dialog-title").text(words.settings))
            .child(pickers())
    });
    let share_toggle = runtime
        .can_share_screen()
        .then(|| capture_toggle(CaptureKind::Screen, Look::Plain));
    let (linked, shown) = (share.clone(), opened.clone());
    let record = Record::new(&toasts);
    let more = more(scene, comforts.clone(), record.clone(), move |menu| {
        let [copy, code] = share_acts(&linked, &shown);
        [
            linked.while_good(menu.entry(Icon::Link, words.copy_link, copy)),
            linked.while_good(menu.entry(Icon::Qr, words.show_qr, code)),
        ]
    });
    let group = || el_class("div", "toolbar-group");
    let sharing = move || {
        (!is_alone.get()).then(|| {
            let [copy, code] = share_acts(&share, &opened);
            el_class("div", "toolbar-group only-roomy")
                .child(share.while_good(round(Icon::Link, words.copy_link, copy)))
                .child(share.while_good(round(Icon::Qr, words.show_qr, code)))
        })
    };
    let toolbar = el_class("div", "toolbar")
        .attr("role", "toolbar")
        .attr("aria-label", words.call_controls)
        .child(
            group()
                .child(capture_toggle(CaptureKind::Microphone, Look::Plain))
                .child(capture_toggle(CaptureKind::Camera, Look::Plain))
                .child(flip_button("round"))
                .children(share_toggle),
        )
        .child(comforts.group())
        .slot(sharing)
        .child(
            group()
                .children(record.as_ref().map(Record::toggle))
                .child(settings_button)
                .child(more),
        )
        .child(group().child(leave_button()));
    el_class("div", "slot")
        .child(toolbar)
        .child(dialog)
        .child(settings)
        .child(comforts.shortcuts_dialog())
}

/// What copies the room's link, and what shows its code.
fn share_acts(share: &Share, dialog: &Dialog) -> [Box<dyn Fn()>; 2] {
    let (copied, shown, dialog) = (share.clone(), share.clone(), dialog.clone());
    let show = move || {
        if shown.is_good() {
            dialog.open();
        }
    };
    [Box::new(move || copied.copy()), Box::new(show)]
}

/// The button that ends the call for oneself.
pub fn leave_button() -> El {
    let runtime = use_runtime();
    let leave = button("round round-danger", move || runtime.hang_up()).child(icon(Icon::Leave));
    leave.set_label(words().leave_call);
    leave
}

/// A round button of the toolbar.
pub fn round(sign: Icon, name: &str, press: impl Fn() + 'static) -> El {
    let round = button("round", press).child(icon(sign));
    round.set_label(name);
    round
}

/// One button for a browser that wants a click before it plays sound.
fn sound() -> Option<El> {
    let runtime = use_runtime();
    runtime.playback_blocked().get().then(|| {
        el("div").attr("role", "alert").child(
            button("button button-primary", move || runtime.unblock_playback())
                .attr("title", words().sound_blocked)
                .child(icon(Icon::Speaker))
                .text(words().turn_on_sound),
        )
    })
}
