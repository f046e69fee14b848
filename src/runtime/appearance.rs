//! What pages do with the tab as a whole: theme, measuring, loading anew.

use leptos::prelude::*;
use web_sys::Element;

use super::Runtime;
use crate::layout::Size;
use crate::web::resize::ResizeWatch;
use crate::web::storage::Shelf;
use crate::web::{appearance, location};

/// Where the theme is kept. The script in `index.html` reads it too, before anything is painted.
const THEME_KEY: &str = "visavis.theme";

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order of a picker.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in the page and in the store; empty for the system's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == name)
            .unwrap_or_default()
    }
}

impl Runtime {
    /// The theme that was chosen on this device.
    #[must_use]
    pub fn theme(self) -> Theme {
        Theme::from_name(&Shelf::Device.get(THEME_KEY).unwrap_or_default())
    }

    /// Shows and keeps a theme.
    pub fn choose_theme(self, theme: Theme) {
        let name = Some(theme.as_str()).filter(|name| !name.is_empty());
        appearance::set_theme(name);
        Shelf::Device.put(THEME_KEY, name);
    }

    /// Loads the page anew.
    pub fn reload(self) {
        location::reload();
    }

    /// Hears how much room an element has, until the calling component goes.
    pub fn measure(self, element: &Element, handler: impl Fn(f64, f64) + 'static) {
        StoredValue::new_local(ResizeWatch::new(element, handler));
    }

    /// How much room an element has, until the calling component goes.
    #[must_use]
    pub fn size_of(self, element: &Element) -> ReadSignal<Size> {
        let size = RwSignal::new(Size::default());
        // A last call may still come while the component goes.
        let watch = ResizeWatch::new(element, move |width, height| {
            _ = size.try_set(Size::new(width, height));
        });
        StoredValue::new_local(watch);
        size.read_only()
    }
}
