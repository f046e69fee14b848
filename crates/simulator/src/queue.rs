//! What is due, by its time and, at the same time, by when it was said: so a seed always makes the same run.

use core::time::Duration;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// See the module.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    /// How many were ever said.
    said: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Duration,
    number: u64,
    due: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            said: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Says what is due, and when.
    pub(crate) fn push(&mut self, at: Duration, due: T) {
        self.said += 1;
        let number = self.said;
        self.heap.push(Reverse(Entry { at, number, due }));
    }

    /// What is due first, if that is not later than this, and when it is.
    pub(crate) fn pop(&mut self, until: Duration) -> Option<(Duration, T)> {
        self.heap.peek().filter(|Reverse(entry)| entry.at <= until)?;
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.due))
    }

    /// All that is due, and when, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Duration, &T)> {
        self.heap.iter().map(|Reverse(entry)| (entry.at, &entry.due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_first_comes_first_at_the_same_time() {
        let second = Duration::from_secs(1);
        let mut queue = Queue::default();
        for (at, due) in [(2, "last"), (1, "second"), (1, "third"), (0, "first")] {
            queue.push(second * at, due);
        }
        let mut come = Vec::new();
        while let Some((_, due)) = queue.pop(second) {
            come.push(due);
        }
        assert_eq!(come, ["first", "second", "third"]);
        assert_eq!(queue.iter().collect::<Vec<_>>(), [(second * 2, &"last")]);
    }
}
