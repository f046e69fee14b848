//! Passes: how somebody who was let in shows it, to a server that kept nothing of it.
//!
//! A pass is a code over the room's id and the seat's. It is good for this seat in this room alone, also
//! after a restart of the server, and void under the id that the room has after somebody was removed.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use visavis_protocol::id::ID_BYTES;
use visavis_protocol::{Pass, RoomId, SeatId};

/// What passes are made with. The same at each start of a server, or passes end with it.
#[derive(Clone, Copy, Default)]
pub struct PassKey(pub [u8; 32]);

impl core::fmt::Debug for PassKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PassKey(…)")
    }
}

impl PassKey {
    /// `HMAC-SHA256(key, "visavis1/pass" || room id || seat id)`, not yet cut to a pass.
    fn code(&self, room: &RoomId, seat: SeatId) -> Option<Hmac<Sha256>> {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(b"visavis1/pass");
        // The ids of rooms with a host are all of one length.
        mac.update(room.as_str().as_bytes());
        mac.update(seat.as_bytes());
        Some(mac)
    }

    /// The pass of a seat for a room.
    pub(super) fn make(&self, room: &RoomId, seat: SeatId) -> Option<Pass> {
        let code = self.code(room, seat)?.finalize().into_bytes();
        let mut bytes = [0; ID_BYTES];
        bytes.copy_from_slice(&code[..ID_BYTES]);
        Some(Pass::from_bytes(bytes))
    }

    /// Whether a pass is this seat's for this room. Takes the same time whichever byte is wrong.
    pub(super) fn is_good(&self, pass: Pass, room: &RoomId, seat: SeatId) -> bool {
        self.code(room, seat)
            .is_some_and(|code| code.verify_truncated_left(pass.as_bytes()).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_one_seat_s_for_one_room_of_one_server() {
        let room = |n: u8| -> RoomId {
            let id = SeatId::from_bytes([n; 16]).to_text();
            format!("h.{id}.{id}").parse().unwrap()
        };
        let seat = |n| SeatId::from_bytes([n; 16]);
        let key = PassKey([7; 32]);
        let pass = key.make(&room(1), seat(1)).unwrap();
        assert!(key.is_good(pass, &room(1), seat(1)));
        assert!(
            PassKey([7; 32]).is_good(pass, &room(1), seat(1)),
            "after a restart"
        );
        assert!(!key.is_good(pass, &room(2), seat(1)));
        assert!(!key.is_good(pass, &room(1), seat(2)));
        assert!(!PassKey([8; 32]).is_good(pass, &room(1), seat(1)));
        for at in 0..ID_BYTES {
            let mut bytes = *pass.as_bytes();
            bytes[at] ^= 1;
            assert!(!key.is_good(Pass::from_bytes(bytes), &room(1), seat(1)), "{at}");
        }
        assert_eq!(format!("{key:?}"), "PassKey(…)");
    }
}
