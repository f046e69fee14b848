//! Tokens as a site makes them, and as somebody who is not the site does.

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;
/// A key made for this test alone: PKCS #8, 2048 bits.
const RSA: &[u8] = include_bytes!("rsa-of-a-test.der");

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// What signs.
enum Pen {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Secret(Vec<u8>),
}

impl Pen {
    fn ec() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let secret = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(kind, secret.as_ref(), &random).unwrap())
    }

    fn ed() -> Self {
        let secret = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(secret.as_ref()).unwrap())
    }

    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(RSA).unwrap())
    }

    fn all() -> [Self; 4] {
        [Self::ec(), Self::ed(), Self::rsa(), Self::Secret(vec![7; 32])]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
            Self::Rsa(_) => "RS256",
            Self::Secret(_) => "HS256",
        }
    }

    /// What the server is given of it.
    fn key(&self) -> TokenKey {
        let (signing, bytes) = match self {
            Self::Ec(pair) => (Signing::Es256, pair.public_key().as_ref()),
            Self::Ed(pair) => (Signing::EdDsa, pair.public_key().as_ref()),
            Self::Rsa(pair) => (Signing::Rs256, pair.public().as_ref()),
            Self::Secret(secret) => (Signing::Hs256, secret.as_slice()),
        };
        TokenKey::new(signing, bytes.to_vec()).unwrap()
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(text).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .unwrap();
                signature
            }
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, text).as_ref().to_vec()
            }
        }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            base64(header.to_string().as_bytes()),
            base64(claims.to_string().as_bytes())
        );
        let signature = self.sign(text.as_bytes());
        format!("{text}.{}", base64(&signature))
    }

    fn header(&self) -> Value {
        json!({"alg": self.name(), "typ": "JWT"})
    }
}

