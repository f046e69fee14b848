//! The chat, as pages want and see it: its lines, what is unread, and notifications.
//!
//! The lines stay in the core. A page that shows some asks for those, whenever the version changes.

use core::cell::{Cell, RefCell};
use core::ops::Range;

use leptos::prelude::*;
use visavis_call_core::{ChatLine, ChatView, Intent, SayError, Stage, View};
use visavis_protocol::SeatId;

use super::Runtime;
use super::engine::{Engine, now};
use crate::i18n::words;
use crate::web::notify::{self, Notification, Permission};
use crate::web::task::spawn;
use crate::web::{day, page};

/// What is known of who reads.
#[derive(Default)]
pub(super) struct Reading {
    /// Whether the end of the chat is on the screen, should anybody look at it.
    is_at_end: Cell<bool>,
    /// How much news there was when somebody last looked.
    read: Cell<u64>,
    /// And when it was last told.
    told: Cell<u64>,
    shown: RefCell<Option<Notification>>,
}

impl Engine {
    /// Counts what is unread, and tells of it in a tab that nobody sees.
    pub(super) fn follow_chat(&self, view: &View) {
        let chat = &view.chat;
        let is_out = view.stage != Stage::Joined || chat.count == 0;
        if is_out || (self.reading.is_at_end.get() && !page::is_hidden()) {
            self.reading.read.set(chat.news);
        }
        let unread = chat.news.saturating_sub(self.reading.read.get());
        let unread = u32::try_from(unread).unwrap_or(u32::MAX);
        if self.store.chat_unread.get_untracked() != unread {
            self.store.chat_unread.set(unread);
            self.show_title();
        }
        if self.reading.told.replace(chat.news) < chat.news && page::is_hidden() {
            self.notify(chat);
        }
    }

    /// Somebody looks, or no longer.
    pub(super) fn read_chat(&self) {
        if !page::is_hidden() {
            drop(self.reading.shown.take());
        }
        self.store.view.with_untracked(|view| self.follow_chat(view));
    }

    fn notify(&self, chat: &ChatView) {
        let Some(news) = &chat.last_news else { return };
        if notify::permission() != Permission::Granted {
            return;
        }
        let mut body = news.beginning.clone();
        if !news.is_whole {
            body.push('…');
        }
        let shown = Notification::show("visavis-chat", &words().chat.wrote.fill(&news.name), &body).ok();
        let before = self.reading.shown.replace(shown);
        drop(before);
    }

    fn chat_lines(&self, range: Range<usize>) -> Vec<ChatLine> {
        self.with_core(|core| core.chat_lines(range))
    }
}

impl Runtime {
    /// What there is to say of the chat as a whole.
    #[must_use]
    pub const fn chat(self) -> Memo<ChatView> {
        self.store.chat
    }

    /// Some of its lines, by their places. To be asked again when [`ChatView::version`] changes.
    #[must_use]
    pub fn chat_lines(self, range: Range<usize>) -> Vec<ChatLine> {
        self.engine.with_value(|engine| engine.chat_lines(range))
    }

    /// The numbers of all lines, in their order.
    #[must_use]
    pub fn chat_numbers(self) -> Vec<u64> {
        self.engine
            .with_value(|engine| engine.with_core(visavis_call_core::Core::chat_numbers))
    }

    /// How many messages nobody has seen here.
    #[must_use]
    pub fn chat_unread(self) -> ReadSignal<u32> {
        self.store.chat_unread.read_only()
    }

    /// Says something, to all or to one.
    ///
    /// # Errors
    /// Says why it was not said. The text is the person's still, to be kept for them.
    pub fn say(self, text: &str, to: Option<SeatId>) -> Result<(), SayError> {
        self.engine.with_value(|engine| {
            engine.with_core(|core| core.check_say(now(), text, to))?;
            engine.intend(Intent::Say {
                text: text.to_owned(),
                to,
                time: day::now(),
            });
            Ok(())
        })
    }

    /// Says whether the end of the chat is on the screen.
    pub fn read_chat(self, is_at_end: bool) {
        self.engine.try_with_value(|engine| {
            if engine.reading.is_at_end.replace(is_at_end) != is_at_end {
                engine.read_chat();
            }
        });
    }

    /// A time of day, in milliseconds since 1970, as people here write it.
    #[must_use]
    pub fn written_time(self, time: u64) -> String {
        day::written(time)
    }

    /// Whether the person can still be asked for notifications, and was not.
    #[must_use]
    pub fn may_ask_to_notify(self) -> bool {
        notify::permission() == Permission::Unasked
    }

    /// Asks for them; tells when there is an answer. Only within a click.
    pub fn ask_to_notify(self, done: impl FnOnce() + 'static) {
        spawn(async move {
            // Whatever was answered shows in what is asked next.
            _ = notify::ask().await;
            done();
        });
    }
}
