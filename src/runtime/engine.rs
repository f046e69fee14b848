//! The engine: takes what happens into a queue, lets the core decide, has its commands executed.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use leptos::prelude::{Set, WithUntracked};
use visavis_call_core::{
    Appointment, CaptureKind, Config, Core, EndReason, Event, Hosted, Intent, JoinProblem, LinkEvent, LinkId,
    Seed, Slot, SocketId, Stage, Timestamp, View, VisitId,
};
use visavis_protocol::appointment::VisitState;
use visavis_protocol::text::{self, TextError};
use visavis_protocol::{ChatKey, RoomId};
use web_sys::MediaStream;

use super::appointments::Appointments;
use super::captures::Captures;
use super::chat::Reading;
use super::files::Files;
use super::hint::Hint;
use super::level::Level;
use super::links::Links;
use super::loudness::LoudnessBySeat;
use super::others::Others;
use super::permissions::Permissions;
use super::playback::Playback;
use super::recording::Recording;
use super::seat::Seat;
use super::store::{Store, set_if_changed};
use super::table::Table;
use super::unread::Title;
use super::voices::Listening;
use super::{hosting, memory};
use crate::route::{LinkError, RoomLink, Route};
use crate::web::broadcast::Broadcast;
use crate::web::location::{self, Navigation};
use crate::web::microtask::Microtask;
use crate::web::page::{self, Page, PageEvent};
use crate::web::peer;
use crate::web::reach::Reach;
use crate::web::socket::Socket;
use crate::web::task::spawn;
use crate::web::timer::Timeout;
use crate::web::wake_lock::WakeLock;
use crate::web::{Listener, boot, clipboard, clock, devices, random};

/// Connections that the core may make ready on the page before joining. One: the first peer's is
/// what a newcomer waits for; more would cost every visitor who never joins.
const LINKS_AHEAD: usize = 1;

/// See the module's documentation.
pub(super) struct Engine {
    /// For callbacks, which must not keep the engine alive.
    this: Weak<Self>,
    pub(super) store: Store,
    core: RefCell<Core>,
    queue: RefCell<VecDeque<Event>>,
    is_draining: Cell<bool>,
    drain: Microtask,
    timer: RefCell<Option<(Timestamp, Timeout)>>,
    pub(super) sockets: RefCell<Table<SocketId, Socket>>,
    /// Sockets that are to be opened once the site is known to be there.
    pub(super) reaches: RefCell<Table<SocketId, Reach>>,
    /// When sockets are opened anew, should they hang.
    pub(super) reopening: RefCell<Table<SocketId, Timeout>>,
    /// Whether the last attempt to open a socket failed.
    pub(super) has_socket_failed: Cell<bool>,
    pub(super) links: Links,
    pub(super) captures: Captures,
    pub(super) playback: Playback,
    pub(super) level: Level,
    pub(super) hint: Hint,
    pub(super) permissions: Permissions,
    pub(super) listening: Listening,
    pub(super) recording: Recording,
    pub(super) loudness: LoudnessBySeat,
    pub(super) title: Title,
    pub(super) files: Files,
    pub(super) reading: Reading,
    pub(super) others: Others,
    pub(super) appointments: Appointments,
    /// Held through a call.
    wake_lock: RefCell<Option<WakeLock>>,
    seat: RefCell<Claim>,
    pub(super) visit: Cell<u32>,
    pub(super) tabs: RefCell<Option<Broadcast>>,
    pub(super) room: RefCell<Option<RoomLink>>,
    listeners: RefCell<Option<Listeners>>,
}

/// This tab's seat, for which other tabs of this browser have to be asked first.
enum Claim {
    /// Not settled yet. What people wanted meanwhile waits, in order.
    Asking(VecDeque<Wish>),
    Settled(Seat),
}

enum Wish {
    Enter {
        visit: VisitId,
        room: RoomId,
        chat: Option<ChatKey>,
        hosted: Option<Hosted>,
    },
    Other(Intent),
}

struct Listeners {
    _page: Page,
    _navigation: Navigation,
    _devices: Option<Listener>,
}

