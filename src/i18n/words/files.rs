//! What is said of files, and of amounts.

use super::{Key, Plural, Texts, With};

words! {
    /// How much, how fast, how long.
    AmountWords:
    /// Between a whole number and its tenths.
    point: &'static str,
    /// Less than a thousand.
    bytes: Plural,
    /// A thousand bytes.
    kilobytes: With,
    /// A million bytes.
    megabytes: With,
    /// Thousand millions of bytes.
    gigabytes: With,
    /// A rate; the hole takes an amount.
    a_second: With,
    /// What follows a part; the hole takes the whole.
    of: With,
    /// A part.
    percent: With,
    /// Behind a rate.
    few_seconds_left: &'static str,
    /// Behind a rate.
    minute_left: &'static str,
    /// Behind a rate.
    minutes_left: Plural,
    /// Behind a rate.
    hours_left: Plural,
    /// Behind a rate.
    days_left: &'static str,
}

words! {
    /// What is said of files.
    FileWords:
    /// Button and panel.
    files: &'static str,
    /// Of offers that wait for an answer, beside the button.
    waiting: Plural,
    /// Button.
    send: &'static str,
    /// Button.
    send_folder: &'static str,
    /// List of people.
    send_to: &'static str,
    /// First in that list.
    everyone: &'static str,
    /// In that list once who was chosen has left.
    choose: &'static str,
    /// Said then.
    gone: With,
    /// While there is nobody to send to.
    alone: &'static str,
    /// In the empty panel.
    nothing: &'static str,
    /// List.
    transfers: &'static str,
    /// Below a list that is too long.
    more: Plural,
    /// Who sends.
    from: With,
    /// Who receives.
    to: With,
    /// In a folder.
    count: Plural,
    /// Bar; the hole takes the title.
    progress: With,
    /// Button.
    accept: &'static str,
    /// Button.
    decline: &'static str,
    /// Button.
    pause: &'static str,
    /// Button.
    resume: &'static str,
    /// Button.
    cancel: &'static str,
    /// Button.
    save: &'static str,
    /// Button.
    again: &'static str,
    /// Button.
    again_folder: &'static str,
    /// Button.
    preview: &'static str,
    /// Button.
    hide_preview: &'static str,
    /// Button.
    remove: &'static str,
    /// Of what would be lost.
    unsaved: &'static str,
    /// Button of that question.
    discard_it: &'static str,
    /// Button of that question.
    keep: &'static str,
    /// Instead of a preview.
    no_picture: &'static str,
    /// Offered by us.
    offered_out: With,
    /// Offered to us.
    offered_in: With,
    /// Others are first.
    queued: &'static str,
    /// No rate is known yet.
    sending: &'static str,
    /// No rate is known yet.
    receiving: &'static str,
    /// By us.
    paused: &'static str,
    /// By the other side.
    paused_by: With,
    /// The connection is gone.
    interrupted: With,
    /// Our page was loaded anew.
    lacking: &'static str,
    /// Our page was loaded anew.
    lacking_folder: &'static str,
    /// Their page was loaded anew.
    lacking_there: With,
    /// All of it is there.
    verifying: &'static str,
    /// Whole, and with them.
    sent: With,
    /// Whole, and here.
    received: &'static str,
    /// Afterwards.
    saved: &'static str,
    /// The hole takes the title.
    save_failed: With,
    /// By us.
    declined_in: &'static str,
    /// By them.
    declined_out: With,
    /// By us.
    cancelled: &'static str,
    /// By them.
    cancelled_by: With,
    /// For us.
    too_big_in: With,
    /// For them.
    too_big_out: With,
    /// Here.
    too_many_in: With,
    /// There.
    too_many_out: With,
    /// By them.
    bad_offer_in: With,
    /// By us.
    bad_offer_out: &'static str,
    /// By them.
    bad_content_in: With,
    /// By us.
    bad_content_out: With,
    /// By them.
    changed_in: With,
    /// By us.
    changed_out: &'static str,
    /// By them.
    unreadable_in: With,
    /// By us.
    unreadable_out: &'static str,
    /// By us.
    unstorable_in: With,
    /// By them.
    unstorable_out: With,
    /// By them.
    unknown_in: With,
    /// By us.
    unknown_out: With,
    /// For another reason.
    other_in: With,
    /// For another reason.
    other_out: With,
    /// In the call; the hole takes the name, the title follows.
    offer: With,
    /// Button of that which opens the panel.
    show: &'static str,
    /// Over the call while files are dragged.
    drop_everyone: &'static str,
    /// Over a tile.
    drop_person: With,
    /// Of the clipboard.
    pasted: Plural,
    /// Button for what was pasted.
    send_everyone: &'static str,
    /// Button for what was pasted.
    send_person: With,
    /// Button for what was pasted.
    discard: &'static str,
}
