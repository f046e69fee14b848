//! Every limit of the wire, with its reason. The server enforces them; honest clients keep within.

use core::time::Duration;

/// A WebSocket message. The largest honest one is an offer of 10 to 30 kB.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// A message before `hello`: nothing honest is longer, and the sender is not known yet.
pub const FIRST_MESSAGE_BYTES: usize = 4 * 1024;
/// From the upgrade to `hello`; then the socket is closed with 4401.
pub const FIRST_MESSAGE_WITHIN: Duration = Duration::from_secs(5);
/// The request head of an HTTP request, in bytes.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;
/// From accepting a connection to the end of its request head.
pub const HTTP_HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Characters of a display name, in normalization form C.
pub const NAME_CHARS: usize = 64;
/// Characters of a room's name.
pub const ROOM_NAME_CHARS: usize = 64;
/// Bytes of the opaque body of a relayed packet. Leaves room for the frame around it.
pub const BODY_BYTES: usize = MESSAGE_BYTES - 1024;
/// Bytes of a session description.
pub const SDP_BYTES: usize = 48 * 1024;
/// Media sections of a session description.
pub const SDP_MEDIA_SECTIONS: usize = 16;
/// Candidates held for one ICE generation of one peer; more are dropped.
pub const CANDIDATES_PER_GENERATION: usize = 64;
/// Bytes of one candidate line.
pub const CANDIDATE_BYTES: usize = 1024;
/// How long a candidate waits for the description that it belongs to.
pub const CANDIDATE_HELD_FOR: Duration = Duration::from_secs(45);
/// Window in which a client gathers candidates into one packet after the first.
pub const CANDIDATE_BATCH: Duration = Duration::from_millis(50);

/// Characters of a handle, at least.
pub const HANDLE_CHARS_LEAST: usize = 3;
/// Characters of a handle, at most.
pub const HANDLE_CHARS: usize = 32;
/// Handles that one address may take a minute: a class behind one line, and no harvest of names.
pub const HANDLES_PER_MINUTE: u32 = 30;
/// Handles that one server keeps. It has all of them in memory, a few hundred bytes each.
pub const HANDLES: usize = 1_000_000;
/// Bytes of a token that proves a handle. One with an RSA signature is half as long.
pub const TOKEN_BYTES: usize = 2 * 1024;
/// How far ahead a token may end: it is for one sign-in, not for a year.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clocks of two machines may differ where a token is judged.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(30);
/// Contacts of one person, and as many who are blocked.
pub const CONTACTS: usize = 500;
/// Pages of one person that are open at once.
pub const PAGES_PER_PERSON: usize = 8;
/// Browsers that may prove one handle.
pub const KEYS_PER_PERSON: usize = 8;
/// How long a code for another browser is good.
pub const CODE_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Bytes of what a caller tells who takes the call.
pub const INVITE_BYTES: usize = 512;
/// From the call to the first page that shows it; then the callee is unreachable.
pub const ACK_WITHIN: Duration = Duration::from_secs(2);
/// How long a call rings.
pub const RINGS_FOR: Duration = Duration::from_secs(45);
/// How long a call that ended is known: what comes late finds it (F6).
pub const ENDED_CALLS_FOR: Duration = Duration::from_secs(60);
/// How long a call that was taken stands without one of its two pages: as long as a seat (S4).
pub const CALL_WINDOW: Duration = RESUME_WINDOW;
/// Between two calls of one person to the same one.
pub const RING_EVERY: Duration = Duration::from_secs(5);
/// Calls of one person in a minute.
pub const RINGS_PER_MINUTE: u32 = 10;
/// After so long hidden all over, a person is away.
pub const AWAY_AFTER: Duration = Duration::from_secs(5 * 60);
/// How long somebody without a page is not yet offline: a page is loaded anew in less.
pub const OFFLINE_AFTER: Duration = Duration::from_millis(1500);
/// Missed calls that are kept for one person.
pub const MISSED_CALLS: usize = 100;
/// And for so long.
pub const MISSED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Bytes of a reaction.
pub const REACTION_BYTES: usize = 256;
/// Reactions a second that one person may send, as many as chat messages.
pub const REACTIONS_PER_SECOND: u32 = 3;
/// Burst allowance beside [`REACTIONS_PER_SECOND`].
pub const REACTIONS_BURST: u32 = 10;
/// The same for what is taken from somebody: an honest burst may arrive behind the one before it.
pub const REACTIONS_BURST_TAKEN: u32 = 2 * REACTIONS_BURST;

