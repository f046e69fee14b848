//! One person in the call.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::avatar::avatar;
use super::icon::{Icon, icon};
use crate::i18n::words;
use crate::layout::Rect;

/// A sign beside the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The microphone is off.
    MicrophoneOff,
    /// The camera is off.
    CameraOff,
    /// The connection is being brought back.
    Reconnecting,
}

impl Mark {
    fn view(self) -> AnyView {
        let (name, sign) = match self {
            Self::MicrophoneOff => (words().microphone.is_off, Icon::MicrophoneOff),
            Self::CameraOff => (words().camera.is_off, Icon::CameraOff),
            Self::Reconnecting => (words().reconnecting, Icon::Reconnecting),
        };
        view! {
            <span role="img" aria-label=name title=name class:mark-warning=self == Self::Reconnecting>
                {icon(sign)}
            </span>
        }
        .into_any()
    }
}

/// What a tile shows.
#[derive(Clone, Copy)]
pub struct Face {
    /// As others read it; the own one says so.
    pub name: Signal<String>,
    /// For the letter where there is no picture.
    pub initial_of: Signal<String>,
    /// Whether it is the own tile, which is mirrored.
    pub is_own: bool,
    /// `connectionState`; `None` for the own tile.
    pub connection: Signal<Option<&'static str>>,
    /// Whether there is a picture worth showing.
    pub has_picture: Signal<bool>,
    /// The stream to show.
    pub stream: Signal<Option<JsValue>, LocalStorage>,
    /// Signs beside the name.
    pub marks: Signal<Vec<Mark>>,
    /// What is wrong, told in the tile that it concerns.
    pub trouble: Signal<Option<&'static str>>,
}

/// Where a tile lies.
#[derive(Clone, Copy)]
pub struct Place(pub Signal<Rect>);

/// A tile. Its elements stay the same whatever changes, so that no picture ever flashes.
pub fn tile(face: Face, Place(rect): Place) -> AnyView {
    let Face {
        name,
        initial_of,
        is_own,
        connection,
        has_picture,
        stream,
        marks,
        trouble,
    } = face;
    view! {
        <article
            class="tile"
            class:is-own=is_own
            class:has-picture=has_picture
            aria-label=name
            data-connection=connection
            style:inset-inline-start=move || px(rect.get().x_px)
            style:inset-block-start=move || px(rect.get().y_px)
            style:inline-size=move || px(rect.get().size.width_px)
            style:block-size=move || px(rect.get().size.height_px)
        >
            <video data-stream="camera" autoplay playsinline prop:muted=true prop:srcObject=move || stream.get()></video>
            <div class="tile-face">{avatar(initial_of)}</div>
            <div class="tile-trouble">
                {move || trouble.get().map(|text| view! { <p class="chip">{text}</p> })}
            </div>
            <div class="tile-name">
                <div class="chip">
                    <span class="cut" dir="auto">
                        {name}
                    </span>
                    <span class="marks">
                        <For each=move || marks.get() key=|mark| *mark children=Mark::view />
                    </span>
                </div>
            </div>
        </article>
    }
    .into_any()
}

/// Whole pixels: the layout makes them so, and a number with a fraction costs a lot to print.
fn px(length_px: f64) -> String {
    let mut text = (length_px as i32).to_string();
    text.push_str("px");
    text
}
