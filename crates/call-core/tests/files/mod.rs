//! One side of transfers: tests play the other side, the disk and the pipes by hand.

#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use sha2::{Digest, Sha256};
use visavis_call_core::{
    Command, ConnectionState, Direction, Event, FileCommand, FileEvent, FileIntent, Intent, Kept, LinkEvent,
    LinkId, PipeId, Sample, SideChannel, SideEvent, SourceId, Transfer, TransferState,
};
use visavis_protocol::transfer::{BlockHash, FileEntry, FilesFrame, PipeFrame, PipeName};
use visavis_protocol::{Frame, TransferId, limits};

use crate::shell::{Shell, entry};

pub const fn mib(n: u64) -> u64 {
    n * limits::BLOCK_BYTES as u64
}

pub fn file(path: &str, bytes: u64) -> FileEntry {
    FileEntry {
        path: path.into(),
        bytes,
        modified: 7,
    }
}

/// What a block of the test's file hashes to.
pub fn hash(number: u32) -> BlockHash {
    BlockHash(Sha256::digest(number.to_le_bytes()).into())
}

/// Over so many blocks.
pub fn root(blocks: u32) -> BlockHash {
    let mut digest = Sha256::new();
    for number in 0..blocks {
        digest.update(hash(number).0);
    }
    BlockHash(digest.finalize().into())
}

/// Which block a command sends.
pub fn block(command: &FileCommand) -> Option<u32> {
    match command {
        FileCommand::SendBlock { place, .. } => Some(place.number),
        _ => None,
    }
}

/// See the module. The other side is `entry(9)`.
pub struct Files {
    pub shell: Shell,
    pub link: LinkId,
    offers: u8,
}

impl Files {
    /// Beside somebody whose files channel is open.
    pub fn beside() -> Self {
        let mut files = Self::loading();
        files.tell(FileEvent::Found(vec![]));
        files
    }

    /// The same before it is known what an earlier page kept.
    pub fn loading() -> Self {
        let mut shell = Shell::in_front();
        shell.join();
        shell.seated(1, 1, &[entry(9)]);
        let link = shell.links()[0];
        shell.make_offer(link);
        let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
        shell.event(Event::Link(link, connected));
        shell.event(Event::Link(link, LinkEvent::ChannelOpened));
        shell.commands.clear();
        let mut files = Self {
            shell,
            link,
            offers: 0,
        };
        files.opens();
        files
    }

    pub fn receiving() -> Self {
        Self::beside()
    }

    pub fn sending() -> Self {
        Self::beside()
    }

    /// A transfer whose pipe is open: offered, accepted, wanted.
    pub fn runs(&mut self, list: &[FileEntry]) -> (TransferId, PipeId) {
        let transfer = self.offered(list);
        self.intend(FileIntent::Accept(transfer));
        self.tell(FileEvent::Prepared(transfer));
        let pipe = self.pipe(1);
        self.tell(FileEvent::PipeCame {
            link: pipe.link,
            name: pipe.name,
        });
        self.commands();
        self.said();
        (transfer, pipe)
    }

    /// What an earlier page had, with so many blocks.
    pub fn kept(&self, direction: Direction, list: &[FileEntry], blocks: u32) -> Kept {
        Kept {
            transfer: TransferId::from_bytes([99; 16]),
            room: crate::shell::room(),
            direction,
            seat: entry(9).seat,
            name: "Person 9".into(),
            folder: None,
            files: list.to_vec(),
            hashes: (0..blocks).map(hash).collect(),
            is_complete: false,
        }
    }

    /// Waits until something is wanted anew.
    pub fn until_wanted(&mut self) {
        for _ in 0..1000 {
            self.shell.wait(Duration::from_millis(20));
            self.lives();
            if self
                .said()
                .iter()
                .any(|frame| matches!(frame, FilesFrame::Want { .. }))
            {
                return;
            }
        }
        panic!(
            "nothing is wanted: {:?}, {:?}",
            self.shell.now, self.shell.commands
        );
    }

    /// The connection is heard: it is not to be mended.
    pub fn lives(&mut self) {
        let sample = Sample {
            bytes: u64::try_from(self.shell.now.since_start().as_millis()).unwrap_or(0),
            ..Sample::default()
        };
        let beat = Frame::Beat {
            server: true,
            restarts: false,
        };
        for event in [
            LinkEvent::Measured(sample),
            LinkEvent::ChannelReceived(beat.encode()),
        ] {
            self.shell.event(Event::Link(self.link, event));
        }
    }

