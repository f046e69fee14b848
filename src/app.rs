//! The root component.

use leptos::prelude::*;

use crate::runtime::Runtime;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    let runtime = Runtime::start();
    runtime.ready();
    view! { <main><h1>"Visavis"</h1></main> }
}
