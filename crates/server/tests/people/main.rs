//! Handles and calls over real sockets, with real keys and a real file.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod folk;
mod freed;
mod hostile;
mod tokens;
