//! Files between two people, as the other side, the browser and the person see it.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod files;
mod shell;

use files::{Files, block, file, hash, mib};
use visavis_call_core::{
    Direction, FileCommand, FileEvent, FileIntent, Intent, Kept, SideEvent, SourceId, TransferState,
};
use visavis_protocol::transfer::{FileEntry, FilesFrame, PipeFrame, StopReason};
use visavis_protocol::{RoomId, TransferId, limits};

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

#[test]
fn a_cut_transfer_goes_on_from_the_last_block_that_is_whole() {
    let mut files = Files::receiving();
    let (transfer, pipe) = files.runs(&[file("a.bin", mib(2) + 5)]);
    files.block_comes(pipe, 0);
    files.announced(pipe, 1);
    files.side(SideEvent::Closed);
    assert_eq!(files.state(), TransferState::Interrupted);
    files.commands();
    files.said();
    // What is whole is stored before anything is wanted, also what was still being hashed.
    files.tell(FileEvent::BlockStored { transfer, number: 0 });
    files.tell(FileEvent::BlockCame {
        pipe,
        number: 1,
        hash: hash(1),
    });
    files.opens();
    assert_eq!(files.said(), []);
    files.tell(FileEvent::BlockStored { transfer, number: 1 });
    assert_eq!(
        files.said(),
        [FilesFrame::Want {
            transfer,
            attempt: 2,
            from: 2,
            root: files::root(2)
        }]
    );
    // The former pipe is nobody's any more.
    files.tell(FileEvent::PipeCame {
        link: pipe.link,
        name: pipe.name,
    });
    assert!(files.commands().contains(&FileCommand::ClosePipe(pipe)));
    assert_eq!(files.state(), TransferState::Waiting);
}

#[test]
fn a_sender_who_is_wanted_again_drops_what_it_was_at() {
    let mut files = Files::sending();
    let transfer = files.offer(&[file("a.bin", mib(3))]);
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeOpened(pipe));
    files.tell(FileEvent::BlockRead {
        transfer,
        number: 0,
        hash: hash(0),
    });
    files.commands();
    files.wants(transfer, 2, 1);
    let commands = files.commands();
    assert!(commands.contains(&FileCommand::ClosePipe(pipe)));
    assert!(commands.contains(&FileCommand::DropRead(transfer)));
    assert!(commands.contains(&FileCommand::OpenPipe(files.pipe(2))));
    // A name that was used is not used again.
    files.wants(transfer, 2, 0);
    assert_eq!(files.commands(), []);
}

#[test]
fn blocks_that_are_not_acknowledged_hold_the_next_ones_back() {
    let mut files = Files::sending();
    let transfer = files.offer(&[file("a.bin", mib(5))]);
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeOpened(pipe));
    for number in 0..5 {
        let hash = hash(number);
        files.tell(FileEvent::BlockRead {
            transfer,
            number,
            hash,
        });
        files.tell(FileEvent::BlockSent { pipe, number });
    }
    let sent: Vec<u32> = files.commands().iter().filter_map(block).collect();
    assert_eq!(sent, [0, 1], "{} ahead", limits::BLOCKS_AHEAD);
    files.piped(pipe, &PipeFrame::Have { upto: 1 });
    let sent: Vec<u32> = files.commands().iter().filter_map(block).collect();
    assert_eq!(sent, [2]);
}

#[test]
fn who_rests_gives_its_place_to_who_waits() {
    let mut files = Files::receiving();
    let mut transfers = Vec::new();
    for _ in 0..=limits::TRANSFERS_AT_ONCE {
        let transfer = files.offered(&[file("a.bin", mib(2))]);
        files.intend(FileIntent::Accept(transfer));
        files.tell(FileEvent::Prepared(transfer));
        transfers.push(transfer);
    }
    let wanted = |files: &mut Files| -> Vec<TransferId> {
        let said = files.said();
        let wants = said
            .iter()
            .filter(|frame| matches!(frame, FilesFrame::Want { .. }));
        wants.map(FilesFrame::transfer).collect()
    };
    assert_eq!(wanted(&mut files), transfers[..3]);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeCame {
        link: pipe.link,
        name: pipe.name,
    });
    files.commands();
    files.intend(FileIntent::Pause(transfers[0], true));
    assert_eq!(files.commands(), [FileCommand::ClosePipe(pipe)]);
    assert_eq!(wanted(&mut files), transfers[3..]);
    assert_eq!(files.view()[0].state, TransferState::Paused { by_us: true });
    // It goes on when another is over.
    files.intend(FileIntent::Pause(transfers[0], false));
    assert_eq!(files.view()[0].state, TransferState::Waiting);
    assert_eq!(wanted(&mut files), []);
    files.intend(FileIntent::Cancel(transfers[1]));
    assert_eq!(wanted(&mut files), transfers[..1]);
}

