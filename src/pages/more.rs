//! The menu of the toolbar: how one sees the call, and where.

use leptos::prelude::*;

use super::comforts::Comforts;
use super::popout::content;
use super::recording::Record;
use super::scene::Scene;
use crate::components::dom::{El, el};
use crate::components::{Icon, Menu};
use crate::i18n::words;
use crate::runtime::{Choice, use_runtime};

/// The button "More" with its menu. `link` are the entries about the room's link for where the toolbar
/// has no room for them, as it may have none for the comforts and the recording.
pub fn more(
    scene: Scene,
    comforts: Comforts,
    record: Option<Record>,
    link: impl Fn(&Menu) -> [El; 2] + 'static,
) -> El {
    let (words, runtime) = (words(), use_runtime());
    let [speaker_view, hides_own, screen_motion] =
        [Choice::SpeakerView, Choice::HideOwn, Choice::ScreenMotion].map(|choice| runtime.choice(choice));
    let fills_screen = runtime.fills_screen();
    // What goes into the window above all others has its place before there is one.
    let pop_out = runtime.pop_out().map(|window| (window, content(scene, window)));
    let raised = comforts.clone();
    let menu = Menu::new(Icon::More, words.more)
        .noted(move || raised.is_raised() || runtime.chat_unread().get() > 0);
    let made = menu.clone();
    menu.with(move || {
        let is_speaker = speaker_view.get();
        let view = |sign, name, speaker| {
            made.choice(sign, name, is_speaker == speaker, move || {
                runtime.choose(Choice::SpeakerView, speaker);
            })
        };
        let mut entries = vec![
            view(Icon::Grid, words.grid_view, false),
            view(Icon::Spotlight, words.speaker_view, true),
            el("hr"),
        ];
        entries.extend(record.as_ref().map(|record| record.entry(&made)));
        entries.extend(comforts.entries(&made));
        if runtime.can_share_screen() {
            let is_motion = screen_motion.get();
            let content = |sign, name, motion| {
                made.choice(sign, name, is_motion == motion, move || {
                    runtime.choose(Choice::ScreenMotion, motion);
                })
            };
            entries.extend([
                content(Icon::Text, words.screen.for_text, false),
                content(Icon::Film, words.screen.for_motion, true),
                el("hr"),
            ]);
        }
        // Alone one is to be seen, and the link is in the middle.
        if scene.subjects.with(|subjects| subjects.len() > 1) {
            let hides = hides_own.get();
            let (sign, name) = if hides {
                (Icon::Show, words.show_own)
            } else {
                (Icon::Hide, words.hide_own)
            };
            entries.push(made.entry(sign, name, move || runtime.choose(Choice::HideOwn, !hides)));
        }
        if runtime.can_fill_screen() {
            let fills = fills_screen.get();
            let (sign, name) = if fills {
                (Icon::LeaveFullScreen, words.leave_full_screen)
            } else {
                (Icon::FullScreen, words.full_screen)
            };
            entries.push(made.entry(sign, name, move || runtime.fill_screen(!fills)));
        }
        if let Some((window, content)) = &pop_out {
            let (window, content, is_out) = (*window, content.clone(), window.is_out().get());
            let name = if is_out { words.bring_back } else { words.pop_out };
            entries.push(made.entry(Icon::PopOut, name, move || {
                if is_out {
                    window.close();
                } else {
                    let video = scene.foremost_video.get_value();
                    window.open(content.element(), video.element());
                }
            }));
        }
        if scene.subjects.with(|subjects| subjects.len() > 1) {
            for entry in link(&made) {
                entry.set_class("only-cramped", true);
                entries.push(entry);
            }
        }
        entries.push(comforts.shortcuts_entry(&made));
        entries
    })
}
