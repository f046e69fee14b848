//! As much of a TURN client (RFC 8656) as asks for addresses and for permissions.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use stun_types::attribute::{ErrorCode, Nonce, Realm, Username};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, LongTermCredentials, Message, MessageClass, MessageType, MessageWriteVec,
    TransactionId,
};
use stun_types::prelude::{MessageWrite, MessageWriteExt};
use turn_types::AddressFamily;
use turn_types::attribute::{RequestedAddressFamily, RequestedTransport, XorPeerAddress};
use turn_types::message::{ALLOCATE, CREATE_PERMISSION};
use visavis_protocol::IceServer;

/// For one attempt.
const ATTEMPT: Duration = Duration::from_millis(100);
/// A fresh coturn needs a moment, and a busy machine longer.
const ATTEMPTS: u32 = 200;
/// "Unauthorized".
const UNAUTHORIZED: u16 = 401;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// A relayed address, held until the relay gives it up.
pub struct Allocation {
    road: Road,
    credentials: LongTermCredentials,
    realm: String,
    nonce: String,
}

/// Not connected, so that a port without a listener is silent and not an error.
struct Road {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Road {
    fn open(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(ATTEMPT)).unwrap();
        Self { socket, to }
    }

    fn ask(&self, request: &[u8]) -> Option<Vec<u8>> {
        self.ask_while(request, || true)
    }

    fn ask_while(&self, request: &[u8], goes_on: impl Fn() -> bool) -> Option<Vec<u8>> {
        let asked = Message::from_bytes(request).unwrap();
        let mut buffer = [0; 2048];
        for _ in 0..ATTEMPTS {
            if !goes_on() {
                return None;
            }
            self.socket.send_to(request, self.to).unwrap();
            if let Ok((bytes, _)) = self.socket.recv_from(&mut buffer)
                && let Ok(answer) = Message::from_bytes(&buffer[..bytes])
                && answer.transaction_id() == asked.transaction_id()
            {
                return Some(buffer[..bytes].to_vec());
            }
        }
        None
    }
}

/// Whether a server is there before one loses patience, or has a reason to.
pub fn answers_while(server: SocketAddr, goes_on: impl Fn() -> bool) -> bool {
    let request = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    Road::open(server).ask_while(&request, goes_on).is_some()
}

/// The error code of an answer, if it is one.
fn code(answer: &Message<'_>) -> Result<(), u16> {
    if answer.has_class(MessageClass::Success) {
        return Ok(());
    }
    Err(answer.attribute::<ErrorCode>().map_or(0, |error| error.code()))
}

impl Allocation {
    /// Asks for a relayed address; the error is the server's code.
    pub fn make(server: SocketAddr, with: &IceServer, family: Family) -> Result<Self, u16> {
        let mut allocation = Self {
            road: Road::open(server),
            credentials: LongTermCredentials::new(
                with.username.clone().unwrap_or_default(),
                with.credential.clone().unwrap_or_default(),
            ),
            realm: String::new(),
            nonce: String::new(),
        };
        let first = allocation.allocate(family);
        if first != Err(UNAUTHORIZED) || with.username.is_none() {
            return first.map(|()| allocation);
        }
        allocation.allocate(family).map(|()| allocation)
    }

    fn allocate(&mut self, family: Family) -> Result<(), u16> {
        let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
        request
            .add_attribute(&RequestedTransport::new(RequestedTransport::UDP))
            .unwrap();
        let family = match family {
            Family::V4 => AddressFamily::IPV4,
            Family::V6 => AddressFamily::IPV6,
        };
        request
            .add_attribute(&RequestedAddressFamily::new(family))
            .unwrap();
        self.ask(request)
    }

    /// Asks to hear from a peer; the error is the server's code.
    pub fn permit(&mut self, peer: IpAddr) -> Result<(), u16> {
        let transaction = TransactionId::generate();
        let kind = MessageType::from_class_method(MessageClass::Request, CREATE_PERMISSION);
        let mut request = Message::builder(kind, transaction, MessageWriteVec::new());
        request
            .add_attribute(&XorPeerAddress::new(SocketAddr::new(peer, 4000), transaction))
            .unwrap();
        self.ask(request)
    }

    /// Signs once the server has said how.
    fn ask(&mut self, mut request: MessageWriteVec) -> Result<(), u16> {
        if !self.nonce.is_empty() {
            request
                .add_attribute(&Username::new(self.credentials.username()).unwrap())
                .unwrap();
            request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
            request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
            let key = self.credentials.to_key(self.realm.clone()).into();
            request
                .add_message_integrity(&key, IntegrityAlgorithm::Sha1)
                .unwrap();
        }
        let bytes = self.road.ask(&request.finish()).expect("no answer");
        let answer = Message::from_bytes(&bytes).unwrap();
        if let (Ok(realm), Ok(nonce)) = (answer.attribute::<Realm>(), answer.attribute::<Nonce>()) {
            self.realm = realm.realm().to_owned();
            self.nonce = nonce.nonce().to_owned();
        }
        code(&answer)
    }
}
