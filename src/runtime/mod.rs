//! The one place that knows the call core and the browser: turns what happens into events, commands
//! into browser calls, and the core's view into signals.
//!
//! A [`Runtime`] is made once, above the routes, so a call outlives the page that shows it. Browser
//! callbacks and people only enqueue; one microtask drains the queue: event, core, commands, one
//! timer, signals patched once. A microtask still runs within the task of the click that caused it,
//! so the browser's user activation holds.
//!
//! Pages read signals and call methods here. They never see the core, a connection or a socket.

mod appearance;
mod appointments;
mod calling;
mod captures;
mod chat;
mod choices;
mod drops;
mod engine;
mod execute;
mod files;
mod hint;
mod hosting;
mod keyboard;
mod language;
mod level;
mod links;
mod loudness;
mod memory;
mod names;
mod others;
mod permissions;
mod playback;
mod record;
mod recording;
mod seat;
mod store;
mod table;
mod twin;
mod unread;
mod voices;
mod windows;

use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{
    CaptureKind, CaptureState, Device, Facing, HostIntent, HostingView, Intent, LinkId, Me, Notice, Person,
    SignalingState, Slot, Stage, Timestamp, View, VisitId,
};
use visavis_protocol::SeatId;
use visavis_protocol::text::TextError;
use web_sys::{HtmlMediaElement, MediaStream};

use crate::route::{LinkError, RoomLink, Route};
pub use crate::web::day as times;
use crate::web::{day, page, screen};
pub use appearance::Theme;
pub use calling::{Direct, name_of};
pub use choices::Choice;
pub use drops::DropEvent;
use engine::Engine;
pub use keyboard::{Focus, Key, KeyEvent};
pub use loudness::Loudness;
pub use record::{Entry, Outcome, What};
pub use recording::{Recorded, Shot};
use store::Store;
pub use windows::PopOut;

/// The handle that pages have. Copied freely; all copies are the same runtime.
#[derive(Clone, Copy)]
pub struct Runtime {
    engine: StoredValue<Rc<Engine>, LocalStorage>,
    store: Store,
}

/// The runtime of this page.
///
/// # Panics
/// Outside of the component tree below the one that called [`Runtime::start`].
#[must_use]
pub fn use_runtime() -> Runtime {
    expect_context()
}

impl Runtime {
    /// Makes the runtime and provides it to the components below. Called once, by the root
    /// component, before any route is shown.
    #[must_use]
    pub fn start() -> Self {
        let store = Store::new();
        let engine = StoredValue::new_local(Engine::start(store));
        let runtime = Self { engine, store };
        provide_context(runtime);
        on_cleanup(move || {
            runtime.engine.try_with_value(|engine| engine.shutdown());
        });
        runtime
    }

    // Where one is

    /// The page to show.
    #[must_use]
    pub fn route(self) -> ReadSignal<Route> {
        self.store.route.read_only()
    }

    /// A moment as a time of day, as people here write it.
    #[must_use]
    pub fn time_of(self, at: Timestamp) -> String {
        let ago = u64::try_from(engine::now().since(at).as_millis()).unwrap_or_default();
        day::written(day::now().saturating_sub(ago))
    }

    /// Goes to another page as a click on a link does: a new entry in the history, no reload.
    /// Plain `<a href="/…">` do the same by themselves.
    pub fn navigate(self, route: &Route) {
        self.engine.with_value(|engine| engine.navigate(route));
    }

    /// `https://host[:port]` of this site, for links to be shared.
    #[must_use]
    pub fn origin(self) -> String {
        self.engine.with_value(|engine| engine.origin())
    }

    // What there is to show

    /// Everything at once. Prefer the parts below: they change less often.
    #[must_use]
    pub fn view(self) -> ReadSignal<View> {
        self.store.view.read_only()
    }

    /// Where the person is: outside, preparing, joining, joined, ended.
    #[must_use]
    pub const fn stage(self) -> Memo<Stage> {
        self.store.stage
    }