    pub fn side(&mut self, event: SideEvent) {
        let event = LinkEvent::Side(SideChannel::Files, event);
        self.shell.event(Event::Link(self.link, event));
    }

    pub fn opens(&mut self) {
        self.side(SideEvent::Opened);
    }

    pub fn hears(&mut self, frame: &FilesFrame) {
        self.side(SideEvent::Received(frame.encode()));
    }

    pub fn tell(&mut self, event: FileEvent) {
        self.shell.event(Event::File(event));
    }

    pub fn intend(&mut self, intent: FileIntent) {
        self.shell.intend(Intent::File(intent));
    }

    /// The other side offers files.
    pub fn offered(&mut self, list: &[FileEntry]) -> TransferId {
        self.offers += 1;
        let transfer = TransferId::from_bytes([self.offers; 16]);
        self.hears(&FilesFrame::Offer {
            transfer,
            folder: (list.len() > 1).then(|| "folder".into()),
            files: list.to_vec(),
        });
        transfer
    }

    /// This side does.
    pub fn offer(&mut self, list: &[FileEntry]) -> TransferId {
        self.intend(FileIntent::Offer {
            to: vec![],
            source: SourceId(1),
            folder: (list.len() > 1).then(|| "folder".into()),
            files: list.to_vec(),
        });
        self.view().last().expect("it is shown").transfer
    }

    pub fn wants(&mut self, transfer: TransferId, attempt: u32, from: u32) {
        self.hears(&FilesFrame::Want {
            transfer,
            attempt,
            from,
            root: root(from),
        });
    }

    /// The pipe of the one transfer there is.
    pub fn pipe(&self, attempt: u32) -> PipeId {
        PipeId {
            link: self.link,
            name: PipeName {
                transfer: self.view()[0].transfer,
                attempt,
            },
        }
    }

    pub fn piped(&mut self, pipe: PipeId, frame: &PipeFrame) {
        let text = frame.encode();
        self.tell(FileEvent::PipeReceived { pipe, text });
    }

    /// A whole block is announced and comes as announced.
    pub fn block_comes(&mut self, pipe: PipeId, number: u32) {
        self.announced(pipe, number);
        self.tell(FileEvent::BlockCame {
            pipe,
            number,
            hash: hash(number),
        });
    }

    /// Of a file of which all blocks are whole but the third, which has five bytes.
    pub fn announced(&mut self, pipe: PipeId, number: u32) {
        let bytes = if number == 2 { 5 } else { limits::BLOCK_BYTES };
        self.piped(
            pipe,
            &PipeFrame::Block {
                number,
                bytes,
                hash: hash(number),
            },
        );
    }

    fn take<T>(&mut self, wanted: impl Fn(&Command) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        self.shell.commands.retain(|command| match wanted(command) {
            Some(found) => {
                taken.push(found);
                false
            }
            None => true,
        });
        taken
    }

    /// What was said to the other side since it was last looked at.
    pub fn said(&mut self) -> Vec<FilesFrame> {
        self.take(|command| match command {
            Command::SendAside {
                channel: SideChannel::Files,
                text,
                ..
            } => Some(FilesFrame::decode(text).expect("a frame")),
            _ => None,
        })
    }

    /// What was written on pipes since it was last looked at.
    pub fn written(&mut self) -> Vec<PipeFrame> {
        self.take(|command| match command {
            Command::File(FileCommand::WritePipe { text, .. }) => {
                Some(PipeFrame::decode(text).expect("a frame"))
            }
            _ => None,
        })
    }

    /// What is to be done since it was last looked at, but for what is written.
    pub fn commands(&mut self) -> Vec<FileCommand> {
        self.take(|command| match command {
            Command::File(FileCommand::WritePipe { .. }) => None,
            Command::File(command) => Some(command.clone()),
            _ => None,
        })
    }

    pub fn view(&self) -> Vec<Transfer> {
        self.shell.view().transfers
    }

    /// How the one transfer there is stands.
    pub fn state(&self) -> TransferState {
        let view = self.view();
        assert_eq!(view.len(), 1, "{view:?}");
        view[0].state
    }
}