fn claims() -> Value {
    json!({
        "sub": "ada",
        "iss": "https://site.example",
        "aud": "https://meet.example",
        "exp": NOW + 60,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn rules(pen: &Pen) -> TokenRules {
    let rules = TokenRules {
        key: pen.key(),
        issuer: "https://site.example".into(),
        audience: "https://meet.example".into(),
    };
    // Puts the cryptography in its place.
    let _ = rules.clone().into_tokens();
    rules
}

fn judge(rules: &TokenRules, token: &str) -> Result<Handle, BadToken> {
    rules.check(token, Duration::from_secs(NOW))
}

#[test]
fn a_token_that_the_site_signed_names_a_handle_by_any_of_four_ways() {
    for pen in Pen::all() {
        let rules = rules(&pen);
        for (header, claims) in [
            (pen.header(), claims()),
            (json!({"alg": pen.name()}), claims()),
            (
                pen.header(),
                with("aud", json!(["https://other.example", "https://meet.example"])),
            ),
            (pen.header(), with("nbf", json!(NOW - 5))),
            (pen.header(), with("role", json!("what else the site says"))),
            // Clocks differ.
            (pen.header(), with("exp", json!(NOW - 29))),
            (pen.header(), with("nbf", json!(NOW + 29))),
            (pen.header(), with("exp", json!(NOW as f64 + 60.5))),
        ] {
            let read = judge(&rules, &pen.token(&header, &claims));
            assert_eq!(read.unwrap().as_str(), "ada", "{header} {claims}");
        }
    }
}

#[test]
fn what_a_token_says_is_taken_at_its_word_or_not_at_all() {
    use BadToken::{Early, Expired, Foreign, Lasting, Subject, Unsigned};
    let pen = Pen::ec();
    let rules = rules(&pen);
    for (claims, why) in [
        (with("exp", json!(NOW - 30)), Expired),
        (with("exp", json!(0)), Expired),
        (with("exp", json!(-1)), Expired),
        (with("nbf", json!(NOW + 31)), Early),
        (without("exp"), Unsigned),
        (with("exp", json!((NOW + 60).to_string())), Unsigned),
        (with("exp", json!(null)), Unsigned),
        (with("nbf", json!("0")), Unsigned),
        (with("exp", json!(NOW + 24 * 60 * 60 + 31)), Lasting),
        (with("exp", json!(1e300)), Lasting),
        (with("aud", json!("https://other.example")), Foreign),
        (with("aud", json!(["https://meet.example.evil"])), Foreign),
        (with("aud", json!([])), Foreign),
        (without("aud"), Unsigned),
        (with("iss", json!("https://other.example")), Foreign),
        (without("iss"), Unsigned),
        (without("sub"), Unsigned),
        (with("sub", json!(7)), Unsigned),
        (with("sub", json!("Ada")), Subject),
        (with("sub", json!("аdа")), Subject),
        (with("sub", json!("ada\u{202e}")), Subject),
        (with("sub", json!("")), Subject),
        (with("sub", json!("ada lovelace")), Subject),
    ] {
        let read = judge(&rules, &pen.token(&pen.header(), &claims));
        assert_eq!(read, Err(why), "{claims}");
    }
}

#[test]
fn nobody_else_signs_and_nothing_but_the_settings_says_how() {
    for pen in Pen::all() {
        let rules = rules(&pen);
        let good = pen.token(&pen.header(), &claims());
        assert!(judge(&rules, &good).is_ok());
        let mut bad = Vec::new();
        // Not signed at all (M41).
        let (text, _) = good.rsplit_once('.').unwrap();
        for name in ["none", "None", "NONE", ""] {
            let header = json!({"alg": name, "typ": "JWT"});
            let text = format!(
                "{}.{}",
                base64(header.to_string().as_bytes()),
                base64(claims().to_string().as_bytes())
            );
            bad.extend([format!("{text}."), text.clone(), pen.token(&header, &claims())]);
        }
        bad.extend([format!("{text}."), text.to_owned(), String::new(), "..".into()]);
        bad.push(format!("{good}.{good}"));
        // Signed with the public key as if it were a secret, and by every other means (M42, M43).
        let shared = Pen::Secret(pen.key().bytes);
        let others = Pen::all().into_iter().chain([shared]);
        for other in others.filter(|other| other.key() != pen.key()) {
            bad.push(other.token(&other.header(), &claims()));
            bad.push(other.token(&pen.header(), &claims()));
        }
        // Another text under the same signature, and another signature under the same text.
        let forged = base64(with("sub", json!("eve")).to_string().as_bytes());
        let parts: Vec<&str> = good.split('.').collect();
        bad.push(format!("{}.{forged}.{}", parts[0], parts[2]));
        let mut signature = Base64UrlUnpadded::decode_vec(parts[2]).unwrap();
        signature[9] ^= 1;
        bad.push(format!("{text}.{}", base64(&signature)));
        for token in bad {
            assert_eq!(judge(&rules, &token), Err(BadToken::Unsigned), "{token}");
        }
    }
}

#[test]
fn headers_that_want_more_are_refused_and_names_of_keys_are_nothing() {
    let pen = Pen::ed();
    let rules = rules(&pen);
    for (extra, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!("")),
        ("crit", json!(["exp"])),
    ] {
        let mut header = pen.header();
        header[extra] = value;
        assert_eq!(
            judge(&rules, &pen.token(&header, &claims())),
            Err(BadToken::Type),
            "{header}"
        );
    }
    for (extra, value) in [
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("jku", json!("https://evil.example/keys")),
    ] {
        let mut header = pen.header();
        header[extra] = value;
        assert!(judge(&rules, &pen.token(&header, &claims())).is_ok(), "{header}");
    }
}

#[test]
fn a_long_token_is_not_even_read() {
    let pen = Pen::Secret(vec![7; 32]);
    let rules = rules(&pen);
    let padded = |length: usize| pen.token(&pen.header(), &with("more", json!("x".repeat(length))));
    assert!(judge(&rules, &padded(1200)).is_ok());
    assert_eq!(judge(&rules, &padded(3 * 1024)), Err(BadToken::TooLong));
}

#[test]
fn weak_keys_are_none() {
    for (signing, length) in [
        (Signing::Hs256, 31),
        (Signing::Es256, 64),
        (Signing::EdDsa, 33),
        (Signing::Rs256, 140),
    ] {
        assert_eq!(TokenKey::new(signing, vec![4; length]), None, "{signing:?}");
    }
    let key = TokenKey::new(Signing::Hs256, b"northern-star-northern-star-north".to_vec()).unwrap();
    assert!(!format!("{key:?}").contains("north"));
}
