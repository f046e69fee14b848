//! What pages read: signals of the parts of the core's view, and of the few things beside it.
//!
//! Written by the engine alone. Browser objects never travel in here, but for the two preview
//! streams, which are the same objects for the page's life.

use leptos::prelude::*;
use visavis_call_core::{
    ChatView, DeskView, Device, HostingView, Me, Notice, PeopleView, Person, SignalingState, Stage, Transfer,
    View, VisitView,
};
use visavis_protocol::SeatId;
use web_sys::MediaStream;

use super::choices::Choice;
use super::memory;
use super::record::Entry;
use crate::route::{RoomLink, Route};

/// A stream of one's own to be shown, if there is one.
pub(super) type Shown = RwSignal<Option<MediaStream>, LocalStorage>;

/// Every part changes only when its value does.
#[derive(Clone, Copy)]
pub(super) struct Store {
    pub(super) route: RwSignal<Route>,
    pub(super) view: RwSignal<View>,
    pub(super) stage: Memo<Stage>,
    pub(super) signaling: Memo<SignalingState>,
    pub(super) me: Memo<Me>,
    pub(super) people: Memo<Vec<Person>>,
    pub(super) inside: Memo<Option<Vec<String>>>,
    pub(super) devices: Memo<Vec<Device>>,
    pub(super) notices: Memo<Vec<Notice>>,
    pub(super) chat: Memo<ChatView>,
    pub(super) transfers: Memo<Vec<Transfer>>,
    /// Who comes in, and by which link.
    pub(super) hosting: Memo<HostingView>,
    pub(super) others: Memo<PeopleView>,
    pub(super) desk: Memo<DeskView>,
    pub(super) visit: Memo<VisitView>,
    /// The number of the arrival at the desk that is to be told, 0 for none.
    pub(super) arrival: RwSignal<u32>,
    pub(super) has_left_visit: RwSignal<bool>,
    pub(super) record: RwSignal<Vec<Entry>>,
    pub(super) looked_at: RwSignal<u64>,
    pub(super) hides_address: Memo<bool>,
    pub(super) lacks_relay: Memo<bool>,
    pub(super) preview: Shown,
    pub(super) own_screen: Shown,
    pub(super) level: RwSignal<f64>,
    pub(super) speaker: RwSignal<Option<String>>,
    pub(super) playback_blocked: RwSignal<bool>,
    pub(super) recent: RwSignal<Vec<RoomLink>>,
    pub(super) speaking: RwSignal<Vec<SeatId>>,
    pub(super) last_speaker: RwSignal<Vec<SeatId>>,
    pub(super) choices: [RwSignal<bool>; Choice::COUNT],
    pub(super) is_elsewhere: RwSignal<bool>,
    pub(super) duplicates: RwSignal<u32>,
    /// How often the words have changed; zero until there are any.
    pub(super) speech: RwSignal<u32>,
    /// The number of a [`crate::i18n::Language`], for each kind of signal is code that everybody loads.
    pub(super) wanted_language: RwSignal<u32>,
    pub(super) is_language_picked: RwSignal<bool>,
    pub(super) language_failed: RwSignal<bool>,
    pub(super) unread: RwSignal<u32>,
    pub(super) chat_unread: RwSignal<u32>,
    /// How often there was news of a recording; what the last is the engine knows.
    pub(super) recorded: RwSignal<u32>,
    /// Whether the small window above all others is open.
    pub(super) is_popped_out: RwSignal<bool>,
}

impl Store {
    pub(super) fn new() -> Self {
        let view = RwSignal::new(View::default());
        Self {
            route: RwSignal::new(Route::Lobby),
            view,
            stage: Memo::new(move |_| view.with(|view| view.stage)),
            signaling: Memo::new(move |_| view.with(|view| view.signaling)),
            me: Memo::new(move |_| view.with(|view| view.me.clone())),
            people: Memo::new(move |_| view.with(|view| view.people.clone())),
            inside: Memo::new(move |_| view.with(|view| view.inside.clone())),
            devices: Memo::new(move |_| view.with(|view| view.devices.clone())),
            notices: Memo::new(move |_| view.with(|view| view.notices.clone())),
            chat: Memo::new(move |_| view.with(|view| view.chat.clone())),
            transfers: Memo::new(move |_| view.with(|view| view.transfers.clone())),
            hosting: Memo::new(move |_| view.with(|view| view.hosting.clone())),
            others: Memo::new(move |_| view.with(|view| view.others.clone())),
            desk: Memo::new(move |_| view.with(|view| view.desk.clone())),
            visit: Memo::new(move |_| view.with(|view| view.visit.clone())),
            arrival: RwSignal::new(0),
            has_left_visit: RwSignal::new(false),
            record: RwSignal::new(Vec::new()),
            looked_at: RwSignal::new(memory::looked_at()),
            hides_address: Memo::new(move |_| view.with(|view| view.hides_address)),
            lacks_relay: Memo::new(move |_| view.with(|view| view.lacks_relay)),
            preview: RwSignal::new_local(None),
            own_screen: RwSignal::new_local(None),
            level: RwSignal::new(0.0),
            speaker: RwSignal::new(None),
            playback_blocked: RwSignal::new(false),
            recent: RwSignal::new(Vec::new()),
            speaking: RwSignal::new(Vec::new()),
            last_speaker: RwSignal::new(Vec::new()),
            choices: Choice::ALL.map(|choice| RwSignal::new(memory::is_chosen(choice))),
            is_elsewhere: RwSignal::new(false),
            duplicates: RwSignal::new(0),
            speech: RwSignal::new(0),
            wanted_language: RwSignal::new(0),
            is_language_picked: RwSignal::new(false),
            language_failed: RwSignal::new(false),
            unread: RwSignal::new(0),
            chat_unread: RwSignal::new(0),
            recorded: RwSignal::new(0),
            is_popped_out: RwSignal::new(false),
        }
    }

    /// Shows what the core has to show, if that changed.
    pub(super) fn patch(self, view: View) {
        let changed = self.view.with_untracked(|shown| *shown != view);
        if changed {
            self.view.set(view);
        }
    }
}

/// Writes a signal only if that changes it: signals tell their readers even of equal values.
pub(super) fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|present| *present != value) {
        signal.set(value);
    }
}