/// Bytes of a chat message.
pub const CHAT_BYTES: usize = 4 * 1024;
/// Chat messages a second that one person may send.
pub const CHAT_PER_SECOND: u32 = 3;
/// Burst allowance beside [`CHAT_PER_SECOND`].
pub const CHAT_BURST: u32 = 10;
/// The same for what is taken from somebody: an honest burst may arrive behind the one before it.
pub const CHAT_BURST_TAKEN: u32 = 2 * CHAT_BURST;
/// Bytes of one message on the chat channel: room for the longest text, every character of it escaped,
/// and small enough not to hold up what follows.
pub const CHAT_FRAME_BYTES: usize = 32 * 1024;
/// Messages told to somebody who asks what was said, the newest: more than anybody reads.
pub const CHAT_PAST: usize = 500;
/// Bytes of text in one such answer.
pub const CHAT_PAST_BYTES: usize = 1024 * 1024;
/// Frames and messages that are taken as the answer to one question. An honest answer has as many
/// frames as messages at most, and one that ends it.
pub const CHAT_PAST_TAKEN: usize = 2 * CHAT_PAST + 1;
/// Authors' sessions that a question names as known, those heard of last; fits into a frame.
pub const CHAT_KNOWN: usize = 256;
/// Silence after which somebody who was asked for others' words is given up for the next one.
pub const CHAT_ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Pause between two questions that are answered to one person; each may cost a whole answer.
pub const CHAT_ASKED_EVERY: Duration = Duration::from_secs(5);
/// Burst allowance beside [`CHAT_ASKED_EVERY`]: a connection that is cut and comes back asks again.
pub const CHAT_ASKED_BURST: u32 = 4;
/// Messages that a tab keeps: a day of busy talk.
pub const CHAT_KEPT: usize = 10_000;
/// Bytes of text and names that a tab keeps of them.
pub const CHAT_KEPT_BYTES: usize = 8 * 1024 * 1024;
/// How far a message may be ahead of all before it, in the order of the chat, for others to follow it.
/// Nobody writes so many; and the numbers never end.
pub const CHAT_AHEAD: u32 = 1 << 20;
/// Combining marks in a row on one letter: more than any script stacks, and no tower over other lines.
pub const MARKS_IN_A_ROW: usize = 4;

