//! What people do with files: they offer, answer, let rest, end, and pick again.

use visavis_call_core::{Direction, Event, FileIntent, Intent, SourceId, TransferState};
use visavis_protocol::TransferId;
use visavis_protocol::limits::BLOCK_BYTES;
use visavis_protocol::transfer::{FileEntry, FilesFrame};

use super::World;
use super::files::{Chore, Content, PICK_MS};

/// The files of a few sorts of offers.
fn files(sort: u8) -> (Option<String>, Vec<FileEntry>) {
    let block = u64::from(BLOCK_BYTES);
    let entry = |path: &str, bytes| FileEntry {
        path: path.to_owned(),
        bytes,
        modified: 1,
    };
    match sort % 6 {
        0 => (None, vec![entry("small.txt", 5)]),
        1 => (None, vec![entry("empty.txt", 0)]),
        2 => (None, vec![entry("film.mp4", 4 * block + 17)]),
        3 => (
            Some("folder".to_owned()),
            vec![
                entry("a/one", block),
                entry("a/none", 0),
                entry("b/two", block + 1),
            ],
        ),
        4 => (None, vec![entry("long.bin", 12 * block)]),
        _ => (None, vec![entry("two.bin", 2 * block)]),
    }
}

impl World {
    fn want_of_files(&mut self, person: usize, intent: FileIntent) {
        let tab = self.people[person].tab;
        self.tell(tab, Event::Intent(Intent::File(intent)));
    }

    /// A person offers something: to one of the others, or to all.
    pub(super) fn offer_files(&mut self, person: usize, to: usize, sort: u8) {
        let tab = self.people[person].tab;
        let Some(view) = self.tabs[tab].core.as_ref().map(|core| core.view()) else {
            return;
        };
        let to = match view.people.get(to) {
            Some(one) => vec![one.seat],
            None => Vec::new(),
        };
        let shell = &mut self.tabs[tab].files;
        let content = Content(shell.rng.u64(..));
        let source = SourceId(u32::try_from(shell.sources.len()).unwrap_or(u32::MAX));
        shell.sources.insert(source, content);
        let (folder, files) = files(sort);
        self.want_of_files(
            person,
            FileIntent::Offer {
                to,
                source,
                folder,
                files,
            },
        );
        let view = self.tabs[tab].core.as_ref().map(|core| core.view());
        for transfer in view.map(|view| view.transfers).unwrap_or_default() {
            if transfer.direction == Direction::Sending {
                let entry = self.contents.entry(transfer.transfer).or_default();
                if entry.is_empty() {
                    entry.push(content);
                }
            }
        }
    }

    /// A person says yes or no to the first offer that waits.
    pub(super) fn answer_files(&mut self, person: usize, accept: bool) {
        let offered = self.nth_transfer(person, 0, |direction, state| {
            direction == Direction::Receiving && state == TransferState::Offered
        });
        if let Some(transfer) = offered {
            self.want_of_files(
                person,
                if accept {
                    FileIntent::Accept(transfer)
                } else {
                    FileIntent::Decline(transfer)
                },
            );
        }
    }

    pub(super) fn pause_files(&mut self, person: usize, nth: usize, paused: bool) {
        if let Some(transfer) = self.nth_transfer(person, nth, |_, _| true) {
            self.want_of_files(person, FileIntent::Pause(transfer, paused));
        }
    }

    pub(super) fn cancel_files(&mut self, person: usize, nth: usize) {
        let is_live = |_, state| !matches!(state, TransferState::Done | TransferState::Stopped { .. });
        if let Some(transfer) = self.nth_transfer(person, nth, is_live) {
            self.want_of_files(person, FileIntent::Cancel(transfer));
        }
    }

    fn nth_transfer(
        &self,
        person: usize,
        nth: usize,
        is_one: impl Fn(Direction, TransferState) -> bool,
    ) -> Option<TransferId> {
        let view = self.tabs[self.people[person].tab].core.as_ref()?.view();
        let fitting: Vec<_> = view
            .transfers
            .iter()
            .filter(|one| is_one(one.direction, one.state))
            .collect();
        let at = nth % fitting.len().max(1);
        fitting.get(at).map(|one| one.transfer)
    }

    /// The core says that the person is to pick a file again.
    pub(super) fn pick_again_soon(&mut self, tab: usize, text: &str) {
        if let Ok(frame) = FilesFrame::decode(text) {
            let transfer = frame.transfer();
            self.chore(tab, PICK_MS, Chore::Pick { transfer });
        }
    }

    pub(super) fn pick_again(&mut self, tab: usize, transfer: TransferId) {
        let view = self.tabs[tab].core.as_ref().map(|core| core.view());
        let line = view.and_then(|view| view.transfers.into_iter().find(|one| one.transfer == transfer));
        let state = line.map(|line| line.state);
        if matches!(state, Some(TransferState::Paused { .. })) {
            // They are asked once it goes on.
            return self.chore(tab, PICK_MS, Chore::Pick { transfer });
        }
        let is_lacking = state == Some(TransferState::Lacking { ours: true });
        let person = self.tabs[tab].person;
        let Some(stored) = self.people[person].disk.get(&transfer).filter(|_| is_lacking) else {
            return;
        };
        let files = stored.kept.files.clone();
        let Some(mut content) = self
            .contents
            .get(&transfer)
            .and_then(|known| known.first().copied())
        else {
            return;
        };
        let shell = &mut self.tabs[tab].files;
        if shell.rng.u8(0..10) == 0 {
            // It was changed meanwhile, and nothing but its bytes shows it.
            content = Content(shell.rng.u64(..));
            self.contents.entry(transfer).or_default().push(content);
        }
        let shell = &mut self.tabs[tab].files;
        let source = SourceId(u32::try_from(shell.sources.len()).unwrap_or(u32::MAX));
        shell.sources.insert(source, content);
        let intent = FileIntent::PickAgain {
            transfer,
            source,
            files,
        };
        self.tell(tab, Event::Intent(Intent::File(intent)));
    }
}
