//! Codes with which a signaling socket is closed (RFC 6455, section 7.4).

/// What a page writes when it goes away: closed, left, or kept aside by the browser for a way back. A page
/// cannot write 1001 itself, as a browser does for it, and one that is kept aside keeps its sockets open.
pub const PAGE_GONE: u16 = 4001;

/// Why the server closed a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The client left.
    Normal = 1000,
    /// A frame broke the WebSocket protocol.
    ProtocolError = 1002,
    /// A binary frame: this channel speaks text.
    Unsupported = 1003,
    /// A text frame that is not UTF-8.
    NotUtf8 = 1007,
    /// A message over [`crate::limits::MESSAGE_BYTES`].
    TooBig = 1009,
    /// The server is being restarted; come back after the time it named.
    Restart = 1012,
    /// The client reads too slowly, or the node is full. Resuming is welcome.
    TryAgainLater = 1013,
    /// What was said breaks the protocol beyond an error reply.
    BadMessage = 4400,
    /// No `hello` in time, or something else first.
    NoHello = 4401,
    /// No common protocol version. Reloading the page brings the right one.
    Version = 4402,
    /// Nothing was heard for too long.
    Silent = 4408,
    /// Another socket took this session over.
    Superseded = 4409,
    /// The seat was taken by a newer join of the same tab or person.
    SeatMoved = 4410,
    /// Far too many messages, connections or failures.
    RateLimited = 4429,
}

impl CloseCode {
    /// Every code, for tables in documents and tests.
    pub const ALL: &'static [Self] = &[
        Self::Normal,
        Self::ProtocolError,
        Self::Unsupported,
        Self::NotUtf8,
        Self::TooBig,
        Self::Restart,
        Self::TryAgainLater,
        Self::BadMessage,
        Self::NoHello,
        Self::Version,
        Self::Silent,
        Self::Superseded,
        Self::SeatMoved,
        Self::RateLimited,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The documented meaning of a number, if it has one.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// Whether a client must not come back by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Normal | Self::Version | Self::Superseded | Self::SeatMoved
        )
    }
}