/// Bytes of one binary message of a transfer: every browser takes so much at once (F23, Galène).
pub const CHUNK_BYTES: usize = 16 * 1024;
/// Bytes of a transfer that are hashed, stored and asked for together. A cut costs one of them.
pub const BLOCK_BYTES: u32 = 1024 * 1024;
/// Bytes waiting in a pipe above which its sender rests; browsers close a channel at 16 MiB.
pub const PIPE_FULL_BYTES: u32 = 1024 * 1024;
/// Bytes waiting in a pipe at which its sender goes on.
pub const PIPE_LOW_BYTES: u32 = 256 * 1024;
/// Transfers that run at once between two people, each way; the others wait for their turn.
pub const TRANSFERS_AT_ONCE: usize = 3;
/// Offers that may wait for one person's answer; more from the same sender are refused.
pub const OFFERS_WAITING: usize = 32;
/// Transfers with one person of whom something is known, those that are over included.
pub const TRANSFERS_PER_PERSON: usize = 64;
/// The same for all people together: nobody keeps others from being heard by coming as many.
pub const TRANSFERS: usize = 256;
/// Blocks that a sender may be ahead of what the receiver has verified and stored: one is stored while
/// the next comes. What both ends hold in memory grows with it, and what a cut costs.
pub const BLOCKS_AHEAD: u32 = 2;
/// Messages on the `files` channel a second that are taken from one person.
pub const FILES_FRAMES_PER_SECOND: u32 = 20;
/// Burst allowance beside [`FILES_FRAMES_PER_SECOND`]: two people who meet again tell each other how
/// every transfer of theirs stands, up to three things of each.
pub const FILES_FRAMES_BURST: u32 = 4 * TRANSFERS_PER_PERSON as u32;
/// Files in one transfer.
pub const TRANSFER_FILES: usize = 1000;
/// Bytes of one transfer. Larger than any file system of a phone gives a page; keeps what is known
/// of its blocks (32 bytes each) within half a megabyte.
pub const TRANSFER_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes of one transfer where a browser cannot keep it on disk.
pub const TRANSFER_BYTES_IN_MEMORY: u64 = 256 * 1024 * 1024;
/// Characters of one part of a file's path, and of a folder's name.
pub const FILE_NAME_CHARS: usize = 120;
/// Folders that a file may be in.
pub const FILE_DEPTH: usize = 16;
/// Bytes of one message on the `files` channel: a folder of a thousand files with long names.
pub const FILES_FRAME_BYTES: usize = 128 * 1024;
/// Bytes of one text message on a pipe.
pub const PIPE_FRAME_BYTES: usize = 1024;

/// How far the place of a raised hand may be behind the one before it, for others to queue up behind it.
/// No call raises so many hands while one stays up; and the numbers never end.
pub const HANDS_APART: u32 = 1 << 20;

/// People in a mesh room. Uplink grows with every one: six are comfortable, eight the end.
pub const ROOM_SEATS: usize = 8;
/// People in a mesh room above which the client says that it may get rough.
pub const ROOM_SEATS_SUGGESTED: usize = 6;
/// Sockets that may watch one room from the page before joining.
pub const ROOM_WATCHERS: usize = 20;
/// Rooms in one server's memory.
pub const ROOMS: usize = 20_000;

/// People who may wait before one room.
pub const ROOM_WAITING: usize = 20;
/// Bytes of a host's word to somebody who is sent away.
pub const WORD_BYTES: usize = 256;
/// How long somebody who waits may be without a socket: through a tunnel or a reload. Who sleeps longer
/// asks anew when they wake.
pub const WAITER_WINDOW: Duration = RESUME_WINDOW;
/// Ids under which rooms were known before a removal, so that who comes by an old link is told. The oldest
/// is forgotten first.
pub const MOVED_ROOMS: usize = 10_000;
/// Seats that were sent away of which a page tells those who stay, the newest.
pub const REMOVED_TOLD: usize = 16;
/// How often the secret of one room may change, a minute.
pub const REMOVALS_PER_MINUTE: u32 = 20;
/// How often one address may have a room's secret changed, a minute: each time an id is kept of [`MOVED_ROOMS`].
pub const RENAMES_PER_ADDRESS: u32 = 60;

