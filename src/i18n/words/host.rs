//! What is said of hosts, waiting rooms and links that change.

use super::{Key, Plural, Texts, With};

words! {
    /// What is said of hosts, waiting rooms and links that change.
    HostWords:
    /// Switch: in the lobby and for hosts.
    waiting_room: &'static str,
    /// What it does.
    waiting_room_hint: &'static str,
    /// Mark of a host.
    host: &'static str,
    /// Heading and list of those who wait.
    waiting: &'static str,
    /// How many wait.
    waiting_count: Plural,
    /// Button.
    admit: With,
    /// Button.
    decline: With,
    /// Button.
    admit_all: &'static str,
    /// Text box: what is told to those who are declined.
    word: &'static str,
    /// Where it is empty.
    word_hint: &'static str,
    /// Button.
    remove: With,
    /// Button.
    ask_mute: With,
    /// Button.
    lock: &'static str,
    /// Button.
    unlock: &'static str,
    /// Since when somebody waits.
    since: With,
    /// They cannot be reached at the moment.
    is_away: &'static str,
    /// Heading for who waits.
    wait_title: &'static str,
    /// What happens next.
    wait_hint: &'static str,
    /// Document title while waiting; the hole takes the room.
    wait_page: With,
    /// Button.
    stop_waiting: &'static str,
    /// Before joining.
    shut: &'static str,
    /// The same of a locked room.
    locked: &'static str,
    /// The host said no.
    declined: &'static str,
    /// The same with the host's word.
    declined_with: With,
    /// An old link.
    moved: &'static str,
    /// Too many wait.
    too_many: &'static str,
    /// After the call.
    removed: &'static str,
    /// What to do.
    removed_hint: &'static str,
    /// After the call.
    left_behind: &'static str,
    /// What to do.
    left_behind_hint: &'static str,
    /// Notice.
    person_removed: With,
    /// Notice.
    knocked: With,
    /// Notice.
    link_changed: &'static str,
    /// Beside the link that is no more.
    link_old: &'static str,
    /// Notice; the hole takes the host.
    asked_to_mute: With,
    /// Notice.
    no_seat: &'static str,
    /// Notice.
    refused: &'static str,
    /// Notice.
    now_locked: &'static str,
    /// Notice.
    now_waiting_room: &'static str,
    /// Notice.
    now_open: &'static str,
}
