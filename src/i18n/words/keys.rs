//! What keys do, and what they are called.

use super::{Key, Texts};

words! {
    /// What keys do, and the names of those that write nothing.
    ShortcutWords:
    /// Microphone on or off.
    microphone: &'static str,
    /// Camera on or off.
    camera: &'static str,
    /// Hand up or down.
    hand: &'static str,
    /// Screen shared or not.
    share: &'static str,
    /// Opens the reactions.
    react: &'static str,
    /// Opens or closes the panel.
    people: &'static str,
    /// Opens or closes the panel.
    files: &'static str,
    chat: &'static str,
    /// On or off.
    full_screen: &'static str,
    /// Opens the list.
    help: &'static str,
    /// Push to talk.
    talk: &'static str,
    /// What Escape does.
    close: &'static str,
    /// The key.
    space: &'static str,
    /// The key.
    escape: &'static str,
}
