//! Received files leave the browser's keeping: to where the person wants them, or to be looked at.
//!
//! Where a page may write to a place that the person picks, block after block is copied there, so memory
//! stays flat and the browser's copy may go. Elsewhere the blocks become one file in the browser's keeping and
//! that a download, which the browser reads when it likes: its copy stays until the person dismisses the transfer.

use core::ops::Range;
use core::time::Duration;
use std::rc::Rc;

use visavis_call_core::{Direction, FileEvent, Transfer, TransferState};
use visavis_protocol::TransferId;
use visavis_protocol::transfer::FileEntry;
use wasm_bindgen::JsValue;
use web_sys::HtmlCanvasElement;

use super::super::engine::Engine;
use super::cut;
use super::keeping::Keeping;
use crate::web::blocks::Blocks;
use crate::web::folder::{self, Folder, Place};
use crate::web::task::spawn;
use crate::web::{Error, ErrorName, console, file_sink, picture, timer};

/// Bytes of a picture that is shown: more are no picture of a camera, and all of it is decoded.
const PREVIEW_BYTES: u64 = 32 * 1024 * 1024;
/// Names of pictures that browsers decode. No SVG, which is a document.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp"];
/// Between two downloads: browsers drop some of many that begin at once.
const BETWEEN_DOWNLOADS: Duration = Duration::from_millis(250);
/// Names that are tried for a folder that is there already: "name (2)" and so on.
const FOLDER_NAMES: u32 = 100;

enum Target {
    File(Place),
    Folder(Folder),
    Download,
}

impl Engine {
    /// Asks where to put what was received, and puts it there. `done` hears whether it worked, and
    /// nothing if the person decides against it.
    pub(in super::super) fn save_file(&self, transfer: TransferId, done: impl FnOnce(bool) + 'static) {
        let whole = self.keeping(transfer);
        let Some((keeping, blocks)) = whole.and_then(|keeping| {
            let blocks = keeping.blocks()?;
            Some((keeping, blocks))
        }) else {
            return done(false);
        };
        // Asked within the click.
        let target = ask(&keeping);
        let this = self.weak();
        spawn(async move {
            let target = match target.await {
                Ok(target) => target,
                Err(error) if error.name == ErrorName::Abort => return,
                // Not in this page, or not allowed: every browser can download.
                Err(_) => Target::Download,
            };
            let is_copied = !matches!(target, Target::Download);
            let saved = save(&keeping, &blocks, target).await;
            if let Err(error) = &saved {
                console::debug("a file is not saved", error.to_string());
            }
            if let Some(engine) = this.upgrade().filter(|_| saved.is_ok()) {
                engine.files.saved.borrow_mut().push(transfer);
                if is_copied {
                    engine.tell_file(FileEvent::Saved(transfer));
                }
            }
            done(saved.is_ok());
        });
    }

    pub(in super::super) fn preview_file(
        &self,
        transfer: TransferId,
        canvas: HtmlCanvasElement,
        done: impl FnOnce(bool) + 'static,
    ) {
        let blocks = self.keeping(transfer).and_then(|keeping| {
            let is_small = cut::total(&keeping.kept.files) <= PREVIEW_BYTES;
            let blocks = keeping.blocks().filter(|_| is_small)?;
            let range = cut::blocks(&keeping.kept.files).next()?;
            Some((blocks, range))
        });
        let Some((blocks, range)) = blocks else {
            return done(false);
        };
        spawn(async move {
            let drawn = async { picture::draw(&blocks.joined(range).await?, &canvas).await };
            done(drawn.await.is_ok());
        });
    }
}

/// Whether a transfer is a picture by its name.
pub(super) fn can_preview(transfer: &Transfer) -> bool {
    let is_picture = transfer
        .title
        .rsplit_once('.')
        .is_some_and(|(_, kind)| PICTURES.iter().any(|known| kind.eq_ignore_ascii_case(known)));
    is_picture
        && transfer.direction == Direction::Receiving
        && transfer.state == TransferState::Done
        && !transfer.is_folder
        && transfer.bytes <= PREVIEW_BYTES
}

fn ask(keeping: &Keeping) -> impl Future<Output = Result<Target, Error>> + 'static + use<> {
    let kept = &keeping.kept;
    let is_folder = kept.folder.is_some();
    let place = (!is_folder && folder::can_pick_place()).then(|| folder::pick_place(&name_of(keeping)));
    let folder = (is_folder && folder::can_pick_folder()).then(folder::pick_folder);
    async move {
        Ok(match (place, folder) {
            (Some(place), _) => Target::File(place.await?),
            (None, Some(folder)) => Target::Folder(folder.await?),
            (None, None) => Target::Download,
        })
    }
}

/// A single file's name.
fn name_of(keeping: &Keeping) -> String {
    let path = keeping.kept.files.first().map_or("", |file| file.path.as_str());
    let name = path.rsplit('/').next().unwrap_or(path);
    name.to_owned()
}

async fn save(keeping: &Rc<Keeping>, blocks: &Rc<Blocks>, target: Target) -> Result<(), Error> {
    let files = &keeping.kept.files;
    match target {
        Target::File(place) => copy(blocks, cut::blocks(files).next().unwrap_or_default(), &place).await,
        Target::Folder(picked) => {
            let name = keeping.kept.folder.as_deref().unwrap_or_default();
            let folder = new_folder(&picked, name).await?;
            for (file, range) in files.iter().zip(cut::blocks(files)) {
                let place = place_in(&folder, file).await?;
                copy(blocks, range, &place).await?;
            }
            Ok(())
        }
        Target::Download => {
            for (number, (file, range)) in files.iter().zip(cut::blocks(files)).enumerate() {
                if number > 0 {
                    timer::sleep(BETWEEN_DOWNLOADS).await;
                }
                let whole = blocks.joined(range).await?;
                let name = keeping.kept.folder.as_ref().map_or_else(
                    || name_of(keeping),
                    |folder| [folder.as_str(), &file.path.replace('/', " - ")].join(" - "),
                );
                file_sink::download_blob(&whole, &name)?;
            }
            Ok(())
        }
    }
}

async fn copy(blocks: &Blocks, range: Range<u32>, place: &Place) -> Result<(), Error> {
    let writing = place.open().await?;
    for number in range {
        writing.add(&blocks.get(number).await?).await?;
    }
    writing.close().await
}

/// Makes a folder of a name that is not there yet: nothing of the person's own is written over.
async fn new_folder(picked: &Folder, name: &str) -> Result<Folder, Error> {
    let mut tried = name.to_owned();
    for number in 2..FOLDER_NAMES {
        match picked.folder(&tried, false).await {
            Err(error) if error.name == ErrorName::NotFound => break,
            // There, or a file of that name.
            Ok(_) | Err(_) => {
                tried.clear();
                tried.push_str(name);
                tried.push_str(" (");
                tried.push_str(&number.to_string());
                tried.push(')');
            }
        }
    }
    picked.folder(&tried, true).await
}

/// Where a file of a folder goes, with the folders on the way.
async fn place_in(folder: &Folder, file: &FileEntry) -> Result<Place, Error> {
    let mut folder = folder.clone();
    let mut names = file.path.split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_some() {
            folder = folder.folder(name, true).await?;
            continue;
        }
        return match folder.place(name).await {
            Ok(place) => Ok(place),
            // Chromium makes no file whose kind its system would run at once.
            Err(_) => folder.place(&[name, ".download"].concat()).await,
        };
    }
    Err(Error::from(JsValue::from_str("a file without a name")))
}
