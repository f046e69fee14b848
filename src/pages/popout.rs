//! What is in the small window above all others: what matters most in the call, and the two controls
//! that one wants at hand.

use leptos::prelude::*;
use visavis_call_core::CaptureKind;

use super::call::leave_button;
use super::prejoin::capture_toggle;
use super::scene::Scene;
use super::stage::tile;
use crate::components::Look;
use crate::components::dom::{El, el_class};
use crate::runtime::PopOut;

/// It is empty while the window is not there. The tile in it is one of its own with the same stream:
/// that on the stage stays where it is.
pub fn content(scene: Scene, window: PopOut) -> El {
    let is_out = window.is_out();
    el_class("div", "pop-out").slot(move || {
        is_out.get().then(|| {
            el_class("div", "slot")
                .slot(move || Some(tile(scene.foremost(), None).el()))
                .child(
                    el_class("div", "pop-out-controls")
                        .child(capture_toggle(CaptureKind::Microphone, Look::Veil))
                        .child(leave_button()),
                )
        })
    })
}
