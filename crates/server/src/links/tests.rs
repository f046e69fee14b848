//! Tokens that nobody should take, each with its own error, and keys that outlast a process.

use core::time::Duration;
use std::fs;
use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::hmac;
use serde_json::{Value, json};
use visavis_protocol::limits::TOKEN_BYTES;
use visavis_protocol::{AppointmentId, DeskId, ErrorCode};

use super::keys::{self, FILE, Key};
use super::token::{read_desk, read_visit, sign_desk, sign_visit};
use super::{LinksError, Signer};
use crate::hub::{DeskClaims, LinkSigner, VisitClaims};

const NOW: Duration = Duration::from_secs(1_767_225_600);
const DAY: Duration = Duration::from_secs(86_400);

fn ours() -> Vec<Key> {
    crate::token::install_cryptography();
    vec![Key::known("old", 1), Key::known("new", 2)]
}

fn desk() -> DeskId {
    DeskId::from_bytes([3; 16])
}

fn visit() -> VisitClaims {
    VisitClaims {
        appointment: AppointmentId::from_bytes([4; 16]),
        number: 2,
        expires: (NOW + DAY).as_secs(),
    }
}

fn header() -> Value {
    json!({"typ": "visavis-join+jwt", "alg": "HS256", "kid": "new"})
}

fn claims() -> Value {
    let appointment = visit().appointment.to_text();
    json!({"iss": "visavis", "aud": "visavis-join", "sub": appointment, "jti": format!("{appointment}.2"),
        "nbf": NOW.as_secs(), "exp": (NOW + DAY).as_secs()})
}

/// A token as anybody could make it who has the secret.
fn made(header: &Value, claims: &Value, secret: u8) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let text = [part(header), part(claims)].join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[secret; 32]);
    let signature = hmac::sign(&key, text.as_bytes());
    [text, Base64UrlUnpadded::encode_string(signature.as_ref())].join(".")
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

fn refused(token: &str) -> ErrorCode {
    read_visit(&ours(), token, NOW).unwrap_err()
}

#[test]
fn what_is_signed_is_read_by_every_key_that_is_kept() {
    let keys = ours();
    for key in &keys {
        assert_eq!(read_visit(&keys, &sign_visit(key, &visit()), NOW), Ok(visit()));
        let token = sign_desk(key, desk(), "Dr. Ada", &desk().to_text(), NOW, DAY);
        let name = "Dr. Ada".to_owned();
        assert_eq!(
            read_desk(&keys, &token, NOW),
            Ok(DeskClaims { desk: desk(), name })
        );
        assert!(token.len() < TOKEN_BYTES);
    }
    assert_eq!(
        read_visit(&keys, &made(&header(), &claims(), 2), NOW),
        Ok(visit())
    );
}

