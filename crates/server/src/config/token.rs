//! The settings by which people sign in with tokens of the operator's own site.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::read::ConfigError;
use crate::token::{Signing, TokenKey, TokenRules};

/// A file with more than this is not one with a key.
const KEY_FILE_BYTES: u64 = 16 * 1024;

// RFC 5480, RFC 8410 and RFC 8017.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The settings as they are written.
pub(super) struct WrittenTokens {
    pub(super) key_file: Option<PathBuf>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
}

impl WrittenTokens {
    /// The rules; none if nothing is set.
    pub(super) fn check(self) -> Result<Option<TokenRules>, ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Value(text.into()));
        let key = match (self.key_file, self.secret_file) {
            (Some(_), Some(_)) => {
                return wrong("people_token_key_file: people_token_secret_file is given too; choose one");
            }
            (Some(file), None) => public_key(&file)?,
            (None, Some(file)) => secret(&file)?,
            (None, None) if self.issuer.is_some() || self.audience.is_some() => {
                return wrong(
                    "people_token_issuer: tokens want people_token_key_file or people_token_secret_file",
                );
            }
            (None, None) => return Ok(None),
        };
        let named = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (Some(issuer), Some(audience)) = (named(self.issuer), named(self.audience)) else {
            return wrong(
                "people_token_key_file: it wants people_token_issuer and people_token_audience, or tokens \
                 that were made for another site would do here",
            );
        };
        Ok(Some(TokenRules {
            key,
            issuer,
            audience,
        }))
    }
}

fn read(setting: &str, file: &Path) -> Result<Vec<u8>, ConfigError> {
    let complain = |error: &str| complaint(setting, file, error);
    let length = fs::metadata(file)
        .map_err(|error| complain(&error.to_string()))?
        .len();
    if length > KEY_FILE_BYTES {
        return Err(complain("it is too long for a key"));
    }
    fs::read(file).map_err(|error| complain(&error.to_string()))
}

fn complaint(setting: &str, file: &Path, error: &str) -> ConfigError {
    ConfigError::Value(format!("{setting}: {}: {error}", file.display()))
}

/// A public key as PEM. Its kind says how tokens are signed: there is one way for each.
fn public_key(file: &Path) -> Result<TokenKey, ConfigError> {
    const SETTING: &str = "people_token_key_file";
    let complain = |error: &str| complaint(SETTING, file, error);
    let text = read(SETTING, file)?;
    let der = SubjectPublicKeyInfoDer::from_pem_slice(&text)
        .map_err(|_| complain("there is no public key in it (-----BEGIN PUBLIC KEY-----)"))?;
    let info = SubjectPublicKeyInfoRef::from_der(&der)
        .map_err(|_| complain("the public key in it cannot be read"))?;
    let curve = info.algorithm.parameters_oid().ok();
    let signing = match info.algorithm.oid {
        EC if curve == Some(P256) => Signing::Es256,
        ED25519 => Signing::EdDsa,
        RSA => Signing::Rs256,
        _ => return Err(complain("its key is none of ECDSA on P-256, Ed25519 and RSA")),
    };
    let bytes = info.subject_public_key.raw_bytes().to_vec();
    TokenKey::new(signing, bytes).ok_or_else(|| complain("its key is too short; RSA wants 2048 bits"))
}

