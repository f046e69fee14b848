//! Runs cores and the real hub on a seeded virtual clock, with a model of the browser that refuses
//! what a browser refuses, and looks for what breaks.
//!
//! A seed makes a [`script::Script`], a script makes a run, a run ends with the first broken
//! [`world::Rule`] or with none. The same seed always makes the same run.

pub mod browser;
pub mod exhaustive;
pub mod people;
mod queue;
pub mod script;
pub mod shrink;
pub mod sweep;
pub mod teeth;
pub mod trace;
pub mod world;

pub use script::{Action, Change, Noticed, Pace, RoomKind, Script};
pub use world::{Options, Outcome, Rule, Violation, run};
