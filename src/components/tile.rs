//! One person in the call, or a screen that they share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};

use super::Avatar;
use super::dom::{El, button, el, el_class};
use super::icon::{Icon, icon};
use crate::i18n::words;
use crate::layout::Rect;

/// Reactions that float over one place at once.
const REACTIONS: u32 = 6;

/// A sign beside the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The connection is being brought back.
    Reconnecting,
    /// The microphone is off.
    MicrophoneOff,
    /// The camera is off.
    CameraOff,
    /// The media come straight from the other browser.
    Direct,
    /// They come through a relay.
    Relayed,
    /// They record the call.
    Recording,
    /// What is shared is heard as well.
    Sound,
    /// They would like to say something.
    Hand,
}

impl Mark {
    /// Its sign, named.
    #[must_use]
    pub fn view(self) -> El {
        let (name, sign, class) = match self {
            Self::Reconnecting => (words().reconnecting, Icon::Reconnecting, "mark-warning"),
            Self::MicrophoneOff => (words().microphone.is_off, Icon::MicrophoneOff, ""),
            Self::CameraOff => (words().camera.is_off, Icon::CameraOff, ""),
            Self::Direct => (words().direct, Icon::Direct, "mark-quiet"),
            Self::Relayed => (words().relayed, Icon::Relayed, "mark-quiet"),
            Self::Recording => (words().recording, Icon::Record, "mark-recording"),
            Self::Sound => (words().screen.with_sound, Icon::Speaker, ""),
            Self::Hand => (words().hand_raised, Icon::Hand, "mark-hand"),
        };
        let mark = el_class("span", class).attr("role", "img").child(icon(sign));
        mark.set_label(name);
        mark.set_attr("title", Some(name));
        mark
    }
}

/// What a tile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    /// Somebody else.
    Person,
    /// Oneself: the name says so.
    Own,
    /// Somebody's screen, one's own included: shown whole.
    Screen,
}

/// What a tile shows of somebody at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Face {
    /// The tile's name: a person's or a screen's.
    pub name: String,
    /// `connectionState`; `None` for the own tile.
    pub connection: Option<&'static str>,
    /// Whether there is a picture worth showing.
    pub has_picture: bool,
    /// Signs beside the name.
    pub marks: Vec<Mark>,
    /// What is wrong, told in the tile that it concerns.
    pub trouble: Option<&'static str>,
}

/// A tile. Its elements stay the same whatever changes, so that no picture ever flashes.
#[derive(Clone)]
pub struct Tile(Rc<Parts>);

struct Parts {
    kind: TileKind,
    whole: El,
    video: El,
    avatar: Avatar,
    trouble: El,
    reactions: Reactions,
    name: El,
    marks: El,
    /// There is none where nothing can be made large.
    pin: Option<El>,
    /// What it shows now.
    shown: RefCell<Option<Face>>,
    /// Where it lies, if anywhere.
    place: Cell<Option<Rect>>,
    stands_out: Cell<Prominence>,
}

/// What signs float over.
#[derive(Clone)]
pub struct Reactions(El);

impl Reactions {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        // Said elsewhere, and not of each one.
        let layer = el_class("div", "reactions")
            .attr("aria-hidden", "true")
            .on("animationend", |event| {
                if let Some(over) = event.target() {
                    over.unchecked_into::<web_sys::Element>().remove();
                }
            });
        Self(layer)
    }

    /// Their element.
    #[must_use]
    pub fn el(&self) -> El {
        self.0.clone()
    }

    /// Shows a sign for as long as its animation runs. Too many at once are too many.
    pub fn show(&self, sign: &str) {
        if self.0.element().child_element_count() < REACTIONS {
            self.0.put(&el_class("span", "reaction").text(sign));
        }
    }
}

impl Default for Reactions {
    fn default() -> Self {
        Self::new()
    }
}

/// How a tile stands among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prominence {
    /// Whether it is the large one.
    pub is_large: bool,
    /// Whether that is so because the person wants it.
    pub is_pinned: bool,
}

