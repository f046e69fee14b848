//! Elements and their live parts: what views are made of here.
//!
//! Leptos brings signals, memos, owners and clean-up; the elements are made by this file instead of
//! its `view!` macro. Every element, attribute and closure in `view!` is a type of its own, for
//! which building, rebuilding, mounting and removing are compiled anew: the pages of this app came
//! to 107 kB (brotli) that way and to a quarter of that with one type for all elements. See
//! `docs/decisions`.
//!
//! Everything that lives on (listeners, effects) belongs to the reactive owner under which it was
//! made and goes with it. Text is only ever set as text.

use std::cell::RefCell;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, HtmlElement, HtmlInputElement};

use crate::web::{Listener, document, task, value};

const SVG: &str = "http://www.w3.org/2000/svg";

/// An element of the page. A handle: copies are the same element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct El(HtmlElement);

/// A new HTML element.
pub fn el(tag: &'static str) -> El {
    let element = document()
        .create_element(tag)
        .expect("every tag in this program is a valid name");
    El(element.unchecked_into())
}

/// The same with a class, as nearly all have.
pub fn el_class(tag: &'static str, class: &str) -> El {
    el(tag).attr("class", class)
}

/// A new SVG element. The methods of [`El`] need no more than an element of any kind has.
pub fn svg(tag: &'static str) -> El {
    let element = document()
        .create_element_ns(Some(SVG), tag)
        .expect("every tag in this program is a valid name");
    El(element.unchecked_into())
}

/// A button that does something of its own, and submits no form.
pub fn button(class: &str, press: impl Fn() + 'static) -> El {
    el_class("button", class)
        .attr("type", "button")
        .on("click", move |_| press())
}

/// What has the focus; `None` where it is nowhere in particular.
pub fn focused() -> Option<El> {
    let active = document().active_element()?.dyn_into().ok().map(El)?;
    (active.0.tag_name() != "BODY").then_some(active)
}

/// Puts an element at the end of the page, until the present owner goes.
pub fn show_in_body(element: El) {
    if let Some(body) = document().body() {
        El(body).put(&element);
    }
    let shown = StoredValue::new_local(element);
    on_cleanup(move || _ = shown.try_with_value(El::remove));
}

// Building: each takes the element and gives it back.
impl El {
    /// With an attribute.
    pub fn attr(self, name: &str, text: &str) -> Self {
        self.set_attr(name, Some(text));
        self
    }

    /// With a text after what it contains so far.
    pub fn text(self, text: &str) -> Self {
        self.put_text(text);
        self
    }

    /// With another element after what it contains so far.
    pub fn child(self, child: El) -> Self {
        self.put(&child);
        self
    }

    /// With other elements after what it contains so far.
    pub fn children(self, children: impl IntoIterator<Item = El>) -> Self {
        for child in children {
            self.put(&child);
        }
        self
    }

    /// With a listener, which only enqueues or sets signals.
    pub fn on(self, kind: &'static str, handler: impl Fn(Event) + 'static) -> Self {
        self.listen(kind, Box::new(handler));
        self
    }

    /// With a part that is set now, and again whenever a signal changes that was read for it.
    pub fn live(self, set: impl Fn(&El) + 'static) -> Self {
        let element = self.clone();
        run_live(Box::new(move || set(&element)));
        self
    }

    /// With a text that follows signals.
    pub fn live_text(self, text: impl Fn() -> String + 'static) -> Self {
        self.live(move |element| element.set_text(&text()))
    }

    /// With a place, after what it contains so far, whose content follows signals: it is made anew
    /// whenever a signal changes that was read for it. What was in it before goes with all it had.
    pub fn slot(self, content: impl Fn() -> Option<El> + 'static) -> Self {
        let place = el_class("div", "slot").live(move |place| place.set_only_child(content()));
        self.child(place)
    }

    fn listen(&self, kind: &'static str, handler: Box<dyn Fn(Event)>) {
        // Owned by what is present now; taken off with it.
        StoredValue::new_local(Listener::new(&self.0, kind, handler));
    }
}

// Changing: nothing is touched that is so already.
impl El {
    /// Sets an attribute, or takes it off.
    pub fn set_attr(&self, name: &str, text: Option<&str>) {
        if self.0.get_attribute(name).as_deref() == text {
            return;
        }
        // Both fail only for names that are none.
        _ = match text {
            Some(text) => self.0.set_attribute(name, text),
            None => self.0.remove_attribute(name),
        };
    }

    /// Sets or takes off an attribute that has no value.
    pub fn set_flag(&self, name: &str, is_set: bool) {
        self.set_attr(name, is_set.then_some(""));
    }

    /// Names it for people who do not see its sign, and for those who point at it.
    pub fn set_label(&self, label: &str) {
        self.set_attr("aria-label", Some(label));
        self.set_attr("title", Some(label));
    }

    /// Makes a text all that it contains.
    pub fn set_text(&self, text: &str) {
        if self.0.text_content().as_deref() != Some(text) {
            self.0.set_text_content(Some(text));
        }
    }

    /// Sets or takes off a class.
    pub fn set_class(&self, class: &str, is_set: bool) {
        // Fails only for names that are none.
        _ = self.0.class_list().toggle_with_force(class, is_set);
    }

    /// Sets a property of its style. Through the object model, which the page's policy allows.
    pub fn set_style(&self, property: &str, text: &str) {
        // An unknown property does nothing.
        _ = self.0.style().set_property(property, text);
    }

    /// Sets a property of the element, which is no attribute.
    pub fn set_property(&self, name: &str, to: &JsValue) {
        if value::get(&self.0, name) != *to {
            value::set(self.0.unchecked_ref(), name, to);
        }
    }

