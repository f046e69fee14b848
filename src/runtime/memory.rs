//! What is remembered on this device: name, recent rooms, camera and microphone as last used.
//!
//! Recent rooms are kept with their secrets. The secret is the key to the room, so whoever can use
//! this browser profile can enter them; but they are in its history all the same, and a list that
//! does not open is no help. They leave the device no more than the address bar does.

use core::cell::RefCell;

use visavis_call_core::CaptureKind;
use visavis_protocol::{Handle, HostId, HostSecret, RoomId, text};

use super::choices::Choice;
use crate::route::{RoomLink, Route, Token};
use crate::web::storage::Shelf::{self, Device, Tab};
use crate::web::text::normalize;

/// Rooms remembered: what fits on a lobby without scrolling.
const RECENT_ROOMS: usize = 6;

const NAME: &str = "visavis.name";
const RETURN: &str = "visavis.return";
const HANDLE: &str = "visavis.handle";
const TOKEN: &str = "visavis.token";
const LOOKED: &str = "visavis.looked";
const CALL: &str = "visavis.call";
const CALL_LEFT: &str = "visavis.call-left";
const DESK: &str = "visavis.desk";
const AT_DESK: &str = "visavis.at-desk";
const VISIT: &str = "visavis.visit";
const READY: &str = "visavis.ready-since";
const APPOINTMENT: &str = "visavis.appointment";
const APPOINTMENT_HOST: &str = "visavis.appointment-host";
const HIDE: &str = "visavis.hide-address";
const ROOMS: &str = "visavis.rooms";
const HOSTS: &str = "visavis.hosts";
/// Rooms of one's own of which one stays the host: far more than anybody comes back to.
const OWN_ROOMS: usize = 100;
const SPEAKER: &str = "visavis.speaker";

thread_local! {
    /// The hosts that this page has made or was told: where nothing can be kept it is one all the same.
    static HOSTS_HERE: RefCell<Vec<HostSecret>> = const { RefCell::new(Vec::new()) };
}

/// What stands for "turned off" under [`wanted_key`]; anything else is on.
const OFF: &str = "off";

/// The inline script of `index.html` reads these two and [`device_key`]'s too.
const fn wanted_key(kind: CaptureKind) -> &'static str {
    match kind {
        CaptureKind::Microphone => "visavis.microphone",
        CaptureKind::Camera => "visavis.camera",
        CaptureKind::Screen => "visavis.screen",
    }
}

const fn device_key(kind: CaptureKind) -> &'static str {
    match kind {
        CaptureKind::Microphone => "visavis.microphone-device",
        CaptureKind::Camera => "visavis.camera-device",
        CaptureKind::Screen => "visavis.screen-device",
    }
}

/// The name last joined with, or nothing.
pub(super) fn name() -> String {
    Device
        .get(NAME)
        .filter(|name| text::check_name(name).is_ok())
        .unwrap_or_default()
}

pub(super) fn put_name(name: &str) {
    Device.put(NAME, Some(name));
}

/// The name under which this tab was in a room's call until a moment ago.
pub(super) fn call_to_return_to(room: &RoomId) -> Option<String> {
    let kept = Tab.get(RETURN)?;
    let (kept, name) = kept.split_once('\n')?;
    (kept == room.as_str() && text::check_name(name).is_ok()).then(|| name.to_owned())
}

/// Notes the call that this tab goes on with should it be loaded again; `None` once it ended.
pub(super) fn put_call_to_return_to(call: Option<(&RoomId, &str)>) {
    let text = call.map(|(room, name)| [room.as_str(), name].join("\n"));
    Tab.put(RETURN, text.as_deref());
}

/// What makes this browser the host of a room, if it made that. It is not forgotten soon after.
pub(super) fn host(id: HostId) -> Option<HostSecret> {
    let is_it = |host: &HostSecret| host.host_id() == id;
    let kept = hosts();
    if let Some(host) = kept.iter().copied().find(is_it) {
        if kept.first() != Some(&host) {
            put_host(&host);
        }
        return Some(host);
    }
    let of_appointment = Tab.get(APPOINTMENT_HOST).and_then(|text| text.parse().ok());
    let of_page = || HOSTS_HERE.with_borrow(|hosts| hosts.iter().copied().find(is_it));
    of_appointment.filter(is_it).or_else(of_page)
}

