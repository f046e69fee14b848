//! The floor: the least that a page with a call can be, and the least server for it.
//!
//! What it costs, in bytes, milliseconds and CPU, is what the browser asks for; what we cost beside
//! it, in the same run, is our own doing. It checks nothing and repairs nothing.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::lab::Host;
use crate::program::Program;

const PAGE: &str = include_str!("page.html");
const READY: &str = "The floor is ready at http://";
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The longest request head that is looked for.
const HEAD_BYTES: usize = 8 * 1024;

/// The server in a process of its own, so that it can be in a namespace.
pub struct Floor {
    /// `address:port`.
    pub address: String,
    _program: Program,
}

impl Floor {
    /// Starts it on a host.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(host: &Host) -> Result<Self> {
        let own = std::env::current_exe().context("our own path")?;
        let mut command = host.command(own.to_str().context("our own path is not UTF-8")?);
        command
            .args(["floor", "--listen"])
            .arg(format!("{}:0", host.address));
        command.stderr(Stdio::inherit());
        let (program, address) = Program::start_until(&mut command, READY, READY_WITHIN)?;
        Ok(Self {
            address,
            _program: program,
        })
    }
}

/// News for the one thread that knows who is in which room.
enum News {
    Came(u64, String, TcpStream),
    Said(u64, Value),
    Left(u64),
}

/// Serves until ended.
///
/// # Errors
/// If the address cannot be had.
pub fn serve(listen: &str) -> Result<()> {
    let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen at {listen}"))?;
    println!("{READY}{}", listener.local_addr()?);
    let (news, inbox) = mpsc::channel();
    std::thread::spawn(move || relay(&inbox));
    for (id, stream) in (1..).zip(listener.incoming()) {
        let (stream, news) = (stream?, news.clone());
        std::thread::spawn(move || {
            // A browser that goes away in the middle is no fault of ours.
            answer(id, stream, &news).ok();
            news.send(News::Left(id)).ok();
        });
    }
    Ok(())
}

fn answer(id: u64, mut stream: TcpStream, news: &Sender<News>) -> Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let head = peek_head(&stream)?;
        let path = head.split(' ').nth(1).context("no path")?.to_owned();
        if let Some(room) = path.strip_prefix("/ws") {
            let out = stream.try_clone()?;
            let mut socket = tungstenite::accept(stream).context("the upgrade failed")?;
            news.send(News::Came(id, room.to_owned(), out))?;
            while let Ok(message) = socket.read() {
                if let Message::Text(text) = message {
                    news.send(News::Said(id, serde_json::from_str(&text)?))?;
                }
            }
            return Ok(());
        }
        stream.read_exact(&mut vec![0; head.len()])?;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{PAGE}",
            PAGE.len()
        )?;
    }
}

/// The request's head, left where it is: the upgrade wants to read it again.
fn peek_head(stream: &TcpStream) -> Result<String> {
    let mut buffer = [0; HEAD_BYTES];
    loop {
        let count = stream.peek(&mut buffer)?;
        let head = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if let Some(end) = head.find("\r\n\r\n") {
            return Ok(head[..end + 4].to_owned());
        }
        anyhow::ensure!(count > 0 && count < HEAD_BYTES, "no request");
        // The rest of a head that was cut is on its way.
        std::thread::yield_now();
    }
}

struct Person {
    room: String,
    has_joined: bool,
    socket: WebSocket<TcpStream>,
}

/// Tells everybody who has joined, and hands messages on.
fn relay(inbox: &mpsc::Receiver<News>) {
    let mut people: BTreeMap<u64, Person> = BTreeMap::new();
    for news in inbox {
        let room = match news {
            News::Came(id, room, stream) => {
                let socket = WebSocket::from_raw_socket(stream, tungstenite::protocol::Role::Server, None);
                let person = Person {
                    room: room.clone(),
                    has_joined: false,
                    socket,
                };
                people.insert(id, person);
                tell(&mut people, &room, Some(id));
                continue;
            }
            News::Said(id, mut message) => {
                let to = message.get("to").and_then(Value::as_u64);
                if let (Some(to), Some(object)) = (to, message.as_object_mut()) {
                    object.remove("to");
                    object.insert("from".into(), json!(id));
                    if let Some(person) = people.get_mut(&to) {
                        person.say(&message);
                    }
                    continue;
                }
                let Some(person) = people.get_mut(&id) else {
                    continue;
                };
                person.has_joined = true;
                person.room.clone()
            }
            News::Left(id) => match people.remove(&id) {
                Some(person) => person.room,
                None => continue,
            },
        };
        tell(&mut people, &room, None);
    }
}

/// Tells the members of a room to one person, or to all who have not joined yet.
fn tell(people: &mut BTreeMap<u64, Person>, room: &str, only: Option<u64>) {
    let in_room = |person: &Person| person.room == room;
    let members: Vec<u64> = people
        .iter()
        .filter(|(_, person)| in_room(person) && person.has_joined)
        .map(|(id, _)| *id)
        .collect();
    for (id, person) in people.iter_mut().filter(|(_, person)| in_room(person)) {
        if only == Some(*id) || (only.is_none() && !person.has_joined) {
            person.say(&json!({ "members": members }));
        }
    }
}

impl Person {
    fn say(&mut self, message: &Value) {
        // One who cannot be written to will be heard of by the end of their reading.
        self.socket.send(Message::text(message.to_string())).ok();
    }
}
