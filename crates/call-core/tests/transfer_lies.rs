//! Files of somebody who lies: refused in words, the call goes on, memory stays bounded.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod files;
mod shell;

use std::panic::{AssertUnwindSafe, catch_unwind};

use files::{Files, file, hash, mib};
use visavis_call_core::{FileCommand, FileEvent, FileIntent, FileRead, FileTrouble, NoticeKind};
use visavis_call_core::{PipeId, SideEvent, SourceId, Stage, TransferState};
use visavis_protocol::transfer::{BlockHash, FileEntry, FilesFrame, PipeFrame, PipeName, StopReason};
use visavis_protocol::{TransferId, limits};

type Lie<'a> = dyn Fn(&mut Files, PipeId) + 'a;

fn bad(files: &Files) -> bool {
    let reason = StopReason::BadContent;
    files.state() == TransferState::Stopped { reason, by_us: true }
}

#[test]
fn blocks_that_are_not_as_announced_end_the_transfer() {
    let block = |number, bytes, hash| PipeFrame::Block { number, bytes, hash };
    let whole = limits::BLOCK_BYTES;
    let lies: [&Lie<'_>; 10] = [
        // The second before the first, one that is not there, a wrong length.
        &|files, pipe| files.piped(pipe, &block(1, whole, hash(1))),
        &|files, pipe| files.piped(pipe, &block(u32::MAX, whole, hash(1))),
        &|files, pipe| files.piped(pipe, &block(0, whole - 1, hash(0))),
        &|files, pipe| files.piped(pipe, &block(0, 0, hash(0))),
        // A wrong hash.
        &|files, pipe| {
            files.announced(pipe, 0);
            let hash = hash(9);
            files.tell(FileEvent::BlockCame {
                pipe,
                number: 0,
                hash,
            });
        },
        // More than may be in memory at once.
        &|files, pipe| (0..3).for_each(|number| files.announced(pipe, number)),
        // An end before the end, and one of something else.
        &|files, pipe| files.piped(pipe, &PipeFrame::End { root: files::root(0) }),
        &|files, pipe| {
            for number in 0..3 {
                files.block_comes(pipe, number);
                let transfer = pipe.name.transfer;
                files.tell(FileEvent::BlockStored { transfer, number });
            }
            files.piped(pipe, &PipeFrame::End { root: files::root(2) });
        },
        // What is no frame of a sender, and bytes without end.
        &|files, pipe| files.piped(pipe, &PipeFrame::Done {}),
        &|files, pipe| files.tell(FileEvent::PipeBroken(pipe)),
    ];
    for (nth, lie) in lies.iter().enumerate() {
        let mut files = Files::receiving();
        let (transfer, pipe) = files.runs(&[file("a.bin", mib(2) + 5)]);
        lie(&mut files, pipe);
        assert!(bad(&files), "lie {nth}: {:?}", files.state());
        let reason = StopReason::BadContent;
        assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }], "lie {nth}");
        let commands = files.commands();
        assert!(commands.contains(&FileCommand::ClosePipe(pipe)), "lie {nth}");
        assert!(commands.contains(&FileCommand::Forget(transfer)), "lie {nth}");
        assert_eq!(files.shell.view().stage, Stage::Joined);
        let notices = files.shell.view().notices;
        assert!(
            matches!(
                notices.last().map(|one| &one.kind),
                Some(NoticeKind::TransferFailed { .. })
            ),
            "lie {nth}"
        );
    }
}

#[test]
fn nothing_comes_without_consent() {
    let mut files = Files::receiving();
    let transfer = files.offered(&[file("a.bin", mib(2))]);
    let pipe = files.pipe(1);
    let unknown = PipeName {
        transfer: TransferId::from_bytes([200; 16]),
        attempt: 1,
    };
    for name in [pipe.name, unknown] {
        let link = pipe.link;
        files.tell(FileEvent::PipeCame { link, name });
        assert_eq!(files.commands(), [FileCommand::ClosePipe(PipeId { link, name })]);
    }
    files.announced(pipe, 0);
    assert_eq!((files.commands(), files.said()), (vec![], vec![]));
    assert_eq!(files.state(), TransferState::Offered);
    files.intend(FileIntent::Decline(transfer));
    let reason = StopReason::Declined;
    assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
    // Declined is declined, however often it is offered.
    files.hears(&FilesFrame::Offer {
        transfer,
        folder: None,
        files: vec![file("a.bin", 1)],
    });
    assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
}

#[test]
fn a_thousand_offers_at_once_are_a_few_lines() {
    let mut files = Files::receiving();
    let long: Vec<FileEntry> = (0..20)
        .map(|n| file(&format!("{n}{}", "x".repeat(90)), 1))
        .collect();
    for n in 0..1000_u16 {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_le_bytes());
        files.hears(&FilesFrame::Offer {
            transfer: TransferId::from_bytes(id),
            folder: Some("folder".into()),
            files: long.clone(),
        });
    }
    assert_eq!(files.view().len(), limits::OFFERS_WAITING);
    let said = files.said();
    assert!(said.len() < 1000, "a flood is not answered word for word");
    assert!(said.iter().all(|frame| matches!(
        frame,
        FilesFrame::Stop {
            reason: StopReason::TooMany,
            ..
        }
    )));
    let notices = files.shell.view().notices;
    let of_files = notices.iter().filter(|one| {
        matches!(
            one.kind,
            NoticeKind::FileOffered { .. } | NoticeKind::FileRefused { .. }
        )
    });
    assert!(of_files.count() <= 5);
}

