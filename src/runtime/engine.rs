//! The engine: queue, drain, execution of commands.

use std::rc::Rc;

use leptos::prelude::Set;
use visavis_call_core::{CaptureKind, Intent, LinkId, Slot, VisitId};
use visavis_protocol::text::TextError;
use web_sys::{HtmlMediaElement, MediaStream};

use super::store::Store;
use crate::route::{LinkError, RoomLink, Route};

/// See the module's documentation.
pub(super) struct Engine {
    store: Store,
}

#[expect(clippy::unused_self, reason = "filled in with the next change")]
impl Engine {
    pub(super) fn start(store: Store) -> Rc<Self> {
        Rc::new(Self { store })
    }
    pub(super) fn shutdown(&self) {}
    pub(super) fn navigate(&self, route: &Route) {
        self.store.route.set(route.clone());
    }
    pub(super) fn origin(&self) -> String {
        String::new()
    }
    pub(super) fn enter_room(&self, _link: &RoomLink) -> VisitId {
        VisitId(1)
    }
    pub(super) fn intend(&self, _intent: Intent) {}
    pub(super) fn join(&self, name: &str) -> Result<(), TextError> {
        visavis_protocol::text::check_name(name)
    }
    pub(super) fn new_room(&self) -> RoomLink {
        unimplemented!()
    }
    pub(super) fn room_from_input(&self, text: &str) -> Result<RoomLink, LinkError> {
        RoomLink::from_input(text, "", str::to_owned)
    }
    pub(super) fn want(&self, _kind: CaptureKind, _on: bool) {}
    pub(super) fn choose_device(&self, _kind: CaptureKind, _device: Option<String>) {}
    pub(super) fn stream(&self, _link: LinkId, _slot: Slot) -> Option<MediaStream> {
        None
    }
    pub(super) fn watch_level(&self, _on: bool) {}
    pub(super) fn can_choose_speaker(&self) -> bool {
        false
    }
    pub(super) fn choose_speaker(&self, _device: Option<String>) {}
    pub(super) fn play_test_sound(&self) {}
    pub(super) fn unblock_playback(&self) {}
    pub(super) fn play(&self, _element: &HtmlMediaElement) {}
    pub(super) fn remembered_name(&self) -> String {
        String::new()
    }
    pub(super) fn remember_room(&self, _link: &RoomLink) {}
    pub(super) fn forget_room(&self, _link: &RoomLink) {}
    pub(super) fn copy(&self, _text: &str, done: impl FnOnce(bool) + 'static) {
        done(false);
    }
    pub(super) fn ready(&self) {}
}
