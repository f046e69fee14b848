//! The signaling connection: one socket at a time, heartbeats, and coming back.
//!
//! ```text
//! Idle ──want──▶ Connecting ──opened──▶ Open
//!                    ▲  │ closed, late     │ closed, silent
//!                    │  ▼                  │
//!                   Waiting ◀──────────────┘
//! ```

use alloc::collections::VecDeque;
use core::time::Duration;

use visavis_protocol::message::DecodeError;
use visavis_protocol::{ClientMessage, CloseCode, ServerMessage, VERSIONS, limits};

use crate::command::Command;
use crate::config::Randomness;
use crate::event::SocketEvent;
use crate::id::{Ids, SocketId};
use crate::time::Timestamp;
use crate::view::SignalingState;

/// How long a socket may take to open. A connection attempt that hangs longer has met a black hole.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection attempt may take before a sign of the network's return replaces it.
const STALE_AFTER: Duration = Duration::from_secs(1);
/// An open socket that lived this long was healthy: the next loss starts the retries anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// Longest waits before the first retries; the actual wait is random below it, so that a thousand
/// clients of one server do not come back as one (F11).
const RETRIES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(1200),
    Duration::from_millis(2700),
    Duration::from_millis(4800),
];
/// Retries after which the pace slows down. It never stops while somebody wants the connection (F24).
const SLOW_AFTER: u32 = 10;
/// Longest time that a draining server may keep us away.
const RETURN_WITHIN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Connecting {
        socket: SocketId,
        since: Timestamp,
    },
    Open {
        socket: SocketId,
        since: Timestamp,
        heard: Timestamp,
        sent: Timestamp,
        greeted: bool,
    },
    Waiting {
        until: Timestamp,
    },
}

/// What the rest of the core must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The socket can be written to; `hello` has left. Say what you want without waiting.
    Opened,
    /// The server wrote something.
    Message(ServerMessage),
    /// The socket is gone; another try will come by itself.
    Lost,
    /// The socket is gone and must not come back by itself.
    Ended(CloseCode),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    state: State,
    attempt: u32,
    return_at: Option<Timestamp>,
    hidden: bool,
}

