//! A canvas that is painted by hand and captured as a stream.

use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement, HtmlVideoElement, MediaStream, MediaStreamTrack,
};

use super::{Error, document, value, window};
use crate::layout::{Fit, Rect, Size};

/// What lies behind everything.
const GROUND: &str = "#0b0e10";
/// An empty tile.
const TILE: &str = "#191e21";
/// Behind and of a name, over moving pictures.
const VEIL: &str = "rgb(12 15 17 / 62%)";
const ON_VEIL: &str = "#f6f8f9";
/// Height of a name's letters and of the label around them.
const NAME_PX: f64 = 17.0;
const LABEL_PX: f64 = 28.0;
/// Between a label and its tile's edge, and between a name and its label's.
const GAP_PX: f64 = 8.0;
/// How much of a tile's shorter side the circle with a letter takes, and how much of that the letter.
const FACE: f64 = 0.3;
const LETTER: f64 = 0.42;

/// A film of a fixed size, running until this is dropped.
pub struct Film {
    size: Size,
    pen: CanvasRenderingContext2d,
    stream: MediaStream,
}

/// Whether the browser can make one.
#[must_use]
pub fn can_film() -> bool {
    let canvas = value::get(&js_sys::global(), "HTMLCanvasElement");
    value::method(&value::get(&canvas, "prototype"), "captureStream").is_some()
}

impl Film {
    /// An empty film with so many pictures a second at most. It takes one whenever it is painted.
    ///
    /// # Errors
    /// If the browser can capture no canvas.
    pub fn new(size: Size, frames_per_second: u32) -> Result<Self, Error> {
        let canvas: HtmlCanvasElement = document()
            .create_element("canvas")
            .map_err(Error::from)?
            .unchecked_into();
        canvas.set_width(size.width_px as u32);
        canvas.set_height(size.height_px as u32);
        // Nothing shines through; and a capture that begins before the first context is refused.
        let options = value::dictionary(&[("alpha", JsValue::FALSE)]);
        let pen = value::call(&canvas, "getContext", &[&"2d".into(), &options])?;
        let stream = value::call(&canvas, "captureStream", &[&frames_per_second.into()])?;
        let film = Self {
            size,
            pen: pen.dyn_into().map_err(|_| Error::missing("2d"))?,
            stream: stream.unchecked_into(),
        };
        film.clear();
        Ok(film)
    }

    /// Its pictures.
    #[must_use]
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.stream.get_tracks().get(0).dyn_into().ok()
    }

    /// What it is painted with, for what has no better word here.
    #[must_use]
    pub const fn pen(&self) -> &CanvasRenderingContext2d {
        &self.pen
    }

    /// How large it is.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Begins a picture.
    pub fn clear(&self) {
        let whole = Rect {
            size: self.size,
            ..Rect::default()
        };
        self.fill(GROUND, whole);
    }

    /// Paints an empty tile.
    pub fn tile(&self, tile: Rect) {
        self.fill(TILE, tile);
    }

    /// Paints what a video shows now into a tile. Returns whether there was anything.
    pub fn picture(&self, video: &HtmlVideoElement, fit: Fit, is_mirrored: bool, tile: Rect) -> bool {
        let whole = Size::new(video.video_width().into(), video.video_height().into());
        let Some(placed) = fit.lay(whole, tile) else {
            return false;
        };
        let (part, place) = (placed.part, placed.place);
        // A matrix of six numbers is never refused, nor is a video, which has a picture or is passed over.
        if is_mirrored {
            _ = self.pen.set_transform(-1.0, 0.0, 0.0, 1.0, tile.mirror_px(), 0.0);
        }
        _ = self
            .pen
            .draw_image_with_html_video_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                video,
                part.x_px,
                part.y_px,
                part.size.width_px,
                part.size.height_px,
                place.x_px,
                place.y_px,
                place.size.width_px,
                place.size.height_px,
            );
        _ = self.pen.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        true
    }

    /// Paints a letter on a circle into the middle of a tile, in the colours that an element of the
    /// page has.
    pub fn face(&self, avatar: &HtmlElement, tile: Rect) {
        let width = tile.size.width_px.min(tile.size.height_px) * FACE;
        let (x, y) = (
            tile.x_px + tile.size.width_px / 2.0,
            tile.y_px + tile.size.height_px / 2.0,
        );
        let style = window().get_computed_style(avatar).ok().flatten();
        let colour = |key| {
            let style = style.as_ref()?;
            value::get(style, key).as_string()
        };
        self.pen
            .set_fill_style_str(&colour("backgroundColor").unwrap_or_default());
        self.pen.begin_path();
        // Refused only for a negative radius.
        _ = self.pen.arc(x, y, width / 2.0, 0.0, core::f64::consts::TAU);
        self.pen.fill();
        // By the browser, as the page's style does it: Rust would bring Unicode's tables of letters.
        let letter = JsString::from(avatar.text_content().unwrap_or_default()).to_locale_upper_case(None);
        self.pen.set_text_align("center");
        self.write(
            &String::from(letter),
            width * LETTER,
            &colour("color").unwrap_or_default(),
            (x, y, width),
        );
    }

    /// Paints a name into the corner of a tile.
    pub fn name(&self, name: &str, tile: Rect) {
        self.set_font(NAME_PX);
        let width = value::call(&self.pen, "measureText", &[&name.into()])
            .ok()
            .and_then(|measured| value::get(&measured, "width").as_f64())
            .unwrap_or_default()
            .min(tile.size.width_px - 4.0 * GAP_PX)
            .max(1.0);
        let label = Rect {
            x_px: tile.x_px + GAP_PX,
            y_px: tile.y_px + tile.size.height_px - GAP_PX - LABEL_PX,
            size: Size::new(width + 2.0 * GAP_PX, LABEL_PX),
        };
        self.fill(VEIL, label);
        self.pen.set_text_align("left");
        let (x, y) = (label.x_px + GAP_PX, label.y_px + LABEL_PX / 2.0);
        self.write(name, NAME_PX, ON_VEIL, (x, y, width));
    }

    fn fill(&self, colour: &str, rect: Rect) {
        self.pen.set_fill_style_str(colour);
        self.pen
            .fill_rect(rect.x_px, rect.y_px, rect.size.width_px, rect.size.height_px);
    }

    /// Whole pixels: a number with a fraction costs a lot to print.
    fn set_font(&self, height_px: f64) {
        let mut font = (height_px as i32).to_string();
        font.push_str("px system-ui, sans-serif");
        self.pen.set_font(&font);
    }

    /// Writes a text at a place on its middle line, no wider than a width.
    fn write(&self, text: &str, height_px: f64, colour: &str, (x, y, width): (f64, f64, f64)) {
        self.set_font(height_px);
        self.pen.set_text_baseline("middle");
        self.pen.set_fill_style_str(colour);
        _ = self.pen.fill_text_with_max_width(text, x, y, width);
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        for track in Array::from(&self.stream.get_tracks()).iter() {
            track.unchecked_ref::<MediaStreamTrack>().stop();
        }
    }
}