/// A secret that the site has too: the file's text without the space around it.
fn secret(file: &Path) -> Result<TokenKey, ConfigError> {
    const SETTING: &str = "people_token_secret_file";
    let complain = |error: &str| complaint(SETTING, file, error);
    let bytes = read(SETTING, file)?;
    let secret = bytes.trim_ascii();
    if secret.starts_with(b"-----BEGIN") {
        return Err(complain(
            "there is a key in it and no secret; name it as people_token_key_file",
        ));
    }
    TokenKey::new(Signing::Hs256, secret.to_vec())
        .ok_or_else(|| complain("a secret has 32 bytes at least (`openssl rand -hex 32`)"))
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the signature of figment's test jail")]
mod tests {
    use figment::Jail;

    use super::super::read::tests::with_flags;
    use super::*;

    // Made by `openssl genpkey` and `openssl pkey -pubout`; their private halves are nowhere.
    const EC_KEY: &str = include_str!("token/ec.pem");
    const ED_KEY: &str = include_str!("token/ed.pem");
    const RSA_KEY: &str = include_str!("token/rsa.pem");
    const P384_KEY: &str = include_str!("token/p384.pem");
    const SHORT_RSA_KEY: &str = include_str!("token/rsa-1024.pem");

    const ABOUT: [&str; 4] = [
        "--people-token-issuer",
        "https://site.example",
        "--people-token-audience",
        "https://meet.example",
    ];

    #[test]
    fn the_kind_of_key_fixes_the_one_way_in_which_tokens_are_signed() {
        Jail::expect_with(|jail| {
            assert_eq!(with_flags(&[]).unwrap().tokens, None);
            for (text, signing) in [
                (EC_KEY, Signing::Es256),
                (ED_KEY, Signing::EdDsa),
                (RSA_KEY, Signing::Rs256),
            ] {
                jail.create_file("key.pem", text)?;
                let config = with_flags(&[&ABOUT[..], &["--people-token-key-file", "key.pem"]].concat());
                let tokens = config.unwrap().tokens.unwrap();
                assert_eq!(tokens.key.signing(), signing);
                assert_eq!(tokens.issuer, "https://site.example");
            }
            jail.create_file("secret", "north-star-north-star-north-star\n")?;
            jail.set_env("VISAVIS_PEOPLE_TOKEN_SECRET_FILE", "secret");
            jail.set_env("VISAVIS_PEOPLE_TOKEN_ISSUER", "https://site.example");
            jail.set_env("VISAVIS_PEOPLE_TOKEN_AUDIENCE", "https://meet.example");
            let config = with_flags(&[]).unwrap();
            assert_eq!(config.tokens.as_ref().unwrap().key.signing(), Signing::Hs256);
            assert!(!format!("{config:?}").contains("north"));
            Ok(())
        });
    }

    #[test]
    fn what_cannot_work_is_refused_without_repeating_the_secret() {
        Jail::expect_with(|jail| {
            jail.create_file("key.pem", EC_KEY)?;
            jail.create_file("p384.pem", P384_KEY)?;
            jail.create_file("short.pem", SHORT_RSA_KEY)?;
            jail.create_file("secret", "north-star")?;
            jail.create_file("long", &"x".repeat(20_000))?;
            let (key, secret) = ("--people-token-key-file", "--people-token-secret-file");
            for (flags, named) in [
                (
                    [&ABOUT[..], &[key, "key.pem", secret, "secret"]].concat(),
                    "choose one",
                ),
                ([&ABOUT[..], &[key, "absent"]].concat(), "absent"),
                ([&ABOUT[..], &[key, "secret"]].concat(), "no public key"),
                ([&ABOUT[..], &[key, "p384.pem"]].concat(), "none of ECDSA"),
                ([&ABOUT[..], &[key, "short.pem"]].concat(), "2048 bits"),
                ([&ABOUT[..], &[key, "long"]].concat(), "too long"),
                ([&ABOUT[..], &[secret, "secret"]].concat(), "32 bytes"),
                (
                    [&ABOUT[..], &[secret, "key.pem"]].concat(),
                    "people_token_key_file",
                ),
                (ABOUT.to_vec(), "tokens want people_token_key_file"),
                (vec![key, "key.pem"], "people_token_issuer"),
                ([&ABOUT[..2], &[key, "key.pem"]].concat(), "people_token_audience"),
            ] {
                let error = with_flags(&flags).unwrap_err();
                let ConfigError::Value(text) = error else {
                    panic!("{error}");
                };
                assert!(text.contains(named), "{flags:?}: {text}");
                assert!(!text.contains('\n') && !text.contains("north"), "{text}");
            }
            Ok(())
        });
    }
}
