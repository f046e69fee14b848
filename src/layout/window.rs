//! Which of many lines are in the page: those that can be seen and some beside them. Pure.
//!
//! Lines have heights of their own, known once they were shown and guessed before. All offsets are CSS
//! pixels from the beginning of the list.

use core::ops::Range;

/// What is guessed of lines that were never shown: two rows of text and a name.
const GUESS: f64 = 48.0;

/// The heights of all lines, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heights {
    /// `None` while it is only guessed.
    lines: Vec<Option<f64>>,
    known: f64,
    measured: usize,
}

/// What is in the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Which lines.
    pub lines: Range<usize>,
    /// The height of all before them.
    pub before: f64,
    /// The height of all after them.
    pub after: f64,
}

/// A line that stays where it is on the screen while the heights around it change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchor {
    /// Which line.
    pub line: usize,
    /// How far its upper edge is from that of the view; negative above it.
    pub offset: f64,
}

impl Heights {
    /// Takes the heights of all lines anew.
    #[must_use]
    pub fn new(lines: Vec<Option<f64>>) -> Self {
        let known = lines.iter().flatten().sum();
        let measured = lines.iter().flatten().count();
        Self {
            lines,
            known,
            measured,
        }
    }

    /// Notes a height; whether that changes anything.
    pub fn set(&mut self, line: usize, height: f64) -> bool {
        let Some(known) = self.lines.get_mut(line) else {
            return false;
        };
        let before = known.replace(height);
        self.known += height - before.unwrap_or(0.0);
        self.measured += usize::from(before.is_none());
        before != Some(height)
    }

    /// What those have that were never shown: as much as the others on average.
    fn guess(&self) -> f64 {
        if self.measured == 0 {
            GUESS
        } else {
            self.known / self.measured as f64
        }
    }

    /// Where a line begins.
    #[must_use]
    pub fn begin(&self, line: usize) -> f64 {
        let guess = self.guess();
        self.lines
            .iter()
            .take(line)
            .map(|height| height.unwrap_or(guess))
            .sum()
    }

    /// The height of all.
    #[must_use]
    pub fn whole(&self) -> f64 {
        self.begin(self.lines.len())
    }

    /// The lines to have in the page, where `view` pixels from `top` on can be seen, and `margin` pixels on
    /// either side of them. The first that is seen at least, whatever the numbers.
    #[must_use]
    pub fn window(&self, top: f64, view: f64, margin: f64) -> Window {
        let (guess, from, to) = (self.guess(), top - margin, top + view + margin);
        let (mut at, mut first, mut before, mut end, mut end_at) = (0.0, None, 0.0, 0, 0.0);
        for (line, height) in self.lines.iter().enumerate() {
            let next = at + height.unwrap_or(guess);
            if next > from && (at < to || first.is_none()) {
                if first.is_none() {
                    (first, before) = (Some(line), at);
                }
                (end, end_at) = (line + 1, next);
            }
            at = next;
        }
        let Some(first) = first else {
            // Scrolled beyond the end, as far as is known.
            let last = self.lines.len().saturating_sub(1);
            let before = self.begin(last);
            return Window {
                lines: last..self.lines.len(),
                before,
                after: 0.0,
            };
        };
        Window {
            lines: first..end,
            before,
            after: at - end_at,
        }
    }

    /// The first line that can be seen at `top`, and where it is.
    #[must_use]
    pub fn anchor(&self, top: f64) -> Option<Anchor> {
        let guess = self.guess();
        let mut at = 0.0;
        for (line, height) in self.lines.iter().enumerate() {
            let next = at + height.unwrap_or(guess);
            if next > top {
                return Some(Anchor {
                    line,
                    offset: at - top,
                });
            }
            at = next;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(heights: &[f64]) -> Heights {
        Heights::new(heights.iter().copied().map(Some).collect())
    }

    #[test]
    fn what_can_be_seen_is_in_the_page_and_little_else() {
        let heights = of(&[10.0; 1000]);
        let window = heights.window(500.0, 100.0, 50.0);
        assert_eq!(
            window,
            Window {
                lines: 45..65,
                before: 450.0,
                after: 9350.0
            }
        );
        assert_eq!(heights.window(0.0, 100.0, 50.0).lines, 0..15);
        assert_eq!(heights.window(9_900.0, 100.0, 50.0).lines, 985..1000);
        assert_eq!(heights.window(50_000.0, 100.0, 50.0).lines, 999..1000);
        assert_eq!(heights.window(0.0, 0.0, 0.0).lines, 0..1);
        assert_eq!(of(&[]).window(0.0, 100.0, 50.0).lines, 0..0);
    }

    #[test]
    fn heights_differ_and_the_sum_stays_whole() {
        let heights = of(&[10.0, 200.0, 30.0, 40.0]);
        for top in 0..300 {
            let window = heights.window(top.into(), 50.0, 0.0);
            let inside: f64 = window
                .lines
                .clone()
                .map(|line| heights.begin(line + 1) - heights.begin(line))
                .sum();
            assert!(
                (window.before + inside + window.after - heights.whole()).abs() < 1e-9,
                "{top}"
            );
            assert!(!window.lines.is_empty(), "{top}");
        }
        assert_eq!(heights.window(100.0, 50.0, 0.0).lines, 1..2);
    }

    #[test]
    fn what_was_never_shown_is_guessed_by_the_others() {
        let mut heights = Heights::new(vec![None; 10]);
        assert!((heights.whole() - 10.0 * GUESS).abs() < 1e-9);
        assert!(heights.set(3, 20.0));
        assert!(!heights.set(3, 20.0));
        assert!(!heights.set(30, 20.0));
        assert!((heights.whole() - 200.0).abs() < 1e-9);
        heights.set(4, 40.0);
        assert!((heights.begin(5) - 3.0 * 30.0 - 60.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_stays_where_it_is_while_others_change() {
        let mut heights = of(&[10.0, 20.0, 30.0]);
        let anchor = heights.anchor(15.0).expect("a line");
        assert_eq!(
            anchor,
            Anchor {
                line: 1,
                offset: -5.0
            }
        );
        heights.set(0, 110.0);
        assert!((heights.begin(anchor.line) - anchor.offset - 115.0).abs() < 1e-9);
        assert_eq!(heights.anchor(1e9), None);
    }
}
