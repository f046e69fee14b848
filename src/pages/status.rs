//! What the status line says, and what is said of each notice: pure text from plain values.

use visavis_call_core::{CaptureKind, ConnectionState, NoticeKind, Person, SignalingState, Stage};
use visavis_protocol::MediaKind;

use super::devices::{device_words, why};
use crate::components::{Tone, short_name};
use crate::i18n::{list_names, words};

/// What the status line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The sentence.
    pub text: String,
    /// Whether it is about something that does not work at the moment.
    pub is_trouble: bool,
}

/// How the connection to somebody stands, as far as people care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is being made for the first time.
    Joining,
    /// They can be seen and heard.
    Here,
    /// It was lost and is being brought back.
    Reconnecting,
    /// It could not be made; the next try is under way.
    Failed,
}

/// Sorts a connection's state.
pub fn reach(person: &Person) -> Reach {
    match person.connection {
        ConnectionState::Failed => Reach::Failed,
        ConnectionState::Disconnected => Reach::Reconnecting,
        ConnectionState::Connected
        | ConnectionState::New
        | ConnectionState::Connecting
        | ConnectionState::Closed
            if person.silent =>
        {
            Reach::Reconnecting
        }
        ConnectionState::Connected => Reach::Here,
        // Without its signaling a new connection cannot come about: they were here before.
        ConnectionState::New | ConnectionState::Connecting | ConnectionState::Closed if person.away => {
            Reach::Reconnecting
        }
        ConnectionState::New | ConnectionState::Connecting | ConnectionState::Closed => Reach::Joining,
    }
}

/// The one sentence that matters most: trouble before news, news before what one sees anyway.
pub fn status(stage: Stage, signaling: SignalingState, people: &[Person]) -> Status {
    let words = words();
    let of = |wanted: fn(Reach) -> bool| -> Vec<String> {
        people
            .iter()
            .filter(|person| wanted(reach(person)))
            .map(|person| person.name.clone())
            .collect()
    };
    let trouble = |text: String| Status {
        text,
        is_trouble: true,
    };
    let calm = |text: String| Status {
        text,
        is_trouble: false,
    };
    if stage != Stage::Joined {
        return calm(words.joining.to_owned());
    }
    if signaling != SignalingState::Online {
        return trouble(words.server_lost.to_owned());
    }
    let lost = of(|reach| matches!(reach, Reach::Reconnecting | Reach::Failed));
    if !lost.is_empty() {
        return trouble(words.person_reconnecting.fill(&list_names(&lost)));
    }
    let joining = of(|reach| reach == Reach::Joining);
    if !joining.is_empty() {
        let text = if joining.len() > 1 {
            words.people_joining
        } else {
            words.person_joining
        };
        return calm(text.fill(&list_names(&joining)));
    }
    if people.is_empty() {
        return calm(words.alone.to_owned());
    }
    calm(words.here.fill(&list_names(&of(|reach| reach == Reach::Here))))
}

/// Who records the call, in words; empty while nobody does.
pub fn recorders(is_own: bool, people: &[Person]) -> String {
    let words = words();
    let others: Vec<String> = people
        .iter()
        .filter(|person| person.status.recording)
        .map(|person| person.name.clone())
        .collect();
    let text = if others.len() > 1 {
        words.recording_many
    } else {
        words.recording_one
    };
    let others = (!others.is_empty()).then(|| text.fill(&list_names(&others)));
    let own = is_own.then(|| words.recording_own.to_owned());
    let said: Vec<String> = own.into_iter().chain(others).collect();
    said.join(" · ")
}

