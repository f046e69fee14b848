//! Whether a microphone hears somebody talk: from how loud it is to yes or no.
//!
//! Pure, as its neighbour that says who of the others speaks; this one is for those who do so with their
//! microphone off, and would rather miss a word than tell somebody who only coughed.

use core::time::Duration;

/// Loudness from which on it may be talk, on a meter's scale from 0 at -60 dB to 1 at full scale: -36 dB,
/// as for the voices of others.
const LOUD: f64 = 0.4;
/// How long it has to last: longer than a cough, a knock, a key.
const LASTS: Duration = Duration::from_millis(500);
/// The longest pause within talk: between two words, not between two knocks.
const PAUSE: Duration = Duration::from_millis(300);

/// Hears how loud a microphone is, a few times a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talk {
    /// When the present sounds began, and when one was last heard.
    sounds: Option<(Duration, Duration)>,
}

impl Talk {
    /// Takes a reading; whether it is talk by now.
    pub fn hear(&mut self, now: Duration, level: f64) -> bool {
        let going_on = self.sounds.filter(|(_, last)| now.saturating_sub(*last) <= PAUSE);
        self.sounds = if level >= LOUD {
            Some((going_on.map_or(now, |(began, _)| began), now))
        } else {
            going_on
        };
        self.sounds
            .is_some_and(|(began, last)| last.saturating_sub(began) >= LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether any of these readings, 100 ms apart, is taken for talk; `x` is loud.
    fn talks(readings: &str) -> bool {
        let mut talk = Talk::default();
        let mut heard = readings.chars().zip(0_u32..).map(|(reading, index)| {
            let level = if reading == 'x' { 0.6 } else { 0.2 };
            talk.hear(Duration::from_millis(100) * index, level)
        });
        heard.any(|talks| talks)
    }

    #[test]
    fn half_a_second_of_voice_is_talk() {
        assert!(talks("..xxxxxx"));
        assert!(!talks("..xxxx......"));
    }

    #[test]
    fn words_with_pauses_between_them_are_talk() {
        assert!(talks("xx.xx..x"));
        assert!(talks("x..x..x"));
    }

    #[test]
    fn knocks_and_a_quiet_room_are_not() {
        assert!(!talks("x....x....x....x....x"));
        assert!(!talks("......................"));
        assert!(!talks("xxxx....xxxx....xxxx"));
    }

    #[test]
    fn readings_that_come_late_prove_nothing() {
        let mut talk = Talk::default();
        for second in 0..10 {
            assert!(!talk.hear(Duration::from_secs(second), 1.0));
        }
    }
}
