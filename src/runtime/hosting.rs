//! Rooms of which this browser is the host, and links that change while one is inside.

use leptos::prelude::UpdateUntracked;
use visavis_call_core::{Hosted, View};
use visavis_protocol::{Charter, HostSecret};

use super::engine::Engine;
use super::{memory, names};
use crate::route::{RoomLink, Route};
use crate::web::{location, random};

/// A new room. What makes this browser its host is kept here and goes to the server alone.
pub(super) fn new_room(waiting_room: bool) -> RoomLink {
    let host = new_host();
    names::new_room(Charter {
        host: host.host_id(),
        waiting_room,
    })
}

/// A new host, kept in this browser.
pub(super) fn new_host() -> HostSecret {
    let host = HostSecret::from_bytes(
        random::bytes().expect("every browser that runs this has a cryptographic generator"),
    );
    memory::put_host(&host);
    host
}

/// What a link says of a room with a host, and whether that is this browser.
pub(super) fn hosted(link: &RoomLink) -> Option<Hosted> {
    let charter = link.charter()?;
    Some(Hosted {
        name: link.name().to_owned(),
        secret: link.secret()?,
        host: memory::host(charter.host),
    })
}

impl Engine {
    /// The same of the room whose page is open.
    pub(super) fn hosted(&self) -> Option<Hosted> {
        self.room.borrow().as_ref().and_then(hosted)
    }

    /// The address of the room whose page is open.
    pub(super) fn room_url(&self) -> String {
        let room = self.room.borrow();
        room.as_ref()
            .map(|link| link.url(&location::origin()))
            .unwrap_or_default()
    }

    /// Puts the room's new link in the place of the old one: in the address bar, among the recent rooms, and
    /// where a reload finds it. The page stays as it is.
    pub(super) fn follow_link(&self, view: &View) {
        let Some(secret) = view.hosting.secret else { return };
        let before = self.room.borrow().clone();
        let Some(before) = before else { return };
        let link = before.with_secret(secret);
        if link == before {
            return;
        }
        self.room.replace(Some(link.clone()));
        if !self.move_appointment(&before, &link) {
            self.forget_room(&before);
            self.remember_room(&link);
        }
        if let Some(room) = self.room_id() {
            memory::put_call_to_return_to(Some((&room, &view.me.name)));
        }
        location::replace(&link.path());
        // Without a word: the page that shows the room is the same, and would begin anew.
        self.store
            .route
            .update_untracked(|route| *route = Route::Room(link));
    }
}
