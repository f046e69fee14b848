//! What the chat says.

use super::{Key, Texts, With};

words! {
    /// What the chat says.
    ChatWords:
    /// Button and panel.
    title: &'static str,
    /// The log.
    messages: &'static str,
    /// Text box.
    message: &'static str,
    /// List of people.
    send_to: &'static str,
    /// Entry of that list.
    everyone: &'static str,
    /// Entry of that list; the hole takes a name.
    has_left: With,
    /// Button.
    send: &'static str,
    /// Button and menu.
    emoji: &'static str,
    /// Where nothing was said yet.
    empty: &'static str,
    /// What becomes of what is said.
    empty_hint: &'static str,
    /// Divider above the first of what was said earlier.
    before: &'static str,
    /// Divider below the last of it.
    joined: &'static str,
    /// Mark of an own message to one person.
    to: With,
    /// Mark of a message that nobody else got.
    to_you: &'static str,
    /// Mark of a message that somebody else handed on.
    told_by: With,
    /// What that means.
    told_hint: With,
    /// Under a message that another one tells otherwise.
    disputed: &'static str,
    /// Why it was not sent.
    too_long: &'static str,
    /// Why it was not sent.
    too_fast: &'static str,
    /// Why it was not sent.
    outside: &'static str,
    /// Why it was not sent; the hole takes a name.
    gone: With,
    /// Why it was not sent.
    choose_again: &'static str,
    /// Button that asks for notifications.
    notify: &'static str,
    /// Title of a notification, and said of a long message.
    wrote: With,
    /// Notice; the hole takes a name.
    refused: With,
}
