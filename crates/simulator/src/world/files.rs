//! What a browser does with files, and what people do with them: sources that live as long as their tab, a
//! disk that outlives it, reading, hashing and storing that take their time and fail now and then.
//!
//! A file has no bytes, only a number that stands for what is in it; a block's hash is made of that.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{
    BlockPlace, Direction, Event, FileCommand, FileEvent, FileIntent, FileRead, FileTrouble, Intent, Kept,
    PipeId, SourceId, TransferState,
};
use visavis_protocol::TransferId;
use visavis_protocol::limits::{BLOCK_BYTES, BLOCKS_AHEAD};
use visavis_protocol::transfer::{BlockHash, FileEntry, FilesFrame};

use super::freight::What;
use super::{Due, Rule, World};

/// How long a person looks for a file that they are to pick again.
const PICK_MS: u64 = 3_000;
/// How long reading and storing a block may take.
const DISK_MS: u64 = 40;
/// How long hashing one may take.
const HASH_MS: u64 = 4;

/// What stands for the bytes of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content(pub(super) u64);

impl Content {
    /// What a block of it hashes to.
    pub(super) fn hash(self, number: u32) -> BlockHash {
        let mut rng = Rng::with_seed(self.0 ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut hash = [0; 32];
        rng.fill(&mut hash);
        BlockHash(hash)
    }
}

/// What a tab has to do with files.
#[derive(Debug)]
pub(super) struct FileShell {
    pub(super) rng: Rng,
    sources: BTreeMap<SourceId, Content>,
    /// Counts reads, for those that are dropped.
    reads: u64,
    /// Reads under way, and blocks that were read.
    reading: BTreeMap<TransferId, (u64, u32)>,
    read: BTreeMap<TransferId, (u32, BlockHash)>,
    /// Blocks that came whole and are not stored: of which pipe, and their hash.
    held: BTreeMap<(TransferId, u32), (PipeId, BlockHash)>,
    /// Blocks that ever came whole into this tab.
    pub(super) came: BTreeMap<(TransferId, u32), u32>,
}

impl FileShell {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed ^ 0xf11e_5f11_e5f1_1e5f),
            sources: BTreeMap::new(),
            reads: 0,
            reading: BTreeMap::new(),
            read: BTreeMap::new(),
            held: BTreeMap::new(),
            came: BTreeMap::new(),
        }
    }
}

/// What a person's browser keeps over reloads.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) kept: Kept,
    /// The tab that has it: the newest that found it or made it.
    tab: usize,
}