#[test]
fn either_side_lets_it_rest() {
    let mut files = Files::sending();
    let transfer = files.offer(&[file("a.bin", mib(3))]);
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeOpened(pipe));
    files.said();
    for by_us in [true, false] {
        let pause = |files: &mut Files, paused| {
            if by_us {
                files.intend(FileIntent::Pause(transfer, paused));
                assert_eq!(files.said(), [FilesFrame::Pause { transfer, paused }]);
            } else {
                files.hears(&FilesFrame::Pause { transfer, paused });
            }
        };
        pause(&mut files, true);
        assert_eq!(files.state(), TransferState::Paused { by_us });
        let number = u32::from(!by_us);
        files.tell(FileEvent::BlockRead {
            transfer,
            number,
            hash: hash(number),
        });
        assert!(files.commands().iter().all(|command| block(command).is_none()));
        pause(&mut files, false);
        assert_eq!(files.state(), TransferState::Running);
        assert_eq!(
            files.commands().iter().filter_map(block).collect::<Vec<_>>(),
            [number]
        );
        files.tell(FileEvent::BlockSent { pipe, number });
    }
}

#[test]
fn a_pipe_that_does_not_hold_is_tried_a_few_times() {
    let mut files = Files::receiving();
    let (_, first) = files.runs(&[file("a.bin", mib(2))]);
    let mut pipe = first;
    let mut pauses = Vec::new();
    for attempt in 2.. {
        files.tell(FileEvent::PipeClosed(pipe));
        if let TransferState::Stopped { reason, by_us } = files.state() {
            assert_eq!((reason, by_us), (StopReason::Other, true));
            break;
        }
        assert_eq!(files.state(), TransferState::Waiting);
        let from = files.shell.now;
        files.until_wanted();
        pauses.push(files.shell.now.since(from));
        pipe = files.pipe(attempt);
        files.tell(FileEvent::PipeCame {
            link: pipe.link,
            name: pipe.name,
        });
    }
    assert!(pauses.len() >= 4 && pauses.is_sorted(), "{pauses:?}");
    assert_eq!(
        files.said(),
        [FilesFrame::Stop {
            transfer: pipe.name.transfer,
            reason: StopReason::Other
        }]
    );
}

#[test]
fn a_page_that_is_loaded_anew_goes_on_receiving() {
    let files = Files::receiving();
    let kept = files.kept(Direction::Receiving, &[file("a.bin", mib(2) + 5)], 2);
    let transfer = kept.transfer;
    // What its sender asks before it is known what there is waits for that.
    let mut files = Files::loading();
    files.hears(&FilesFrame::Ready { transfer });
    assert_eq!(files.said(), []);
    files.tell(FileEvent::Found(vec![kept.clone()]));
    assert_eq!(files.commands(), [FileCommand::Prepare(kept.clone())]);
    files.tell(FileEvent::Prepared(transfer));
    let root = files::root(2);
    let want = FilesFrame::Want {
        transfer,
        attempt: 1,
        from: 2,
        root,
    };
    assert_eq!(files.said(), [want]);
    assert_eq!(files.view()[0].passed, mib(2));
    // Of another room nothing is shown, nor what makes no sense.
    let mut files = Files::loading();
    let elsewhere = Kept {
        room: RoomId::derive("milk", None),
        ..kept.clone()
    };
    let too_much = Kept {
        hashes: vec![hash(0); 4],
        ..kept
    };
    files.tell(FileEvent::Found(vec![elsewhere, too_much]));
    assert_eq!((files.view(), files.commands()), (vec![], vec![]));
    // And now it is known that nothing is known.
    files.hears(&FilesFrame::Ready { transfer });
    let reason = StopReason::Unknown;
    assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
}