/// What to say of a notice, and how. Nothing where the status line says it for as long as it lasts.
pub fn notice(kind: &NoticeKind) -> Option<(Tone, String)> {
    let words = words();
    let polite = |text| Some((Tone::Polite, text));
    match kind {
        NoticeKind::PersonReconnecting { .. } | NoticeKind::ServerLost => None,
        NoticeKind::PersonJoined { name } => polite(words.person_joined.fill(name)),
        NoticeKind::PersonLeft { name } => polite(words.person_left.fill(name)),
        NoticeKind::PersonRemoved { name } => polite(words.host.person_removed.fill(name)),
        NoticeKind::Knocked { name } => polite(words.host.knocked.fill(name)),
        NoticeKind::GateChanged(gate) => polite(
            if gate.locked {
                words.host.now_locked
            } else if gate.waiting_room {
                words.host.now_waiting_room
            } else {
                words.host.now_open
            }
            .to_owned(),
        ),
        NoticeKind::LinkChanged => polite(words.host.link_changed.to_owned()),
        NoticeKind::AskedToMute { name } => polite(words.host.asked_to_mute.fill(name)),
        NoticeKind::NoSeatForWaiting => Some((Tone::Error, words.host.no_seat.to_owned())),
        NoticeKind::HostRefused => Some((Tone::Error, words.host.refused.to_owned())),
        NoticeKind::PersonBack { name } => polite(words.person_back.fill(name)),
        NoticeKind::RecordingStarted { name } => polite(words.recording_started.fill(name)),
        NoticeKind::RecordingStopped { name } => polite(words.recording_stopped.fill(name)),
        NoticeKind::HandRaised { name } => polite(words.person_raised_hand.fill(name)),
        NoticeKind::Reacted { name, reaction } => {
            // A sign is at home at the end of no sentence, so it comes before.
            let text = [reaction.sign(), " ", &words.person_reacted.fill(name)].concat();
            Some((Tone::Heard, text))
        }
        // Seen in the panel, or on a card while that is closed.
        NoticeKind::FileOffered { name, title } => Some((
            Tone::Heard,
            [&words.person_offers_file.fill(name), ": ", title].concat(),
        )),
        NoticeKind::FileRefused { name } => polite(words.offer_refused.fill(name)),
        NoticeKind::FileReceived { title, .. } => polite(words.file_received.fill(&short_name(title))),
        NoticeKind::FileSent { title, .. } => polite(words.file_sent.fill(&short_name(title))),
        NoticeKind::TransferFailed { title, .. } => polite(words.transfer_failed.fill(&short_name(title))),
        NoticeKind::AnotherFilePicked { title } => {
            Some((Tone::Error, words.another_file_picked.fill(&short_name(title))))
        }
        NoticeKind::MessageRefused { name } => polite(words.chat.refused.fill(name)),
        NoticeKind::NotReaching { name, kind } => polite(match kind {
            MediaKind::Microphone | MediaKind::ScreenSound => words.not_heard.fill(name),
            MediaKind::Camera | MediaKind::Screen => words.not_seen.fill(name),
        }),
        NoticeKind::ServerBack => polite(words.server_back.to_owned()),
        NoticeKind::CaptureEnded { kind } => {
            device_words(*kind).map(|words| (Tone::Error, words.ended.to_owned()))
        }
        NoticeKind::DeviceSwitched { kind, name } => polite(words.now_using.fill(device_name(*kind, name))),
        NoticeKind::DeviceBack { kind, name } => polite(words.device_back.fill(device_name(*kind, name))),
        NoticeKind::SpeakerGone => polite(words.speaker_gone.to_owned()),
        NoticeKind::SpeakerBack { name } => {
            let name = if name.is_empty() { words.speaker } else { name };
            polite(words.device_back.fill(name))
        }
        NoticeKind::SpeakerFailed => Some((Tone::Error, words.speaker_failed.to_owned())),
        NoticeKind::MutedBySystem { kind, muted } => device_words(*kind).map(|words| {
            if *muted {
                (Tone::Error, [words.muted_by_system, words.muted_hint].join(" "))
            } else {
                (Tone::Polite, words.unmuted_by_system.to_owned())
            }
        }),
        NoticeKind::TalkingWhileMuted => polite(words.you_are_muted.fill(words.microphone.turn_on)),
        NoticeKind::CaptureFailed { kind, error } => Some((Tone::Error, why(*kind, *error).to_owned())),
    }
}

/// A device's label, or what it is where the browser does not tell.
fn device_name(kind: CaptureKind, label: &str) -> &str {
    let otherwise = device_words(kind).map_or("", |words| words.picker);
    if label.is_empty() { otherwise } else { label }
}

#[cfg(test)]
mod tests {
    use visavis_protocol::{MediaStatus, PeerId, SeatId};

    use super::*;

    fn person(name: &str, connection: ConnectionState) -> Person {
        Person {
            seat: SeatId::from_bytes([1; 16]),
            peer: PeerId::from_bytes([1; 16]),
            name: name.to_owned(),
            link: None,
            connection,
            away: false,
            is_host: false,
            status: MediaStatus::default(),
            receiving: [false; 4],
            silent: false,
            frozen: [false; 4],
            relayed: None,
        }
    }

    fn say(signaling: SignalingState, people: &[Person]) -> String {
        status(Stage::Joined, signaling, people).text
    }

    #[test]
    fn alone_it_says_so() {
        assert_eq!(say(SignalingState::Online, &[]), "No one else is here yet");
    }

    #[test]
    fn it_says_who_is_here() {
        let people = [
            person("Ada", ConnectionState::Connected),
            person("Ben", ConnectionState::Connected),
        ];
        assert_eq!(say(SignalingState::Online, &people), "With Ada and Ben");
    }

    #[test]
    fn it_says_who_is_joining_before_who_is_here() {
        let people = [
            person("Ada", ConnectionState::Connected),
            person("Ben", ConnectionState::Connecting),
        ];
        assert_eq!(say(SignalingState::Online, &people), "Ben is joining…");
        let both = ["Ada", "Ben"].map(|name| person(name, ConnectionState::Connecting));
        assert_eq!(say(SignalingState::Online, &both), "Ada and Ben are joining…");
    }

    #[test]
    fn it_says_who_is_reconnecting_before_who_is_joining() {
        let people = [
            person("Ada", ConnectionState::Disconnected),
            person("Ben", ConnectionState::Connecting),
        ];
        assert_eq!(say(SignalingState::Online, &people), "Reconnecting to Ada…");
    }

    #[test]
    fn somebody_silent_is_reconnecting_whatever_the_state_says() {
        let mut ada = person("Ada", ConnectionState::Connected);
        ada.silent = true;
        assert_eq!(reach(&ada), Reach::Reconnecting);
    }

    #[test]
    fn a_lost_server_comes_first_and_says_that_the_call_goes_on() {
        let people = [person("Ada", ConnectionState::Connected)];
        assert!(say(SignalingState::Connecting, &people).contains("Your call goes on"));
    }

    #[test]
    fn it_says_who_records() {
        let recorder = |name| {
            let mut person = person(name, ConnectionState::Connected);
            person.status.recording = true;
            person
        };
        let ben = person("Ben", ConnectionState::Connected);
        assert_eq!(recorders(false, std::slice::from_ref(&ben)), "");
        assert_eq!(recorders(true, std::slice::from_ref(&ben)), "You are recording");
        assert_eq!(recorders(false, &[ben, recorder("Ada")]), "Ada is recording");
        assert_eq!(
            recorders(true, &[recorder("Ada"), recorder("Cleo")]),
            "You are recording · Ada and Cleo are recording"
        );
    }

    #[test]
    fn somebody_whose_signaling_is_gone_while_connecting_is_reconnecting() {
        let mut ada = person("Ada", ConnectionState::New);
        ada.away = true;
        assert_eq!(reach(&ada), Reach::Reconnecting);
    }
}
