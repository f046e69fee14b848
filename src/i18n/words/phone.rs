//! What is said of people and their calls.

use super::{Key, Plural, Texts, With};

words! {
    /// What is said of people and their calls.
    PhoneWords:
    /// Text box.
    your_handle: &'static str,
    /// What a handle is.
    handle_hint: &'static str,
    /// What becomes of the key.
    key_hint: &'static str,
    /// Button.
    sign_in: &'static str,
    /// Button.
    notify: &'static str,
    /// Button.
    sign_out: &'static str,
    /// While it is being proven.
    signing_in: &'static str,
    /// Who one is.
    signed_in_as: With,
    /// Opens the field for it.
    have_code: &'static str,
    /// Text box.
    code: &'static str,
    /// Button.
    link_device: &'static str,
    /// Beside the code.
    code_hint: &'static str,
    /// A handle that is none.
    short: &'static str,
    /// The same.
    long: &'static str,
    /// The same.
    character: &'static str,
    /// The same.
    shape: &'static str,
    /// Refused.
    taken: &'static str,
    /// Refused.
    free_again: &'static str,
    /// Refused.
    bad_code: &'static str,
    /// Refused.
    too_many_pages: &'static str,
    /// Refused.
    no_key: &'static str,
    /// Refused.
    tokens_only: &'static str,
    /// Refused.
    bad_token: &'static str,
    /// Refused: something else.
    not_here: &'static str,
    /// Text box.
    add_contact: &'static str,
    /// Button.
    add: &'static str,
    /// Under it.
    add_hint: &'static str,
    /// Refused.
    too_many_contacts: &'static str,
    /// Refused.
    yourself: &'static str,
    /// Empty list.
    no_contacts: &'static str,
    /// List.
    calls: &'static str,
    /// Empty list.
    no_calls: &'static str,
    /// List.
    blocked: &'static str,
    /// Presence.
    online: &'static str,
    /// Presence.
    busy: &'static str,
    /// Presence.
    away: &'static str,
    /// Presence.
    offline: &'static str,
    /// Button: sound alone.
    call: With,
    /// Button.
    video_call_to: With,
    /// Button.
    call_back: With,
    /// Button.
    remove: &'static str,
    /// Button.
    block: &'static str,
    /// What it does.
    block_hint: &'static str,
    /// Button.
    unblock: With,
    /// Button.
    forget: &'static str,
    /// List.
    conversation: With,
    /// Empty conversation.
    nothing: &'static str,
    /// Under it.
    write_hint: &'static str,
    /// Link.
    back: &'static str,
    /// Badge.
    missed: Plural,
    /// Alert dialog.
    incoming: &'static str,
    /// Title and alert.
    is_calling: With,
    /// Kind of call.
    audio_call: &'static str,
    /// Kind of call.
    video_call: &'static str,
    /// Button: sound alone.
    accept: &'static str,
    /// Button.
    accept_video: &'static str,
    /// Button.
    decline: &'static str,
    /// Where one is in a room.
    leaves_room: &'static str,
    /// After a press.
    answering: &'static str,
    /// Dialog.
    calling: &'static str,
    /// It is on its way.
    calling_to: With,
    /// It rings there.
    ringing_at: With,
    /// Button.
    cancel_call: &'static str,
    /// In another tab.
    elsewhere: With,
    /// In the call, before the other one is there.
    connecting_to: With,
    /// In the call of an appointment, before the other one is there.
    expecting: With,
    /// In the call, when the other one is gone.
    waiting_for: With,
    /// Dialog.
    ended: &'static str,
    /// Why.
    unreachable: With,
    /// Why.
    is_busy: With,
    /// Why a call is over.
    in_another: &'static str,
    /// Why.
    declined: With,
    /// Why.
    no_answer: With,
    /// Why.
    elsewhere_answered: &'static str,
    /// Why.
    both_called: With,
    /// Why.
    lost: With,
    /// Why.
    never_met: With,
    /// Why.
    no_server: &'static str,
    /// Why.
    no_room: &'static str,
    /// Why.
    nobody_came: With,
    /// Why.
    no_way: With,
    /// Why.
    no_way_no_relay: With,
    /// Why.
    no_microphone: &'static str,
    /// Why.
    too_often: &'static str,
    /// Why.
    failed: &'static str,
    /// Line of a call; the hole takes its kind.
    line_out: With,
    /// The same.
    line_in: With,
    /// The same.
    line_missed: With,
    /// Outcome.
    outcome_declined: &'static str,
    /// Outcome.
    outcome_cancelled: &'static str,
    /// Outcome.
    outcome_no_answer: &'static str,
    /// Outcome.
    outcome_busy: &'static str,
    /// Outcome.
    outcome_unreachable: &'static str,
    /// Outcome.
    outcome_elsewhere: &'static str,
    /// Outcome.
    outcome_failed: &'static str,
    /// Duration.
    seconds: With,
    /// Duration.
    minutes: With,
    /// Duration.
    hours: With,
}
