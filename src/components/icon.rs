//! The signs of `public/icons.svg`, which `index.html` carries within itself.

use super::dom::{El, svg};

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
    /// A screen with an arrow.
    Screen,
    /// A screen with a cross.
    ScreenOff,
    /// A receiver put down.
    Leave,
    /// A chain.
    Link,
    /// A QR code.
    Qr,
    /// Sliders.
    Settings,
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
    /// Two points and the way between them.
    Direct,
    /// The same, by way of a third one.
    Relayed,
    /// A tick.
    Check,
    /// Three dots.
    More,
    /// Four equal tiles.
    Grid,
    /// A large tile and two small ones.
    Spotlight,
    /// A drawing pin.
    Pin,
    /// An eye.
    Show,
    /// The same, struck through.
    Hide,
    /// Four corners that point outwards.
    FullScreen,
    /// Four corners that point inwards.
    LeaveFullScreen,
    /// A small window in the corner of a large one.
    PopOut,
    /// A dot in a circle.
    Record,
    /// A square in a circle.
    RecordStop,
    /// Lines of text.
    Text,
    /// A picture that plays.
    Film,
    /// A camera with two arrows around its lens.
    Flip,
    /// A hand held up.
    Hand,
    /// A face that smiles.
    React,
    /// A loudspeaker with a cross.
    SpeakerOff,
    /// A keyboard.
    Keyboard,
    /// A sheet of paper.
    File,
    /// Two of them.
    Files,
    /// A folder.
    Folder,
    /// An arrow that leaves a tray.
    Upload,
    /// What somebody says.
    Chat,
    /// A paper plane.
    Send,
    /// A receiver.
    Phone,
    /// The same, with an arrow that comes.
    PhoneIn,
    /// The same, with an arrow that goes.
    PhoneOut,
    /// The same, with a cross.
    PhoneMissed,
}

impl Icon {
    const fn reference(self) -> &'static str {
        match self {
            Self::Microphone => "#mic",
            Self::MicrophoneOff => "#mic-off",
            Self::Camera => "#camera",
            Self::CameraOff => "#camera-off",
            Self::Screen => "#screen",
            Self::ScreenOff => "#screen-off",
            Self::Leave => "#leave",
            Self::Link => "#link",
            Self::Qr => "#qr",
            Self::Settings => "#gear",
            Self::Close => "#close",
            Self::Warning => "#warning",
            Self::Speaker => "#speaker",
            Self::People => "#people",
            Self::Calendar => "#calendar",
            Self::Lock => "#lock",
            Self::Open => "#open",
            Self::Reconnecting => "#reconnecting",
            Self::Direct => "#direct",
            Self::Relayed => "#relayed",
            Self::Check => "#check",
            Self::More => "#more",
            Self::Grid => "#grid",
            Self::Spotlight => "#spotlight",
            Self::Pin => "#pin",
            Self::Show => "#show",
            Self::Hide => "#hide",
            Self::FullScreen => "#full",
            Self::LeaveFullScreen => "#full-off",
            Self::PopOut => "#pop-out",
            Self::Record => "#record",
            Self::RecordStop => "#record-stop",
            Self::Text => "#text",
            Self::Film => "#film",
            Self::Flip => "#flip",
            Self::Hand => "#hand",
            Self::React => "#react",
            Self::SpeakerOff => "#speaker-off",
            Self::Keyboard => "#keyboard",
            Self::File => "#file",
            Self::Files => "#files",
            Self::Folder => "#folder",
            Self::Upload => "#upload",
            Self::Chat => "#chat",
            Self::Send => "#send",
            Self::Phone => "#phone",
            Self::PhoneIn => "#phone-in",
            Self::PhoneOut => "#phone-out",
            Self::PhoneMissed => "#phone-missed",
        }
    }
}

/// A sign beside words, or in a control that has a name of its own.
pub fn icon(icon: Icon) -> El {
    drawing("icon").child(svg("use").attr("href", icon.reference()))
}

/// A sign that follows signals.
pub fn changing_icon(icon: impl Fn() -> Icon + 'static) -> El {
    let shape = svg("use").live(move |shape| shape.set_attr("href", Some(icon().reference())));
    drawing("icon").child(shape)
}

/// The mark of Visavis.
pub fn mark() -> El {
    drawing("mark").child(svg("use").attr("href", "#mark"))
}

fn drawing(class: &str) -> El {
    svg("svg").attr("class", class).attr("aria-hidden", "true")
}
