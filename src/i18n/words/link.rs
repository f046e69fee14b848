//! Why a link to a desk or to an appointment is none.

use super::{Key, Texts};

words! {
    /// Why a link to a desk or to an appointment is none.
    LinkWords:
    /// Heading.
    bad: &'static str,
    /// Why.
    long: &'static str,
    /// Why.
    malformed: &'static str,
    /// Why.
    unsigned: &'static str,
    /// Why.
    algorithm: &'static str,
    /// Why.
    key: &'static str,
    /// Why.
    signature: &'static str,
    /// Why.
    claims: &'static str,
    /// Why.
    claim_type: &'static str,
    /// Why.
    issuer: &'static str,
    /// Why.
    kind: &'static str,
    /// Why.
    audience: &'static str,
    /// Why.
    expired: &'static str,
    /// Why.
    not_yet: &'static str,
    /// Why.
    reused: &'static str,
    /// Why.
    unknown: &'static str,
    /// Why.
    not_here: &'static str,
    /// Why.
    busy: &'static str,
    /// Why.
    refused: &'static str,
}
