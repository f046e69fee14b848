//! The keys: every text of the app, named by where and what it is.

/// What a text, or a group of texts, can do for a language that is written in a file.
pub(super) trait Texts {
    /// The keys within it, in their order; none for a text itself.
    const KEYS: &'static [Key];

    /// Shows every text in turn, in the order of the keys.
    fn each(&mut self, show: &mut dyn FnMut(&mut &'static str));
}

/// A key, and the keys within it.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) within: &'static [Self],
}

impl Texts for &'static str {
    const KEYS: &'static [Key] = &[];

    fn each(&mut self, show: &mut dyn FnMut(&mut &'static str)) {
        show(self);
    }
}

/// A text with one hole, written `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct With(pub &'static str);

impl With {
    /// The text with its hole filled.
    #[must_use]
    pub fn fill(self, value: &str) -> String {
        match self.0.split_once("{}") {
            Some((before, after)) => [before, value, after].concat(),
            None => self.0.to_owned(),
        }
    }
}

impl Texts for With {
    const KEYS: &'static [Key] = &[];

    fn each(&mut self, show: &mut dyn FnMut(&mut &'static str)) {
        show(&mut self.0);
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident: $($(#[$doc:meta])* $key:ident: $kind:ty,)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $key: $kind,)*
        }

        impl Texts for $name {
            const KEYS: &'static [Key] = &[$(Key {
                name: stringify!($key),
                within: <$kind as Texts>::KEYS,
            },)*];

            fn each(&mut self, show: &mut dyn FnMut(&mut &'static str)) {
                $(self.$key.each(show);)*
            }
        }
    };
}

mod chat;
mod desk;
mod devices;
mod files;
mod host;
mod keys;
mod link;
mod phone;
mod visit;

pub use chat::ChatWords;
pub use desk::DeskWords;
pub use devices::{DeviceWords, ScreenWords};
pub use files::{AmountWords, FileWords};
pub use host::HostWords;
pub use keys::ShortcutWords;
pub use link::LinkWords;
pub use phone::PhoneWords;
pub use visit::VisitWords;

words! {
    /// A text about a number of things, the number written `{}`.
    Plural:
    /// For one thing.
    one: &'static str,
    /// For any other number.
    other: &'static str,
}

impl Plural {
    /// The text for this number.
    #[must_use]
    pub fn of(self, count: usize) -> String {
        let text = if count == 1 { self.one } else { self.other };
        With(text).fill(&count.to_string())
    }
}

words! {
    /// Every text of the app in one language.
    Words:
    // General

    /// The product. Also the lobby's heading.
    visavis: &'static str,
    /// Document title of a page; the hole takes what the page is.
    title: With,
    /// Document title in a call; the hole takes the room.
    title_in_call: With,
    /// Between two names, with its spaces.
    and: &'static str,
    /// Between names before the last two, with its space.
    comma: &'static str,
    /// Names that are not told one by one.
    others: Plural,
    /// Own tile; the hole takes the name.
    you: With,
    /// Back to the lobby.
    back_to_lobby: &'static str,
    /// Tries the same again.
    try_again: &'static str,
    /// Loads the page anew.
    reload: &'static str,
    /// Closes a dialog.
    close: &'static str,

    // Lobby

    /// One sentence under the name.
    tagline: &'static str,
    /// Field.
    your_name: &'static str,
    /// Field.
    room: &'static str,
    /// What may go into the room field.
    room_hint: &'static str,
    /// Button.
    join_room: &'static str,
    /// Button.
    new_room: &'static str,
    /// What the button makes.
    new_room_hint: &'static str,
    /// Between the two ways.
    or: &'static str,
    /// List.
    recent_rooms: &'static str,
    /// Takes a room off the list; the hole takes its name.
    forget_room: With,
    /// Link.
    contacts: &'static str,
    /// What is behind the link.
    contacts_hint: &'static str,
    /// Link.
    appointments: &'static str,
    /// What is behind the link.
    appointments_hint: &'static str,
    /// Picker.
    theme: &'static str,
    /// As the system has it.
    theme_auto: &'static str,
    /// Light.
    theme_light: &'static str,
    /// Dark.
    theme_dark: &'static str,
    /// Picker.
    language: &'static str,
    /// The texts of the picked language did not come.
    language_failed: &'static str,

    // Rules of names and rooms

    /// No name.
    name_empty: &'static str,
    /// Over 64 characters.
    name_too_long: &'static str,
    /// A control character.
    name_forbidden: &'static str,
    /// No room.
    room_empty: &'static str,
    /// Over 64 characters.
    room_too_long: &'static str,
    /// A character that has a meaning in addresses.
    room_forbidden: &'static str,
    /// A pasted link that is broken.
    link_malformed: &'static str,
    /// A pasted link whose secret is broken.
    link_secret: &'static str,
    /// A link to elsewhere.
    link_other_site: &'static str,

    // Before joining

    /// Region.
    preview: &'static str,
    /// Button.
    join_now: &'static str,
    /// While the seat is asked for.
    joining: &'static str,
    /// Goes on although a device failed.
    join_anyway: &'static str,
    /// The camera.
    camera: DeviceWords,
    /// The microphone.
    microphone: DeviceWords,
    /// Sharing a screen.
    screen: ScreenWords,
    /// Picker.
    speaker: &'static str,
    /// The browser's choice in a picker.
    default_device: &'static str,
    /// A speaker whose name the browser does not tell yet.
    speaker_unnamed: With,
    /// Meter.
    microphone_level: &'static str,
    /// Button.
    play_test_sound: &'static str,
    /// Nothing is known yet of who is inside.
    inside_unknown: &'static str,
    /// Nobody is inside.
    inside_nobody: &'static str,
    /// One person is inside; the hole takes the name.
    inside_one: With,
    /// Several are inside; the hole takes the names.
    inside_many: With,
    /// The server does not answer.
    server_unreachable: &'static str,
    /// A room whose link has no secret.
    room_open: &'static str,
    /// A room whose link has a secret.
    room_locked: &'static str,

    // What went wrong while joining

    /// All seats are taken.
    room_full: &'static str,
    /// No place for another room.
    server_full: &'static str,
    /// The server did not like the name.
    invalid_name: &'static str,
    /// Too many joins.
    rate_limited: &'static str,
    /// Anything else.
    join_failed: &'static str,

    // In the call

    /// Region.
    participants: &'static str,
    /// Toolbar.
    call_controls: &'static str,
    /// Button.
    leave_call: &'static str,
    /// Button.
    copy_link: &'static str,
    /// After the button.
    link_copied: &'static str,
    /// If the browser refused.
    link_not_copied: &'static str,
    /// Button that opens the code.
    show_qr: &'static str,
    /// The code itself.
    qr: &'static str,
    /// Dialog with the code.
    invite: &'static str,
    /// Under the code.
    qr_hint: &'static str,
    /// The field with the link.
    room_link: &'static str,
    /// Nobody else.
    alone: &'static str,
    /// What to do about it.
    alone_hint: &'static str,
    /// Mark.
    reconnecting: &'static str,
    /// Overlay of a tile whose connection is being brought back.
    reconnecting_now: &'static str,
    /// Overlay of a tile whose connection is being made.
    connecting: &'static str,
    /// Overlay of a tile whose connection failed.
    connection_failed: &'static str,
    /// Status line; the hole takes the names.
    here: With,
    /// Status line; the hole takes the names.
    person_joining: With,
    /// The same of several.
    people_joining: With,
    /// Status line; the hole takes the names.
    person_reconnecting: With,
    /// Notice.
    person_joined: With,
    /// Notice.
    person_left: With,
    /// Notice.
    person_back: With,
    /// Switch.
    hide_address: &'static str,
    /// What it does.
    hide_address_hint: &'static str,
    /// Warning where it cannot be done.
    no_relay: &'static str,
    /// Button.
    record: &'static str,
    /// Button.
    stop_recording: &'static str,
    /// Mark.
    recording: &'static str,
    /// Steady notice, and said once.
    recording_own: &'static str,
    /// The same where the file is lost with the tab; said once.
    recording_held: &'static str,
    /// Steady notice; the hole takes the name.
    recording_one: With,
    /// Steady notice; the hole takes the names.
    recording_many: With,
    /// Notice.
    recording_started: With,
    /// Notice.
    recording_stopped: With,
    /// After the button.
    recording_saved: &'static str,
    /// There was no room for more.
    recording_full: &'static str,
    /// It could not begin or not be saved.
    recording_failed: &'static str,
    /// Button and dialog.
    settings: &'static str,
    /// Button that opens the menu of what is needed less often.
    more: &'static str,
    /// Choice in the menu: everybody the same.
    grid_view: &'static str,
    /// Choice in the menu: who speaks is large.
    speaker_view: &'static str,
    /// Button on a tile that makes it large; the hole takes the tile's name.
    pin: With,
    /// The same on a tile that was made large.
    unpin: With,
    /// In the menu: takes the own tile away.
    hide_own: &'static str,
    /// In the menu: brings it back.
    show_own: &'static str,
    /// In the menu.
    full_screen: &'static str,
    /// In the menu, while the page fills the screen.
    leave_full_screen: &'static str,
    /// In the menu: opens a small window above all others.
    pop_out: &'static str,
    /// In the menu: closes that window.
    bring_back: &'static str,
    /// Switch.
    mirror: &'static str,
    /// What it does.
    mirror_hint: &'static str,
    /// Before joining, in a duplicate of a tab that is in the call.
    open_elsewhere: &'static str,
    /// Button there.
    move_here: &'static str,
    /// Notice in the tab that has the call.
    also_open: &'static str,
    /// Notice: somebody does not get our picture.
    not_seen: With,
    /// Notice: somebody does not get our sound.
    not_heard: With,
    /// Overlay of a tile whose picture stands still.
    picture_stuck: &'static str,
    /// Overlay of a tile from which no sound comes.
    sound_stuck: &'static str,
    /// Sign on a tile.
    direct: &'static str,
    /// Sign on a tile.
    relayed: &'static str,
    /// Notice and status line.
    server_lost: &'static str,
    /// Notice.
    server_back: &'static str,
    /// Button, where there are two cameras.
    flip_camera: &'static str,
    /// Notice: another device took the place of one that is gone; the hole takes its name.
    now_using: With,
    /// Notice: a device was plugged in again; the hole takes its name.
    device_back: With,
    /// Notice: the chosen speaker is gone.
    speaker_gone: &'static str,
    /// Notice: a speaker that was chosen could not be used.
    speaker_failed: &'static str,
    /// Notice: somebody talks with their microphone off; the hole takes the button's name.
    you_are_muted: With,
    /// Button where the browser wants a click before it plays sound.
    turn_on_sound: &'static str,
    /// Why the button is there.
    sound_blocked: &'static str,

    // After the call

    /// As wanted.
    ended_hung_up: &'static str,
    /// Another tab has the seat.
    ended_moved: &'static str,
    /// What to do about it.
    ended_moved_hint: &'static str,
    /// The page is too old.
    ended_outdated: &'static str,
    /// What to do about it.
    ended_outdated_hint: &'static str,
    /// The server said no.
    ended_refused: &'static str,
    /// What to do about it.
    ended_refused_hint: &'static str,
    /// Button.
    rejoin: &'static str,
    /// Button for somebody whose seat is in another tab.
    continue_here: &'static str,

    // Wrong addresses

    /// Heading.
    bad_link: &'static str,
    /// Heading.
    not_found: &'static str,
    /// What to do about it.
    not_found_hint: &'static str,

    // Comforts of the call

    /// Button.
    raise_hand: &'static str,
    /// Button.
    lower_hand: &'static str,
    /// Mark.
    hand_raised: &'static str,
    /// Said after it was lowered by a key.
    hand_lowered: &'static str,
    /// Notice.
    person_raised_hand: With,
    /// Notice; the file's name follows.
    person_offers_file: With,
    /// Notice.
    offer_refused: With,
    /// Notice, with the file's name.
    file_received: With,
    /// Notice, with the file's name.
    file_sent: With,
    /// Notice, with the file's name.
    transfer_failed: With,
    /// Notice, with the file's name.
    another_file_picked: With,
    /// Button and menu.
    react: &'static str,
    /// Said of a reaction; its sign follows.
    person_reacted: With,
    /// Button and panel.
    people: &'static str,
    /// List.
    in_call: &'static str,
    /// Slider; the hole takes the name.
    volume_of: With,
    /// Button; the hole takes the name.
    mute_for_me: With,
    /// Button; the hole takes the name.
    unmute_for_me: With,
    /// Dialog, and in the menu.
    shortcuts: &'static str,
    /// What the keys do.
    shortcut: ShortcutWords,
    /// Switch.
    single_keys: &'static str,
    /// What it does.
    single_keys_hint: &'static str,
    /// Switch.
    push_to_talk: &'static str,
    /// What it does.
    push_to_talk_hint: &'static str,

    // Files

    /// Numbers.
    amount: AmountWords,
    /// All about them.
    file: FileWords,
    /// What is said of hosts and waiting rooms.
    host: HostWords,
    /// People and their calls.
    phone: PhoneWords,
    /// A desk with appointments.
    desk: DeskWords,
    /// A client's appointment.
    visit: VisitWords,
    /// Links to either that are none.
    link: LinkWords,
    /// Button that goes to the end.
    new_messages: Plural,
    /// Description of the button.
    unread_messages: Plural,
    /// Near the end of what a message may have.
    bytes_left: Plural,
    /// What the chat says.
    chat: ChatWords,
}
