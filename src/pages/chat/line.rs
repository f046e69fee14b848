//! One message in the page: text nodes, and links that are none but to the web.

use visavis_call_core::{ChatLine, Privacy};

use super::links::{Piece, pieces};
use crate::components::dom::{El, el, el_class};
use crate::i18n::words;

/// Messages of one person within this time of the first stand under one name.
const TOGETHER_MS: u64 = 3 * 60 * 1000;

/// What stands above a line beside its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divider {
    Before,
    Joined,
}

/// Everything that a line looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub line: ChatLine,
    /// Whether it stands under the name of the line before it.
    pub is_joined: bool,
    pub divider: Option<Divider>,
}

impl Look {
    /// The look of a line behind another one.
    pub fn new(line: ChatLine, before: Option<&ChatLine>, bounds: Option<(u64, u64)>) -> Self {
        let divider = bounds.and_then(|(first, last)| {
            let is_behind_last = before.is_some_and(|before| before.number == last);
            if is_behind_last && !line.is_before {
                Some(Divider::Joined)
            } else {
                (line.number == first).then_some(Divider::Before)
            }
        });
        let is_joined = divider.is_none() && before.is_some_and(|before| stand_together(before, &line));
        Self {
            line,
            is_joined,
            divider,
        }
    }

    /// The line in the page. `time` writes a time of day.
    pub fn view(&self, time: &dyn Fn(u64) -> String) -> El {
        let (words, line) = (&words().chat, &self.line);
        let whole = el_class("div", "chat-line");
        if let Some(divider) = self.divider {
            let text = match divider {
                Divider::Before => words.before,
                Divider::Joined => words.joined,
            };
            whole.put(&el_class("p", "chat-divider").child(el("span").text(text)));
        }
        if !self.is_joined {
            whole.put(&self.head(time));
        }
        let text = el_class("p", "chat-text").attr("dir", "auto");
        for piece in pieces(&line.text) {
            match piece {
                Piece::Text(words) => text.put_text(words),
                Piece::Link(link) => text.put(
                    &el("a")
                        .attr("href", link)
                        .attr("target", "_blank")
                        .attr("rel", "noopener noreferrer")
                        .text(link),
                ),
            }
        }
        whole.set_class("is-own", line.is_own);
        whole.set_class("is-private", line.privacy != Privacy::Public);
        whole.set_class("is-before", line.is_before);
        whole.set_class("is-joined", self.is_joined);
        let whole = whole.child(text);
        if line.is_disputed {
            whole.put(&el_class("p", "chat-doubt").text(words.disputed));
        }
        whole
    }

    fn head(&self, time: &dyn Fn(u64) -> String) -> El {
        let (words, line) = (words(), &self.line);
        let name = if line.is_own {
            words.you.fill(&line.name)
        } else {
            line.name.clone()
        };
        let head = el_class("p", "chat-head")
            .child(el_class("span", "chat-name cut").attr("dir", "auto").text(&name))
            .child(el_class("time", "chat-time").text(&time(line.time)));
        let mark = match &line.privacy {
            Privacy::Public => None,
            Privacy::ToUs => Some(words.chat.to_you.to_owned()),
            Privacy::To(name) => Some(words.chat.to.fill(name)),
        };
        if let Some(mark) = mark {
            head.put(&el_class("span", "chat-mark").text(&mark));
        }
        if let Some(teller) = &line.teller {
            head.put(
                &el_class("span", "chat-hearsay")
                    .attr("title", &words.chat.told_hint.fill(teller))
                    .text(&words.chat.told_by.fill(teller)),
            );
        }
        head
    }
}

fn stand_together(before: &ChatLine, line: &ChatLine) -> bool {
    before.author == line.author
        && before.name == line.name
        && before.privacy == line.privacy
        && before.teller == line.teller
        && line.time.abs_diff(before.time) < TOGETHER_MS
}

#[cfg(test)]
mod tests {
    use visavis_protocol::SeatId;

    use super::*;

    fn line(number: u64, author: u8, time: u64) -> ChatLine {
        ChatLine {
            number,
            author: SeatId::from_bytes([author; 16]),
            is_own: false,
            name: "Ada".into(),
            time,
            privacy: Privacy::Public,
            text: "x".into(),
            teller: None,
            is_disputed: false,
            is_before: number <= 3,
        }
    }

    fn look(line: &ChatLine, before: &ChatLine) -> Look {
        Look::new(line.clone(), Some(before), Some((1, 3)))
    }

    #[test]
    fn lines_of_one_person_within_minutes_stand_together() {
        let first = line(5, 1, 0);
        assert!(look(&line(6, 1, TOGETHER_MS - 1), &first).is_joined);
        assert!(!look(&line(6, 1, TOGETHER_MS), &first).is_joined);
        assert!(!look(&line(6, 2, 1), &first).is_joined);
        let private = ChatLine {
            privacy: Privacy::ToUs,
            ..line(6, 1, 1)
        };
        let hearsay = ChatLine {
            teller: Some("Ben".into()),
            ..line(6, 1, 1)
        };
        assert!(!look(&private, &first).is_joined && !look(&hearsay, &first).is_joined);
    }

    #[test]
    fn what_was_before_one_came_is_told_apart() {
        let first = Look::new(line(1, 1, 0), None, Some((1, 3)));
        assert_eq!(first.divider, Some(Divider::Before));
        assert_eq!(look(&line(2, 1, 0), &line(1, 1, 0)).divider, None);
        let live = look(&line(4, 1, 0), &line(3, 1, 0));
        assert_eq!((live.divider, live.is_joined), (Some(Divider::Joined), false));
        assert_eq!(Look::new(line(4, 1, 0), Some(&line(3, 1, 0)), None).divider, None);
    }
}
