//! What a person chose about how a call looks. Kept, so that they need not choose again.

use leptos::prelude::{ReadSignal, WithValue};

use super::store::set_if_changed;
use super::{Runtime, memory};

/// Something that is so or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Who speaks is large; else everybody has a tile of the same size.
    SpeakerView,
    /// One sees one's own camera as in a mirror. Others never do.
    MirrorOwn,
    /// The own tile is out of the way while others are there.
    HideOwn,
    /// A shared screen is sent for movement; else for text.
    ScreenMotion,
    /// Single letters do something in a call.
    SingleKeys,
    /// Who is muted can be heard while they hold Space.
    PushToTalk,
}

impl Choice {
    pub(super) const COUNT: usize = 6;
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::SpeakerView,
        Self::MirrorOwn,
        Self::HideOwn,
        Self::ScreenMotion,
        Self::SingleKeys,
        Self::PushToTalk,
    ];
}

impl Runtime {
    /// Whether a choice stands.
    #[must_use]
    pub fn choice(self, choice: Choice) -> ReadSignal<bool> {
        self.store.choices[choice as usize].read_only()
    }

    /// Chooses, now and for the next time.
    pub fn choose(self, choice: Choice, on: bool) {
        memory::put_chosen(choice, on);
        set_if_changed(self.store.choices[choice as usize], on);
        if choice == Choice::ScreenMotion {
            self.engine.with_value(|engine| engine.apply_content());
        }
    }
}
