//! People as one page sees them: who this page's person is, whom they know, and the call that they are in.

pub(crate) mod direct_call;

pub use direct_call::{CallEnd, CallState, DirectCall};

#[cfg(test)]
mod tests;
