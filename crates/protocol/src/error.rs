//! Errors that the server reports in an `error` message.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A stable name for what went wrong. People see words chosen by it; logs see it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The text is not a message of this protocol: not JSON, a field missing, unknown or of the wrong type.
    BadMessage,
    /// A message kind that this server does not know.
    UnknownKind,
    /// No protocol version in common.
    UnsupportedVersion,
    /// `hello` was said before.
    AlreadyGreeted,
    /// The name breaks a rule (empty, too long, characters that cannot be shown, not NFC).
    InvalidName,
    /// The room already seats as many as it can.
    RoomFull,
    /// The server holds as many rooms as it can.
    ServerFull,
    /// This connection is already in a room.
    AlreadyJoined,
    /// This connection is in no room.
    NotJoined,
    /// No such session: it ended, or the server was restarted. Join again.
    UnknownSession,
    /// The addressee is not in this room.
    UnknownPeer,
    /// A packet to oneself.
    SelfAddressed,
    /// Too many of these; slow down.
    RateLimited,
    /// Too many watch this room already.
    TooManyWatchers,
    /// This socket has proved no handle.
    NotSignedIn,
    /// This socket has proved another handle.
    AlreadySignedIn,
    /// Somebody else has that handle.
    HandleTaken,
    /// Nobody has that handle, and it was not asked to take it.
    HandleFree,
    /// The signature is not by that key, or not over what this socket was to sign.
    BadSignature,
    /// The code is wrong, was used, or is too old.
    BadCode,
    /// More than one person may have: contacts, open pages, browsers.
    TooMany,
    /// The token is not one that this server takes, or not any more.
    BadToken,
    /// This server takes tokens of its operator's site and no keys.
    TokensOnly,
    /// This server takes keys and no tokens.
    KeysOnly,
    /// A code of a newer server.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code, for tables in documents and tests.
    pub const ALL: &'static [Self] = &[
        Self::BadMessage,
        Self::UnknownKind,
        Self::UnsupportedVersion,
        Self::AlreadyGreeted,
        Self::InvalidName,
        Self::RoomFull,
        Self::ServerFull,
        Self::AlreadyJoined,
        Self::NotJoined,
        Self::UnknownSession,
        Self::UnknownPeer,
        Self::SelfAddressed,
        Self::RateLimited,
        Self::TooManyWatchers,
        Self::NotSignedIn,
        Self::AlreadySignedIn,
        Self::HandleTaken,
        Self::HandleFree,
        Self::BadSignature,
        Self::BadCode,
        Self::TooMany,
        Self::BadToken,
        Self::TokensOnly,
        Self::KeysOnly,
        Self::Unknown,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "bad_message",
            Self::UnknownKind => "unknown_kind",
            Self::UnsupportedVersion => "unsupported_version",
            Self::AlreadyGreeted => "already_greeted",
            Self::InvalidName => "invalid_name",
            Self::RoomFull => "room_full",
            Self::ServerFull => "server_full",
            Self::AlreadyJoined => "already_joined",
            Self::NotJoined => "not_joined",
            Self::UnknownSession => "unknown_session",
            Self::UnknownPeer => "unknown_peer",
            Self::SelfAddressed => "self_addressed",
            Self::RateLimited => "rate_limited",
            Self::NotSignedIn => "not_signed_in",
            Self::AlreadySignedIn => "already_signed_in",
            Self::HandleTaken => "handle_taken",
            Self::HandleFree => "handle_free",
            Self::BadSignature => "bad_signature",
            Self::BadCode => "bad_code",
            Self::TooMany => "too_many",
            Self::BadToken => "bad_token",
            Self::TokensOnly => "tokens_only",
            Self::KeysOnly => "keys_only",
            Self::TooManyWatchers => "too_many_watchers",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
