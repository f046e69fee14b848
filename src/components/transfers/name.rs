//! The name of a file where there is little room: what does not fit is left out in the middle, so that
//! its end is always to be seen. A name says by its end what the file is, or claims to be.

use crate::components::dom::{El, el_class};

/// Letters at the end that stay.
const END: usize = 12;

/// A name in two parts, of which only the first gives way. By itself, whichever way the text around it
/// runs, and from left to right, so that the end of the name is at its end whatever it is written in.
pub fn file_name(name: &str) -> El {
    let (begin, end) = halves(name);
    el_class("bdi", "file-name")
        .attr("dir", "ltr")
        .attr("title", name)
        .child(el_class("bdi", "cut").text(begin))
        .child(el_class("bdi", "file-name-end").text(end))
}

/// The same as a text, for a sentence that is read in passing.
pub fn short_name(name: &str) -> String {
    const BEGIN: usize = 18;
    const WHOLE: usize = BEGIN + END + 2;
    if name.chars().count() <= WHOLE {
        return name.to_owned();
    }
    let begin: String = name.chars().take(BEGIN).collect();
    [begin.trim_end(), "…", halves(name).1].concat()
}

/// Where it may be cut: before its last letters, and not between a letter and what belongs to it.
fn halves(name: &str) -> (&str, &str) {
    let mut at = name
        .char_indices()
        .rev()
        .nth(END - 1)
        .map_or(0, |(index, _)| index);
    while at > 0 {
        let is_beginning = |letter: char| letter.is_ascii() || letter.is_alphanumeric();
        if name[at..].chars().next().is_some_and(is_beginning) {
            break;
        }
        at = name[..at]
            .char_indices()
            .next_back()
            .map_or(0, |(index, _)| index);
    }
    name.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::{halves, short_name};

    #[test]
    fn the_end_of_a_name_stays_whole() {
        assert_eq!(halves("tea.pdf"), ("", "tea.pdf"));
        assert_eq!(
            halves("minutes of the meeting.docx"),
            ("minutes of the ", "meeting.docx")
        );
        assert_eq!(halves(""), ("", ""));
    }

    #[test]
    fn a_sentence_has_the_beginning_and_the_end() {
        assert_eq!(
            short_name("minutes of the meeting.docx"),
            "minutes of the meeting.docx"
        );
        assert_eq!(
            short_name("minutes of the annual general meeting.docx"),
            "minutes of the ann…meeting.docx"
        );
    }

    #[test]
    fn no_letter_is_torn() {
        // An accent of its own, and a sign made of several, stay with what they belong to.
        let accent = ["abc", "e\u{301}", "12345678.pdf"].concat();
        assert_eq!(halves(&accent), ("abce\u{301}", "12345678.pdf"));
        let accent = ["abc", "e\u{301}", "1234567.pdf"].concat();
        assert_eq!(halves(&accent), ("abc", "e\u{301}1234567.pdf"));
        let family = "ab👩\u{200d}👧1234567.pdf";
        assert_eq!(halves(family), ("a", "b👩\u{200d}👧1234567.pdf"));
    }
}
