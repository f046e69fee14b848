//! Who began the DTLS handshake of a connection, which must not change while it lives.
//!
//! A Firefox that answers an offer of `a=setup:actpass` with an ICE restart takes the active side
//! also where it was the passive one before. Chromium then refuses the answer ("Failed to set SSL
//! role") and every other description as well. An offer that names the role that its sender has
//! leaves no choice; RFC 8842, section 5.5 allows it, and without a new association the roles stay.

/// The offer with the role that its sender has already. `theirs` are type and text of the
/// description of theirs that is in force, `ours` the text of ours.
pub(super) fn with_present_role(offer: &str, theirs: Option<(&str, &str)>, ours: &str) -> String {
    let Some((kind, text)) = theirs else {
        return offer.to_owned();
    };
    let role = if kind == "answer" {
        role(text)
    } else {
        // They offered, so ours was the answer: theirs is the other role.
        role(ours).map(|ours| if ours == "active" { "passive" } else { "active" })
    };
    let Some(role) = role else {
        return offer.to_owned();
    };
    let mut lines = Vec::new();
    let line = ["a=setup:", role].concat();
    for given in offer.split("\r\n") {
        lines.push(if given.starts_with("a=setup:") {
            &line
        } else {
            given
        });
    }
    lines.join("\r\n")
}

/// `active` or `passive`, as a description in force says.
fn role(sdp: &str) -> Option<&str> {
    let said = sdp.split("\r\n").find_map(|line| line.strip_prefix("a=setup:"))?;
    ["active", "passive"].contains(&said).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\na=setup:actpass\r\n";
    const ACTIVE: &str = "v=0\r\na=setup:active\r\n";
    const PASSIVE: &str = "v=0\r\na=setup:passive\r\n";

    #[test]
    fn whoever_was_passive_stays_so() {
        assert_eq!(with_present_role(ACTIVE, Some(("offer", OFFER)), ACTIVE), PASSIVE);
        assert_eq!(
            with_present_role(ACTIVE, Some(("answer", PASSIVE)), OFFER),
            PASSIVE
        );
    }

    #[test]
    fn whoever_was_active_stays_so() {
        assert_eq!(with_present_role(ACTIVE, Some(("answer", ACTIVE)), OFFER), ACTIVE);
        assert_eq!(
            with_present_role(PASSIVE, Some(("offer", OFFER)), PASSIVE),
            ACTIVE
        );
    }

    #[test]
    fn the_first_offer_leaves_the_choice() {
        assert_eq!(with_present_role(OFFER, None, ""), OFFER);
    }
}
