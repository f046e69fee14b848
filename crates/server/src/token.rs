//! Tokens of the operator's own site, by which people sign in there and nowhere else (RFC 7519).
//!
//! One algorithm, one key, one issuer and one audience, all by the settings; what a token's header says of
//! keys is not looked at, and a header with another algorithm is no header. The time is the caller's, so
//! that the same rules hold in tests. The cryptography is that of ring, as everywhere in this program.

use core::time::Duration;
use std::sync::Arc;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use tracing::debug;
use visavis_protocol::Handle;
use visavis_protocol::limits::{TOKEN_BYTES, TOKEN_LEEWAY, TOKEN_LIFETIME};

use crate::hub::Tokens;

/// Bytes of the smallest RSA key that is taken, 2048 bits, as it stands in a key file.
const RSA_LEAST_BYTES: usize = 265;

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with PKCS #1 v1.5 padding and SHA-256.
    Rs256,
    /// HMAC with SHA-256: the site and this server share a secret.
    Hs256,
}

/// A key by which tokens are judged.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey {
    signing: Signing,
    /// The point, the key, the `RSAPublicKey`, or the secret.
    bytes: Vec<u8>,
}

/// The secret is nobody's business.
impl core::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TokenKey({:?})", self.signing)
    }
}

impl TokenKey {
    /// A key of so many bytes, if it can be one.
    #[must_use]
    pub fn new(signing: Signing, bytes: Vec<u8>) -> Option<Self> {
        let fits = match signing {
            // An uncompressed point (SEC 1, 2.3.3).
            Signing::Es256 => bytes.len() == 65 && bytes[0] == 4,
            Signing::EdDsa => bytes.len() == 32,
            Signing::Rs256 => bytes.len() >= RSA_LEAST_BYTES,
            // As long as what it makes, at least (RFC 7518, 3.2).
            Signing::Hs256 => bytes.len() >= 32,
        };
        fits.then_some(Self { signing, bytes })
    }

    /// How it is used.
    #[must_use]
    pub const fn signing(&self) -> Signing {
        self.signing
    }
}

/// The rules by which tokens are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRules {
    /// By which key.
    pub key: TokenKey,
    /// Whose they must be (`iss`).
    pub issuer: String,
    /// Whom they must be for (`aud`, one of several).
    pub audience: String,
}

/// What a token says. A claim of the wrong type is no claim.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970; a fraction is allowed (RFC 7519, 2).
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    iss: String,
    aud: Audience,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Why a token is not taken. For the log alone, and there without the token: whoever shows a bad one is
/// told no more than that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("it is too long")]
    TooLong,
    #[error("it is no token, or its signature is not by the key")]
    Unsigned,
    #[error("its type is another one, or it wants what is not known here")]
    Type,
    #[error("it is of another issuer or for another audience")]
    Foreign,
    #[error("it has expired")]
    Expired,
    #[error("it is not good yet")]
    Early,
    #[error("it would be good for too long")]
    Lasting,
    #[error("its subject is no handle")]
    Subject,
}

impl TokenRules {
    /// The same as the hub wants them.
    #[must_use]
    pub fn into_tokens(self) -> Tokens {
        install_cryptography();
        Tokens(Arc::new(move |token, unix| {
            self.check(token, unix)
                .inspect_err(|why| debug!(%why, "a token was refused"))
                .ok()
        }))
    }

    /// The handle that a token proves; `unix` is the time since 1970.
    pub(crate) fn check(&self, token: &str, unix: Duration) -> Result<Handle, BadToken> {
        if token.len() > TOKEN_BYTES {
            return Err(BadToken::TooLong);
        }
        let (algorithm, key) = self.key.for_decoding();
        let mut validation = Validation::new(algorithm);
        // The claims are judged below, by one clock and without exceptions.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let read = decode::<Claims>(token, &key, &validation).map_err(|_| BadToken::Unsigned)?;
        let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("JWT");
        if !read.header.typ.as_ref().is_none_or(is_jwt) || read.header.crit.is_some() {
            return Err(BadToken::Type);
        }
        let claims = read.claims;
        let is_for_us = match &claims.aud {
            Audience::One(one) => *one == self.audience,
            Audience::Many(all) => all.contains(&self.audience),
        };
        if claims.iss != self.issuer || !is_for_us {
            return Err(BadToken::Foreign);
        }
        let (now, leeway) = (unix.as_secs_f64(), TOKEN_LEEWAY.as_secs_f64());
        if claims.exp + leeway <= now {
            return Err(BadToken::Expired);
        }
        if claims.exp > now + TOKEN_LIFETIME.as_secs_f64() + leeway {
            return Err(BadToken::Lasting);
        }
        if claims.nbf.is_some_and(|from| from > now + leeway) {
            return Err(BadToken::Early);
        }
        // The one spelling alone: a site to which `Ada` and `ada` are two must not make one of them.
        claims.sub.parse().map_err(|_| BadToken::Subject)
    }
}

impl TokenKey {
    fn for_decoding(&self) -> (Algorithm, DecodingKey) {
        let bytes = self.bytes.as_slice();
        match self.signing {
            Signing::Es256 => (Algorithm::ES256, DecodingKey::from_ec_der(bytes)),
            Signing::EdDsa => (Algorithm::EdDSA, DecodingKey::from_ed_der(bytes)),
            Signing::Rs256 => (Algorithm::RS256, DecodingKey::from_rsa_der(bytes)),
            Signing::Hs256 => (Algorithm::HS256, DecodingKey::from_secret(bytes)),
        }
    }
}

/// Has `jsonwebtoken` use ring in this process.
pub(crate) fn install_cryptography() {
    // Somebody in the same process may have been first, with the same.
    let _ = PROVIDER.install_default();
}

/// ring, where `jsonwebtoken` wants cryptography. The links of this server are all that is signed.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        if *algorithm != Algorithm::HS256 {
            return Err(Error::from(ErrorKind::InvalidAlgorithm));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        Ok(Box::new(RingSigner(key)))
    },
    verifier_factory: |algorithm, key| {
        let bytes = key.try_get_as_bytes()?.to_vec();
        Ok(Box::new(RingVerifier {
            algorithm: *algorithm,
            bytes,
        }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct RingSigner(hmac::Key);

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(hmac::sign(&self.0, text).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

struct RingVerifier {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Verifier<Vec<u8>> for RingVerifier {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the algorithms are an open set")]
    fn verify(&self, text: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let by: &dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::HS256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
                return hmac::verify(&key, text, signature).map_err(|_| SignatureError::new());
            }
            Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDSA => &ED25519,
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(SignatureError::new()),
        };
        UnparsedPublicKey::new(by, &self.bytes)
            .verify(text, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests;
