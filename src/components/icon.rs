//! The signs of `public/icons.svg`, which `index.html` carries within itself.

use leptos::prelude::*;

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A microphone.
    Microphone,
    /// The same, struck through.
    MicrophoneOff,
    /// A camera.
    Camera,
    /// The same, struck through.
    CameraOff,
    /// A receiver put down.
    Leave,
    /// A chain.
    Link,
    /// A QR code.
    Qr,
    /// Sliders.
    Settings,
    /// Done.
    Check,
    /// A cross.
    Close,
    /// A triangle.
    Warning,
    /// A loudspeaker.
    Speaker,
    /// Two people.
    People,
    /// A calendar's page.
    Calendar,
    /// A closed lock.
    Lock,
    /// A globe.
    Open,
    /// Two arrows in a circle.
    Reconnecting,
}

impl Icon {
    const fn reference(self) -> &'static str {
        match self {
            Self::Microphone => "#mic",
            Self::MicrophoneOff => "#mic-off",
            Self::Camera => "#camera",
            Self::CameraOff => "#camera-off",
            Self::Leave => "#leave",
            Self::Link => "#link",
            Self::Qr => "#qr",
            Self::Settings => "#gear",
            Self::Check => "#check",
            Self::Close => "#close",
            Self::Warning => "#warning",
            Self::Speaker => "#speaker",
            Self::People => "#people",
            Self::Calendar => "#calendar",
            Self::Lock => "#lock",
            Self::Open => "#open",
            Self::Reconnecting => "#reconnecting",
        }
    }
}

/// A sign beside words, or in a control that has a name of its own.
pub fn icon(icon: Icon) -> AnyView {
    drawing("icon", Signal::stored(icon.reference()))
}

/// A sign that changes.
pub fn changing_icon(icon: Signal<Icon>) -> AnyView {
    drawing("icon", Signal::derive(move || icon.get().reference()))
}

/// The mark of Visavis.
pub fn mark() -> AnyView {
    drawing("mark", Signal::stored("#mark"))
}

fn drawing(class: &'static str, reference: Signal<&'static str>) -> AnyView {
    view! { <svg class=class aria-hidden="true"><use href=reference></use></svg> }.into_any()
}
