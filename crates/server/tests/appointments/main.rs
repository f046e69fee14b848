//! Appointments over real sockets, and links by the commands that make them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod kills;
mod office;
mod operators;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod unwritten;
