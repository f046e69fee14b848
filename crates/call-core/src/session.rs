//! The signaling connection: one socket, heartbeats, and coming back.
//!
//! ```text
//! Idle ──want──▶ Connecting ──opened──▶ Open
//!                    ▲  │ closed, late     │ closed, silent
//!                    │  ▼                  │
//!                   Waiting ◀──────────────┘
//! ```
//! A socket that owes an answer, or that does not open, gets a *rival*: after a hole in the network
//! TCP may try again only seconds later, while a new connection is there at once. Whichever speaks
//! first stays; the server hands the session over to the socket that resumes it.

use alloc::collections::VecDeque;
use core::time::Duration;

use visavis_protocol::message::DecodeError;
use visavis_protocol::{ClientMessage, CloseCode, ServerMessage, VERSIONS, limits};

use crate::command::Command;
use crate::config::Randomness;
use crate::event::SocketEvent;
use crate::id::{Ids, SocketId};
use crate::time::{Timestamp, earliest};
use crate::view::SignalingState;

/// How long a socket may take to open. A connection attempt that hangs longer has met a black hole.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection attempt may take before a sign of the network's return replaces it.
const STALE_AFTER: Duration = Duration::from_secs(1);
/// How long the server may owe an answer before it is not relied upon. Any road answers sooner.
const DOUBTFUL_AFTER: Duration = Duration::from_millis(2500);
/// How long the server may owe an answer before a second socket is tried beside the first.
const RACE_AFTER: Duration = Duration::from_secs(5);
/// The same where media have stopped as well.
const RACE_IN_DOUBT_AFTER: Duration = Duration::from_millis(1200);
/// How long an attempt may hang before another one is tried beside it, and that one replaced: TCP
/// asks again after 1, 3 and 7 s, so that a new one now and then finds the network sooner.
const RIVAL_EVERY: Duration = Duration::from_secs(3);
/// An open socket that lived this long was healthy: the next loss starts the retries anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// Longest waits before retries, the last one for all that follow; the actual wait is random below
/// it, so that a thousand clients of one server do not come back as one (F11). They never stop while
/// somebody wants the connection (F24).
const RETRIES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(1200),
    Duration::from_millis(2700),
    Duration::from_millis(4800),
    Duration::from_secs(7),
];
/// Retries after which the pace slows down if nobody looks, or if it was we who did something wrong.
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
        /// Since when the server owes us an answer.
        asked: Option<Timestamp>,
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
    /// Another socket took the place of the former one, on which anything may have been lost.
    Reopened,
    /// The socket is gone and must not come back by itself.
    Ended(CloseCode),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    state: State,
    /// A second attempt, and since when.
    rival: Option<(SocketId, Timestamp)>,
    /// When the last rival was begun, whatever became of it.
    raced_at: Option<Timestamp>,
    attempt: u32,
    /// Whether the server threw us out for something that being quick would only make worse.
    is_scolded: bool,
    return_at: Option<Timestamp>,
    hidden: bool,
}

impl Session {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Idle,
            rival: None,
            raced_at: None,
            attempt: 0,
            is_scolded: false,
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

