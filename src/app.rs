//! The root component: the runtime, the language, and the page of the route.

use leptos::prelude::*;

use crate::components::dom::{el_class, show_in_body};
use crate::i18n::set_language;
use crate::pages::{self, PersonName};
use crate::runtime::Runtime;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    let runtime = Runtime::start();
    set_language(runtime.start_language());
    provide_context(PersonName(StoredValue::new(runtime.remembered_name())));
    let route = runtime.route();
    show_in_body(el_class("div", "slot").slot(move || Some(pages::page(route.get()))));
    runtime.ready();
}
