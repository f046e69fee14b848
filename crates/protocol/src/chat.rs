//! Chat between two peers: what they write on a channel of its own, ordered and reliable.

/// `id` of the chat channel, which both sides make beforehand (`negotiated`).
pub const CHAT_CHANNEL: u16 = 2;
/// `label` and `protocol` of that channel.
pub const CHAT_LABEL: &str = "chat";