/// What was asked of a browser and is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    Find,
    Read {
        transfer: TransferId,
        read: u64,
    },
    Sent {
        pipe: PipeId,
        number: u32,
    },
    Prepare(Box<Kept>),
    Hashed {
        pipe: PipeId,
        number: u32,
        hash: BlockHash,
    },
    Store {
        transfer: TransferId,
        number: u32,
        hash: BlockHash,
    },
    Pick {
        transfer: TransferId,
    },
}

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
    /// Like [`World::delay`], from a generator of its own: runs without files stay as they are.
    pub(super) fn file_delay(&mut self, tab: usize, longest_ms: u64) -> Duration {
        let rng = &mut self.tabs[tab].files.rng;
        Duration::from_micros(rng.u64(0..=longest_ms * 500))
    }

    pub(super) fn tell_file(&mut self, tab: usize, event: FileEvent) {
        self.tell(tab, Event::File(event));
    }

    fn want_of_files(&mut self, person: usize, intent: FileIntent) {
        let tab = self.people[person].tab;
        self.tell(tab, Event::Intent(Intent::File(intent)));
    }

    fn chore(&mut self, tab: usize, longest_ms: u64, chore: Chore) {
        let delay = self.file_delay(tab, longest_ms);
        self.after(delay, Due::Chore { tab, chore });
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

    /// The page was opened: what is kept is looked for.
    pub(super) fn find_files(&mut self, tab: usize) {
        if self.has_files {
            self.chore(tab, 400, Chore::Find);
        }
    }

    /// The core says that the person is to pick a file again.
    pub(super) fn pick_again_soon(&mut self, tab: usize, text: &str) {
        if let Ok(frame) = FilesFrame::decode(text) {
            let transfer = frame.transfer();
            self.chore(tab, PICK_MS, Chore::Pick { transfer });
        }
    }

    fn pick_again(&mut self, tab: usize, transfer: TransferId) {
        let view = self.tabs[tab].core.as_ref().map(|core| core.view());
        let is_lacking = view.is_some_and(|view| {
            view.transfers
                .iter()
                .any(|one| one.transfer == transfer && one.state == TransferState::Lacking { ours: true })
        });
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

    pub(super) fn file_command(&mut self, tab: usize, command: FileCommand) {
        let person = self.tabs[tab].person;
        match command {
            FileCommand::OpenPipe(pipe) => self.open_pipe(tab, pipe),
            FileCommand::ClosePipe(pipe) => self.close_pipe(tab, pipe),
            FileCommand::WritePipe { pipe, text } => self.write_pipe(tab, pipe, What::Text(text)),
            FileCommand::ReadBlock {
                transfer,
                source,
                place,
            } => self.read_block(tab, transfer, source, place),
            FileCommand::SendBlock { pipe, place, head } => {
                let read = self.tabs[tab].files.read.remove(&pipe.name.transfer);
                let Some((_, hash)) = read.filter(|(number, _)| *number == place.number) else {
                    return self.violate(
                        Rule::Nonsense,
                        format_args!("tab {tab} sends {place:?}, which was not read"),
                    );
                };
                self.write_pipe(tab, pipe, What::Text(head));
                let bytes = place.bytes;
                self.write_pipe(tab, pipe, What::Block { bytes, hash });
                let number = place.number;
                self.chore(tab, DISK_MS, Chore::Sent { pipe, number });
            }
            FileCommand::DropRead(transfer) => {
                self.tabs[tab].files.reading.remove(&transfer);
                self.tabs[tab].files.read.remove(&transfer);
            }
            FileCommand::Prepare(kept) => self.chore(tab, DISK_MS, Chore::Prepare(Box::new(kept))),
            FileCommand::ExpectBlock { pipe, place } => self.expect_block(tab, pipe, place),
            FileCommand::StoreBlock {
                transfer,
                place,
                hash,
            } => {
                let number = place.number;
                let held = self.tabs[tab].files.held.remove(&(transfer, number));
                let Some((_, held)) = held else {
                    return self.violate(
                        Rule::Nonsense,
                        format_args!("tab {tab} stores {place:?}, which it does not have"),
                    );
                };
                // What is stored is what came, whatever the core says of it.
                debug_assert!(held == hash || self.spoiled > 0, "a block is as it came");
                let hash = held;
                self.chore(
                    tab,
                    DISK_MS,
                    Chore::Store {
                        transfer,
                        number,
                        hash,
                    },
                );
            }
            FileCommand::Complete(transfer) => {
                let stored = self.people[person].disk.get_mut(&transfer);
                if let Some(stored) = stored.filter(|stored| stored.tab == tab) {
                    stored.kept.is_complete = true;
                }
            }
            FileCommand::Forget(transfer) => {
                let disk = &mut self.people[person].disk;
                if disk.get(&transfer).is_some_and(|stored| stored.tab == tab) {
                    disk.remove(&transfer);
                }
                let shell = &mut self.tabs[tab].files;
                shell.reading.remove(&transfer);
                shell.read.remove(&transfer);
                shell.held.retain(|(held, _), _| *held != transfer);
            }
            FileCommand::Remember(kept) => {
                let stored = Stored { kept, tab };
                self.people[person].disk.insert(stored.kept.transfer, stored);
            }
        }
    }

    fn read_block(&mut self, tab: usize, transfer: TransferId, source: SourceId, place: BlockPlace) {
        let shell = &mut self.tabs[tab].files;
        let Some(content) = shell.sources.get(&source).copied() else {
            return self.violate(
                Rule::Nonsense,
                format_args!("tab {tab} reads {source:?}, not there"),
            );
        };
        shell.reads += 1;
        let read = shell.reads;
        let was_reading = shell.reading.insert(transfer, (read, place.number)).is_some();
        if was_reading || shell.read.contains_key(&transfer) {
            return self.violate(
                Rule::Bounded,
                format_args!("tab {tab} reads {place:?} while it has another block"),
            );
        }
        shell
            .read
            .insert(transfer, (place.number, content.hash(place.number)));
        // It is there once the read is over.
        self.chore(tab, DISK_MS, Chore::Read { transfer, read });
    }

    fn expect_block(&mut self, tab: usize, pipe: PipeId, place: BlockPlace) {
        let transfer = pipe.name.transfer;
        self.tabs[tab]
            .files
            .held
            .retain(|(held, _), (of, _)| *held != transfer || *of == pipe);
        let Some(link) = self.link_or_violate(tab, pipe.link, "ExpectBlock") else {
            return;
        };
        let Some(end) = link.freight.pipes.get_mut(&pipe.name) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("{place:?} expected on {pipe:?}, not there"),
            );
        };
        end.expected.push_back((place.number, place.bytes));
        let expected = end.expected.len();
        let held = self.tabs[tab]
            .files
            .held
            .keys()
            .filter(|(held, _)| *held == transfer);
        let many = held.count() + expected;
        if many > BLOCKS_AHEAD as usize {
            self.violate(
                Rule::Bounded,
                format_args!("tab {tab} holds {many} blocks of {transfer:?}"),
            );
        }
    }

    /// The last byte of a block came.
    pub(super) fn block_gathered(&mut self, tab: usize, pipe: PipeId, number: u32, hash: BlockHash) {
        let hash = self.spoil(tab, hash);
        self.chore(tab, HASH_MS, Chore::Hashed { pipe, number, hash });
    }

    /// Now and then somebody sends something else than they announced.
    fn spoil(&mut self, tab: usize, hash: BlockHash) -> BlockHash {
        if self.script.pace.spoiled > 0 && self.tabs[tab].files.rng.u8(0..100) < self.pace.spoiled {
            self.spoiled += 1;
            return BlockHash([self.tabs[tab].files.rng.u8(..); 32]);
        }
        hash
    }

    pub(super) fn do_chore(&mut self, tab: usize, chore: Chore) {
        if self.tabs[tab].core.is_none() {
            return;
        }
        let person = self.tabs[tab].person;
        let trouble = self.tabs[tab].files.rng.u16(0..1000) < u16::from(self.pace.disk_trouble);
        match chore {
            Chore::Find => {
                let mut found = Vec::new();
                for stored in self.people[person].disk.values_mut() {
                    if stored.tab <= tab {
                        stored.tab = tab;
                        found.push(stored.kept.clone());
                    }
                }
                self.tell_file(tab, FileEvent::Found(found));
            }
            Chore::Read { transfer, read } => {
                let shell = &mut self.tabs[tab].files;
                let Some((_, number)) = shell
                    .reading
                    .get(&transfer)
                    .filter(|(one, _)| *one == read)
                    .copied()
                else {
                    return;
                };
                shell.reading.remove(&transfer);
                if trouble {
                    self.troubles += 1;
                    shell.read.remove(&transfer);
                    let error = FileRead::Other;
                    return self.tell_file(tab, FileEvent::ReadFailed { transfer, error });
                }
                let Some((_, hash)) = shell.read.get(&transfer).copied() else {
                    return;
                };
                self.tell_file(
                    tab,
                    FileEvent::BlockRead {
                        transfer,
                        number,
                        hash,
                    },
                );
            }
            Chore::Sent { pipe, number } => {
                let is_open = self.tabs[tab]
                    .links
                    .get(&pipe.link)
                    .and_then(|link| link.freight.pipes.get(&pipe.name))
                    .is_some_and(|end| !end.is_closed);
                if is_open {
                    self.tell_file(tab, FileEvent::BlockSent { pipe, number });
                }
            }
            Chore::Prepare(kept) => {
                let transfer = kept.transfer;
                if trouble {
                    self.troubles += 1;
                    let error = FileTrouble::Full;
                    return self.tell_file(tab, FileEvent::StoreFailed { transfer, error });
                }
                let kept = *kept;
                let is_newer = |stored: &Stored| stored.tab > tab;
                if !self.people[person].disk.get(&transfer).is_some_and(is_newer) {
                    self.people[person].disk.insert(transfer, Stored { kept, tab });
                }
                self.tell_file(tab, FileEvent::Prepared(transfer));
            }
            Chore::Hashed { pipe, number, hash } => self.block_hashed(tab, pipe, number, hash),
            Chore::Store {
                transfer,
                number,
                hash,
            } => self.block_stored(tab, transfer, number, hash, trouble),
            Chore::Pick { transfer } => self.pick_again(tab, transfer),
        }
    }

    fn block_hashed(&mut self, tab: usize, pipe: PipeId, number: u32, hash: BlockHash) {
        let transfer = pipe.name.transfer;
        let times = self.tabs[tab].files.came.entry((transfer, number)).or_default();
        *times += 1;
        if *times > 1 && self.pace.spoiled == 0 {
            let times = *times;
            self.violate(
                Rule::SentTwice,
                format_args!("block {number} of {transfer:?} came whole {times} times"),
            );
        }
        self.tabs[tab].files.held.insert((transfer, number), (pipe, hash));
        self.tell_file(tab, FileEvent::BlockCame { pipe, number, hash });
    }

    fn block_stored(
        &mut self,
        tab: usize,
        transfer: TransferId,
        number: u32,
        hash: BlockHash,
        trouble: bool,
    ) {
        let person = self.tabs[tab].person;
        if trouble {
            self.troubles += 1;
            let error = FileTrouble::Other;
            return self.tell_file(tab, FileEvent::StoreFailed { transfer, error });
        }
        let stored = self.people[person].disk.get_mut(&transfer);
        // Another tab of the same person has it by now, or it was forgotten.
        let Some(stored) = stored.filter(|stored| stored.tab == tab) else {
            return;
        };
        if u32::try_from(stored.kept.hashes.len()) != Ok(number) {
            return self.violate(
                Rule::Content,
                format_args!("block {number} of {transfer:?} is stored out of order"),
            );
        }
        stored.kept.hashes.push(hash);
        self.tell_file(tab, FileEvent::BlockStored { transfer, number });
    }
}
