//! A face for somebody whose picture is not there.

use super::dom::{El, el_class};

/// As many as `style/people.css` has.
const TINTS: [&str; 6] = ["0", "1", "2", "3", "4", "5"];

/// The first letter of a name on a tint of its own. Says nothing to a screen reader: the name
/// stands beside it.
pub struct Avatar(El);

impl Avatar {
    /// Nobody's yet.
    #[must_use]
    pub fn new() -> Self {
        Self(el_class("span", "avatar").attr("aria-hidden", "true"))
    }

    /// Somebody's.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let avatar = Self::new();
        avatar.set(name);
        avatar
    }

    /// Makes it somebody's.
    pub fn set(&self, name: &str) {
        self.0.set_text(&initial(name));
        self.0.set_attr("data-tint", Some(tint(name)));
    }

    /// Its element.
    #[must_use]
    pub fn el(&self) -> El {
        self.0.clone()
    }
}

impl Default for Avatar {
    fn default() -> Self {
        Self::new()
    }
}

/// The first character that is more than a bracket or a blank; else the first of all. The style
/// sheet makes it a capital: Unicode's tables of letters would be 5 kB of every first load.
fn initial(name: &str) -> String {
    let is_shown = |c: &char| !c.is_ascii_punctuation() && !c.is_whitespace();
    let mut shown = name.chars().skip_while(|c| !is_shown(c));
    let first = shown.next().or(name.chars().next());
    // A flag is two letters of a kind of their own.
    let is_flag = |c: &char| ('\u{1f1e6}'..='\u{1f1ff}').contains(c);
    let rest = shown
        .next()
        .filter(|next| is_flag(next) && first.as_ref().is_some_and(is_flag));
    first.into_iter().chain(rest).collect()
}

/// The same name has the same tint for everybody.
fn tint(name: &str) -> &'static str {
    let sum = name
        .bytes()
        .fold(0, |sum: usize, byte| (sum * 31 + usize::from(byte)) % 1_000_003);
    TINTS[sum % TINTS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_letters_where_there_are_any() {
        assert_eq!(initial("ada"), "a");
        assert_eq!(initial("  (Ben)"), "B");
        assert_eq!(initial("李小龍"), "李");
        assert_eq!(initial("✨"), "✨");
        assert_eq!(initial("🇩🇪 Anna"), "🇩🇪");
        assert_eq!(initial("Anna 🇩🇪"), "A");
        assert_eq!(initial(""), "");
    }

    #[test]
    fn names_that_differ_a_little_mostly_differ_in_tint() {
        let tints: std::collections::BTreeSet<_> =
            ["Ada", "Ben", "Chloe", "Dov", "Eve", "Finn", "Gil", "Hugo"]
                .into_iter()
                .map(tint)
                .collect();
        assert!(tints.len() >= 3, "{tints:?}");
        assert_eq!(tint("Ada"), tint("Ada"));
    }
}
