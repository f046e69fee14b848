//! A crowd that speaks our protocol: says hello, joins rooms of two.

use std::path::Path;

use anyhow::{Context, Result, bail};
use visavis_protocol::{ClientMessage, PeerId, RoomId, SeatSecret, SessionSecret, VERSIONS};

use super::crowd::{Crowd, Heard, Target};
use super::frame;
use crate::server::Server;

/// The path of the signaling socket.
const PATH: &str = "/ws";

/// A server of ours on the loopback interface, and where a crowd finds it.
///
/// # Errors
/// If it does not come up.
pub fn start(path: &Path) -> Result<(Server, Target)> {
    let server = Server::start(path, "127.0.0.1", &[], &[])?;
    let target = Target {
        address: server.address.parse().context("the server's address")?,
        path: PATH.into(),
        names_pair: false,
        greeting: Some(frame::text(
            ClientMessage::Hello {
                versions: VERSIONS.to_vec(),
            }
            .encode()
            .as_bytes(),
        )),
    };
    Ok((server, target))
}

/// Lets clients take seats, two to a room, and waits until all have theirs.
///
/// # Errors
/// If anybody is refused.
pub fn join(crowd: &mut Crowd, clients: std::ops::Range<usize>) -> Result<Vec<PeerId>> {
    let mut peers = Vec::with_capacity(clients.len());
    let mut frames = Vec::with_capacity(clients.len());
    for client in clients.clone() {
        let session = SessionSecret::from_bytes(random());
        peers.push(session.peer_id());
        let join = ClientMessage::Join {
            room: RoomId::derive(&format!("load {}", client / 2), None),
            seat: SeatSecret::from_bytes(random()),
            session,
            name: format!("Client {client}"),
            claim: visavis_protocol::Claim::default(),
        };
        frames.push(frame::text(join.encode().as_bytes()));
    }
    for (client, frame) in clients.clone().zip(&frames) {
        crowd.write(client, frame)?;
    }
    wait_for_all(crowd, "joining", clients.len(), b"{\"joined\"")?;
    Ok(peers)
}

/// Waits until an answer that begins with `mark` was heard `count` times.
fn wait_for_all(crowd: &mut Crowd, what: &str, count: usize, mark: &[u8]) -> Result<()> {
    let mut left = count;
    if left == 0 {
        return Ok(());
    }
    crowd.turn_until(what, |client, heard| match heard {
        Heard::Text(text) => {
            refuse_errors(client, text)?;
            left -= usize::from(text.starts_with(mark));
            Ok(left == 0)
        }
        Heard::Closed(code) => bail!("{what}: client {client} was closed ({code:?})"),
    })
}

/// Fails on an error reply: a load within the limits gets none.
///
/// # Errors
/// Then.
pub fn refuse_errors(client: usize, text: &[u8]) -> Result<()> {
    if text.starts_with(b"{\"error\"") {
        bail!("client {client} was told {}", String::from_utf8_lossy(text));
    }
    Ok(())
}

/// Sixteen bytes that nobody else has.
#[must_use]
pub fn random() -> [u8; 16] {
    fastrand::u128(..).to_be_bytes()
}
