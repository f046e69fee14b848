//! Which place a hand takes that is raised now: behind all that are up, as far as those are honest.
//!
//! Pure, and about one's own place alone. What others say of theirs is never changed, so whoever knows
//! the same hands has them in the same order, and who says a number out of all reason is behind
//! everybody else for everybody.

use alloc::vec::Vec;

use visavis_protocol::limits;

/// The place behind these; 0 stands for a hand that is down.
pub(crate) fn place_behind(hands: impl Iterator<Item = u32>) -> u32 {
    let mut raised: Vec<u32> = hands.collect();
    raised.sort_unstable();
    let mut last: u32 = 0;
    for place in raised {
        if place - last > limits::HANDS_APART {
            // Nor is anything that stands on it.
            break;
        }
        last = place;
    }
    last.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(hands: &[u32]) -> u32 {
        place_behind(hands.iter().copied())
    }

    #[test]
    fn a_hand_goes_behind_all_that_are_up() {
        assert_eq!(behind(&[]), 1);
        assert_eq!(behind(&[0, 0]), 1);
        assert_eq!(behind(&[4, 0, 2]), 5);
        assert_eq!(behind(&[900]), 901, "those before it are down by now");
    }

    #[test]
    fn nobody_ends_the_order_for_the_others() {
        let liars = [u32::MAX, u32::MAX - 1, u32::MAX];
        let mut hands = liars.to_vec();
        for place in 1..=5 {
            let next = behind(&hands);
            assert_eq!(next, place);
            hands.push(next);
        }
        // As far as one may go, again and again, by as many as there can be.
        let mut hands = Vec::new();
        for _ in 0..limits::ROOM_SEATS {
            let next = behind(&hands);
            hands.push(next - 1 + limits::HANDS_APART);
        }
        assert!(behind(&hands) < u32::MAX / 2);
    }
}