    /// How it stands with the server.
    #[must_use]
    pub const fn signaling(self) -> Memo<SignalingState> {
        self.store.signaling
    }

    /// The person's own side: name, camera, microphone.
    #[must_use]
    pub const fn me(self) -> Memo<Me> {
        self.store.me
    }

    /// Everybody else in the call. Key a tile by [`Person::seat`].
    #[must_use]
    pub const fn people(self) -> Memo<Vec<Person>> {
        self.store.people
    }

    /// Before joining: the names of those inside, once known.
    #[must_use]
    pub const fn inside(self) -> Memo<Option<Vec<String>>> {
        self.store.inside
    }

    /// Cameras, microphones and speakers there are.
    #[must_use]
    pub const fn devices(self) -> Memo<Vec<Device>> {
        self.store.devices
    }

    /// Who comes in, who waits, and by which link, where the room has a host.
    #[must_use]
    pub const fn hosting(self) -> Memo<HostingView> {
        self.store.hosting
    }

    /// The last few things worth saying, numbered without gaps; each is to be said once.
    #[must_use]
    pub const fn notices(self) -> Memo<Vec<Notice>> {
        self.store.notices
    }

    // Rooms

    /// Opens a room's page: shows who is inside, asks for camera and microphone as last chosen.
    /// A page calls it on entry, and again when its link changes; `leave_room` ends the stay.
    pub fn enter_room(self, link: &RoomLink) -> VisitId {
        self.engine.with_value(|engine| engine.enter_room(link))
    }

    /// Ends a stay on a room's page, leaving the call if need be. An older visit than the present
    /// one is ignored, so it may safely be called in `on_cleanup`, also when all is torn down.
    pub fn leave_room(self, visit: VisitId) {
        self.engine.try_with_value(|engine| {
            engine.leave_room(visit);
        });
    }

    /// Takes a seat in the room whose page is open, or takes it again after the call ended. Keeps
    /// the name for the next time.
    ///
    /// # Errors
    /// If the name breaks a rule; nothing was sent then. The name is trimmed and normalized first.
    pub fn join(self, name: &str) -> Result<(), TextError> {
        self.engine.with_value(|engine| engine.join(name))
    }

    /// Whether this tab is a duplicate of one that is in this room's call.
    #[must_use]
    pub fn is_elsewhere(self) -> ReadSignal<bool> {
        self.store.is_elsewhere.read_only()
    }

    /// How often a duplicate of this tab was opened on the room whose call this one is in.
    #[must_use]
    pub fn duplicates(self) -> ReadSignal<u32> {
        self.store.duplicates.read_only()
    }

    /// Goes on here with the call that is open in the tab from which this one was duplicated.
    ///
    /// # Errors
    /// See [`Runtime::join`].
    pub fn move_here(self, name: &str) -> Result<(), TextError> {
        self.engine.with_value(|engine| engine.move_here(name))
    }

    /// Leaves the call and stays on the page.
    pub fn hang_up(self) {
        let is_over = self
            .engine
            .with_value(|engine| engine.leave_meeting() || engine.leave_appointment());
        if !is_over {
            self.intend(Intent::HangUp);
        }
    }

    /// Tells the core what a person wants. The methods around this one do it for most wishes, and
    /// remember what is to be remembered.
    pub fn intend(self, intent: Intent) {
        self.engine.with_value(|engine| engine.intend(intent));
    }

    /// A new room: a readable name and a 128-bit secret, made here, sent nowhere. This browser is its host.
    #[must_use]
    pub fn new_room(self, waiting_room: bool) -> RoomLink {
        self.engine.with_value(|engine| engine.new_room(waiting_room))
    }

    /// What the host of the room wants.
    pub fn as_host(self, intent: HostIntent) {
        self.intend(Intent::Host(intent));
    }

