//! Finds the links in what somebody wrote: pure, and only those to the web.

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// An address, `http:` or `https:`.
    Link(&'a str),
}

/// Beginnings of links. Nothing else is one, whatever a browser would make of it.
const BEGINNINGS: [&str; 2] = ["https://", "http://"];

/// Cuts a text into words and links. All pieces together are the text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    let mut from = 0;
    while let Some(begin) = next_beginning(rest, from) {
        let length = link_length(&rest[begin..]);
        let is_new_word = rest[..begin]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        if length == 0 || !is_new_word {
            // One byte of ASCII.
            from = begin + 1;
            continue;
        }
        if begin > 0 {
            pieces.push(Piece::Text(&rest[..begin]));
        }
        pieces.push(Piece::Link(&rest[begin..begin + length]));
        (rest, from) = (&rest[begin + length..], 0);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn next_beginning(text: &str, from: usize) -> Option<usize> {
    let is_beginning = |at: &usize| {
        let rest = &text.as_bytes()[*at..];
        BEGINNINGS.iter().any(|begin| {
            rest.get(..begin.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(begin.as_bytes()))
        })
    };
    (from..text.len()).find(is_beginning)
}

/// Bytes of the link that a text begins with; 0 if it is none.
fn link_length(text: &str) -> usize {
    let begin = text.find("//").map_or(0, |at| at + 2);
    let is_end = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '`' | '“' | '”' | '«' | '»' | '„')
    };
    let mut link = &text[..text.find(is_end).unwrap_or(text.len())];
    // A sentence ends after a link oftener than a link ends in its mark. A bracket belongs to it only
    // where it was opened within.
    while let Some(last) = link.chars().next_back() {
        let is_beside = match last {
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '’' | '…' | '*' | '_' | '。' | '、' | '，' => {
                true
            }
            ')' => is_unopened(link, '(', ')'),
            ']' => is_unopened(link, '[', ']'),
            '}' => is_unopened(link, '{', '}'),
            _ => false,
        };
        if !is_beside {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    let host = link.get(begin..).unwrap_or_default();
    // Some host, and no name and password before it, which would be there to deceive.
    let host = host.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let begins_well = host
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || c == '[');
    if begins_well && !host.contains('@') {
        link.len()
    } else {
        0
    }
}

fn is_unopened(link: &str, open: char, close: char) -> bool {
    link.matches(close).count() > link.matches(open).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let pieces = pieces(text);
        let whole: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Link(text) => *text,
            })
            .collect();
        assert_eq!(whole, text);
        let link = |piece: Piece<'static>| match piece {
            Piece::Link(link) => Some(link),
            Piece::Text(_) => None,
        };
        let _ = link;
        pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Link(link) => Some(link),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        for (text, found) in [
            (
                "see https://example.org/a?b=c#d, please",
                "https://example.org/a?b=c#d",
            ),
            ("(https://example.org/a)", "https://example.org/a"),
            (
                "https://en.wikipedia.org/wiki/Rust_(fungus).",
                "https://en.wikipedia.org/wiki/Rust_(fungus)",
            ),
            ("<https://example.org>", "https://example.org"),
            ("“https://example.org/x”", "https://example.org/x"),
            ("really https://example.org/?!", "https://example.org/"),
            ("HTTP://EXAMPLE.org:8080/", "HTTP://EXAMPLE.org:8080/"),
            ("https://bücher.example/straße", "https://bücher.example/straße"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("a\nhttps://example.org\nb", "https://example.org"),
        ] {
            assert_eq!(links(text), [found], "{text}");
        }
        assert_eq!(links("http://a.example http://b.example").len(), 2);
    }

    #[test]
    fn nothing_else_is_a_link() {
        for text in [
            "",
            "example.org",
            "www.example.org",
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "data:text/html,x",
            "ftp://example.org",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "http://.",
            "xhttps://example.org",
            "https://bank.example@evil.example/",
            "mailto:a@b.example",
            "é",
            "https:/example.org",
            "//example.org",
        ] {
            assert_eq!(links(text), [""; 0], "{text}");
        }
    }
}
