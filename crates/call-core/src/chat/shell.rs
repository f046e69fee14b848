//! What a shell sees of the chat. The messages themselves are no part of the view, which is compared
//! whenever anything happens: there may be thousands.

use alloc::string::String;

use visavis_protocol::SeatId;

/// What there is to say of the chat as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatView {
    /// Counts up whenever [`crate::Core::chat_lines`] would show something else.
    pub version: u64,
    /// How many messages there are.
    pub count: usize,
    /// How many messages of others ever were news: said while we were there, or missed by an accident.
    /// What was said before we came is none.
    pub news: u64,
    /// The last of them.
    pub last_news: Option<ChatNews>,
    /// The numbers of the first and the last line that was said before we came to the present call.
    pub before: Option<(u64, u64)>,
}

/// A message that somebody may want to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatNews {
    /// Whose.
    pub name: String,
    /// Whether it is for us alone.
    pub is_private: bool,
    /// The beginning of its text.
    pub beginning: String,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// A message as it is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatLine {
    /// Names the line in this tab; never used twice.
    pub number: u64,
    /// Whose it is.
    pub author: SeatId,
    /// Whether it is our own.
    pub is_own: bool,
    /// Its author's name when they wrote it. Text from a stranger.
    pub name: String,
    /// When they say they wrote it: milliseconds since 1970.
    pub time: u64,
    /// Whether only its author and its addressee know of it, and who that is if not we.
    pub privacy: Privacy,
    /// The words, cleaned. Text from a stranger.
    pub text: String,
    /// Who told it where that was not its author.
    pub teller: Option<String>,
    /// Whether another one tells it otherwise, and the author does not say what is right.
    pub is_disputed: bool,
    /// Whether it was said before we came.
    pub is_before: bool,
}

/// Who may read a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Everybody.
    Public,
    /// We alone, beside its author.
    ToUs,
    /// Its author, who is we, and one other person of this name.
    To(String),
}

/// Why something cannot be said now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// There is no call.
    #[error("not in a call")]
    Outside,
    /// Nothing in it can be seen.
    #[error("the message is empty")]
    Empty,
    /// It is longer than [`visavis_protocol::limits::CHAT_BYTES`].
    #[error("the message is too long")]
    TooLong,
    /// Too many messages in a short time.
    #[error("too many messages at once")]
    TooFast,
    /// Who it is for is not there.
    #[error("the addressee is not in the call")]
    Gone,
}
