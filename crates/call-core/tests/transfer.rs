//! Files between two people, as the other side, the browser and the person see it.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod files;
mod shell;

use files::{Files, block, file, hash, mib};
use visavis_call_core::{Direction, FileCommand, FileEvent, FileIntent, TransferState};
use visavis_protocol::limits;
use visavis_protocol::transfer::{FileEntry, FilesFrame, PipeFrame, StopReason};

#[test]
fn a_file_that_is_offered_accepted_and_received_is_whole() {
    let mut files = Files::receiving();
    let transfer = files.offered(&[file("a.bin", mib(2) + 5)]);
    assert_eq!(files.state(), TransferState::Offered);
    assert!(files.commands().is_empty(), "nothing without consent");
    files.intend(FileIntent::Accept(transfer));
    let [FileCommand::Prepare(kept)] = &files.commands()[..] else {
        panic!("room is made");
    };
    assert_eq!((kept.transfer, kept.direction), (transfer, Direction::Receiving));
    files.tell(FileEvent::Prepared(transfer));
    let Some(FilesFrame::Want {
        attempt: 1, from: 0, ..
    }) = files.said().pop()
    else {
        panic!("it is wanted");
    };
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeCame {
        link: pipe.link,
        name: pipe.name,
    });
    for number in 0..3 {
        files.block_comes(pipe, number);
        files.tell(FileEvent::BlockStored { transfer, number });
        assert_eq!(files.written(), [PipeFrame::Have { upto: number + 1 }]);
    }
    assert_eq!(files.state(), TransferState::Running);
    files.piped(pipe, &PipeFrame::End { root: files::root(3) });
    assert_eq!(files.state(), TransferState::Done);
    assert_eq!(files.written(), [PipeFrame::Done {}]);
    files.tell(FileEvent::PipeClosed(pipe));
    assert_eq!(files.state(), TransferState::Done);
}

#[test]
fn a_file_that_is_wanted_is_sent_block_by_block() {
    let mut files = Files::sending();
    let transfer = files.offer(&[file("a.bin", mib(3))]);
    let Some(FilesFrame::Offer { .. }) = files.said().pop() else {
        panic!("it is offered");
    };
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    let commands = files.commands();
    assert!(commands.contains(&FileCommand::OpenPipe(pipe)));
    files.tell(FileEvent::PipeOpened(pipe));
    for number in 0..3 {
        files.tell(FileEvent::BlockRead {
            transfer,
            number,
            hash: hash(number),
        });
        files.tell(FileEvent::BlockSent { pipe, number });
        if number > 0 {
            files.piped(pipe, &PipeFrame::Have { upto: number });
        }
    }
    let sent: Vec<u32> = files.commands().iter().filter_map(block).collect();
    assert_eq!(sent, [0, 1, 2]);
    assert_eq!(files.written(), [PipeFrame::End { root: files::root(3) }]);
    assert_eq!(files.state(), TransferState::Verifying);
    files.piped(pipe, &PipeFrame::Done {});
    assert_eq!(files.state(), TransferState::Done);
    let commands = files.commands();
    assert!(commands.contains(&FileCommand::ClosePipe(pipe)));
    assert!(commands.contains(&FileCommand::Forget(transfer)));
}

#[test]
fn an_offer_that_makes_no_sense_is_refused() {
    let mut files = Files::receiving();
    let entry = |bytes| FileEntry {
        path: "..".into(),
        bytes,
        modified: 0,
    };
    for (list, reason) in [
        (vec![], StopReason::BadOffer),
        (vec![entry(1)], StopReason::BadOffer),
        (vec![file("a", limits::TRANSFER_BYTES + 1)], StopReason::TooBig),
    ] {
        files.offered(&list);
        let Some(FilesFrame::Stop { reason: said, .. }) = files.said().pop() else {
            panic!("refused");
        };
        assert_eq!(said, reason);
        assert!(files.view().is_empty());
    }
}