#[test]
fn a_sender_whose_page_was_loaded_anew_compares_what_is_picked() {
    for is_same in [true, false] {
        let mut files = Files::loading();
        let list = [file("a.bin", mib(3))];
        let kept = files.kept(Direction::Sending, &list, 0);
        let transfer = kept.transfer;
        files.tell(FileEvent::Found(vec![kept]));
        assert_eq!(files.said(), [FilesFrame::Ready { transfer }]);
        files.wants(transfer, 1, 2);
        assert_eq!(files.said(), [FilesFrame::Lacking { transfer }]);
        assert_eq!(files.state(), TransferState::Lacking { ours: true });
        let pick = |files: &mut Files, list: &[FileEntry]| {
            files.intend(FileIntent::PickAgain {
                transfer,
                source: SourceId(5),
                files: list.to_vec(),
            });
        };
        // Another name, length or time shows at once, and nothing is lost by it.
        let later = FileEntry {
            modified: 8,
            ..file("a.bin", mib(3))
        };
        for other in [file("b.bin", mib(3)), file("a.bin", mib(3) - 1), later] {
            pick(&mut files, &[other]);
            assert_eq!(files.state(), TransferState::Lacking { ours: true });
        }
        pick(&mut files, &list);
        assert_eq!(files.said(), [FilesFrame::Ready { transfer }]);
        files.wants(transfer, 2, 2);
        assert_eq!(files.state(), TransferState::Verifying);
        for number in 0..2 {
            assert!(files.commands().iter().any(
                |command| matches!(command, FileCommand::ReadBlock { place, .. } if place.number == number)
            ));
            files.said();
            let hash = hash(if is_same { number } else { 7 });
            files.tell(FileEvent::BlockRead {
                transfer,
                number,
                hash,
            });
        }
        if is_same {
            assert_eq!(files.said(), [FilesFrame::Ready { transfer }]);
            files.wants(transfer, 3, 2);
            assert!(files.commands().contains(&FileCommand::OpenPipe(files.pipe(3))));
        } else {
            let reason = StopReason::Changed;
            assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
            assert_eq!(files.state(), TransferState::Stopped { reason, by_us: true });
        }
    }
}

#[test]
fn what_the_other_side_may_have_missed_is_said_again() {
    let mut files = Files::sending();
    let cancelled = files.offer(&[file("a.bin", mib(3))]);
    files.side(SideEvent::Closed);
    files.intend(FileIntent::Cancel(cancelled));
    let waiting = files.offer(&[file("b.bin", mib(3))]);
    assert_eq!(files.said().len(), 1, "only the first was heard");
    files.opens();
    let said = files.said();
    assert!(said.contains(&FilesFrame::Stop {
        transfer: cancelled,
        reason: StopReason::Cancelled
    }));
    assert!(said.iter().any(|frame| matches!(frame,
        FilesFrame::Offer { transfer, .. } if *transfer == waiting)));
    // Also that it is whole, whatever was said on the pipe.
    let mut files = Files::receiving();
    let (transfer, pipe) = files.runs(&[file("a.bin", 5)]);
    files.piped(
        pipe,
        &PipeFrame::Block {
            number: 0,
            bytes: 5,
            hash: hash(0),
        },
    );
    let came = FileEvent::BlockCame {
        pipe,
        number: 0,
        hash: hash(0),
    };
    files.tell(came);
    files.tell(FileEvent::BlockStored { transfer, number: 0 });
    files.side(SideEvent::Closed);
    files.said();
    files.opens();
    assert_eq!(files.state(), TransferState::Done);
    assert_eq!(files.said(), [FilesFrame::Done { transfer }]);
}

/// Of two tabs in one seat the one that comes back shows the offer still.
#[test]
fn what_one_tab_declined_is_over_for_the_other_one_too() {
    let mut files = Files::sending();
    let transfer = files.offer(&[file("a.bin", mib(3))]);
    let reason = StopReason::Declined;
    files.hears(&FilesFrame::Stop { transfer, reason });
    files.said();
    files.side(SideEvent::Closed);
    files.opens();
    assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
}

#[test]
fn an_empty_file_is_whole_at_once() {
    let mut files = Files::receiving();
    let transfer = files.offered(&[file("a.txt", 0)]);
    files.intend(FileIntent::Accept(transfer));
    files.tell(FileEvent::Prepared(transfer));
    assert_eq!(files.said(), [FilesFrame::Done { transfer }]);
    assert_eq!(files.state(), TransferState::Done);
}

#[test]
fn a_line_that_is_over_goes_when_it_is_dismissed() {
    let mut files = Files::receiving();
    let (transfer, _) = files.runs(&[file("a.bin", mib(2))]);
    files.intend(FileIntent::Dismiss(transfer));
    assert_eq!(files.view().len(), 1, "it is not over");
    files.intend(FileIntent::Cancel(transfer));
    assert!(files.commands().contains(&FileCommand::Forget(transfer)));
    files.intend(FileIntent::Dismiss(transfer));
    assert_eq!((files.view(), files.commands()), (vec![], vec![]));
}

#[test]
fn another_room_knows_nothing_of_it_and_the_same_one_does() {
    let mut files = Files::receiving();
    files.offered(&[file("a.bin", mib(2))]);
    files.shell.intend(Intent::LeaveRoom { visit: shell::VISIT });
    let enter = |files: &mut Files, name| {
        files.shell.intend(Intent::EnterRoom {
            visit: shell::VISIT,
            room: RoomId::derive(name, None),
            seat: shell::SEAT,
            chat: None,
            hosted: None,
        });
    };
    enter(&mut files, "tea");
    assert_eq!(files.view().len(), 1);
    enter(&mut files, "milk");
    assert_eq!(files.view(), []);
    assert!(
        !files
            .commands()
            .iter()
            .any(|command| matches!(command, FileCommand::Forget(_)))
    );
}
