//! The malicious inputs M01 to M40 and M75 to M80 that concern the server, each against a running
//! server that two honest people use at the same time: refused by name, closed only where the list
//! says so, the others undisturbed.

#[path = "../support/mod.rs"]
mod support;

mod encoding;
mod hosts;
mod state;
mod transport;
mod web;