impl Engine {
    pub(super) fn start(store: Store) -> Rc<Self> {
        let seed = random::bytes().expect("every browser that runs this has a cryptographic generator");
        let config = Config {
            links_ahead: LINKS_AHEAD,
            failed_is_final: peer::is_failed_final(),
            restarts_well: peer::restarts_well(),
            ..Config::default()
        };
        let engine = Rc::new_cyclic(|this: &Weak<Self>| {
            let drained = this.clone();
            Self {
                this: this.clone(),
                store,
                core: RefCell::new(Core::new(config, Seed::new(seed), now())),
                queue: RefCell::default(),
                is_draining: Cell::new(false),
                drain: Microtask::new(move || {
                    if let Some(engine) = drained.upgrade() {
                        engine.drain();
                    }
                }),
                timer: RefCell::default(),
                sockets: RefCell::default(),
                reaches: RefCell::default(),
                reopening: RefCell::default(),
                has_socket_failed: Cell::new(false),
                links: Links::default(),
                captures: Captures::default(),
                playback: Playback::new(store.playback_blocked),
                level: Level::new(store.level),
                hint: Hint::default(),
                permissions: Permissions::default(),
                listening: Listening::default(),
                recording: Recording::default(),
                loudness: LoudnessBySeat::kept(),
                title: Title::default(),
                files: Files::default(),
                reading: Reading::default(),
                others: Others::default(),
                appointments: Appointments::default(),
                wake_lock: RefCell::default(),
                seat: RefCell::new(Claim::Asking(VecDeque::new())),
                visit: Cell::new(0),
                tabs: RefCell::default(),
                room: RefCell::default(),
                listeners: RefCell::default(),
            }
        });
        store.route.set(route_here());
        store.recent.set(memory::recent_rooms());
        engine.push(Event::Intent(Intent::ChooseSpeaker(memory::speaker())));
        engine.listen();
        engine.hear_tabs();
        engine.remember_handle();
        engine.return_to_call();
        engine.remember_appointments();
        engine.settle_seat();
        engine
    }

    /// Lets go of everything. For the end of the app, and of a test.
    pub(super) fn shutdown(&self) {
        self.listeners.take();
        self.tabs.take();
        self.leave_call();
        self.level.stop();
        self.hint.stop();
        self.permissions.stop();
        self.listening.stop();
        self.playback.clear();
        self.files.clear();
        self.links.clear();
        self.captures.clear();
        self.timer.take();
        self.wake_lock.take();
        let reopening = self.reopening.take();
        drop(reopening);
        let sockets = (self.sockets.take(), self.reaches.take());
        drop(sockets);
    }

    // The queue

    /// A reference for callbacks.
    pub(super) fn weak(&self) -> Weak<Self> {
        self.this.clone()
    }

    /// Takes what happened; the core hears of it in a moment, within the same task.
    pub(super) fn push(&self, event: Event) {
        self.queue.borrow_mut().push_back(event);
        self.drain.schedule();
    }

