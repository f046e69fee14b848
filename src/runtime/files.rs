//! Files, as pages want and see them.

use leptos::prelude::*;
use visavis_call_core::{FileIntent, Intent, Transfer};
use visavis_protocol::{SeatId, TransferId};
use web_sys::{DataTransfer, FileList, HtmlCanvasElement};

use super::Runtime;

impl Runtime {
    /// What is sent and received, in the order in which it was offered.
    #[must_use]
    pub const fn transfers(self) -> Memo<Vec<Transfer>> {
        self.store.transfers
    }

    /// Answers, pauses, ends or dismisses a transfer.
    pub fn about_file(self, intent: FileIntent) {
        self.intend(Intent::File(intent));
    }

    /// Lets the person pick files, or a folder, and offers them to some people; to all where `to` is
    /// empty. Only within a click.
    pub fn pick_files(self, to: Vec<SeatId>, folder: bool) {
        let _ = (to, folder);
    }

    /// Offers what was picked or pasted, to all where `to` is empty: as one folder where it was picked as
    /// one. The list may be emptied right after.
    pub fn offer_files(self, list: &FileList, to: Vec<SeatId>, folder: bool) {
        let _ = (list, to, folder);
    }

    /// Takes what was picked for a transfer that lacks its file. The list may be emptied right after.
    pub fn pick_again_files(self, transfer: TransferId, list: &FileList) {
        let _ = (transfer, list);
    }

    /// Offers what was dropped, folders too. Whether there was any file in it.
    pub fn offer_dropped(self, dropped: &DataTransfer, to: Vec<SeatId>) -> bool {
        let _ = (dropped, to);
        false
    }

    /// Lets the person pick the file of a transfer that lacks it. Only within a click.
    pub fn pick_again(self, transfer: TransferId) {
        let _ = transfer;
    }

    /// Whether a folder can be picked as one, rather than file by file.
    #[must_use]
    pub fn can_pick_folder(self) -> bool {
        false
    }

    /// Saves what was received where the person wants it. Only within a click. Tells whether it worked;
    /// not at all if the person decided against it.
    pub fn save_file(self, transfer: TransferId, done: impl FnOnce(bool) + 'static) {
        let _ = transfer;
        done(false);
    }

    /// Whether a received file can be looked at here: a picture of a kind that browsers decode, whole
    /// and not too large. By its name; what is in it shows when it is decoded.
    #[must_use]
    pub fn can_preview(self, transfer: &Transfer) -> bool {
        let _ = transfer;
        false
    }

    /// Draws a received picture into a canvas, made as large as the picture needs within the limits of
    /// its present size; tells whether it is one.
    pub fn preview(self, transfer: TransferId, canvas: HtmlCanvasElement, done: impl FnOnce(bool) + 'static) {
        let _ = (transfer, canvas);
        done(false);
    }
}