#[test]
fn every_rule_has_an_error_of_its_own() {
    use ErrorCode as E;
    let other = AppointmentId::from_bytes([9; 16]).to_text();
    let whole = made(&header(), &claims(), 2);
    let parts: Vec<&str> = whole.split('.').collect();
    let raised = {
        let desk = with(claims(), "aud", json!("visavis-desk"));
        let part = Base64UrlUnpadded::encode_string(desk.to_string().as_bytes());
        [parts[0], &part, parts[2]].join(".")
    };
    let algorithm = |name: &str| made(&with(header(), "alg", json!(name)), &claims(), 2);
    let key = |name: Value| made(&with(header(), "kid", name), &claims(), 2);
    let claim = |name: &str, to: Value| made(&header(), &with(claims(), name, to), 2);
    let lacking = |name: &str| made(&header(), &without(claims(), name), 2);
    let ago = NOW.as_secs() - 31;
    for (token, code, what) in [
        (algorithm("none"), E::TokenUnsigned, "M41"),
        (algorithm("NoNe"), E::TokenUnsigned, "M41"),
        ([parts[0], parts[1], ""].join("."), E::TokenUnsigned, "M41"),
        (algorithm("RS256"), E::TokenAlgorithm, "M42"),
        (algorithm("HS512"), E::TokenAlgorithm, "M42"),
        (made(&header(), &claims(), 7), E::TokenSignature, "M43"),
        (
            made(&header(), &claims(), 1),
            E::TokenSignature,
            "M43: another key of ours",
        ),
        (claim("exp", json!(ago)), E::TokenExpired, "M44"),
        (claim("nbf", json!(NOW.as_secs() + 31)), E::TokenNotYet, "M45"),
        (
            claim("nbf", json!(NOW.as_secs().to_string())),
            E::TokenClaimType,
            "M46",
        ),
        (claim("exp", json!("9999999999")), E::TokenClaimType, "M46"),
        (claim("exp", json!(-1)), E::TokenClaimType, "M46"),
        (claim("sub", json!(5)), E::TokenClaimType, "M46"),
        (lacking("exp"), E::TokenClaims, "M47"),
        (lacking("nbf"), E::TokenClaims, "M47"),
        (lacking("iss"), E::TokenClaims, "M47"),
        (lacking("aud"), E::TokenClaims, "M47"),
        (lacking("sub"), E::TokenClaims, "M47"),
        (lacking("jti"), E::TokenClaims, "M47"),
        (claim("aud", json!("visavis-desk")), E::TokenAudience, "M48"),
        (
            claim("aud", json!(["visavis-join"])),
            E::TokenClaimType,
            "M48: one audience, as we write it",
        ),
        (
            made(&with(header(), "typ", json!("JWT")), &claims(), 2),
            E::TokenType,
            "M49",
        ),
        (made(&without(header(), "typ"), &claims(), 2), E::TokenType, "M49"),
        (
            made(&with(header(), "crit", json!(["x"])), &claims(), 2),
            E::TokenType,
            "M49",
        ),
        (key(json!("../../links.keys")), E::TokenKey, "M50"),
        (key(json!("' OR 1=1 --")), E::TokenKey, "M50"),
        (key(json!(5)), E::TokenKey, "M50"),
        (made(&without(header(), "kid"), &claims(), 2), E::TokenKey, "M50"),
        ("x".repeat(2 * 1024 * 1024), E::TokenTooLong, "M51"),
        (claim("x", json!("x".repeat(TOKEN_BYTES))), E::TokenTooLong, "M51"),
        (claim("jti", json!(format!("{other}.2"))), E::TokenReused, "M52"),
        (raised, E::TokenSignature, "a role raised in the link"),
        (claim("iss", json!("somebody")), E::TokenIssuer, "another issuer"),
        (claim("sub", json!("../x")), E::TokenClaims, "no appointment"),
        (String::new(), E::TokenMalformed, "nothing"),
        ("a.b".into(), E::TokenMalformed, "two parts"),
        ("a.b.c.d".into(), E::TokenMalformed, "four parts"),
        (whole[1..].to_owned(), E::TokenMalformed, "the first letter lost"),
        (
            whole[..whole.len() - 1].to_owned(),
            E::TokenSignature,
            "the last letter lost",
        ),
    ] {
        assert_eq!(refused(&token), code, "{what}");
    }
    // Within the leeway the clocks of two machines may differ.
    assert!(read_visit(&ours(), &claim("exp", json!(NOW.as_secs() - 29)), NOW).is_ok());
    // One kind of link opens no door of the other.
    let desk_token = sign_desk(&ours()[1], desk(), "Ada", &desk().to_text(), NOW, DAY);
    assert_eq!(refused(&desk_token), E::TokenType);
    assert_eq!(read_desk(&ours(), &whole, NOW), Err(E::TokenType));
    let nameless = sign_desk(&ours()[1], desk(), "a\u{202e}b", &desk().to_text(), NOW, DAY);
    assert_eq!(read_desk(&ours(), &nameless, NOW), Err(E::TokenClaims));
}

