//! Files dragged over the page or pasted into it, for a page that wants them.

use leptos::prelude::StoredValue;

use super::Runtime;
pub use crate::web::drop::DropEvent;
use crate::web::drop::Drops;

impl Runtime {
    /// Hears of files until the calling component goes. `handler` says whether it has a use for them.
    pub fn hear_drops(self, handler: impl Fn(DropEvent) -> bool + 'static) {
        StoredValue::new_local(Drops::new(handler));
    }
}
