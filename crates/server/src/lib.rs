//! The Visavis server: serves the client and carries its signaling.
//!
//! [`hub`] decides, everything else moves bytes. The hub is a pure state machine that the
//! simulator runs as well.

pub mod hub;