/// Keeps what makes this tab the host of the appointment that it is in. The desk tells it each time, so it takes no
/// place among the rooms of one's own.
pub(super) fn put_appointment_host(host: &HostSecret) {
    Tab.put(APPOINTMENT_HOST, Some(&host.to_text()));
    put_host_here(host);
}

/// Keeps what makes this browser the host of a room that it has just made.
pub(super) fn put_host(host: &HostSecret) {
    let all: Vec<String> = with_first(host, hosts())
        .iter()
        .map(HostSecret::to_text)
        .collect();
    Device.put(HOSTS, Some(&all.join(" ")));
    put_host_here(host);
}

fn put_host_here(host: &HostSecret) {
    HOSTS_HERE.with_borrow_mut(|hosts| *hosts = with_first(host, core::mem::take(hosts)));
}

/// The same with a host in front, and without the one that was used longest ago if there are too many.
fn with_first(host: &HostSecret, hosts: Vec<HostSecret>) -> Vec<HostSecret> {
    let others = hosts.into_iter().filter(|other| other != host);
    [*host].into_iter().chain(others).take(OWN_ROOMS).collect()
}

fn hosts() -> Vec<HostSecret> {
    let kept = Device.get(HOSTS).unwrap_or_default();
    kept.split(' ').filter_map(|text| text.parse().ok()).collect()
}

/// The handle that this browser has.
pub(super) fn handle() -> Option<Handle> {
    Device.get(HANDLE)?.parse().ok()
}

pub(super) fn put_handle(handle: Option<&Handle>) {
    Device.put(HANDLE, handle.map(Handle::as_str));
}

/// The token by which another site says who this tab's person is.
pub(super) fn token() -> Option<String> {
    Tab.get(TOKEN)
}

pub(super) fn put_token(token: Option<&str>) {
    Tab.put(TOKEN, token);
}

/// When somebody last looked at the calls that were missed: milliseconds since 1970.
pub(super) fn looked_at() -> u64 {
    let kept = Device.get(LOOKED).and_then(|text| text.parse().ok());
    kept.unwrap_or_default()
}

pub(super) fn put_looked_at(at: u64) {
    Device.put(LOOKED, Some(&at.to_string()));
}

/// The direct call that this tab was in until a moment ago.
pub(super) fn direct_call() -> Option<String> {
    Tab.get(CALL)
}

/// When the page of that call was last there: milliseconds since 1970.
pub(super) fn direct_call_left() -> u64 {
    let kept = Tab.get(CALL_LEFT).and_then(|text| text.parse().ok());
    kept.unwrap_or_default()
}

pub(super) fn put_direct_call_left(at: u64) {
    Tab.put(CALL_LEFT, Some(&at.to_string()));
}

/// Notes the direct call that this tab goes on with should it be loaded again.
pub(super) fn put_direct_call(call: Option<&str>) {
    Tab.put(CALL, call);
}

/// The token of the desk that this browser knows.
pub(super) fn desk() -> Option<Token> {
    Token::read(&Device.get(DESK)?)
}

pub(super) fn put_desk(token: Option<&Token>) {
    Device.put(DESK, token.map(Token::as_str));
}

/// Whether this tab is at that desk, whatever page it shows.
pub(super) fn is_at_desk() -> bool {
    Tab.get(AT_DESK).is_some()
}

pub(super) fn put_at_desk(is: bool) {
    Tab.put(AT_DESK, is.then_some("on"));
}

/// The token of the appointment to which this tab came last.
pub(super) fn visit() -> Option<Token> {
    Token::read(&Tab.get(VISIT)?)
}

pub(super) fn put_visit(token: Option<&Token>) {
    Tab.put(VISIT, token.map(Token::as_str));
}

/// Since when this tab waits for that appointment: milliseconds since 1970.
pub(super) fn ready_since() -> Option<u64> {
    Tab.get(READY)?.parse().ok()
}

pub(super) fn put_ready_since(at: Option<u64>) {
    Tab.put(READY, at.map(|at| at.to_string()).as_deref());
}

/// The appointment in whose room this tab was until a moment ago.
pub(super) fn appointment() -> Option<String> {
    Tab.get(APPOINTMENT)
}

/// Notes the appointment that this tab goes on with should it be loaded again.
pub(super) fn put_appointment(meeting: Option<&str>) {
    Tab.put(APPOINTMENT, meeting);
}

