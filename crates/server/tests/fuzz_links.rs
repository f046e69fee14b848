//! Fuzzes the reading of links: whatever a token says, it is refused by one of the errors for that, or it is one
//! that was signed.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod fuzz;

use std::sync::OnceLock;
use std::time::Duration;

use fuzz::Fuzz;
use visavis_server::hub::LinkSigner;
use visavis_server::links::Signer;

/// The one that the corpus is signed with, as it stands in a data folder. It is nobody's.
const KEYS: &str = r#"[{"id":"fuzz","secret":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","made":0}]"#;
/// When every token of the corpus is good.
const NOW: Duration = Duration::from_secs(1_800_000_000);

fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("visavis-fuzz-links-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("links.keys"), KEYS).unwrap();
        let signer = Signer::open(Some(&folder)).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        signer
    })
}

fn signed() -> &'static [Vec<u8>] {
    static SIGNED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SIGNED.get_or_init(|| fuzz::corpus("links"))
}

fn target(input: &[u8]) {
    let Ok(token) = std::str::from_utf8(input) else {
        return;
    };
    let read = [
        signer().read_desk(token, NOW).map(|_| ()),
        signer().read_visit(token, NOW).map(|_| ()),
    ];
    for outcome in read {
        match outcome {
            Ok(()) => assert!(signed().iter().any(|one| one == input), "nobody signed this"),
            Err(code) => assert!(code.as_str().starts_with("token_"), "{code}"),
        }
    }
}

#[test]
fn only_what_was_signed_is_read() {
    let good = signed().iter().filter(|token| {
        let token = std::str::from_utf8(token).unwrap();
        signer().read_desk(token, NOW).is_ok() || signer().read_visit(token, NOW).is_ok()
    });
    assert_eq!(good.count(), 2, "a desk's and a client's: this test can fail");
    Fuzz {
        name: "links",
        longest: 4096,
        dictionary: &[
            b".",
            b"..",
            b"eyJhbGciOiJub25lIn0",
            b"eyJhbGciOiJIUzI1NiIsImtpZCI6ImZ1enoifQ",
            b"e30",
            b"bnVsbA",
            b"=",
            b"\xc3\xa9",
        ],
        target,
    }
    .run();
}