/// Desks that one server keeps.
pub const DESKS: usize = 10_000;
/// Appointments of one desk that are not past.
pub const APPOINTMENTS_PER_DESK: usize = 300;
/// How long an appointment stays on the desk after its end.
pub const APPOINTMENT_SHOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Minutes of an appointment, at most.
pub const APPOINTMENT_MINUTES: u16 = 12 * 60;
/// How far ahead an appointment may be: two years.
pub const APPOINTMENT_AHEAD: Duration = Duration::from_secs(2 * 366 * 24 * 60 * 60);
/// Bytes of the note of an appointment.
pub const NOTE_BYTES: usize = 1000;
/// Bytes of a time zone's name; the longest of the IANA has half as many.
pub const ZONE_BYTES: usize = 64;
/// How long before its begin the waiting room of an appointment opens.
pub const VISIT_OPENS_BEFORE: Duration = Duration::from_secs(15 * 60);
/// How long after its end a client may still come, or wait on: appointments run late.
pub const VISIT_CLOSES_AFTER: Duration = Duration::from_secs(60 * 60);
/// How long a client's link is good after the appointment's end: it says then that it is over.
pub const VISIT_LINK_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a client who lost their socket still counts as waiting; longer than a room keeps a seat, for
/// phones that sleep.
pub const VISIT_WINDOW: Duration = Duration::from_secs(90);
/// How long a desk's link is good unless the operator says otherwise.
pub const DESK_LINK_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Pages of one desk that are open at once.
pub const PAGES_PER_DESK: usize = 8;

/// Each end speaks at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(10);
/// Silence after which the other end is taken for dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(25);
/// The same for a tab that said it is hidden: browsers throttle its timers to one a minute.
pub const DEAD_AFTER_HIDDEN: Duration = Duration::from_secs(70);
/// How long a seat is kept for a session whose socket is gone.
pub const RESUME_WINDOW: Duration = Duration::from_secs(60);

/// Messages a second from one connection, and how many may come at once. An honest join of eight
/// is about 100 messages and 150 kB.
pub const MESSAGES_PER_SECOND: u32 = 30;
/// Burst allowance beside [`MESSAGES_PER_SECOND`].
pub const MESSAGES_BURST: u32 = 240;
/// Bytes a second from one connection.
pub const BYTES_PER_SECOND: u32 = 128 * 1024;
/// Burst allowance beside [`BYTES_PER_SECOND`].
pub const BYTES_BURST: u32 = 512 * 1024;
/// A connection that stays over its rate this long is closed with 4429.
pub const FLOOD_AFTER: Duration = Duration::from_secs(10);
/// WebSocket control frames (ping, pong) a connection may send a second.
pub const CONTROL_FRAMES_PER_SECOND: u32 = 10;
/// Errors a connection may cause before it is closed with 4400.
pub const ERRORS_PER_CONNECTION: u32 = 64;

/// New connections a second from one address (IPv4, or IPv6 /64).
pub const ACCEPTS_PER_SECOND: u32 = 20;
/// Burst allowance beside [`ACCEPTS_PER_SECOND`].
pub const ACCEPTS_BURST: u32 = 64;
/// Connections from one address that have not said `hello` yet.
pub const STRANGERS_PER_ADDRESS: u32 = 32;
/// Connections from one address in all: a school shares one.
pub const CONNECTIONS_PER_ADDRESS: u32 = 256;
/// Connections on one node.
pub const CONNECTIONS: usize = 50_000;
/// New joins a second from one address; resumes are not counted.
pub const JOINS_PER_SECOND: u32 = 3;
/// Burst allowance beside [`JOINS_PER_SECOND`].
pub const JOINS_BURST: u32 = 10;
/// Rooms that one address may bring to life a minute.
pub const ROOMS_PER_MINUTE: u32 = 10;
/// Failed resumes from one address before it is refused.
pub const FAILED_RESUMES: u32 = 10;
/// Window in which [`FAILED_RESUMES`] are counted.
pub const FAILED_RESUMES_WITHIN: Duration = Duration::from_secs(30 * 60);
/// How long a refused address stays refused.
pub const REFUSED_FOR: Duration = Duration::from_secs(12 * 60 * 60);
/// Addresses whose failures are remembered; the longest unseen goes first.
pub const REMEMBERED_ADDRESSES: usize = 10_000;

/// Messages waiting for one slow connection. Overflow closes it with 1013; it may resume.
pub const QUEUE_MESSAGES: usize = 256;
/// Bytes waiting for one slow connection.
pub const QUEUE_BYTES: usize = 1024 * 1024;
/// How long one write may take.
pub const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// From the wish to stop to the end of the process.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(10);
