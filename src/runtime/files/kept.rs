//! What is written down of a transfer, for a page that is loaded anew: JSON, by the browser's own hands.

use js_sys::{Array, JSON};
use visavis_call_core::{Direction, Kept};
use visavis_protocol::limits::TRANSFER_FILES;
use visavis_protocol::transfer::FileEntry;
use wasm_bindgen::JsValue;

use crate::web::value;

/// Writes a transfer down, without its hashes. `own` is the seat of this tab: what the origin private
/// file system holds is seen by every tab.
#[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
pub(super) fn write(kept: &Kept, own: &str) -> String {
    let files = Array::new();
    for file in &kept.files {
        files.push(&Array::of3(
            &file.path.as_str().into(),
            &(file.bytes as f64).into(),
            &(file.modified as f64).into(),
        ));
    }
    let object = value::dictionary(&[
        ("transfer", kept.transfer.to_text().into()),
        ("room", kept.room.as_str().into()),
        ("own", own.into()),
        ("sent", (kept.direction == Direction::Sending).into()),
        ("seat", kept.seat.to_text().into()),
        ("name", kept.name.as_str().into()),
        ("folder", kept.folder.as_deref().into()),
        ("files", files.into()),
    ]);
    JSON::stringify(&object).map_or_else(|_| String::new(), String::from)
}

/// Reads it, if this tab wrote it.
pub(super) fn read(text: &str, own: &str) -> Option<Kept> {
    let object = JSON::parse(text).ok()?;
    let text = |key| value::get(&object, key).as_string();
    if text("own")? != own {
        return None;
    }
    let files = Array::from(&value::get(&object, "files"));
    let files: Option<Vec<_>> = files
        .iter()
        .take(TRANSFER_FILES)
        .map(|file| read_file(&file))
        .collect();
    Some(Kept {
        transfer: text("transfer")?.parse().ok()?,
        room: text("room")?.parse().ok()?,
        direction: if value::get(&object, "sent").is_truthy() {
            Direction::Sending
        } else {
            Direction::Receiving
        },
        seat: text("seat")?.parse().ok()?,
        name: text("name")?,
        folder: text("folder"),
        files: files?,
        hashes: Vec::new(),
        is_complete: false,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and both were whole when they were written"
)]
fn read_file(file: &JsValue) -> Option<FileEntry> {
    let file = Array::from(file);
    Some(FileEntry {
        path: file.get(0).as_string()?,
        bytes: file.get(1).as_f64()? as u64,
        modified: file.get(2).as_f64()? as u64,
    })
}
