//! The few facts the core reads from a session description (RFC 8866, RFC 8839).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::limits;

/// Why a remote description is not handed to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpError {
    /// Over [`limits::SDP_BYTES`].
    #[error("the description is too long")]
    TooLong,
    /// Over [`limits::SDP_MEDIA_SECTIONS`].
    #[error("the description has too many media sections")]
    TooManySections,
    /// No `a=ice-ufrag`: its candidates could never be told from stale ones.
    #[error("the description has no ICE user fragment")]
    NoUfrag,
}

/// The ICE user fragments of a description, each once: one where everything is bundled. A list
/// rather than a set, whose code alone would weigh more than all that is ever in it.
pub(crate) type Ufrags = Vec<String>;

/// Reads the user fragments, in the order of their sections.
pub(crate) fn ufrags(sdp: &str) -> Ufrags {
    let mut ufrags = Ufrags::new();
    let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=ice-ufrag:"));
    for ufrag in lines.map(str::trim_end).take(limits::SDP_MEDIA_SECTIONS + 1) {
        if !ufrags.iter().any(|known| known == ufrag) {
            ufrags.push(ufrag.to_owned());
        }
    }
    ufrags
}

/// Checks a peer's description before it goes anywhere.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn check(sdp: &str) -> Result<Ufrags, SdpError> {
    if sdp.len() > limits::SDP_BYTES {
        return Err(SdpError::TooLong);
    }
    let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
    if sections > limits::SDP_MEDIA_SECTIONS {
        return Err(SdpError::TooManySections);
    }
    let ufrags = ufrags(sdp);
    if ufrags.is_empty() {
        return Err(SdpError::NoUfrag);
    }
    Ok(ufrags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_fragments_are_read_from_every_section() {
        let sdp = "v=0\r\na=ice-ufrag:aa\r\nm=audio 9\r\na=ice-ufrag:bb\r\nm=video 9\r\na=ice-ufrag:bb\r\n";
        assert_eq!(ufrags(sdp), ["aa", "bb"]);
    }

    #[test]
    fn a_description_beyond_the_limits_is_refused() {
        assert_eq!(check(&"x".repeat(limits::SDP_BYTES + 1)), Err(SdpError::TooLong));
        assert_eq!(
            check(&"m=audio 9\r\n".repeat(1000)),
            Err(SdpError::TooManySections)
        );
        assert_eq!(check("v=0\r\n"), Err(SdpError::NoUfrag));
    }
}