    /// Handles all that is in the queue, and all that comes of it at once.
    fn drain(&self) {
        if self.is_draining.replace(true) {
            return;
        }
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(event) = next else { break };
            self.hear(&event);
            self.hear_of_files(&event);
            self.core.borrow_mut().handle(now(), event);
            loop {
                let command = self.core.borrow_mut().poll_command();
                let Some(command) = command else { break };
                self.execute(command);
            }
        }
        self.is_draining.set(false);
        self.set_timer();
        let view = self.core.borrow().view();
        // Not where the server closed the socket: Firefox does that itself before a reload.
        if let Stage::Ended(EndReason::HungUp | EndReason::SeatMoved) = view.stage {
            memory::put_call_to_return_to(None);
        }
        self.follow_knock(&view);
        self.show_own_media(&view.me);
        self.follow_speaker(&view.me);
        self.listen_to_voices(&view);
        self.listen_while_muted(&view);
        self.follow_permissions(&view);
        self.follow_recording(&view);
        self.hear_screens(&view);
        self.apply_loudness(&view);
        self.count_notices(&view);
        self.follow_sources(&view);
        self.follow_transfers(&view);
        self.follow_chat(&view);
        self.follow_others(&view);
        self.follow_appointments(&view);
        self.follow_link(&view);
        self.keep_screen_on(is_to_be_seen(&view));
        self.store.patch(view);
    }

    /// Who was sent away, or does not want to wait any more, does not knock again by loading the page anew.
    fn follow_knock(&self, view: &View) {
        let Stage::Preparing { problem } = view.stage else {
            return;
        };
        let has_waited = self
            .store
            .view
            .with_untracked(|before| before.stage == Stage::Waiting);
        if has_waited || problem == Some(JoinProblem::Declined) {
            memory::put_call_to_return_to(None);
        }
    }

    fn keep_screen_on(&self, on: bool) {
        if self.wake_lock.borrow().is_some() != on {
            let before = self.wake_lock.replace(on.then(WakeLock::hold));
            drop(before);
        }
    }

    /// Asks the core what is not in its view. Not from within what it has told to do.
    pub(super) fn with_core<T>(&self, look: impl FnOnce(&Core) -> T) -> T {
        look(&self.core.borrow())
    }

    /// Looks at what is shown.
    pub(super) fn with_view(&self, look: impl FnOnce(&View)) {
        self.store.view.with_untracked(look);
    }

    /// Plays the sound of a connection from its first on. Not before: a Chromium that is given a
    /// stream without a track never takes notice of one that is added, and a connection made ahead
    /// should cost nothing.
    fn hear(&self, event: &Event) {
        if let Event::Link(link, LinkEvent::Receiving(Slot::Audio, true)) = event {
            self.play_sound(*link, Slot::Audio);
        }
    }

    /// Plays the sound of screens beside the voices of those who share them. Most connections never
    /// carry any, so its element is made only once somebody says that there is.
    fn hear_screens(&self, view: &View) {
        for person in view.people.iter().filter(|person| person.status.screen_sound) {
            if let Some(link) = person
                .link
                .filter(|_| person.receiving[Slot::ScreenSound.index()])
            {
                self.play_sound(link, Slot::ScreenSound);
            }
        }
    }

    fn set_timer(&self) {
        let deadline = self.core.borrow().poll_timeout();
        let set = self.timer.borrow().as_ref().map(|(deadline, _)| *deadline);
        if deadline == set {
            return;
        }
        let timer = deadline.map(|deadline| {
            let this = self.weak();
            let timeout = Timeout::new(deadline.since(now()), move || {
                if let Some(engine) = this.upgrade() {
                    engine.timer_fired();
                }
            });
            (deadline, timeout)
        });
        self.timer.replace(timer);
    }

    fn timer_fired(&self) {
        // The deadline may stay the same, if the browser was early: forget it, to set it again.
        if let Some((deadline, _)) = &mut *self.timer.borrow_mut() {
            *deadline = Timestamp::default();
        }
        self.push(Event::Tick);
    }

    // What people want

    pub(super) fn intend(&self, intent: Intent) {
        if let Claim::Asking(wishes) = &mut *self.seat.borrow_mut() {
            wishes.push_back(Wish::Other(intent));
            return;
        }
        self.push(Event::Intent(intent));
    }

    pub(super) fn enter_room(&self, link: &RoomLink) -> VisitId {
        // Before the first connection is made.
        self.intend(Intent::HideAddress(memory::hides_address()));
        let visit = VisitId(self.visit.get().wrapping_add(1));
        self.visit.set(visit.0);
        self.room.replace(Some(link.clone()));
        let room = link.room_id(crate::web::text::fold);
        let (chat, hosted) = (self.chat_key(), hosting::hosted(link));
        let settled = match &mut *self.seat.borrow_mut() {
            Claim::Asking(wishes) => {
                wishes.push_back(Wish::Enter {
                    visit,
                    room,
                    chat,
                    hosted: hosted.clone(),
                });
                None
            }
            Claim::Settled(seat) => Some((seat.secret.in_room(&room), room)),
        };
        let is_settled = settled.is_some();
        if let Some((seat, room)) = settled {
            self.push(Event::Intent(Intent::EnterRoom {
                visit,
                room,
                seat,
                chat,
                hosted,
            }));
        }
        self.want_devices();
        if is_settled {
            self.arrived_in_room();
        }
        if self.is_meeting_at(link) {
            // Whoever took the call has said so.
            _ = self.join(&self.name_in_calls());
        } else if let Some(name) = self.name_in_appointment(link) {
            // The name was agreed with the appointment.
            _ = self.join_as(&name);
        }
        visit
    }

    /// Wants the devices on that were on last, as last chosen.
    pub(super) fn want_devices(&self) {
        for kind in CaptureKind::DEVICES {
            self.intend(Intent::ChooseDevice {
                kind,
                device: memory::device(kind),
            });
            let in_call = self.wants_in_call(kind);
            self.intend(Intent::Want {
                kind,
                on: in_call.unwrap_or_else(|| memory::is_wanted(kind)),
            });
        }
    }

    /// Goes on with the call that this tab was in before it was loaded again, and lets a duplicate
    /// look for its twin.
    fn arrived_in_room(&self) {
        let Some(room) = self.room_id() else { return };
        self.ask_twin(&room);
        self.find_kept();
        let was_kept = self.with_seat(|seat| seat.was_kept) == Some(true);
        if was_kept
            && page::is_reload()
            && let Some(name) = memory::call_to_return_to(&room)
        {
            // The name was good enough to get in.
            _ = self.join(&name);
        }
    }

    /// Whether the page of a room is open.
    pub(super) fn room_is(&self, link: &RoomLink) -> bool {
        self.room.borrow().as_ref() == Some(link)
    }

    /// The room whose page is open, as the server knows it.
    pub(super) fn room_id(&self) -> Option<RoomId> {
        let room = self.room.borrow();
        room.as_ref().map(|link| link.room_id(crate::web::text::fold))
    }

    /// The key of the chat of the room whose page is open, if its link has a secret.
    pub(super) fn chat_key(&self) -> Option<ChatKey> {
        let room = self.room.borrow();
        room.as_ref()?.chat_key(crate::web::text::fold)
    }

    /// Looks at the seat, once it is settled.
    pub(super) fn with_seat<T>(&self, look: impl FnOnce(&Seat) -> T) -> Option<T> {
        match &*self.seat.borrow() {
            Claim::Asking(_) => None,
            Claim::Settled(seat) => Some(look(seat)),
        }
    }

    /// Changes seats.
    pub(super) fn take_seat(&self, seat: Seat) {
        let before = self.seat.replace(Claim::Settled(seat));
        drop(before);
    }

    pub(super) fn leave_room(&self, visit: VisitId) {
        if visit == VisitId(self.visit.get()) {
            self.leave_meeting();
            self.forget_present_appointment();
        }
        // Whoever goes to another page does not want to be back in the call after a reload.
        memory::put_call_to_return_to(None);
        self.intend(Intent::LeaveRoom { visit });
    }

    /// What one is called in direct calls.
    fn name_in_calls(&self) -> String {
        let name = memory::name();
        let handle = || self.store.others.with_untracked(|others| others.handle.clone());
        if name.is_empty() {
            handle().map_or(name, |handle| handle.to_string())
        } else {
            name
        }
    }

    pub(super) fn join(&self, name: &str) -> Result<(), TextError> {
        let name = crate::web::text::normalize(name.trim());
        text::check_name(&name)?;
        memory::put_name(&name);
        let room = self.room.borrow().clone();
        // The room of a direct call is there for that call.
        if let Some(room) = room.filter(|room| !self.is_meeting_at(room)) {
            self.remember_room(&room);
        }
        self.join_as(&name)
    }

    /// The same, by a name and in a room that are not to be remembered.
    fn join_as(&self, name: &str) -> Result<(), TextError> {
        let name = name.to_owned();
        text::check_name(&name)?;
        if let Some(room) = self.room_id() {
            memory::put_call_to_return_to(Some((&room, &name)));
        }
        self.recording.joined();
        self.intend(Intent::Join { name });
        // Connections may have been made before this click, and their sound refused for want of it.
        self.playback.unblock();
        Ok(())
    }

    pub(super) fn want(&self, kind: CaptureKind, on: bool) {
        if CaptureKind::DEVICES.contains(&kind) && !self.want_in_call(kind, on) {
            memory::put_wanted(kind, on);
        }
        self.intend(Intent::Want { kind, on });
    }

    pub(super) fn choose_device(&self, kind: CaptureKind, device: Option<String>) {
        memory::put_device(kind, device.as_deref());
        self.intend(Intent::ChooseDevice { kind, device });
    }

    pub(super) fn hide_address(&self, hide: bool) {
        memory::put_hides_address(hide);
        self.intend(Intent::HideAddress(hide));
    }

    pub(super) fn new_room(&self, waiting_room: bool) -> RoomLink {
        hosting::new_room(waiting_room)
    }

    pub(super) fn room_from_input(&self, text: &str) -> Result<RoomLink, LinkError> {
        RoomLink::from_input(text, &location::origin(), crate::web::text::normalize)
    }

    // Where one is

    pub(super) fn navigate(&self, route: &Route) {
        self.go(&route.path());
    }

    /// The same, without a way back: where one was there is nothing any more.
    pub(super) fn navigate_in_place(&self, route: &Route) {
        location::replace(&route.path());
        self.arrive();
    }

    fn go(&self, address: &str) {
        location::push(address);
        self.arrive();
    }

    /// Shows the page that the address bar names.
    fn arrive(&self) {
        let route = route_here();
        if self.store.route.with_untracked(|shown| *shown != route) {
            self.store.route.set(route);
        }
    }

    pub(super) fn origin(&self) -> String {
        location::origin()
    }

    /// Says that the page can be used, once the present task has built it.
    pub(super) fn ready(&self) {
        spawn(async {
            page::remove_shell();
            page::mark_body("data-build", &page::build());
            page::mark_body("data-ready", "true");
        });
    }

    // Media

    pub(super) fn stream(&self, link: LinkId, slot: Slot) -> Option<MediaStream> {
        self.links
            .get(link)
            .map(|peer| Clone::clone(peer.stream(slot.index())))
    }

    pub(super) fn watch_level(&self, on: bool) {
        self.level.watch(on);
    }

    /// Asks for the list of devices; the core hears of it.
    pub(super) fn refresh_devices(&self) {
        let this = self.weak();
        spawn(async move {
            let Ok(listed) = devices::list().await else {
                return;
            };
            if let Some(engine) = this.upgrade() {
                engine.devices_listed(listed);
            }
        });
    }

    // What is remembered

    pub(super) fn remembered_name(&self) -> String {
        memory::name()
    }

    pub(super) fn remember_room(&self, link: &RoomLink) {
        set_if_changed(self.store.recent, memory::remember_room(link));
    }

    pub(super) fn forget_room(&self, link: &RoomLink) {
        set_if_changed(self.store.recent, memory::forget_room(link));
    }

    pub(super) fn copy(&self, text: &str, done: impl FnOnce(bool) + 'static) {
        let copied = clipboard::copy(text);
        spawn(async move { done(copied.await.is_ok()) });
    }

    // Beginning and end

    fn listen(&self) {
        let (on_page, on_navigation, on_devices) = (self.weak(), self.weak(), self.weak());
        let listeners = Listeners {
            _page: Page::new(move |event| {
                if let Some(engine) = on_page.upgrade() {
                    engine.page_event(event);
                }
            }),
            _navigation: Navigation::new(move |clicked| {
                let Some(engine) = on_navigation.upgrade() else {
                    return;
                };
                match clicked {
                    Some(address) => engine.go(&address),
                    None => engine.arrive(),
                }
            }),
            _devices: devices::watch(move || {
                if let Some(engine) = on_devices.upgrade() {
                    engine.refresh_devices();
                }
            }),
        };
        self.listeners.replace(Some(listeners));
    }

    fn page_event(&self, event: PageEvent) {
        match event {
            PageEvent::Hidden(hidden) => {
                if !hidden {
                    self.clear_unread();
                    self.seen_arrivals();
                    self.read_chat();
                }
                self.push(Event::VisibilityChanged { hidden });
            }
            PageEvent::Online(online) => self.push(Event::OnlineChanged(online)),
            PageEvent::Leaving => {
                self.abandon_recording();
                self.leave_call_for_now();
                self.leave_call();
                for socket in self.sockets.borrow().values() {
                    socket.depart();
                }
            }
            // Everything was let go of on leaving; the address bar still says where to go.
            PageEvent::Restored => location::reload(),
        }
    }

    /// Leaves at once: there may be no later.
    fn leave_call(&self) {
        self.push(Event::Intent(Intent::LeaveRoom {
            visit: VisitId(self.visit.get()),
        }));
        self.drain();
    }

    fn settle_seat(&self) {
        let this = self.weak();
        spawn(async move {
            let seat = Seat::claim().await;
            let Some(engine) = this.upgrade() else { return };
            let secret = seat.secret;
            let before = engine.seat.replace(Claim::Settled(seat));
            let Claim::Asking(wishes) = before else { return };
            for wish in wishes {
                engine.push(Event::Intent(match wish {
                    Wish::Enter {
                        visit,
                        room,
                        chat,
                        hosted,
                    } => {
                        let seat = secret.in_room(&room);
                        Intent::EnterRoom {
                            visit,
                            room,
                            seat,
                            chat,
                            hosted,
                        }
                    }
                    Wish::Other(intent) => intent,
                }));
            }
            engine.arrived_in_room();
            engine.drain();
            // The first room, if there is one, has taken what it can use by now.
            boot::discard();
        });
    }
}

/// Whether somebody is in a call, or waits for one with nothing to do: a page whose screen goes dark may be put to
/// sleep, and is not heard of when its person is asked in.
fn is_to_be_seen(view: &View) -> bool {
    let is_coming = |known: &Appointment| match known.state {
        VisitState::Early { .. }
        | VisitState::Open {}
        | VisitState::Waiting { .. }
        | VisitState::CalledIn { .. }
        | VisitState::Unknown => true,
        VisitState::Over {} | VisitState::Late {} | VisitState::Cancelled {} => false,
    };
    let is_ready = view.visit.ready.is_some() && view.visit.appointment.as_ref().is_none_or(is_coming);
    is_ready || matches!(view.stage, Stage::Joined | Stage::Waiting)
}

/// The page's clock, as the core wants it.
pub(super) fn now() -> Timestamp {
    Timestamp::new(clock::now())
}

fn route_here() -> Route {
    Route::parse(
        &location::path(),
        &location::fragment(),
        crate::web::text::normalize,
    )
}
