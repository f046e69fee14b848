//! Reusable views. They get values and callbacks and tell nobody else anything: no runtime here.

mod avatar;
mod badge;
mod brand;
mod dialog;
pub mod dom;
mod field;
mod heading;
mod icon;
mod invite;
mod menu;
mod message;
mod panel;
mod picker;
mod qr;
mod switch;
mod tile;
mod toast;
mod toggle;
mod transfers;

pub use avatar::Avatar;
pub use badge::badge;
pub use brand::{brand, brand_link};
pub use dialog::Dialog;
pub use field::{Field, name_error, name_field};
pub use heading::{focus_on_arrival, heading};
pub use icon::{Icon, changing_icon, icon};
pub use invite::{InviteWords, invite};
pub use menu::Menu;
pub use message::message;
pub use panel::Panel;
pub use picker::{PickerOption, labelled, picker, picker_list};
pub use qr::qr_code;
pub use switch::switch;
pub use tile::{Face, Mark, Prominence, Reactions, Tile, TileKind};
pub use toast::{Toasts, Tone};
pub use toggle::{Look, toggle};
pub use transfers::{
    Act, Beside, Mood, TransferDoes, asks, file_name, short_name, transfer_list, would_be_lost,
};
