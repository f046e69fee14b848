//! The orders of events that go wrong in the field, one by one, and the limits.

mod harness;
mod hosted;
mod hosts;
mod limits;
mod relay;
mod roster;
mod turn;
mod waiting;
mod watch;
