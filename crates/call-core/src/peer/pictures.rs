//! Pictures over a hole in the network: none are sent into it, and new ones come right after it.
//!
//! A browser that sends on into a hole plays what was lost there once more when packets pass again,
//! as padding with which it probes the way. The receiver takes that for new, believes in a delay as
//! long as the hole, and holds the first good picture back for that time (seen in Chromium: sound
//! back after 3 s, pictures after 6). And the losses make the sender believe in a way that carries
//! next to nothing. So whoever hears nothing sends no pictures until something comes; sound goes on,
//! so that the other side hears when the hole is over.

use core::time::Duration;

use visavis_protocol::Signal;

use super::{Context, Peer};
use crate::command::Command;
use crate::id::{LinkId, Slot};
use crate::time::Timestamp;

/// How long a picture is asked for after a hole, and how often.
const WITHIN: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(450);
/// Pause between two pictures that a peer can have made.
const REFRESH_PAUSE: Duration = Duration::from_millis(300);

/// How it stands with pictures on one connection, both ways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pictures {
    sending: Sending,
    /// Pictures of the camera that had arrived at the last look.
    arrived: u64,
    /// When we were last asked for one.
    refreshed: Option<Timestamp>,
}

/// Whether pictures are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sending {
    #[default]
    Freely,
    /// Nothing is heard.
    Paused,
    /// Nothing is heard, but the other side hears us: it has asked for pictures.
    AsAsked,
}

/// What is waited for after a hole: the next picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    /// How many there were before.
    before: u64,
    since: Timestamp,
    asked: Timestamp,
}

impl Pictures {
    fn send(&mut self, sending: Sending, link: LinkId, context: &mut Context<'_>) {
        let before = core::mem::replace(&mut self.sending, sending);
        let paused = sending == Sending::Paused;
        if paused != (before == Sending::Paused) {
            context
                .commands
                .push_back(Command::PausePictures { link, paused });
        }
    }
}

impl Peer {
    /// Sends no pictures where nothing is heard, as long as there is sound to be heard by, and goes on
    /// when something comes.
    pub(super) fn pause_pictures(&mut self, context: &mut Context<'_>) {
        let Some(link) = &mut self.link else { return };
        let has_sound = link.attached[Slot::Audio.index()].is_some();
        let hears_nothing = link
            .health
            .as_ref()
            .is_some_and(|health| health.is_suspicious(context.now));
        let sending = match link.pictures.sending {
            Sending::Freely if hears_nothing && has_sound => Sending::Paused,
            Sending::Paused | Sending::AsAsked if !hears_nothing => Sending::Freely,
            as_before @ (Sending::Freely | Sending::Paused | Sending::AsAsked) => as_before,
        };
        link.pictures.send(sending, link.negotiation.link(), context);
    }

    /// Sends pictures again although nothing is heard: the other side asks for them, so it hears us.
    pub(super) fn resume_pictures(&mut self, context: &mut Context<'_>) {
        let Some(link) = &mut self.link else { return };
        if link.pictures.sending == Sending::Paused {
            link.pictures
                .send(Sending::AsAsked, link.negotiation.link(), context);
        }
    }

    /// The other side asks for a picture that needs no other.
    pub(super) fn refresh_pictures(&mut self, context: &mut Context<'_>) {
        let was_paused = self
            .link
            .as_ref()
            .is_some_and(|link| link.pictures.sending == Sending::Paused);
        if was_paused {
            // The first one after a pause needs no other.
            self.resume_pictures(context);
        } else if let Some(link) = &mut self.link
            && link
                .pictures
                .refreshed
                .is_none_or(|last| context.now.since(last) >= REFRESH_PAUSE)
        {
            link.pictures.refreshed = Some(context.now);
            let link = link.negotiation.link();
            context.commands.push_back(Command::SendKeyFrame { link });
        }
    }

    /// Something comes again after a hole. Pictures that build on lost ones would wait for seconds:
    /// both sides make new ones, and each asks the other once more, who may have been too early.
    pub(super) fn returned(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        self.refresh_pictures(context);
        self.courier.post(Signal::Refresh {});
        self.picture = Some(Picture {
            before: self.link.as_ref().map_or(0, |link| link.pictures.arrived),
            since: now,
            asked: now,
        });
    }

    /// Asks for the picture again that does not come: the one that was sent may have been lost, or
    /// held back by a sender that had to learn anew what the way can carry.
    pub(super) fn await_picture(&mut self, arrived: u64, now: Timestamp) {
        if let Some(link) = &mut self.link {
            link.pictures.arrived = arrived;
        }
        let Some(picture) = &mut self.picture else { return };
        let is_over = arrived != picture.before || !self.status.camera;
        if is_over || now.since(picture.since) >= WITHIN {
            self.picture = None;
        } else if now.since(picture.asked) >= PAUSE {
            picture.asked = now;
            self.courier.post(Signal::Refresh {});
        }
    }
}