#[test]
fn an_offer_of_lengths_below_zero_is_refused_in_words() {
    let mut files = Files::receiving();
    let id = TransferId::from_bytes([3; 16]);
    for text in [
        format!(r#"{{"offer":{{"transfer":"{id}","files":[{{"path":"a","bytes":-1}}]}}}}"#),
        format!(r#"{{"offer":{{"transfer":"{id}","files":[{{"path":"a","bytes":1e99}}]}}}}"#),
        format!(r#"{{"offer":{{"transfer":"{id}","files":[{{"path":7,"bytes":1}}]}}}}"#),
        format!(r#"{{"offer":{{"transfer":"{id}"}}}}"#),
    ] {
        files.side(SideEvent::Received(text));
        let reason = StopReason::BadOffer;
        assert_eq!(files.said(), [FilesFrame::Stop { transfer: id, reason }]);
        assert_eq!(files.view(), []);
    }
    let notices = files.shell.view().notices;
    assert!(matches!(
        notices.last().map(|one| &one.kind),
        Some(NoticeKind::FileRefused { .. })
    ));
}

#[test]
fn a_name_is_shown_and_kept_without_its_lies() {
    let mut files = Files::receiving();
    for (given, shown) in [
        ("../../x", "x"),
        ("a.pdf\u{202e}gpj.exe", "a.pdfgpj.exe"),
        ("C:\\autoexec.bat", "autoexec.bat"),
    ] {
        let transfer = files.offered(&[file(given, 5)]);
        files.intend(FileIntent::Accept(transfer));
        let commands = files.commands();
        let [FileCommand::Prepare(kept)] = &commands[..] else {
            panic!("{commands:?}");
        };
        assert_eq!(kept.files[0].path, shown);
        assert_eq!(files.view().last().expect("a line").title, shown);
    }
}

#[test]
fn a_receiver_who_lies_is_told_so() {
    let offered = || {
        let mut files = Files::sending();
        let transfer = files.offer(&[file("a.bin", mib(3))]);
        files.said();
        (files, transfer)
    };
    // Wants what is not there.
    let (mut files, transfer) = offered();
    files.wants(transfer, 1, 4);
    assert!(bad(&files));
    // Has what was never sent, or less than before.
    for upto in [1, u32::MAX] {
        let (mut files, transfer) = offered();
        files.wants(transfer, 1, 0);
        let pipe = files.pipe(1);
        files.tell(FileEvent::PipeOpened(pipe));
        files.piped(pipe, &PipeFrame::Have { upto });
        assert!(bad(&files));
    }
    // Is done before the end.
    let (mut files, transfer) = offered();
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeOpened(pipe));
    files.piped(pipe, &PipeFrame::Done {});
    assert!(bad(&files));
    // Has something else already.
    let (mut files, transfer) = offered();
    files.wants(transfer, 1, 0);
    let pipe = files.pipe(1);
    files.tell(FileEvent::PipeOpened(pipe));
    let hash = hash(0);
    files.tell(FileEvent::BlockRead {
        transfer,
        number: 0,
        hash,
    });
    files.hears(&FilesFrame::Want {
        transfer,
        attempt: 2,
        from: 1,
        root: BlockHash([0; 32]),
    });
    let reason = StopReason::Changed;
    assert_eq!(files.state(), TransferState::Stopped { reason, by_us: true });
    // Wants what nobody offered: no person is asked to pick anything.
    let (mut files, _) = offered();
    let transfer = TransferId::from_bytes([77; 16]);
    files.wants(transfer, 1, 0);
    let reason = StopReason::Unknown;
    assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
    assert_eq!(files.commands().len(), 1, "that it is to be remembered");
}

#[test]
fn what_cannot_be_read_or_stored_is_said_as_such() {
    for (error, reason) in [
        (FileRead::Changed, StopReason::Changed),
        (FileRead::Other, StopReason::Unreadable),
    ] {
        let mut files = Files::sending();
        let transfer = files.offer(&[file("a.bin", mib(3))]);
        files.wants(transfer, 1, 0);
        files.tell(FileEvent::ReadFailed { transfer, error });
        assert_eq!(files.state(), TransferState::Stopped { reason, by_us: true });
    }
    for (error, reason) in [
        (FileTrouble::Full, StopReason::TooBig),
        (FileTrouble::Other, StopReason::Unstorable),
    ] {
        let mut files = Files::receiving();
        let transfer = files.offered(&[file("a.bin", mib(3))]);
        files.intend(FileIntent::Accept(transfer));
        files.tell(FileEvent::StoreFailed { transfer, error });
        assert_eq!(files.said(), [FilesFrame::Stop { transfer, reason }]);
    }
}

/// Whatever somebody writes and whatever a browser tells: no panic, and everything stays bounded.
#[test]
fn nothing_that_comes_in_any_order_harms() {
    let runs: u64 = std::env::var("FUZZ_RUNS").map_or(60, |runs| runs.parse().expect("a number"));
    for seed in 0..runs {
        let run = catch_unwind(AssertUnwindSafe(|| fuzz(seed)));
        assert!(run.is_ok(), "seed {seed}");
    }
}

fn fuzz(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut files = Files::beside();
    let mut known: Vec<TransferId> = (0..3).map(|n| TransferId::from_bytes([n; 16])).collect();
    for _ in 0..400 {
        if let Some(one) = files.view().last() {
            known.push(one.transfer);
        }
        let transfer = known[rng.usize(0..known.len())];
        let number = *[0, 1, 2, 3, u32::MAX].get(rng.usize(0..5)).unwrap_or(&0);
        let attempt = rng.u32(0..5);
        let root = if rng.bool() {
            files::root(number.min(3))
        } else {
            hash(1)
        };
        let pipe = PipeId {
            link: files.link,
            name: PipeName { transfer, attempt },
        };
        let list = vec![file("a.bin", [0, 5, mib(3), u64::MAX][rng.usize(0..4)]); rng.usize(0..3)];
        let folder = rng.bool().then(|| "f".to_owned());
        let block = [5, limits::BLOCK_BYTES][rng.usize(0..2)];
        let frame = match rng.u8(0..8) {
            0 | 1 => FilesFrame::Offer {
                transfer,
                folder: folder.clone(),
                files: list.clone(),
            },
            2 => FilesFrame::Want {
                transfer,
                attempt,
                from: number,
                root,
            },
            3 => FilesFrame::Lacking { transfer },
            4 => FilesFrame::Ready { transfer },
            5 => FilesFrame::Pause {
                transfer,
                paused: rng.bool(),
            },
            6 => FilesFrame::Done { transfer },
            _ => FilesFrame::Stop {
                transfer,
                reason: StopReason::Other,
            },
        };
        let piped = match rng.u8(0..4) {
            0 => PipeFrame::Block {
                number,
                bytes: block,
                hash: hash(number),
            },
            1 => PipeFrame::End { root },
            2 => PipeFrame::Have { upto: number },
            _ => PipeFrame::Done {},
        };
        let hash = hash(number);
        match rng.u8(0..28) {
            0..6 => files.hears(&frame),
            6 => {
                let mut text = frame.encode().into_bytes();
                let at = rng.usize(0..text.len());
                text[at] = rng.u8(32..127);
                files.side(SideEvent::Received(String::from_utf8_lossy(&text).into_owned()));
            }
            7 => files.side(SideEvent::Closed),
            8 => files.opens(),
            9 | 10 => files.piped(pipe, &piped),
            11 => files.tell(FileEvent::PipeReceived {
                pipe,
                text: "{}".into(),
            }),
            12 => files.tell(FileEvent::PipeOpened(pipe)),
            13 => files.tell(FileEvent::PipeCame {
                link: pipe.link,
                name: pipe.name,
            }),
            14 => files.tell(FileEvent::PipeClosed(pipe)),
            15 => files.tell(FileEvent::PipeBroken(pipe)),
            16 => files.tell(FileEvent::BlockRead {
                transfer,
                number,
                hash,
            }),
            17 => files.tell(FileEvent::BlockSent { pipe, number }),
            18 => files.tell(FileEvent::BlockCame { pipe, number, hash }),
            19 => files.tell(FileEvent::BlockStored { transfer, number }),
            20 => files.tell(FileEvent::Prepared(transfer)),
            21 => files.tell(FileEvent::Progress {
                pipe,
                number,
                bytes: u32::MAX,
            }),
            22 => files.intend(FileIntent::Accept(transfer)),
            23 => files.intend(FileIntent::Pause(transfer, rng.bool())),
            24 => files.intend(FileIntent::Offer {
                to: vec![],
                source: SourceId(1),
                folder,
                files: list,
            }),
            25 => files.intend(FileIntent::PickAgain {
                transfer,
                source: SourceId(2),
                files: list,
            }),
            26 => {
                let intent = match rng.u8(0..3) {
                    0 => FileIntent::Cancel(transfer),
                    1 => FileIntent::Decline(transfer),
                    _ => FileIntent::Dismiss(transfer),
                };
                files.intend(intent);
            }
            _ => files
                .shell
                .wait(std::time::Duration::from_millis(rng.u64(0..9_000))),
        }
        assert!(
            files.shell.commands.len() < 600,
            "{} commands",
            files.shell.commands.len()
        );
        files.shell.commands.clear();
        let view = files.view();
        assert!(view.len() <= limits::TRANSFERS_PER_PERSON);
        let many = |one: TransferState| view.iter().filter(|line| line.state == one).count();
        assert!(many(TransferState::Running) <= 2 * limits::TRANSFERS_AT_ONCE);
        for line in &view {
            assert!(line.passed <= line.bytes, "{line:?}");
        }
    }
}
