//! Signed links as the hub sees them: what they say once they are believed. Who signs and reads them is the
//! shell's, which has the keys; the hub hands over the time, so that the same rules hold in tests.

use core::time::Duration;
use std::sync::Arc;

use visavis_protocol::{AppointmentId, DeskId, ErrorCode};

/// What the token of a desk's link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskClaims {
    /// Which desk.
    pub desk: DeskId,
    /// Whose, as clients read it: a sound name in normalization form C.
    pub name: String,
}

/// What the token of a client's link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitClaims {
    /// Which appointment.
    pub appointment: AppointmentId,
    /// Which of its links, counted from 1: an earlier one is good until its own end, a later one was never made.
    pub number: u32,
    /// Until when it is good, in seconds since 1970.
    pub expires: u64,
}

/// Who signs links and reads them. `unix` is the time since 1970.
pub trait LinkSigner: Send + Sync {
    /// Reads a desk's token.
    ///
    /// # Errors
    /// The rule that it breaks: one of the codes that begin with `token_`.
    fn read_desk(&self, token: &str, unix: Duration) -> Result<DeskClaims, ErrorCode>;

    /// Reads a client's token.
    ///
    /// # Errors
    /// As above.
    fn read_visit(&self, token: &str, unix: Duration) -> Result<VisitClaims, ErrorCode>;

    /// Signs a client's token; the same claims by the same key make the same token.
    fn sign_visit(&self, claims: &VisitClaims) -> String;
}

/// The signer of this server.
#[derive(Clone)]
pub struct Links(pub Arc<dyn LinkSigner>);

impl core::fmt::Debug for Links {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Links(…)")
    }
}