    /// The address of the room whose page is open, as it is now: it changes when somebody is removed.
    #[must_use]
    pub fn room_url(self) -> String {
        self.engine.with_value(|engine| engine.room_url())
    }

    /// Reads what a person typed or pasted where a room is asked for.
    ///
    /// # Errors
    /// See [`RoomLink::from_input`].
    pub fn room_from_input(self, text: &str) -> Result<RoomLink, LinkError> {
        self.engine.with_value(|engine| engine.room_from_input(text))
    }

    // Camera, microphone, speaker

    /// Turns the camera or the microphone on or off, now and for the next time, or begins and ends to
    /// share a screen. That begins only within a click.
    pub fn want(self, kind: CaptureKind, on: bool) {
        self.engine.with_value(|engine| engine.want(kind, on));
    }

    /// Uses another camera or microphone, now and for the next time; `None` for the browser's choice.
    pub fn choose_device(self, kind: CaptureKind, device: Option<String>) {
        self.engine
            .with_value(|engine| engine.choose_device(kind, device));
    }

    /// Uses the camera on the other side of the device.
    pub fn flip_camera(self) {
        self.intend(Intent::FlipCamera);
    }

    /// Whether there are cameras to flip between: two at least, on a device that is held in a hand or
    /// whose camera says where it looks. Follows signals.
    #[must_use]
    pub fn can_flip_camera(self) -> bool {
        let may = self.me().with(|me| {
            matches!(me.camera, CaptureState::On { .. }) && (page::has_touch() || me.camera_facing.is_some())
        });
        let is_camera = |device: &&Device| device.kind == Some(CaptureKind::Camera);
        may && self
            .devices()
            .with(|devices| devices.iter().filter(is_camera).count() > 1)
    }

    /// Shows one's address to nobody, or no longer cares, now and for the next time.
    pub fn hide_address(self, hide: bool) {
        self.engine.with_value(|engine| engine.hide_address(hide));
    }

    /// Whether the person hides their address.
    #[must_use]
    pub const fn hides_address(self) -> Memo<bool> {
        self.store.hides_address
    }

    /// Whether they do, and nobody can be reached because this site has no relay.
    #[must_use]
    pub const fn lacks_relay(self) -> Memo<bool> {
        self.store.lacks_relay
    }

    /// Whether one sees oneself as in a mirror: as chosen, but for the camera of a phone that looks at the
    /// world, in which one wants to read. Follows signals.
    #[must_use]
    pub fn mirrors_own(self) -> bool {
        let looks_away = self.me().with(|me| me.camera_facing == Some(Facing::Environment));
        self.choice(Choice::MirrorOwn).get() && !(looks_away && page::has_touch())
    }

    /// The own camera as others would see it. The stream stays the same while tracks come and go;
    /// `None` while the camera is off. To be shown muted and mirrored.
    #[must_use]
    pub fn preview_stream(self) -> ReadSignal<Option<MediaStream>, LocalStorage> {
        self.store.preview.read_only()
    }

    /// The own screen while it is shared, as others see it. Not to be mirrored.
    #[must_use]
    pub fn own_screen_stream(self) -> ReadSignal<Option<MediaStream>, LocalStorage> {
        self.store.own_screen.read_only()
    }

    /// Whether what is shared may be shown here: a screen or a window would show itself within itself.
    #[must_use]
    pub fn may_show_own_screen(self) -> bool {
        self.engine.with_value(|engine| engine.may_show_own_screen())
    }

    /// Whether the browser can share a screen. Hide the control where not.
    #[must_use]
    pub fn can_share_screen(self) -> bool {
        screen::can_share()
    }

    /// The pictures of one slot of a connection, for a `<video muted>`. The stream stays the same
    /// for the connection's life, so ask once per [`Person::link`]. `None` for an unknown link.
    ///
    /// Sound is no tile's business: the runtime plays it (see [`Runtime::playback_blocked`]),
    /// because Chromium keeps a `<video>` silent until its first frame, and a person whose camera
    /// is off sends none.
    #[must_use]
    pub fn stream(self, link: LinkId, slot: Slot) -> Option<MediaStream> {
        self.engine.with_value(|engine| engine.stream(link, slot))
    }