impl Session {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Idle,
            attempt: 0,
            return_at: None,
            hidden: false,
        }
    }

    pub(crate) const fn view(&self) -> SignalingState {
        match self.state {
            State::Idle => SignalingState::Idle,
            State::Connecting { .. } | State::Open { greeted: false, .. } => SignalingState::Connecting,
            State::Open { .. } => SignalingState::Online,
            State::Waiting { until } => SignalingState::Waiting { retry_at: until },
        }
    }

    /// Whether something written now goes out.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Wants the connection from now on.
    pub(crate) fn start(&mut self, now: Timestamp, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        if self.state == State::Idle {
            self.attempt = 0;
            self.connect(now, ids, commands);
        }
    }

    /// Does not want it any more.
    pub(crate) fn stop(&mut self, commands: &mut VecDeque<Command>) {
        self.detach(commands);
        self.state = State::Idle;
        self.return_at = None;
    }

    /// Writes a message if the socket is open; what must survive a lost socket is said again by the
    /// room and the couriers when the next one opens.
    pub(crate) fn send(&mut self, now: Timestamp, message: &ClientMessage, commands: &mut VecDeque<Command>) {
        if let State::Open { socket, sent, .. } = &mut self.state {
            *sent = now;
            commands.push_back(Command::Send {
                socket: *socket,
                text: message.encode(),
            });
        }
    }

    /// The tab went to the background or came back.
    pub(crate) fn handle_visibility(
        &mut self,
        now: Timestamp,
        hidden: bool,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        if self.hidden == hidden {
            return;
        }
        self.hidden = hidden;
        self.send(now, &ClientMessage::Visibility { hidden }, commands);
        if !hidden {
            self.hurry(now, ids, commands);
        }
    }

    /// A reason to believe that the network is there: waiting ends now.
    pub(crate) fn hurry(&mut self, now: Timestamp, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        self.attempt = 0;
        match self.state {
            State::Waiting { .. } => self.connect(now, ids, commands),
            // An attempt that is under way for long was made when there was no network.
            State::Connecting { since, .. } if now.since(since) >= STALE_AFTER => {
                self.detach(commands);
                self.connect(now, ids, commands);
            }
            State::Open { .. } => self.send(now, &ClientMessage::Ping {}, commands),
            State::Idle | State::Connecting { .. } => {}
        }
    }

    pub(crate) fn handle_socket(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        event: SocketEvent,
        random: &mut Randomness,
        commands: &mut VecDeque<Command>,
    ) -> Option<Happening> {
        if self.socket() != Some(socket) {
            return None;
        }
        match event {
            SocketEvent::Opened => {
                self.state = State::Open {
                    socket,
                    since: now,
                    heard: now,
                    sent: now,
                    greeted: false,
                };
                self.send(
                    now,
                    &ClientMessage::Hello {
                        versions: VERSIONS.to_vec(),
                    },
                    commands,
                );
                if self.hidden {
                    self.send(now, &ClientMessage::Visibility { hidden: true }, commands);
                }
                Some(Happening::Opened)
            }
            SocketEvent::Received(text) => self.received(now, &text),
            SocketEvent::Closed { code } => self.closed(now, code, random),
        }
    }

    fn received(&mut self, now: Timestamp, text: &str) -> Option<Happening> {
        let State::Open { heard, greeted, .. } = &mut self.state else {
            return None;
        };
        *heard = now;
        let message = match ServerMessage::decode(text) {
            Ok(message) => message,
            // A newer server may say more than this page understands.
            Err(DecodeError::UnknownKind | DecodeError::Malformed) => return None,
        };
        match &message {
            ServerMessage::Welcome { .. } => *greeted = true,
            ServerMessage::GoingAway { retry_after_ms } => {
                let wait = Duration::from_millis(*retry_after_ms).min(RETURN_WITHIN);
                self.return_at = Some(now + wait);
            }
            ServerMessage::Occupancy { .. }
            | ServerMessage::Joined { .. }
            | ServerMessage::PeerJoined { .. }
            | ServerMessage::PeerLeft { .. }
            | ServerMessage::PeerAway { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Left {}
            | ServerMessage::Pong {}
            | ServerMessage::Error { .. } => {}
        }
        Some(Happening::Message(message))
    }

    fn closed(&mut self, now: Timestamp, code: u16, random: &mut Randomness) -> Option<Happening> {
        let known = CloseCode::from_code(code);
        if let Some(code) = known.filter(|code| code.is_final()) {
            self.state = State::Idle;
            return Some(Happening::Ended(code));
        }
        let was_healthy = matches!(self.state, State::Open { since, greeted: true, .. }
            if now.since(since) >= HEALTHY_AFTER || self.return_at.is_some());
        if was_healthy {
            self.attempt = 0;
        }
        if matches!(
            known,
            Some(CloseCode::RateLimited | CloseCode::BadMessage | CloseCode::NoHello)
        ) {
            // Whatever we did wrong, doing it faster will not help.
            self.attempt = self.attempt.max(SLOW_AFTER);
        }
        self.wait(now, random);
        Some(Happening::Lost)
    }

    pub(crate) fn handle_tick(
        &mut self,
        now: Timestamp,
        ids: &mut Ids,
        random: &mut Randomness,
        commands: &mut VecDeque<Command>,
    ) -> Option<Happening> {
        match self.state {
            State::Idle => None,
            State::Waiting { until } => {
                if now >= until {
                    self.connect(now, ids, commands);
                }
                None
            }
            State::Connecting { since, .. } => {
                if now < since + OPEN_WITHIN {
                    return None;
                }
                self.detach(commands);
                self.wait(now, random);
                None
            }
            State::Open { heard, sent, .. } => {
                if now >= heard + self.patience() {
                    self.detach(commands);
                    self.attempt = 0;
                    self.wait(now, random);
                    return Some(Happening::Lost);
                }
                if now >= sent + limits::HEARTBEAT {
                    self.send(now, &ClientMessage::Ping {}, commands);
                }
                None
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Idle => None,
            State::Waiting { until } => Some(until),
            State::Connecting { since, .. } => Some(since + OPEN_WITHIN),
            State::Open { heard, sent, .. } => Some((heard + self.patience()).min(sent + limits::HEARTBEAT)),
        }
    }

    /// A hidden tab's timers run once a minute: its silence proves less.
    const fn patience(&self) -> Duration {
        if self.hidden {
            limits::DEAD_AFTER_HIDDEN
        } else {
            limits::DEAD_AFTER
        }
    }

    const fn socket(&self) -> Option<SocketId> {
        match self.state {
            State::Connecting { socket, .. } | State::Open { socket, .. } => Some(socket),
            State::Idle | State::Waiting { .. } => None,
        }
    }

    fn connect(&mut self, now: Timestamp, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let socket = ids.socket();
        self.return_at = None;
        self.state = State::Connecting { socket, since: now };
        commands.push_back(Command::OpenSocket { socket });
    }

    fn detach(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(socket) = self.socket() {
            commands.push_back(Command::CloseSocket { socket });
        }
    }

    fn wait(&mut self, now: Timestamp, random: &mut Randomness) {
        let wait = match (RETRIES.get(self.attempt as usize), self.attempt) {
            (Some(longest), _) => random.up_to(*longest),
            (None, 0..SLOW_AFTER) => Duration::from_secs(6) + random.up_to(Duration::from_secs(2)),
            (None, _) => Duration::from_secs(15) + random.up_to(Duration::from_secs(15)),
        };
        self.attempt = self.attempt.saturating_add(1);
        let until = self.return_at.take().unwrap_or(now + wait);
        self.state = State::Waiting { until };
    }
}
