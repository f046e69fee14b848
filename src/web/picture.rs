//! Pictures from elsewhere, decoded into pixels: never put into the page as what they claim to be.
//!
//! `createImageBitmap` runs no script and loads nothing, and gives pixels or an error. It takes no SVG,
//! which is a document.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::task::settled;
use super::{Error, value, window};

/// Draws what is in a `Blob` into a canvas, which is made as large as the picture, or where that is less as
/// its present size allows.
///
/// # Errors
/// `InvalidStateError` if it is no picture of a kind that this browser knows.
pub async fn draw(blob: &wasm_bindgen::JsValue, canvas: &HtmlCanvasElement) -> Result<(), Error> {
    let bitmap = settled(value::call(&window(), "createImageBitmap", &[blob])).await?;
    let drawn = place(&bitmap, canvas);
    // Its pixels are not freed before the next collection of garbage else.
    _ = value::call(&bitmap, "close", &[]);
    drawn
}

fn place(bitmap: &wasm_bindgen::JsValue, canvas: &HtmlCanvasElement) -> Result<(), Error> {
    let side = |key| value::get(bitmap, key).as_f64().unwrap_or_default();
    let (width, height) = (side("width"), side("height"));
    let scale = (f64::from(canvas.width()) / width)
        .min(f64::from(canvas.height()) / height)
        .min(1.0);
    if !scale.is_finite() {
        return Err(Error::missing("a picture's size"));
    }
    let (width, height) = (whole(width * scale), whole(height * scale));
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d").ok().flatten();
    let context: CanvasRenderingContext2d = context
        .ok_or_else(|| Error::missing("a canvas"))?
        .unchecked_into();
    value::call(
        &context,
        "drawImage",
        &[bitmap, &0.into(), &0.into(), &width.into(), &height.into()],
    )
    .map(drop)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and it is no more than the canvas had"
)]
fn whole(side: f64) -> u32 {
    side.round().max(1.0) as u32
}
