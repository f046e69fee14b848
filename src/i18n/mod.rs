//! The words that people read, by key.
//!
//! A language is one constant of type [`Words`]: a key that is missing, or one too many, does not
//! compile. The keys are fields, so a view that asks for a key that does not exist does not compile
//! either. Texts with a hole in them are of a type of their own ([`With`], [`Plural`]), so a hole
//! cannot be left open by mistake.
//!
//! To add a language: a file beside `en.rs`, a variant of [`Language`], and its arms below.

mod en;
mod words;

use std::cell::Cell;

pub use words::{DeviceWords, Plural, With, Words};

/// A language that the app speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
}

impl Language {
    /// Every language.
    pub const ALL: &'static [Self] = &[Self::English];

    /// BCP 47 tag, for `<html lang>`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    /// `"ltr"` or `"rtl"`, for `<html dir>`.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English => "ltr",
        }
    }

    /// The language of the first tag that the app speaks, by its primary part: `en-GB` is English.
    #[must_use]
    pub fn choose<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        wanted
            .into_iter()
            .find_map(|tag| {
                let primary = tag.split(['-', '_']).next().unwrap_or(tag);
                Self::ALL
                    .iter()
                    .copied()
                    .find(|language| language.tag().eq_ignore_ascii_case(primary))
            })
            .unwrap_or_default()
    }

    const fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
        }
    }
}

thread_local! {
    static CURRENT: Cell<Language> = const { Cell::new(Language::English) };
}

/// The words of the present language.
///
/// A plain read, no signal: a change of language builds the views anew.
#[must_use]
pub fn words() -> &'static Words {
    CURRENT.get().words()
}

/// Sets the present language. Called by the root component before any view is built.
pub fn set_language(language: Language) {
    CURRENT.set(language);
}

/// Names as one says them: "Ada", "Ada and Ben", "Ada, Ben and 3 others".
#[must_use]
pub fn list_names(names: &[String]) -> String {
    let words = words();
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => [one, two.as_str()].join(words.and),
        [one, two, three] => [[one, two.as_str()].join(words.comma).as_str(), three].join(words.and),
        [one, two, rest @ ..] => {
            let others = words.others.of(rest.len());
            [[one, two.as_str()].join(words.comma), others].join(words.and)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_says_them() {
        let say = |names: &[&str]| list_names(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(say(&[]), "");
        assert_eq!(say(&["Ada"]), "Ada");
        assert_eq!(say(&["Ada", "Ben"]), "Ada and Ben");
        assert_eq!(say(&["Ada", "Ben", "Chloe"]), "Ada, Ben and Chloe");
        assert_eq!(say(&["Ada", "Ben", "Chloe", "Dov"]), "Ada, Ben and 2 others");
    }

    #[test]
    fn a_language_is_found_by_its_primary_part() {
        assert_eq!(Language::choose(["en-GB"]), Language::English);
        assert_eq!(Language::choose(["xx", "EN"]), Language::English);
        assert_eq!(Language::choose([]), Language::English);
    }

    #[test]
    fn a_name_with_braces_stays_as_it_is() {
        assert_eq!(With("{} came").fill("{}"), "{} came");
        assert_eq!(With("{} and {}").fill("Ada"), "Ada and {}");
    }

    #[test]
    fn every_text_with_a_hole_has_exactly_one() {
        for language in Language::ALL {
            let shown = format!("{:?}", language.words());
            let holes = shown.matches("{}").count();
            let with = shown.matches("With(").count();
            let plural = shown.matches("Plural {").count();
            // A plural may leave the number out of its singular ("one person").
            assert!(
                holes >= with + plural && holes <= with + 2 * plural,
                "{language:?}"
            );
        }
    }
}
