//! Reusable views. They get values and callbacks and tell nobody else anything: no runtime here.

mod avatar;
mod brand;
mod dialog;
mod field;
mod heading;
mod icon;
mod invite;
mod message;
mod picker;
mod qr;
mod tile;
mod toast;
mod toggle;

pub use avatar::avatar;
pub use brand::brand_link;
pub use dialog::{DialogRef, dialog};
pub use field::{name_error, name_field};
pub use heading::{focus_when_shown, heading};
pub use icon::{Icon, icon, mark};
pub use invite::{InviteWords, invite};
pub use message::message;
pub use picker::{PickerOption, picker};
pub use qr::qr_code;
pub use tile::{Face, Mark, Place, tile};
pub use toast::{Toast, Toasts, Tone};
pub use toggle::{Look, toggle};
