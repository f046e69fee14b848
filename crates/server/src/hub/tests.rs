//! The orders of events that go wrong in the field, one by one, and the limits.

mod appointments;
mod harness;
mod hosted;
mod hosts;
mod limits;
mod presence;
mod relay;
mod roster;
mod turn;
mod waiting;
mod watch;
