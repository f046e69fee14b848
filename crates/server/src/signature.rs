//! The one signature that the server checks: that of a browser's key, as Web Cryptography makes it.

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use visavis_protocol::handle::{PublicKey, Signature};

/// Whether a signature is by a key, over a text (ECDSA on P-256 with SHA-256, FIPS 186-5).
pub(crate) fn is_signed(key: &PublicKey, text: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.0)
        .verify(text, &signature.0)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use visavis_protocol::handle::Fixed;

    use super::*;

    #[test]
    fn a_signature_is_good_for_its_key_and_text_alone() {
        let random = SystemRandom::new();
        let secret = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret.as_ref(), &random).unwrap();
        let key = Fixed(pair.public_key().as_ref().try_into().unwrap());
        let signature = Fixed(pair.sign(&random, b"tea").unwrap().as_ref().try_into().unwrap());
        assert!(is_signed(&key, b"tea", &signature));
        assert!(!is_signed(&key, b"sea", &signature));
        let mut other = signature;
        other.0[40] ^= 1;
        assert!(!is_signed(&key, b"tea", &other));
        assert!(
            !is_signed(&Fixed([4; 65]), b"tea", &signature),
            "no point of the curve"
        );
    }
}