    /// Whether what is written now can be relied upon to arrive: no answer is overdue.
    pub(crate) fn is_sure(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Open { asked, .. }
            if asked.is_none_or(|asked| now.since(asked) < DOUBTFUL_AFTER))
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
        self.drop_rival(commands);
        self.detach(commands);
        self.state = State::Idle;
        self.return_at = None;
    }

    /// Writes a message if the socket is open; what must survive a lost socket is said again by the
    /// room and the couriers when the next one opens.
    pub(crate) fn send(&mut self, now: Timestamp, message: &ClientMessage, commands: &mut VecDeque<Command>) {
        if let State::Open {
            socket, sent, asked, ..
        } = &mut self.state
        {
            *sent = now;
            if matches!(message, ClientMessage::Ping {} | ClientMessage::Hello { .. }) {
                asked.get_or_insert(now);
            }
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
                self.drop_rival(commands);
                self.detach(commands);
                self.connect(now, ids, commands);
            }
            State::Open {
                asked: Some(asked), ..
            } => {
                let stale = self.raced_at.is_none_or(|at| now.since(at) >= STALE_AFTER);
                if stale && now.since(asked) >= STALE_AFTER {
                    self.race(now, ids, commands);
                }
            }
            State::Open { asked: None, .. } => self.probe(now, ids, commands),
            State::Idle | State::Connecting { .. } => {}
        }
    }

    /// A reason to doubt the network: asks for a sign of life, and tries another socket soon if there
    /// is none. An address that has changed takes its sockets along without a word.
    pub(crate) fn probe(&mut self, now: Timestamp, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        match self.state {
            State::Open { asked: None, .. } => self.send(now, &ClientMessage::Ping {}, commands),
            State::Open {
                asked: Some(asked), ..
            } => {
                let has_raced = self.raced_at.is_some_and(|at| now.since(at) < RIVAL_EVERY);
                if !has_raced && now.since(asked) >= RACE_IN_DOUBT_AFTER {
                    self.race(now, ids, commands);
                }
            }
            State::Idle | State::Connecting { .. } | State::Waiting { .. } => {}
        }
    }

    /// Tries another socket beside the present one, in place of a rival that there may be.
    fn race(&mut self, now: Timestamp, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        self.drop_rival(commands);
        let socket = ids.socket();
        self.rival = Some((socket, now));
        self.raced_at = Some(now);
        commands.push_back(Command::OpenSocket { socket });
    }

    fn drop_rival(&mut self, commands: &mut VecDeque<Command>) {
        if let Some((socket, _)) = self.rival.take() {
            commands.push_back(Command::CloseSocket { socket });
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
        if self.rival.is_some_and(|(rival, _)| rival == socket) {
            return match event {
                SocketEvent::Opened => Some(self.rival_opened(now, socket, commands)),
                // It said nothing yet, for it was not greeted: it never opened.
                SocketEvent::Received(_) | SocketEvent::Closed { .. } => {
                    self.rival = None;
                    None
                }
            };
        }
        if self.socket() != Some(socket) {
            return None;
        }
        match event {
            SocketEvent::Opened => {
                self.drop_rival(commands);
                self.opened(now, socket, commands);
                Some(Happening::Opened)
            }
            SocketEvent::Received(text) => self.received(now, &text, commands),
            SocketEvent::Closed { code } => self.closed(now, code, random),
        }
    }

    /// The second attempt was quicker than the first one's answer.
    fn rival_opened(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        commands: &mut VecDeque<Command>,
    ) -> Happening {
        self.rival = None;
        let was_open = self.is_open();
        self.detach(commands);
        self.opened(now, socket, commands);
        if was_open {
            Happening::Reopened
        } else {
            Happening::Opened
        }
    }

    fn opened(&mut self, now: Timestamp, socket: SocketId, commands: &mut VecDeque<Command>) {
        self.state = State::Open {
            socket,
            since: now,
            heard: now,
            sent: now,
            asked: None,
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
    }

    fn received(
        &mut self,
        now: Timestamp,
        text: &str,
        commands: &mut VecDeque<Command>,
    ) -> Option<Happening> {
        // Whatever it is: the first socket lives.
        self.drop_rival(commands);
        let State::Open {
            heard,
            greeted,
            asked,
            ..
        } = &mut self.state
        else {
            return None;
        };
        *heard = now;
        *asked = None;
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
            | ServerMessage::People(_)
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
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
            self.is_scolded = false;
        }
        if matches!(
            known,
            Some(CloseCode::RateLimited | CloseCode::BadMessage | CloseCode::NoHello)
        ) {
            // Whatever we did wrong, doing it faster will not help.
            self.attempt = self.attempt.max(SLOW_AFTER);
            self.is_scolded = true;
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
                if now >= since + OPEN_WITHIN {
                    self.detach(commands);
                    self.wait(now, random);
                } else if now >= self.race_at(since + RIVAL_EVERY) {
                    self.race(now, ids, commands);
                }
                None
            }
            State::Open {
                heard, sent, asked, ..
            } => {
                if now >= heard + self.patience() {
                    self.detach(commands);
                    self.attempt = 0;
                    self.wait(now, random);
                    return Some(Happening::Lost);
                }
                if now >= sent + limits::HEARTBEAT {
                    self.send(now, &ClientMessage::Ping {}, commands);
                }
                if asked.is_some_and(|asked| now >= self.race_at(asked + RACE_AFTER)) {
                    self.race(now, ids, commands);
                }
                None
            }
        }
    }

    /// When another socket is due beside the present one, given when the first would be.
    fn race_at(&self, first: Timestamp) -> Timestamp {
        self.raced_at.map_or(first, |at| first.max(at + RIVAL_EVERY))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Idle => None,
            State::Waiting { until } => Some(until),
            State::Connecting { since, .. } => {
                Some((since + OPEN_WITHIN).min(self.race_at(since + RIVAL_EVERY)))
            }
            State::Open {
                heard, sent, asked, ..
            } => earliest(
                Some((heard + self.patience()).min(sent + limits::HEARTBEAT)),
                asked.map(|asked| self.race_at(asked + RACE_AFTER)),
            ),
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

    /// Comes back later, or goes on with the rival, which is under way already.
    fn wait(&mut self, now: Timestamp, random: &mut Randomness) {
        if let Some((socket, since)) = self.rival.take() {
            self.state = State::Connecting { socket, since };
            return;
        }
        let is_slow = self.attempt >= SLOW_AFTER && (self.hidden || self.is_scolded);
        let wait = match (RETRIES.get(self.attempt as usize), RETRIES) {
            _ if is_slow => Duration::from_secs(15) + random.up_to(Duration::from_secs(15)),
            (Some(longest), _) => random.up_to(*longest),
            (None, [.., longest]) => random.up_to(longest),
        };
        self.attempt = self.attempt.saturating_add(1);
        let until = self.return_at.take().unwrap_or(now + wait);
        self.state = State::Waiting { until };
    }
}
