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
    /// The server holds as many rooms, handles or desks as it can.
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
    /// Only the room's host may do that.
    NotHost,
    /// The host locked the room: no newcomer comes in.
    RoomLocked,
    /// The room has another link since somebody was removed from it.
    RoomMoved,
    /// The host sent the seat away.
    Removed,
    /// As many wait before this room as may.
    TooManyWaiting,
    /// The token is longer than any that was made here.
    TokenTooLong,
    /// The token is none: a part of the link was lost or changed.
    TokenMalformed,
    /// The token's header says that it is not signed.
    TokenUnsigned,
    /// The token's header names another way of signing than its key has.
    TokenAlgorithm,
    /// The token names no key that is known here.
    TokenKey,
    /// The token's signature is not by the key that it names.
    TokenSignature,
    /// The token lacks a claim that it must have.
    TokenClaims,
    /// A claim of the token has the wrong type.
    TokenClaimType,
    /// The token is of another issuer.
    TokenIssuer,
    /// The token is of another type than is asked for here: a desk's, or a client's.
    TokenType,
    /// The token is for another use than this one.
    TokenAudience,
    /// The token was good until a time that has passed.
    TokenExpired,
    /// The token is good from a time that has not come.
    TokenNotYet,
    /// The token's number belongs to another desk or appointment, or was replaced.
    TokenReused,
    /// This socket has proved no desk.
    NoDesk,
    /// This socket has shown no link to an appointment.
    NoVisit,
    /// No such appointment, or another desk's.
    UnknownAppointment,
    /// The facts of an appointment break a rule: name, note, time, length or zone.
    InvalidAppointment,
    /// The appointment's waiting room is not open yet.
    AppointmentEarly,
    /// The appointment's time is over.
    AppointmentLate,
    /// The appointment has taken place: its link is used up.
    AppointmentOver,
    /// The appointment was called off.
    AppointmentCancelled,
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
        Self::NotHost,
        Self::RoomLocked,
        Self::RoomMoved,
        Self::Removed,
        Self::TooManyWaiting,
        Self::TokenTooLong,
        Self::TokenMalformed,
        Self::TokenUnsigned,
        Self::TokenAlgorithm,
        Self::TokenKey,
        Self::TokenSignature,
        Self::TokenClaims,
        Self::TokenClaimType,
        Self::TokenIssuer,
        Self::TokenType,
        Self::TokenAudience,
        Self::TokenExpired,
        Self::TokenNotYet,
        Self::TokenReused,
        Self::NoDesk,
        Self::NoVisit,
        Self::UnknownAppointment,
        Self::InvalidAppointment,
        Self::AppointmentEarly,
        Self::AppointmentLate,
        Self::AppointmentOver,
        Self::AppointmentCancelled,
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
            Self::NotHost => "not_host",
            Self::RoomLocked => "room_locked",
            Self::RoomMoved => "room_moved",
            Self::Removed => "removed",
            Self::TooManyWaiting => "too_many_waiting",
            Self::TokenTooLong => "token_too_long",
            Self::TokenMalformed => "token_malformed",
            Self::TokenUnsigned => "token_unsigned",
            Self::TokenAlgorithm => "token_algorithm",
            Self::TokenKey => "token_key",
            Self::TokenSignature => "token_signature",
            Self::TokenClaims => "token_claims",
            Self::TokenClaimType => "token_claim_type",
            Self::TokenIssuer => "token_issuer",
            Self::TokenType => "token_type",
            Self::TokenAudience => "token_audience",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYet => "token_not_yet",
            Self::TokenReused => "token_reused",
            Self::NoDesk => "no_desk",
            Self::NoVisit => "no_visit",
            Self::UnknownAppointment => "unknown_appointment",
            Self::InvalidAppointment => "invalid_appointment",
            Self::AppointmentEarly => "appointment_early",
            Self::AppointmentLate => "appointment_late",
            Self::AppointmentOver => "appointment_over",
            Self::AppointmentCancelled => "appointment_cancelled",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
