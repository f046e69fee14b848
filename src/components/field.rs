//! Labelled fields with what is wrong with them, and the one for a name.

use leptos::prelude::*;
use visavis_protocol::text::TextError;

use super::dom::{El, el, el_class};
use crate::i18n::words;

/// A field. What is wrong with it stands under it, and is read out with it.
#[derive(Clone)]
pub struct Field {
    /// The whole: label, field, and what is wrong.
    pub whole: El,
    input: El,
    error: El,
}

impl Field {
    /// An empty field. `beside` stands in its row.
    pub fn new(id: &'static str, label: &str, beside: Option<El>) -> Self {
        let input = el_class("input", "input")
            .attr("type", "text")
            .attr("enterkeyhint", "go")
            .attr("spellcheck", "false");
        Self::of(input, id, label, beside)
    }

    fn of(input: El, id: &'static str, label: &str, beside: Option<El>) -> Self {
        let error_id = [id, "-error"].concat();
        let input = input.attr("id", id).attr("aria-describedby", &error_id);
        let error = el_class("p", "field-error")
            .attr("id", &error_id)
            .attr("role", "alert");
        let whole = el_class("div", "field")
            .child(el("label").attr("for", id).text(label))
            .child(el_class("div", "field-row").child(input.clone()).children(beside))
            .child(error.clone());
        let field = Self { whole, input, error };
        let typed = field.clone();
        field.input.clone().on("input", move |_| typed.set_error(None));
        field
    }

    /// The same for a text of several lines.
    pub fn area(id: &'static str, label: &str) -> Self {
        Self::of(el_class("textarea", "input").attr("rows", "2"), id, label, None)
    }

    /// The field itself, for what only one of them needs.
    pub fn input(&self) -> El {
        self.input.clone()
    }

    /// What is in it.
    pub fn text(&self) -> String {
        self.input.field_value()
    }

    /// What is in it, as it is to be kept: in normalization form C, without blanks around it.
    pub fn normalized(&self) -> String {
        crate::web::text::normalize(self.text().trim())
    }

    /// Says that all is well.
    pub fn clear_error(&self) {
        self.set_error(None);
    }

    /// Says what is wrong and puts the cursor there, or that all is well.
    pub fn set_error(&self, error: Option<&str>) {
        self.error.set_text(error.unwrap_or_default());
        self.input
            .set_attr("aria-invalid", error.is_some().then_some("true"));
        if error.is_some() {
            self.input.focus();
        }
    }
}

/// The field for one's name. It keeps what is typed in `name`.
pub fn name_field(name: StoredValue<String>) -> Field {
    let field = Field::new("your-name", words().your_name, None);
    let typed = field.clone();
    field
        .input()
        .attr("name", "name")
        .attr("autocomplete", "nickname")
        .attr("autocapitalize", "words")
        .on("input", move |_| name.set_value(typed.text()))
        .set_property("value", &name.get_value().into());
    field
}

/// What to say about a name that breaks a rule.
#[must_use]
pub fn name_error(error: TextError) -> &'static str {
    match error {
        TextError::Empty => words().name_empty,
        TextError::TooLong => words().name_too_long,
        TextError::Forbidden => words().name_forbidden,
    }
}
