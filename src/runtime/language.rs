//! Which language the page speaks: chosen at the start, changed by the person.
//!
//! A language comes in two steps, for its words may have to be fetched: it is wanted, then spoken.
//! What was spoken before goes on until then, and if the words do not come at all.

use core::time::Duration;

use leptos::prelude::*;

use super::Runtime;
use crate::i18n::{self, Language};
use crate::web::site_text::{self, Source};
use crate::web::storage::Shelf;
use crate::web::task::spawn;
use crate::web::timer::sleep;
use crate::web::{appearance, console, page};

const LANGUAGE_KEY: &str = "visavis.language";

/// How long the first page waits for its words. A call is worth more than a language: after this it
/// begins in English, and changes when the words are there.
const PATIENCE: Duration = Duration::from_secs(3);

impl Runtime {
    /// Begins to speak: what the address forces, else what was chosen on this device, else what the
    /// browser is set to. Called by the root component, first.
    pub fn start_language(self) {
        let forced = appearance::forced_language();
        let kept = Shelf::Device.get(LANGUAGE_KEY);
        let set = appearance::browser_languages();
        let wanted = forced.iter().chain(&kept).chain(&set);
        let language = Language::choose(wanted.map(String::as_str));
        self.want_language(language);
        if self.store.speech.get_untracked() == 0 {
            spawn(async move {
                sleep(PATIENCE).await;
                if self.store.speech.try_get_untracked() == Some(0) {
                    self.speak(Language::default());
                }
            });
        }
    }

    /// Counts the changes of the words: whatever has words in it reads this and is built anew. Zero
    /// until there are any.
    #[must_use]
    pub fn speech(self) -> ReadSignal<u32> {
        self.store.speech.read_only()
    }

    /// Speaks another language as soon as its words are there, now and the next time.
    pub fn choose_language(self, language: Language) {
        self.store.is_language_picked.set(true);
        self.want_language(language);
    }

    /// Whether the words have changed at the person's wish, and its picker is yet to be built anew.
    /// Whoever has the picker inside opens again.
    #[must_use]
    pub fn is_language_picked(self) -> bool {
        self.store.is_language_picked.get_untracked()
    }

    /// Says so no longer; whether it was so. Called by the picker, which takes the focus then.
    #[must_use]
    pub fn take_language_picked(self) -> bool {
        let was_picked = self.is_language_picked();
        self.store.is_language_picked.set(false);
        was_picked
    }

    /// Whether the last language that was chosen did not come.
    #[must_use]
    pub fn language_failed(self) -> ReadSignal<bool> {
        self.store.language_failed.read_only()
    }

    fn want_language(self, language: Language) {
        self.store.wanted_language.set(language as u32);
        if language.is_known() {
            self.speak(language);
            return;
        }
        spawn(async move {
            let is_learnt = learn(language).await;
            // Another may have been chosen meanwhile, or the page is gone.
            if self.store.wanted_language.try_get_untracked() != Some(language as u32) {
                return;
            }
            if !is_learnt {
                self.store.language_failed.set(true);
            }
            self.speak(if is_learnt { language } else { i18n::language() });
        });
    }

    fn speak(self, language: Language) {
        appearance::set_language(language.tag(), language.direction());
        i18n::set_language(language);
        if self.is_language_picked() && self.store.wanted_language.get_untracked() == language as u32 {
            self.store.language_failed.set(false);
            Shelf::Device.put(LANGUAGE_KEY, Some(language.tag()));
        }
        // Words that come late find somebody who types. After a choice the picker takes the focus.
        let typed = page::focused_id().filter(|_| !self.is_language_picked());
        self.store.speech.update(|count| *count += 1);
        if let Some(id) = typed {
            spawn(async move {
                sleep(Duration::ZERO).await;
                page::focus_id(&id);
            });
        }
    }
}

/// Fetches the words of a language; whether they are known now. A copy that the browser kept may be
/// one of another version, as while a site is being replaced: then it has to be the site's own.
async fn learn(language: Language) -> bool {
    let Some(written) = language.written() else {
        return true;
    };
    let address = written.address();
    for from in [Source::AnyCopy, Source::Site] {
        match site_text::fetch(&address, from).await {
            Ok(text) => {
                if language.learn(text) {
                    return true;
                }
                console::debug("the texts are of another version", written.path);
            }
            Err(error) => console::debug("no texts of this language", error.name.as_str()),
        }
    }
    false
}
