//! The words that people read, by key.
//!
//! A language is one constant of type [`Words`]: a key that is missing, or one too many, does not
//! compile. The keys are fields, so a view that asks for a key that does not exist does not compile
//! either. Texts with a hole in them are of a type of their own ([`With`], [`Plural`]), so a hole
//! cannot be left open by mistake.
//!
//! English is in the program. Every other language is a text file beside this one, which the compiler
//! checks key by key and the page fetches when somebody wants it (see `written.rs`).
//!
//! To add a language: a file beside `de.txt`, a variant of [`Language`], its arms below, and a line in
//! `index.html` that puts the file on the site.

pub mod amounts;
mod en;
mod words;
mod written;

use std::cell::Cell;

pub use words::{DeviceWords, FileWords, Plural, With, Words};
pub use written::Written;

/// A language that the app speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

const GERMAN: Written = Written::check("/words/de.txt", include_str!("de.txt"));

impl Language {
    const COUNT: usize = 2;

    /// Every language, in the order of a picker.
    pub const ALL: [Self; Self::COUNT] = [Self::English, Self::German];

    /// BCP 47 tag, for `<html lang>`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its name in itself: who looks for it may understand no other.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// `"ltr"` or `"rtl"`, for `<html dir>`.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
        }
    }

    /// The language of a tag, by its primary part: `en-GB` is English.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language of the first tag that the app speaks.
    #[must_use]
    pub fn choose<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        wanted.into_iter().find_map(Self::of_tag).unwrap_or_default()
    }

    /// The file with its words; `None` if they are in the program.
    #[must_use]
    pub const fn written(self) -> Option<Written> {
        match self {
            Self::English => None,
            Self::German => Some(GERMAN),
        }
    }

    /// Whether its words are there.
    #[must_use]
    pub fn is_known(self) -> bool {
        KNOWN.with(|known| known[self as usize].get().is_some())
    }

    /// Takes the words from its file's text, for the life of the page; whether it was that file.
    pub fn learn(self, text: String) -> bool {
        let Some(written) = self.written().filter(|_| !self.is_known()) else {
            return self.is_known();
        };
        let words = written.read(text);
        if let Some(words) = words {
            KNOWN.with(|known| known[self as usize].set(Some(Box::leak(Box::new(words)))));
        }
        words.is_some()
    }
}

thread_local! {
    static KNOWN: [Cell<Option<&'static Words>>; Language::COUNT] =
        const { [Cell::new(Some(&en::WORDS)), Cell::new(None)] };
    static CURRENT: Cell<Language> = const { Cell::new(Language::English) };
}

/// The words of the present language.
///
/// A plain read, no signal: a change of language builds the views anew.
#[must_use]
pub fn words() -> &'static Words {
    KNOWN.with(|known| known[CURRENT.get() as usize].get().unwrap_or(&en::WORDS))
}

/// The present language.
#[must_use]
pub fn language() -> Language {
    CURRENT.get()
}

/// Sets the present language, whose words must be known. Called before any view is built of them.
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
        assert_eq!(Language::choose(["fr", "de-AT", "en"]), Language::German);
        assert_eq!(Language::choose([]), Language::English);
    }

    #[test]
    fn a_name_with_braces_stays_as_it_is() {
        assert_eq!(With("{} came").fill("{}"), "{} came");
        assert_eq!(With("{} and {}").fill("Ada"), "Ada and {}");
    }

    /// Texts that are the same in another language: names, signs, and words that both have.
    const ALIKE: [&str; 10] = [
        "Visavis",
        "Chat",
        "{} · Visavis",
        ", ",
        "System",
        "Esc",
        "{} kB",
        "{} MB",
        "{} GB",
        "{}/s",
    ];

    const GERMAN_TEXT: &str = include_str!("de.txt");

    fn texts(mut words: Words) -> Vec<&'static str> {
        let mut texts = Vec::new();
        words::Texts::each(&mut words, &mut |text| texts.push(*text));
        texts
    }

    #[test]
    fn another_language_says_everything_in_words_of_its_own() {
        let english = texts(en::WORDS);
        let german = texts(GERMAN.read(GERMAN_TEXT.to_owned()).unwrap());
        assert_eq!(german.len(), english.len());
        for (german, english) in german.into_iter().zip(english) {
            assert!(!german.trim().is_empty(), "{english}");
            assert!(german != english || ALIKE.contains(&german), "{english}");
            let holes = |text: &str| text.matches("{}").count();
            assert_eq!(holes(german), holes(english), "{english}: {german}");
            let ends = |text: &str| (text.starts_with(' '), text.ends_with(' '), text.ends_with('…'));
            assert_eq!(ends(german), ends(english), "{english}: {german}");
        }
    }

    #[test]
    fn a_file_is_read_line_by_line_and_only_if_it_is_the_right_one() {
        let german = GERMAN.read(GERMAN_TEXT.to_owned()).unwrap();
        assert_eq!(german.and, " und ");
        assert_eq!(german.others.other, "{} weitere Personen");
        assert_eq!(german.screen.of, With("Bildschirm von {}"));
        assert_eq!(
            german.chat.refused.0,
            GERMAN_TEXT.lines().last().unwrap().split('"').nth(1).unwrap()
        );
        assert_eq!(GERMAN.read("visavis = \"Visavis\"\n".to_owned()), None);
    }

    #[test]
    fn a_language_is_spoken_once_its_file_is_there() {
        assert!(!Language::German.is_known());
        assert!(!Language::German.learn("<!doctype html>".to_owned()));
        set_language(Language::German);
        assert_eq!(words().close, "Close", "until then in English");
        assert!(Language::German.learn(GERMAN_TEXT.to_owned()));
        assert_eq!(words().close, "Schließen");
        set_language(Language::English);
        assert_eq!(words().close, "Close");
    }

    #[test]
    fn every_text_with_a_hole_has_exactly_one() {
        for words in [en::WORDS, GERMAN.read(GERMAN_TEXT.to_owned()).unwrap()] {
            let shown = format!("{words:?}");
            let holes = shown.matches("{}").count();
            let with = shown.matches("With(").count();
            let plural = shown.matches("Plural {").count();
            // A plural may leave the number out of its singular ("one person").
            assert!(holes >= with + plural && holes <= with + 2 * plural, "{shown}");
        }
    }
}
