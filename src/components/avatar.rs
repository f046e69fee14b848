//! A face for somebody whose picture is not there.

use leptos::prelude::*;

/// How many tints `style/people.css` has.
const TINTS: usize = 6;

/// The first letter of a name on a tint of its own. Says nothing to a screen reader: the name
/// stands beside it.
pub fn avatar(name: Signal<String>) -> AnyView {
    let letter = move || name.with(|name| initial(name));
    let tint = move || TINT_NAMES[name.with(|name| tint(name))];
    view! { <span class="avatar" data-tint=tint aria-hidden="true">{letter}</span> }.into_any()
}

const TINT_NAMES: [&str; TINTS] = ["0", "1", "2", "3", "4", "5"];

/// The first letter or digit, as a capital; else the first character.
fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric()).or(name.chars().next());
    first.map_or_else(String::new, |c| c.to_uppercase().collect())
}

/// The same name has the same tint for everybody.
fn tint(name: &str) -> usize {
    name.bytes()
        .fold(0, |sum: usize, byte| (sum * 31 + usize::from(byte)) % 1_000_003)
        % TINTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_letters_where_there_are_any() {
        assert_eq!(initial("ada"), "A");
        assert_eq!(initial("  (ben)"), "B");
        assert_eq!(initial("李小龍"), "李");
        assert_eq!(initial("✨"), "✨");
        assert_eq!(initial(""), "");
    }

    #[test]
    fn a_tint_is_one_of_those_there_are() {
        for name in ["", "Ada", "Ben", "Chloe", &"x".repeat(10_000)] {
            assert!(tint(name) < TINTS);
        }
    }
}
