//! What is said of devices and screens.

use super::{Key, Texts, With};

words! {
    /// What is said of one kind of device.
    DeviceWords:
    /// Label of its picker.
    picker: &'static str,
    /// Its toggle while it is off.
    turn_on: &'static str,
    /// Its toggle while it is on.
    turn_off: &'static str,
    /// Mark on a tile.
    is_off: &'static str,
    /// Said after it was turned on by a key.
    is_on: &'static str,
    /// While the browser asks or starts it.
    starting: &'static str,
    /// A device whose name the browser does not tell yet; the hole takes its place in the list.
    unnamed: With,
    /// The person or a policy said no.
    not_allowed: &'static str,
    /// There is none.
    not_found: &'static str,
    /// Another program has it.
    not_readable: &'static str,
    /// The chosen one is gone.
    overconstrained: &'static str,
    /// The page came over plain HTTP.
    insecure: &'static str,
    /// Any other reason.
    failed: &'static str,
    /// It stopped by itself.
    ended: &'static str,
    /// The system muted it.
    muted_by_system: &'static str,
    /// What to do about it.
    muted_hint: &'static str,
    /// The system gave it back.
    unmuted_by_system: &'static str,
}

words! {
    /// What is said of sharing a screen.
    ScreenWords:
    /// Its toggle while nothing is shared.
    share: &'static str,
    /// Its toggle while something is shared.
    stop: &'static str,
    /// Somebody's screen; the hole takes their name.
    of: With,
    /// The own screen.
    own: &'static str,
    /// Mark: its sound is shared as well.
    with_sound: &'static str,
    /// Choice in the menu: sharp and with few pictures a second.
    for_text: &'static str,
    /// Choice in the menu: fluent.
    for_motion: &'static str,
    /// A policy said no, or the system did.
    not_allowed: &'static str,
    /// The page came over plain HTTP.
    insecure: &'static str,
    /// Any other reason.
    failed: &'static str,
}
