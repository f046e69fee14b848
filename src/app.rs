//! The root component: the runtime, the language, and the page of the route.

use leptos::prelude::*;

use crate::components::dom::{el_class, live, show_in_body};
use crate::pages::{self, DeskDraft, PersonName, RoomText};
use crate::runtime::Runtime;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    let runtime = Runtime::start();
    runtime.start_language();
    provide_context(PersonName(StoredValue::new(runtime.remembered_name())));
    provide_context(RoomText(StoredValue::new(String::new())));
    provide_context(DeskDraft::new());
    let (route, speech) = (runtime.route(), runtime.speech());
    // A page has words in it; its own slots see to it when they change.
    let speaks = Memo::new(move |_| speech.get() > 0);
    show_in_body(el_class("div", "slot").slot(move || speaks.get().then(|| pages::page(route.get()))));
    show_in_body(el_class("div", "slot").slot(move || speaks.get().then(pages::card)));
    show_in_body(el_class("div", "slot").slot(move || speaks.get().then(pages::arrival_card)));
    live(move || {
        if speaks.get() {
            runtime.ready();
        }
    });
}
