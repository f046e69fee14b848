//! The root component: the runtime, the language, and the page of the route.

use leptos::prelude::*;

use crate::i18n::set_language;
use crate::pages::{self, PersonName};
use crate::runtime::Runtime;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    let runtime = Runtime::start();
    set_language(runtime.start_language());
    provide_context(PersonName(RwSignal::new(runtime.remembered_name())));
    let route = runtime.route();
    // Runs once the first page stands.
    Effect::new(move |_| runtime.ready());
    move || pages::page(route.get())
}