impl Tile {
    /// An empty tile. `toggle_pin` is what its button does; `None` where there is no stage on which it
    /// could be made large.
    ///
    /// A double click on somebody does the same, as in most programs for calls; a screen that is not
    /// large needs only one click, for there is nothing else that one could want of it.
    #[must_use]
    pub fn new(kind: TileKind, toggle_pin: Option<Rc<dyn Fn()>>) -> Self {
        let (stream, class) = match kind {
            TileKind::Person => ("camera", "tile"),
            TileKind::Own => ("camera", "tile is-own"),
            TileKind::Screen => ("screen", "tile is-screen"),
        };
        let video = el("video")
            .attr("data-stream", stream)
            .attr("autoplay", "")
            .attr("playsinline", "")
            // Firefox would stop at it with every Tab, and it does nothing.
            .attr("tabindex", "-1");
        // The attribute would only be the default; sound is played elsewhere.
        video.set_property("muted", &JsValue::TRUE);
        let avatar = Avatar::new();
        let trouble = el_class("div", "tile-trouble");
        let reactions = Reactions::new();
        let name = el_class("span", "cut").attr("dir", "auto");
        let marks = el_class("span", "marks");
        let chip = el_class("div", "chip").child(name.clone()).child(marks.clone());
        let face = el_class("div", "tile-face").child(match kind {
            TileKind::Person | TileKind::Own => avatar.el(),
            TileKind::Screen => icon(Icon::Screen),
        });
        let whole = el_class("article", class)
            .child(video.clone())
            .child(face)
            .child(trouble.clone())
            .child(reactions.el())
            .child(el_class("div", "tile-name").child(chip));
        let pin = toggle_pin.map(|toggle_pin| pin(kind, &whole, toggle_pin));
        Self(Rc::new(Parts {
            kind,
            whole,
            video,
            avatar,
            trouble,
            reactions,
            name,
            marks,
            pin,
            shown: RefCell::default(),
            place: Cell::new(None),
            stands_out: Cell::default(),
        }))
    }

    /// Its element.
    #[must_use]
    pub fn el(&self) -> El {
        self.0.whole.clone()
    }

    /// Shows somebody as they are now.
    pub fn show(&self, face: Face) {
        if self.0.shown.borrow().as_ref() == Some(&face) {
            return;
        }
        let Parts {
            kind,
            whole,
            avatar,
            trouble,
            name,
            marks,
            ..
        } = &*self.0;
        let full_name = match kind {
            TileKind::Own => words().you.fill(&face.name),
            TileKind::Person | TileKind::Screen => face.name.clone(),
        };
        whole.set_attr("aria-label", Some(&full_name));
        whole.set_attr("data-connection", face.connection);
        whole.set_class("has-picture", face.has_picture);
        avatar.set(&face.name);
        name.set_text(&full_name);
        let chip = |text| el_class("p", "chip").text(text);
        trouble.set_only_child(face.trouble.map(chip));
        marks.set_only_child(None);
        for mark in &face.marks {
            marks.put(&mark.view());
        }
        self.0.shown.replace(Some(face));
        self.name_pin(&full_name);
    }

    /// The button says what it does, and to whom.
    fn name_pin(&self, full_name: &str) {
        let words = words();
        let is_pinned = self.0.stands_out.get().is_pinned;
        let does = if is_pinned { words.unpin } else { words.pin };
        if let Some(pin) = &self.0.pin {
            pin.set_label(&does.fill(full_name));
        }
    }

    /// What plays its pictures.
    #[must_use]
    pub fn video(&self) -> El {
        self.0.video.clone()
    }

