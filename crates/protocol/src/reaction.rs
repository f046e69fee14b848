//! Reactions: a sign that somebody shows for a moment, and that nobody misses if it is lost.
//!
//! Each is one text message, the sign itself, on a data channel of its own beside the control channel:
//! unordered and never repeated (`maxRetransmits: 0`), with the negotiated id [`REACTION_CHANNEL`]. What
//! is no sign of this version is dropped.

/// `id` of the channel of reactions, which both sides make beforehand (`negotiated`).
pub const REACTION_CHANNEL: u16 = 1;
/// `label` and `protocol` of that channel.
pub const REACTION_LABEL: &str = "reactions";

/// A sign of one's mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reaction {
    /// Agreed.
    ThumbsUp,
    /// Well done.
    Clap,
    /// Dear.
    Heart,
    /// Funny.
    Laugh,
    /// Astonishing.
    Surprise,
    /// Something to celebrate.
    Party,
}

impl Reaction {
    /// Every reaction, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::ThumbsUp,
        Self::Clap,
        Self::Heart,
        Self::Laugh,
        Self::Surprise,
        Self::Party,
    ];

    /// The sign, as it is shown and as it travels.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::ThumbsUp => "👍",
            Self::Clap => "👏",
            Self::Heart => "❤️",
            Self::Laugh => "😂",
            Self::Surprise => "😮",
            Self::Party => "🎉",
        }
    }

    /// The reaction of a sign; `None` for anything else.
    #[must_use]
    pub fn from_sign(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reaction| reaction.sign() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn a_reaction_is_its_sign_and_nothing_else_is_one() {
        for reaction in Reaction::ALL {
            assert_eq!(Reaction::from_sign(reaction.sign()), Some(reaction));
            assert!(reaction.sign().len() <= limits::REACTION_BYTES);
        }
        for other in ["", "👏👏", "x", "🧨", "{\"reaction\":\"👏\"}"] {
            assert_eq!(Reaction::from_sign(other), None);
        }
    }
}
