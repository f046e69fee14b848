//! A member of a room without a browser: speaks the protocol, has no media.
//!
//! Eight browsers to fill a room would be eight times the machine; the server cannot tell.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use visavis_protocol::limits::HEARTBEAT;
use visavis_protocol::{ClientMessage, RoomId, SeatSecret, ServerMessage, SessionSecret, VERSIONS};

use crate::page::Room;
use crate::stage::Stage;

/// A seat taken; dropping it loses the socket, as a cut network does.
pub struct Member {
    task: JoinHandle<()>,
    leaving: Option<oneshot::Sender<()>>,
}

impl Member {
    /// Takes a seat in a room and keeps it.
    ///
    /// # Errors
    /// If the server does not give it.
    pub async fn join(stage: &Stage, room: &Room, name: &str) -> Result<Self> {
        let mut request = stage.socket_url().into_client_request()?;
        request.headers_mut().insert("Origin", stage.origin().parse()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        let secret = room.secret.as_deref().map(str::parse).transpose()?;
        for message in [
            ClientMessage::Hello {
                versions: VERSIONS.to_vec(),
            },
            ClientMessage::Join {
                room: RoomId::derive(&room.name, secret.as_ref()),
                seat: SeatSecret::from_bytes(random()),
                session: SessionSecret::from_bytes(random()),
                name: name.to_owned(),
                claim: visavis_protocol::Claim::default(),
            },
        ] {
            socket.send(Message::text(message.encode())).await?;
        }
        let seated = tokio::time::timeout(Duration::from_secs(5), seated(&mut socket));
        seated
            .await
            .context("the server does not answer a member's join")??;
        let (leaving, mut left) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(HEARTBEAT / 2);
            loop {
                tokio::select! {
                    message = socket.next() => if !matches!(message, Some(Ok(_))) { return },
                    _ = beat.tick() => {
                        let ping = Message::text(ClientMessage::Ping {}.encode());
                        if socket.send(ping).await.is_err() { return }
                    }
                    told = &mut left => {
                        if told.is_ok() {
                            let leave = Message::text(ClientMessage::Leave {}.encode());
                            socket.send(leave).await.ok();
                        }
                        return;
                    }
                }
            }
        });
        Ok(Self {
            task,
            leaving: Some(leaving),
        })
    }

    /// Gives the seat up.
    pub fn leave(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            leaving.send(()).ok();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads until the seat is given or refused.
async fn seated(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<()> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        match ServerMessage::decode(&text)? {
            ServerMessage::Joined { .. } => return Ok(()),
            ServerMessage::Error { code, .. } => bail!("the server refuses a member: {code}"),
            ServerMessage::Welcome { .. }
            | ServerMessage::Occupancy { .. }
            | ServerMessage::PeerJoined { .. }
            | ServerMessage::PeerLeft { .. }
            | ServerMessage::PeerAway { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Left {}
            | ServerMessage::People(_)
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
            | ServerMessage::Pong {}
            | ServerMessage::GoingAway { .. } => {}
        }
    }
    bail!("the server closes a member's socket")
}

/// Sixteen bytes that no other member has.
pub(crate) fn random() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; 16];
    for half in bytes.chunks_mut(8) {
        half.copy_from_slice(&RandomState::new().hash_one(0_u8).to_le_bytes());
    }
    bytes
}
