//! One file to several people: read once for all who keep step, and nobody waits long for that.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod files;
mod shell;

use std::time::Duration;

use files::{Files, file, hash, mib};
use visavis_call_core::{FileCommand, FileEvent, PipeId};
use visavis_protocol::TransferId;
use visavis_protocol::transfer::{PipeFrame, PipeName};

const BLOCKS: u64 = 20;

/// Two transfers of one source whose pipes are open. To one person they are the same to the sender as to two.
fn two(files: &mut Files) -> [PipeId; 2] {
    [(); 2].map(|()| {
        let transfer = files.offer(&[file("a.bin", mib(BLOCKS))]);
        files.wants(transfer, 1, 0);
        let name = PipeName { transfer, attempt: 1 };
        let link = files.link;
        PipeId { link, name }
    })
}

/// The same, under way.
fn both() -> (Files, [PipeId; 2]) {
    let mut files = Files::sending();
    let pipes = two(&mut files);
    for pipe in pipes {
        files.tell(FileEvent::PipeOpened(pipe));
    }
    (files, pipes)
}

/// Goes on from a block that it waits for, within so long; how far it comes.
fn goes_on(files: &mut Files, pipe: PipeId, from: u32, within: Duration) -> u32 {
    let began = files.shell.now;
    while !reads(files, pipe.name.transfer).contains(&from) {
        files.shell.wait(Duration::from_millis(20));
        assert!(files.shell.now.since(began) < within, "it waits too long: {from}");
    }
    runs(files, pipe, from)
}

/// The blocks that a transfer asks for, since it was last looked at.
fn reads(files: &mut Files, of: TransferId) -> Vec<u32> {
    let asked = files.commands().into_iter().filter_map(|command| match command {
        FileCommand::ReadBlock { transfer, place, .. } if transfer == of => Some(place.number),
        _ => None,
    });
    asked.collect()
}

/// Reads, sends and has acknowledged whatever a transfer asks for, as long as it asks; how far it came.
fn runs(files: &mut Files, pipe: PipeId, mut number: u32) -> u32 {
    let transfer = pipe.name.transfer;
    loop {
        files.tell(FileEvent::BlockRead {
            transfer,
            number,
            hash: hash(number),
        });
        files.tell(FileEvent::BlockSent { pipe, number });
        number += 1;
        files.piped(pipe, &PipeFrame::Have { upto: number });
        if !reads(files, transfer).contains(&number) {
            return number;
        }
    }
}

#[test]
fn who_is_ahead_waits_for_who_reads_the_same() {
    let (mut files, [fast, slow]) = both();
    assert_eq!(reads(&mut files, fast.name.transfer), [0]);
    assert_eq!(runs(&mut files, fast, 0), 3, "as far as what was read is kept");
    // The other one reads what was read, and both go on.
    let transfer = slow.name.transfer;
    files.tell(FileEvent::BlockRead {
        transfer,
        number: 0,
        hash: hash(0),
    });
    files.tell(FileEvent::BlockSent {
        pipe: slow,
        number: 0,
    });
    assert_eq!(reads(&mut files, fast.name.transfer), [3]);
}

#[test]
fn nobody_waits_long_for_a_slow_one() {
    let (mut files, [fast, _]) = both();
    files.commands();
    let mut far = runs(&mut files, fast, 0);
    assert!(u64::from(far) < BLOCKS, "it does not wait at all");
    let began = files.shell.now;
    while u64::from(far) < BLOCKS {
        far = goes_on(&mut files, fast, far, Duration::from_secs(2));
    }
    assert!(files.shell.now.since(began) < Duration::from_secs(5));
}

/// Time that passes alone is no credit for standing still later.
#[test]
fn who_was_alone_for_long_waits_no_longer_for_that() {
    let mut files = Files::sending();
    let [fast, slow] = two(&mut files);
    files.tell(FileEvent::PipeOpened(fast));
    files.commands();
    for _ in 0..600 {
        files.shell.wait(Duration::from_secs(1));
        files.lives();
    }
    files.commands();
    files.tell(FileEvent::PipeOpened(slow));
    let far = runs(&mut files, fast, 0);
    // It spends nothing that it has saved up.
    goes_on(&mut files, fast, far, Duration::from_secs(2));
}

#[test]
fn who_is_alone_waits_for_nobody() {
    let (mut files, [fast, slow]) = both();
    files.commands();
    let far = runs(&mut files, fast, 0);
    files.tell(FileEvent::PipeClosed(slow));
    assert_eq!(reads(&mut files, fast.name.transfer), [far]);
    assert_eq!(u64::from(runs(&mut files, fast, far)), BLOCKS);
}
