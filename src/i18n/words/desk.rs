//! What is said at a desk with appointments.

use super::{Key, Plural, Texts, With};

words! {
    /// What is said at a desk with appointments.
    DeskWords:
    /// Form.
    new: &'static str,
    /// Form, filled with an appointment.
    editing: &'static str,
    /// Text box.
    client: &'static str,
    /// Text box.
    note: &'static str,
    /// Under it.
    note_hint: &'static str,
    /// Field.
    date: &'static str,
    /// Field.
    time: &'static str,
    /// Picker.
    length: &'static str,
    /// Length.
    minutes: Plural,
    /// Under the fields; the hole takes the zone.
    in_zone: With,
    /// Button.
    create: &'static str,
    /// Button.
    save: &'static str,
    /// Button.
    discard: &'static str,
    /// Field.
    no_client: &'static str,
    /// Field.
    note_long: &'static str,
    /// Field.
    no_date: &'static str,
    /// Field.
    no_day: &'static str,
    /// Field.
    no_time: &'static str,
    /// Field.
    past: &'static str,
    /// Field.
    far: &'static str,
    /// Refused.
    not_taken: &'static str,
    /// Refused.
    too_many: &'static str,
    /// Refused.
    unknown: &'static str,
    /// Refused: anything else.
    not_done: &'static str,
    /// Said after it.
    created: With,
    /// Said after it.
    changed: With,
    /// List.
    today: &'static str,
    /// List.
    upcoming: &'static str,
    /// List.
    earlier: &'static str,
    /// Empty list.
    nothing_today: &'static str,
    /// Empty list.
    nothing_upcoming: &'static str,
    /// Status.
    not_here: &'static str,
    /// Status.
    waiting_since: With,
    /// Status, after the one before.
    is_away: &'static str,
    /// Status.
    called_in: &'static str,
    /// Status.
    in_call: &'static str,
    /// Status.
    done: &'static str,
    /// Status.
    cancelled: &'static str,
    /// Status.
    unsaved: &'static str,
    /// Button.
    join: With,
    /// Button.
    edit: With,
    /// Button.
    calendar: &'static str,
    /// Link.
    mail: &'static str,
    /// Button.
    cancel: &'static str,
    /// Dialog.
    link_of: With,
    /// In it.
    link_hint: &'static str,
    /// Text box in it.
    link_name: &'static str,
    /// Picture in it.
    link_code: &'static str,
    /// Said aloud.
    is_here: With,
    /// Card and notification.
    is_waiting: With,
    /// Button.
    to_desk: &'static str,
    /// Link, in the middle of a call.
    to_desk_beside: &'static str,
    /// Button.
    tell_me: &'static str,
    /// Whose.
    desk_of: With,
    /// Before anything is known.
    opening: &'static str,
    /// Note.
    offline: &'static str,
    /// Page without a link.
    about: &'static str,
    /// How to get one.
    about_link: &'static str,
    /// Button.
    forget: &'static str,
    /// What to do.
    ask_operator: &'static str,
    /// Refused.
    too_many_pages: &'static str,
    /// Subject; the hole takes whose desk it is.
    mail_subject: With,
    /// Beginning; the hole takes day and time.
    mail_text: With,
    /// Before the link.
    mail_link: &'static str,
}