/// Whether a kind was on when last it was touched. At first everything is.
pub(super) fn is_wanted(kind: CaptureKind) -> bool {
    Device.get(wanted_key(kind)).as_deref() != Some(OFF)
}

pub(super) fn put_wanted(kind: CaptureKind, on: bool) {
    Device.put(wanted_key(kind), (!on).then_some(OFF));
}

/// The device chosen for a kind.
pub(super) fn device(kind: CaptureKind) -> Option<String> {
    Device.get(device_key(kind))
}

pub(super) fn put_device(kind: CaptureKind, device: Option<&str>) {
    Device.put(device_key(kind), device);
}

/// Whether the person hides their address.
pub(super) fn hides_address() -> bool {
    Device.get(HIDE).is_some()
}

pub(super) fn put_hides_address(hides: bool) {
    Device.put(HIDE, hides.then_some("on"));
}

/// The chosen speaker.
pub(super) fn speaker() -> Option<String> {
    Device.get(SPEAKER)
}

pub(super) fn put_speaker(device: Option<&str>) {
    Device.put(SPEAKER, device);
}

/// Where a choice is kept, and whether it stands before it is touched. The own tile is out of the way
/// for this tab's life alone: in the next call one would look for it.
const fn choice_at(choice: Choice) -> (Shelf, &'static str, bool) {
    match choice {
        Choice::SpeakerView => (Device, "visavis.speaker-view", false),
        Choice::MirrorOwn => (Device, "visavis.mirror", true),
        Choice::HideOwn => (Tab, "visavis.hide-own", false),
        Choice::ScreenMotion => (Device, "visavis.screen-motion", false),
        Choice::SingleKeys => (Device, "visavis.single-keys", true),
        Choice::PushToTalk => (Device, "visavis.push-to-talk", true),
    }
}

/// Whether a choice stands.
pub(super) fn is_chosen(choice: Choice) -> bool {
    let (shelf, key, at_first) = choice_at(choice);
    shelf.get(key).map_or(at_first, |kept| kept != OFF)
}

pub(super) fn put_chosen(choice: Choice, on: bool) {
    let (shelf, key, at_first) = choice_at(choice);
    shelf.put(key, (on != at_first).then_some(if on { "on" } else { OFF }));
}

/// Rooms joined before, newest first. What is no link (any more) is passed over.
pub(super) fn recent_rooms() -> Vec<RoomLink> {
    let kept = Device.get(ROOMS).unwrap_or_default();
    kept.lines()
        .filter_map(|line| {
            let (path, fragment) = line.split_once('#').unwrap_or((line, ""));
            let Route::Room(link) = Route::parse(path, fragment, normalize) else {
                return None;
            };
            Some(link)
        })
        .take(RECENT_ROOMS)
        .collect()
}

/// Puts a room first; tells the rooms remembered then.
pub(super) fn remember_room(link: &RoomLink) -> Vec<RoomLink> {
    let mut rooms = without(link);
    rooms.insert(0, link.clone());
    rooms.truncate(RECENT_ROOMS);
    put_rooms(&rooms);
    rooms
}

/// Forgets a room; tells the rooms remembered then.
pub(super) fn forget_room(link: &RoomLink) -> Vec<RoomLink> {
    let rooms = without(link);
    put_rooms(&rooms);
    rooms
}

fn without(link: &RoomLink) -> Vec<RoomLink> {
    let mut rooms = recent_rooms();
    rooms.retain(|room| room != link);
    rooms
}

/// One path a line: a path is percent-encoded, so it has no line breaks of its own.
fn put_rooms(rooms: &[RoomLink]) {
    let mut text = String::new();
    for room in rooms {
        text.push_str(&room.path());
        text.push('\n');
    }
    Device.put(ROOMS, (!text.is_empty()).then_some(&text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_was_used_longest_ago_is_forgotten_first() {
        let host = |n: usize| HostSecret::from_bytes([u8::try_from(n).unwrap(); 16]);
        let mut kept = Vec::new();
        for n in 0..OWN_ROOMS {
            kept = with_first(&host(n), kept);
        }
        kept = with_first(&host(0), kept);
        assert_eq!(kept.len(), OWN_ROOMS);
        kept = with_first(&host(OWN_ROOMS), kept);
        assert_eq!(kept.len(), OWN_ROOMS);
        assert_eq!(kept.first(), Some(&host(OWN_ROOMS)));
        assert!(kept.contains(&host(0)) && !kept.contains(&host(1)));
    }
}