    /// What stands in their place; `None` on a screen's tile.
    #[must_use]
    pub fn avatar(&self) -> Option<El> {
        match self.0.kind {
            TileKind::Person | TileKind::Own => Some(self.0.avatar.el()),
            TileKind::Screen => None,
        }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> TileKind {
        self.0.kind
    }

    /// What it shows now.
    #[must_use]
    pub fn face(&self) -> Face {
        self.0.shown.borrow().clone().unwrap_or_default()
    }

    /// Shows another stream, or none.
    pub fn set_stream(&self, stream: Option<JsValue>) {
        self.0
            .video
            .set_property("srcObject", &stream.unwrap_or(JsValue::NULL));
    }

    /// Puts it somewhere else on the stage, or takes it from there. Nothing is made anew or moved
    /// within the page, so its picture goes on.
    pub fn place(&self, rect: Option<Rect>) {
        if self.0.place.replace(rect) == rect && rect.is_some() {
            return;
        }
        let whole = &self.0.whole;
        whole.set_flag("hidden", rect.is_none());
        let Some(rect) = rect else { return };
        whole.set_style("inset-inline-start", &px(rect.x_px));
        whole.set_style("inset-block-start", &px(rect.y_px));
        whole.set_style("inline-size", &px(rect.size.width_px));
        whole.set_style("block-size", &px(rect.size.height_px));
    }

    /// Makes it stand out among the others, or no longer.
    pub fn set_prominence(&self, prominence: Prominence) {
        if self.0.stands_out.replace(prominence) == prominence {
            return;
        }
        self.0.whole.set_class("is-large", prominence.is_large);
        self.0.whole.set_class("is-pinned", prominence.is_pinned);
        if let Some(name) = self.0.whole.element().get_attribute("aria-label") {
            self.name_pin(&name);
        }
    }

    /// Puts a control on it that is always to be seen. What it is pressed for is not for the tile.
    pub fn offer(&self, control: &El) {
        let place = el_class("div", "tile-offer")
            .on("click", |event| event.stop_propagation())
            .child(control.clone());
        self.0.whole.put(&place);
    }

    /// Keeps its picture out of sight, or no longer. A recording has it all the same.
    pub fn set_covered(&self, is_covered: bool) {
        self.0.whole.set_class("is-covered", is_covered);
    }

    /// Shows a sign of theirs over it; whether it is to be seen at all.
    pub fn react(&self, sign: &str) -> bool {
        let is_seen = self.0.place.get().is_some();
        if is_seen {
            self.0.reactions.show(sign);
        }
        is_seen
    }

    /// Says whether they speak: a ring for the eye. For the ear there is the voice itself.
    pub fn set_speaking(&self, is_speaking: bool) {
        self.0.whole.set_flag("data-speaking", is_speaking);
    }

    /// Shows the picture as a mirror does, or as others see it.
    pub fn set_mirrored(&self, is_mirrored: bool) {
        self.0.video.set_class("is-mirrored", is_mirrored);
    }
}

/// Puts the button on a tile that makes it large, and has its clicks do the same.
fn pin(kind: TileKind, whole: &El, toggle_pin: Rc<dyn Fn()>) -> El {
    let (pressed, clicked) = (Rc::clone(&toggle_pin), toggle_pin);
    let pin = button("tile-pin", move || pressed())
        // Two presses on the button are two presses, and no double click on the tile.
        .on("dblclick", |event| event.stop_propagation())
        .child(icon(Icon::Pin));
    whole.put(&pin);
    let (click, screen) = match kind {
        TileKind::Person | TileKind::Own => ("dblclick", None),
        TileKind::Screen => ("click", Some(whole.clone())),
    };
    // The button's own presses arrive here too, and have been heard.
    let of_button = pin.clone();
    whole.clone().on(click, move |event| {
        let is_large = screen.as_ref().is_some_and(|screen| screen.has_class("is-large"));
        if !is_large && !of_button.holds(&event) {
            clicked();
        }
    });
    pin
}

/// Whole pixels: the layout makes them so, and a number with a fraction costs a lot to print.
fn px(length_px: f64) -> String {
    let mut text = (length_px as i32).to_string();
    text.push_str("px");
    text
}