    /// What is in a field.
    pub fn field_value(&self) -> String {
        self.0.unchecked_ref::<HtmlInputElement>().value()
    }

    /// Makes another element all that it contains.
    pub fn set_only_child(&self, child: Option<El>) {
        self.0.set_text_content(None);
        if let Some(child) = child {
            self.put(&child);
        }
    }

    /// Puts an element after what it contains so far.
    pub fn put(&self, child: &El) {
        // Fails only for an element that contains this one.
        _ = self.0.append_child(&child.0);
    }

    /// Puts a text after what it contains so far.
    pub fn put_text(&self, text: &str) {
        // Fails for no node that was just made.
        _ = self.0.append_child(&document().create_text_node(text));
    }

    /// Makes these all that it contains, in this order. What stays in its place is not touched.
    pub fn set_children(&self, children: &[Self]) {
        let mut next = self.0.first_child();
        for child in children {
            let node: &web_sys::Node = &child.0;
            if next.as_ref() == Some(node) {
                next = node.next_sibling();
            } else {
                // Fails only for an element that contains this one.
                _ = self.0.insert_before(node, next.as_ref());
            }
        }
        while let Some(left) = next {
            next = left.next_sibling();
            _ = self.0.remove_child(&left);
        }
    }

    /// How high it is in the page, with fractions.
    pub fn height(&self) -> f64 {
        let bounds = value::call(&self.0, "getBoundingClientRect", &[]);
        let height = bounds
            .ok()
            .and_then(|bounds| value::get(&bounds, "height").as_f64());
        height.unwrap_or_default()
    }

    /// Puts a text into a field in place of what is selected in it, and the cursor behind it.
    pub fn insert(&self, text: &str) {
        let [begin, end] = ["selectionStart", "selectionEnd"].map(|key| value::get(&self.0, key));
        // The fourth says where the cursor goes.
        if let Some(set) = value::method(&self.0, "setRangeText") {
            _ = set.apply(
                &self.0,
                &js_sys::Array::of4(&text.into(), &begin, &end, &"end".into()),
            );
        }
    }

    /// Takes it out of the page.
    pub fn remove(&self) {
        self.0.remove();
    }

    /// Gives it the focus.
    pub fn focus(&self) {
        // Fails for no element of a page.
        _ = self.0.focus();
    }

    /// Whether it has a class.
    pub fn has_class(&self, class: &str) -> bool {
        self.0.class_list().contains(class)
    }

    /// Whether another element is it or lies within it.
    pub fn contains(&self, other: &El) -> bool {
        self.0.contains(Some(&other.0))
    }

    /// Whether the focus is in it.
    pub fn has_focus_within(&self) -> bool {
        focused().is_some_and(|focus| self.contains(&focus))
    }

    /// Whether an event began at it or within it.
    pub fn holds(&self, event: &Event) -> bool {
        let begin = event.target().map(JsCast::unchecked_into::<web_sys::Node>);
        self.0.contains(begin.as_ref())
    }

    /// Whether it has the focus.
    pub fn has_focus(&self) -> bool {
        document().active_element().as_ref() == Some(&self.0)
    }

    /// Gives it the focus as soon as it is in the page: after what is being built is built.
    pub fn focus_soon(&self) {
        let element = self.clone();
        task::spawn(async move { element.focus() });
    }

    /// The element itself.
    pub fn element(&self) -> &HtmlElement {
        &self.0
    }
}

/// Runs something now, and again whenever a signal changes that it read, until the owner goes.
pub fn live(run: impl Fn() + 'static) {
    run_live(Box::new(run));
}

fn run_live(run: Box<dyn Fn()>) {
    let effect = RenderEffect::new(move |_: Option<()>| run());
    StoredValue::new_local(effect);
}

/// Keeps one element for each key, in the order of the keys, before `end`: made when its key comes,
/// gone when its key goes, and never touched in between. An element that stays is not even moved,
/// as long as the order of those that stay does not change: a video that is moved begins anew. The focus
/// of one that goes falls to `parent`, where that can have it.
pub fn each<K: PartialEq + Copy + 'static>(
    parent: &El,
    end: &El,
    keys: impl Fn() -> Vec<K> + 'static,
    make: impl Fn(K) -> El + 'static,
) {
    let (parent, end) = (parent.0.clone(), end.0.clone());
    let owner = Owner::current().unwrap_or_default();
    let shown: RefCell<Vec<(K, El, Owner)>> = RefCell::default();
    live(move || {
        let keys = keys();
        let mut before = shown.take();
        let mut after = Vec::with_capacity(keys.len());
        for key in keys {
            let kept = before.iter().position(|(other, ..)| *other == key);
            after.push(match kept {
                Some(index) => before.remove(index),
                None => {
                    // Not under the effect that runs this: that one cleans up at each run.
                    let owner = owner.child();
                    let element = owner.with(|| untrack(|| make(key)));
                    (key, element, owner)
                }
            });
        }
        // What is moved loses the focus, though it is the same to whoever has it.
        let focus = focused().filter(|focus| parent.contains(Some(&focus.0)));
        for (_, element, owner) in before {
            element.remove();
            owner.cleanup();
        }
        let mut next: web_sys::Node = end.clone().into();
        for (_, element, _) in after.iter().rev() {
            if element.0.next_sibling().as_ref() != Some(&next) {
                // Fails only if somebody took `end` out of the parent.
                _ = parent.insert_before(&element.0, Some(&next));
            }
            next = element.0.clone().into();
        }
        if let Some(focus) = focus.filter(|focus| !focus.has_focus()) {
            let is_left = parent.contains(Some(&focus.0));
            let focus = if is_left { focus } else { El(parent.clone()) };
            focus.focus();
        }
        shown.replace(after);
    });
}