#[test]
fn no_flipped_bit_is_taken() {
    let keys = ours();
    let token = sign_visit(&keys[1], &visit());
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] ^= 1;
        let flipped = String::from_utf8(bytes).unwrap();
        // The last character carries bits that are not of the signature: only their zero form is read.
        assert!(read_visit(&keys, &flipped, NOW).is_err(), "{at}");
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("visavis-links-{name}-{}", std::process::id()));
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn keys_are_made_once_kept_close_and_rotate_without_breaking_links() {
    let folder = folder("rotate");
    let server = Signer::open(Some(&folder)).unwrap();
    let old = server.desk_link("Ada", None, DAY).unwrap();
    let token = |path: &str| path.strip_prefix("/desk#").unwrap().to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    // Another process rotates; the one that runs notices.
    Signer::rotate(&folder).unwrap();
    let other = Signer::open(Some(&folder)).unwrap();
    let new = other.desk_link("Ada", Some(old.desk), DAY).unwrap();
    assert_eq!(new.desk, old.desk);
    let now = crate::driver::unix_time();
    let known = |path: &str| server.read_desk(&token(path), now).map(|read| read.desk);
    for path in [&old.path, &new.path] {
        assert_eq!(known(path), Ok(old.desk), "before the one that runs has looked");
    }
    // In some seconds the new one signs, and by then it is known.
    let kept = keys::read(&folder.join(FILE)).unwrap().unwrap();
    let later = now + Duration::from_secs(11);
    assert_eq!(keys::signing(&kept, now).unwrap().id, kept[0].id);
    assert_eq!(keys::signing(&kept, later).unwrap().id, kept[1].id);
    assert_eq!(
        keys::signing(&kept, Duration::ZERO).unwrap().id,
        kept[0].id,
        "a clock put back"
    );
    let by_new = sign_desk(&kept[1], old.desk, "Ada", &old.desk.to_text(), now, DAY);
    assert_eq!(server.read_desk(&by_new, now), Err(ErrorCode::TokenKey));
    server.look();
    assert_eq!(server.read_desk(&by_new, now).unwrap().desk, old.desk);
    assert_eq!(known(&old.path), Ok(old.desk));
    // Long after, the old key goes.
    let file = folder.join(FILE);
    keys::rotate(&file, now + keys::LONGEST + DAY).unwrap();
    let kept = keys::read(&file).unwrap().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(read_desk(&kept, &token(&old.path), now), Err(ErrorCode::TokenKey));
    fs::write(&file, "[]").unwrap();
    assert!(matches!(Signer::open(Some(&folder)), Err(LinksError::Damaged(_))));
    assert!(matches!(Signer::rotate(&folder), Err(LinksError::Damaged(_))));
    assert_eq!(fs::read_to_string(&file).unwrap(), "[]", "not written over");
    // The one that runs goes on.
    server.look();
    fs::remove_file(&file).unwrap();
    server.look();
    assert_eq!(server.read_desk(&by_new, now).unwrap().desk, old.desk);
    assert!(matches!(Signer::rotate(&folder), Err(LinksError::Absent(_))));
    assert!(!file.exists(), "a command makes no keys where none are");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn processes_that_come_at_once_have_the_same_keys_and_lose_none() {
    let folder = folder("race");
    let file = folder.join(FILE);
    let now = crate::driver::unix_time();
    let all: Vec<Vec<Key>> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| keys::read_or_make(&file, now).unwrap()))
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(
        all.iter()
            .all(|keys| keys[0].id == all[0][0].id && keys.len() == 1)
    );
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| keys::rotate(&file, now).unwrap());
        }
    });
    assert_eq!(keys::read(&file).unwrap().unwrap().len(), 9);
    fs::remove_dir_all(&folder).unwrap();
}

/// As root alone, which is how operators often run commands.
#[cfg(unix)]
#[test]
fn keys_that_root_makes_belong_to_the_owner_of_the_folder() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = folder("owner");
    if chown(&folder, Some(12_345), Some(12_345)).is_ok() {
        for _ in 0..2 {
            Signer::open(Some(&folder)).unwrap();
            Signer::rotate(&folder).unwrap();
            let about = fs::metadata(folder.join(FILE)).unwrap();
            assert_eq!(
                (about.uid(), about.gid(), about.mode() & 0o777),
                (12_345, 12_345, 0o600)
            );
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_desk_link_has_a_name_and_an_end() {
    let signer = Signer::open(None).unwrap();
    for name in ["", " ", "a\u{202e}b", &"x".repeat(65), "e\u{301}"] {
        assert!(matches!(signer.desk_link(name, None, DAY), Err(LinksError::Name)));
    }
    for lifetime in [Duration::ZERO, keys::LONGEST + DAY] {
        assert!(matches!(
            signer.desk_link("Ada", None, lifetime),
            Err(LinksError::Lifetime)
        ));
    }
    assert_ne!(
        signer.desk_link("Ada", None, DAY).unwrap().desk,
        signer.desk_link("Ada", None, DAY).unwrap().desk
    );
}
