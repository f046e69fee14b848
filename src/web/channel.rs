//! The channels that every connection has: data channels that both sides make beforehand.

use std::rc::Rc;

use visavis_protocol::chat::{CHAT_CHANNEL, CHAT_LABEL};
use visavis_protocol::limits::{CHAT_FRAME_BYTES, FILES_FRAME_BYTES, REACTION_BYTES};
use visavis_protocol::reaction::{REACTION_CHANNEL, REACTION_LABEL};
use visavis_protocol::signal::{CONTROL_CHANNEL, CONTROL_LABEL};
use visavis_protocol::transfer::{FILES_CHANNEL, FILES_LABEL};

use super::Error;
use super::data_channel::{DataChannel, DataEvent, Options};
use super::rtc::Connection;

/// What a channel is for, which says how it delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Ordered and reliable.
    Control,
    /// As it comes, or not at all: what is late is of no use.
    Reactions,
    /// Ordered and reliable.
    Chat,
    /// Ordered and reliable: what is said about files, not their bytes.
    Files,
}

impl Purpose {
    /// How many there are.
    pub(super) const COUNT: usize = 4;
    /// Every one, in the order of their ids.
    pub(super) const ALL: [Self; Self::COUNT] = [Self::Control, Self::Reactions, Self::Chat, Self::Files];

    const fn id_and_label(self) -> (u16, &'static str) {
        match self {
            Self::Control => (CONTROL_CHANNEL, CONTROL_LABEL),
            Self::Reactions => (REACTION_CHANNEL, REACTION_LABEL),
            Self::Chat => (CHAT_CHANNEL, CHAT_LABEL),
            Self::Files => (FILES_CHANNEL, FILES_LABEL),
        }
    }

    /// Whether a text of so many UTF-16 units, each of which is a byte at least, may be a message. What
    /// the control channel carries is limited by what is in it.
    const fn may_bring(self, units: u32) -> bool {
        match self {
            Self::Control => true,
            Self::Reactions => units as usize <= REACTION_BYTES,
            Self::Chat => units as usize <= CHAT_FRAME_BYTES,
            Self::Files => units as usize <= FILES_FRAME_BYTES,
        }
    }
}

/// What the channel did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// It can be written to.
    Opened,
    /// A text message came.
    Received(String),
    /// It is gone by the other side's doing.
    Closed,
}

/// A channel, heard until this is dropped. It closes with its connection.
pub struct Channel(DataChannel);

impl Channel {
    /// Makes the channel. On the side that answers it must not be made before the first offer was
    /// applied: the browser would want to offer itself.
    ///
    /// # Errors
    /// As `createDataChannel`.
    pub(super) fn new(
        connection: &Connection,
        purpose: Purpose,
        handler: Rc<dyn Fn(ChannelEvent)>,
    ) -> Result<Self, Error> {
        let (id, label) = purpose.id_and_label();
        let is_fleeting = purpose == Purpose::Reactions;
        let options = Options {
            label,
            protocol: label,
            ordered: !is_fleeting,
            max_retransmits: is_fleeting.then_some(0),
            negotiated: true,
            id: Some(id.into()),
            ..Options::default()
        };
        let told = move |event| match event {
            DataEvent::Opened => handler(ChannelEvent::Opened),
            // What is too long is not even copied.
            DataEvent::Text(text) if purpose.may_bring(text.length()) => {
                handler(ChannelEvent::Received(text.into()));
            }
            DataEvent::Closed => handler(ChannelEvent::Closed),
            // Binary messages are none of this protocol.
            DataEvent::Text(_) | DataEvent::Bytes(_) | DataEvent::Low | DataEvent::Failed(_) => {}
        };
        DataChannel::new(connection, &options, Rc::new(told)).map(Self)
    }

    /// Writes a text message. On a channel that is not open (any more) it is dropped.
    pub fn send(&self, text: &str) {
        _ = self.0.send_text(text);
    }

    /// Whether something written has not left yet.
    pub(super) fn is_busy(&self) -> bool {
        self.0.buffered_bytes() > 0
    }
}

#[cfg(test)]
mod tests {
    use visavis_protocol::Reaction;

    use super::*;

    #[test]
    fn a_reaction_that_is_too_long_is_not_read() {
        for reaction in Reaction::ALL {
            let units = u32::try_from(reaction.sign().encode_utf16().count()).unwrap();
            assert!(Purpose::Reactions.may_bring(units));
        }
        assert!(!Purpose::Reactions.may_bring(257));
        assert!(!Purpose::Reactions.may_bring(u32::MAX));
        assert!(Purpose::Control.may_bring(64 * 1024));
    }
}
