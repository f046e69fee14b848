//! Why a link to a desk or to an appointment does not work, in words.

use visavis_protocol::ErrorCode;

use crate::i18n::words;

/// What to say of a refused link, and whether another copy of the same link may help.
pub fn why(code: ErrorCode) -> (&'static str, bool) {
    let words = &words().link;
    let text = match code {
        ErrorCode::TokenTooLong => return (words.long, true),
        ErrorCode::TokenMalformed => return (words.malformed, true),
        ErrorCode::TokenSignature => return (words.signature, true),
        ErrorCode::TokenUnsigned => words.unsigned,
        ErrorCode::TokenAlgorithm => words.algorithm,
        ErrorCode::TokenKey => words.key,
        ErrorCode::TokenClaims => words.claims,
        ErrorCode::TokenClaimType => words.claim_type,
        ErrorCode::TokenIssuer => words.issuer,
        ErrorCode::TokenType => words.kind,
        ErrorCode::TokenAudience => words.audience,
        ErrorCode::TokenExpired => words.expired,
        ErrorCode::TokenNotYet => words.not_yet,
        ErrorCode::TokenReused => words.reused,
        ErrorCode::UnknownAppointment => words.unknown,
        ErrorCode::TooMany | ErrorCode::RateLimited | ErrorCode::ServerFull => words.busy,
        ErrorCode::UnknownKind => words.not_here,
        ErrorCode::BadMessage
        | ErrorCode::UnsupportedVersion
        | ErrorCode::AlreadyGreeted
        | ErrorCode::InvalidName
        | ErrorCode::RoomFull
        | ErrorCode::AlreadyJoined
        | ErrorCode::NotJoined
        | ErrorCode::UnknownSession
        | ErrorCode::UnknownPeer
        | ErrorCode::SelfAddressed
        | ErrorCode::TooManyWatchers
        | ErrorCode::NotSignedIn
        | ErrorCode::AlreadySignedIn
        | ErrorCode::HandleTaken
        | ErrorCode::HandleFree
        | ErrorCode::BadSignature
        | ErrorCode::BadCode
        | ErrorCode::BadToken
        | ErrorCode::TokensOnly
        | ErrorCode::KeysOnly
        | ErrorCode::NotHost
        | ErrorCode::RoomLocked
        | ErrorCode::RoomMoved
        | ErrorCode::Removed
        | ErrorCode::TooManyWaiting
        | ErrorCode::NoDesk
        | ErrorCode::NoVisit
        | ErrorCode::InvalidAppointment
        | ErrorCode::AppointmentEarly
        | ErrorCode::AppointmentLate
        | ErrorCode::AppointmentOver
        | ErrorCode::AppointmentCancelled
        | ErrorCode::Unknown => words.refused,
    };
    (text, false)
}
