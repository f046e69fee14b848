//! Rules for text that one person writes and another sees.

extern crate alloc;

use alloc::string::String;

use crate::limits;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming.
    #[error("the text is empty")]
    Empty,
    /// More characters than the field allows.
    #[error("the text is too long")]
    TooLong,
    /// A control character, or one that turns the direction of the text around it.
    #[error("the text has a character that cannot be shown safely")]
    Forbidden,
}

/// Whether a character may not stand in a name: controls, and the bidirectional overrides and
/// isolates by which one name can be made to look like another (Unicode TR 36, section 2.9).
#[must_use]
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200e}' | '\u{200f}' | '\u{061c}'      // direction marks
            | '\u{202a}'..='\u{202e}'                  // embeddings and overrides
            | '\u{2066}'..='\u{2069}'                  // isolates
            | '\u{2028}' | '\u{2029}'                  // line and paragraph separators
            | '\u{200b}' | '\u{2060}' | '\u{feff}'     // invisible spaces
            | '\u{fff9}'..='\u{fffb}'                  // interlinear annotation
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// Whether a character shows nothing by itself, though others may need it: joiners, selectors and
/// fillers (Unicode `Default_Ignorable_Code_Point`), and the empty braille pattern.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{2061}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0100}'..='\u{e01ef}')
}

/// Checks a participant's display name as it goes onto the wire: 1 to
/// [`limits::NAME_CHARS`] characters, trimmed, nothing that cannot be shown safely.
///
/// # Errors
/// Says which rule was broken. Normalization form C is the caller's to check: the browser and the
/// server each have their own tables.
pub fn check_name(name: &str) -> Result<(), TextError> {
    if name.chars().all(is_invisible) {
        return Err(TextError::Empty);
    }
    if name.chars().count() > limits::NAME_CHARS {
        return Err(TextError::TooLong);
    }
    if name.chars().any(is_forbidden) || name.trim() != name {
        return Err(TextError::Forbidden);
    }
    Ok(())
}

/// Whether a character stands on the one before it, in the blocks that are stacked for mischief
/// ("zalgo"). Marks that scripts write with are elsewhere, but for the few that one letter takes.
fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character may not stand in a longer text: as in a name, but for what text needs: lines,
/// tabs, direction marks, places to break a word, and the tags that flags are made with.
fn is_forbidden_in_text(c: char) -> bool {
    let is_needed = matches!(
        c,
        '\n' | '\t' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2060}' | '\u{e0020}'
            ..='\u{e007f}'
    );
    is_forbidden(c) && !is_needed
}

/// A text of several lines as it can be shown: without controls, without what turns the direction of
/// what follows, and without towers of marks.
#[must_use]
pub fn clean_text(text: &str) -> String {
    let mut stacked = 0;
    let may_stay = |c: &char| {
        stacked = if is_combining(*c) { stacked + 1 } else { 0 };
        stacked <= limits::MARKS_IN_A_ROW && !is_forbidden_in_text(*c)
    };
    text.chars().filter(may_stay).collect()
}

/// Whether nothing of a text can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_invisible(c) || is_forbidden(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_pass() {
        for name in ["Ada", "李小龍", "שרה", "Zoë ✨", "👩‍👩‍👧", "O'Neill-Ünal"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_deceive_or_overflow_are_refused() {
        for name in ["", " ", "\u{3164}", "\u{2800} \u{ad}", "\u{200d}\u{fe0f}"] {
            assert_eq!(check_name(name), Err(TextError::Empty), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(65)), Err(TextError::TooLong));
        assert_eq!(check_name(&"é".repeat(64)), Ok(()));
        for name in ["a\u{0}b", "a\u{202e}b", "a\nb", " padded", "a\u{200b}"] {
            assert_eq!(check_name(name), Err(TextError::Forbidden), "{name:?}");
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_loses_what_deceives() {
        for text in ["a\n\tb", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 שלום", "Vie\u{302}\u{323}t", "a\u{200f}b"]
        {
            assert_eq!(clean_text(text), text);
        }
        assert_eq!(clean_text("a\r\nb\u{0}\u{7}"), "a\nb");
        assert_eq!(clean_text("exe.\u{202e}fdp.\u{2066}x\u{feff}"), "exe.fdp.x");
        let tower = alloc::format!("z{}a", "\u{301}".repeat(50));
        assert_eq!(clean_text(&tower).chars().count(), 2 + limits::MARKS_IN_A_ROW);
        assert!(is_blank(" \n\u{202e}\u{3164}") && !is_blank(" .\n"));
    }
}
