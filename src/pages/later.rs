//! Pages whose rooms are not built yet: they say so, and what helps until then.

use super::dead_end;
use crate::components::Icon;
use crate::components::dom::El;
use crate::i18n::words;

/// `/desk`
pub fn appointments() -> El {
    dead_end(Icon::Calendar, words().appointments, words().appointments_later)
}