    /// How loud the own microphone is, 0 to 1, about 15 times a second. Measured only while a
    /// component that called this is shown.
    #[must_use]
    pub fn level(self) -> ReadSignal<f64> {
        self.engine.with_value(|engine| engine.watch_level(true));
        on_cleanup(move || {
            self.engine.try_with_value(|engine| engine.watch_level(false));
        });
        self.store.level.read_only()
    }

    /// Who of the others speaks now; who began last comes first. Steady: nobody comes or goes twice
    /// within a second. Empty where the browser does not tell how loud somebody is.
    #[must_use]
    pub fn speaking(self) -> ReadSignal<Vec<SeatId>> {
        self.store.speaking.read_only()
    }

    /// Who of the others speaks or did so last, if anybody: one or none. A list like the one above,
    /// for each kind of signal is code that every visitor loads.
    #[must_use]
    pub fn last_speaker(self) -> ReadSignal<Vec<SeatId>> {
        self.store.last_speaker.read_only()
    }

    /// Whether the browser lets a page choose the speaker. Hide the picker where not.
    #[must_use]
    pub fn can_choose_speaker(self) -> bool {
        self.engine.with_value(|engine| engine.can_choose_speaker())
    }

    /// The chosen speaker's `deviceId`; `None` for the system's.
    #[must_use]
    pub fn speaker(self) -> ReadSignal<Option<String>> {
        self.store.speaker.read_only()
    }

    /// Plays everything through another speaker, now and for the next time.
    pub fn choose_speaker(self, device: Option<String>) {
        self.engine.with_value(|engine| engine.choose_speaker(device));
    }

    /// Plays a short sound through the chosen speaker.
    pub fn play_test_sound(self) {
        self.engine.with_value(|engine| engine.play_test_sound());
    }

    /// Whether the browser wants a click before it plays sound. Then one button, "Turn on sound",
    /// is to call [`Runtime::unblock_playback`].
    #[must_use]
    pub fn playback_blocked(self) -> ReadSignal<bool> {
        self.store.playback_blocked.read_only()
    }

    /// Starts everything that the browser refused to play. Only within a click.
    pub fn unblock_playback(self) {
        self.engine.with_value(|engine| engine.unblock_playback());
    }

    /// Plays an element of a page's own, now or once the person allowed it. Pictures of tiles play
    /// by `autoplay`; this is for those that the browser refused nevertheless.
    pub fn play(self, element: &HtmlMediaElement) {
        self.engine.with_value(|engine| engine.play(element));
    }

    // What is remembered on this device

    /// The name last joined with; empty if none.
    #[must_use]
    pub fn remembered_name(self) -> String {
        self.engine.with_value(|engine| engine.remembered_name())
    }

    /// Rooms joined before, newest first.
    #[must_use]
    pub fn recent_rooms(self) -> ReadSignal<Vec<RoomLink>> {
        self.store.recent.read_only()
    }

    /// Puts a room first among the recent ones. Joining does it by itself.
    pub fn remember_room(self, link: &RoomLink) {
        self.engine.with_value(|engine| engine.remember_room(link));
    }

    /// Forgets a recent room.
    pub fn forget_room(self, link: &RoomLink) {
        self.engine.with_value(|engine| engine.forget_room(link));
    }

    // Odds and ends of the browser

    /// Copies a text to the clipboard and tells whether it worked. Only within a click.
    pub fn copy(self, text: &str, done: impl FnOnce(bool) + 'static) {
        self.engine.with_value(|engine| engine.copy(text, done));
    }

    /// Says that the first page can be used: sets `data-ready` on the body. Called by the root
    /// component after the first route was built.
    pub fn ready(self) {
        self.engine.with_value(|engine| engine.ready());
    }
}
