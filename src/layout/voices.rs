//! Who speaks: from how loud everybody is to rings that stand still and one person who is large.
//!
//! Pure: the shell says a few times a second how loud everybody is and asks what follows. Knows
//! nothing of tiles; it lives here because the layout is what wants to know.

use core::time::Duration;

/// Loudness, 0 to 1 of full scale, from which on somebody may be speaking: -36 dB. Quiet speech close
/// to a microphone with gain control is louder, a room whose noise is suppressed far below.
const LOUD: f64 = 0.016;
/// Below this (-44 dB) they have paused. Between the two nothing changes, so that noise around one
/// threshold lights no ring and puts none out.
const QUIET: f64 = 0.006;
/// How long somebody has to be quiet before their ring goes: longer than between two sentences. And
/// how long what was decided stands at least, whatever is heard.
const STEADY: Duration = Duration::from_secs(1);
/// Who talks over the person who is large takes their place after this time, and only if much louder.
const INSISTED: Duration = Duration::from_secs(2);
/// What "much louder" is.
const LOUDER: f64 = 2.0;
/// How much of the smoothed loudness is the newest reading.
const NEWEST: f64 = 0.4;

/// Hears how loud people are, each known by a `K`, and decides who speaks.
///
/// Each of them is `Silent ──loud twice in a row──▶ Speaking ──quiet for a second──▶ Silent`, and one of
/// those who spoke is the last speaker: they stay so until somebody else speaks while they do not,
/// or talks over them for long. Neither changes twice within a second.
#[derive(Clone, Debug)]
pub struct Voices<K> {
    /// Everybody who is heard: who began to speak last comes first.
    voices: Vec<Voice<K>>,
    /// Who is the last speaker, and since when.
    last: Option<(K, Duration)>,
}

#[derive(Clone, Debug)]
struct Voice<K> {
    who: K,
    turn: Turn,
    loudness: f64,
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Silent {
        /// Since when; `None` if they have not spoken yet.
        since: Option<Duration>,
        /// Whether the reading before this one was loud.
        was_loud: bool,
    },
    Speaking {
        since: Duration,
        /// When they were last not quiet.
        heard_at: Duration,
    },
}

impl<K> Default for Voices<K> {
    fn default() -> Self {
        Self {
            voices: Vec::new(),
            last: None,
        }
    }
}

impl<K: Copy + PartialEq> Voices<K> {
    /// Takes a reading: how loud each of those is who are there, 0 to 1. Who is not among them is
    /// gone. `now` must not run backwards.
    pub fn hear(&mut self, now: Duration, levels: &[(K, f64)]) {
        self.voices
            .retain(|voice| levels.iter().any(|(who, _)| *who == voice.who));
        for (who, level) in levels {
            let at = match self.voices.iter().position(|voice| voice.who == *who) {
                Some(at) => at,
                None => {
                    self.voices.push(Voice::new(*who));
                    self.voices.len() - 1
                }
            };
            if self.voices[at].hear(now, *level) {
                let speaker = self.voices.remove(at);
                self.voices.insert(0, speaker);
            }
        }
        self.choose(now);
    }

    /// Who speaks now: who began last comes first.
    pub fn speaking(&self) -> impl Iterator<Item = K> {
        self.voices
            .iter()
            .filter(|voice| voice.is_speaking())
            .map(|voice| voice.who)
    }

    /// Who is speaking or did so last, as long as they are there.
    #[must_use]
    pub fn last_speaker(&self) -> Option<K> {
        let (last, _) = self.last?;
        self.voices.iter().any(|voice| voice.who == last).then_some(last)
    }

    fn choose(&mut self, now: Duration) {
        let present = self.last_speaker();
        let is_rival = |voice: &&Voice<K>| voice.is_speaking() && present != Some(voice.who);
        let loudest = self.voices.iter().filter(is_rival);
        let Some(rival) = loudest.max_by(|a, b| a.loudness.total_cmp(&b.loudness)) else {
            return;
        };
        let holder = self.voices.iter().find(|voice| present == Some(voice.who));
        let is_free = holder.is_none_or(|holder| {
            !holder.is_speaking() || (rival.insists(now) && rival.loudness > LOUDER * holder.loudness)
        });
        let is_steady = self.last.is_none_or(|(_, since)| now >= since + STEADY);
        if is_free && is_steady {
            self.last = Some((rival.who, now));
        }
    }
}

impl<K> Voice<K> {
    const fn new(who: K) -> Self {
        Self {
            who,
            turn: Turn::Silent {
                since: None,
                was_loud: false,
            },
            loudness: 0.0,
        }
    }

    /// Takes a reading; whether they have just begun to speak.
    fn hear(&mut self, now: Duration, level: f64) -> bool {
        self.loudness += NEWEST * (level - self.loudness);
        let is_loud = level >= LOUD;
        let before = self.turn;
        self.turn = match before {
            Turn::Silent {
                since,
                was_loud: true,
            } if is_loud && since.is_none_or(|since| now >= since + STEADY) => Turn::Speaking {
                since: now,
                heard_at: now,
            },
            Turn::Silent { since, .. } => Turn::Silent {
                since,
                was_loud: is_loud,
            },
            Turn::Speaking { since, .. } if level >= QUIET => Turn::Speaking { since, heard_at: now },
            Turn::Speaking { heard_at, .. } if now >= heard_at + STEADY => Turn::Silent {
                since: Some(now),
                was_loud: false,
            },
            Turn::Speaking { .. } => before,
        };
        self.is_speaking() && matches!(before, Turn::Silent { .. })
    }

    const fn is_speaking(&self) -> bool {
        matches!(self.turn, Turn::Speaking { .. })
    }

    fn insists(&self, now: Duration) -> bool {
        match self.turn {
            Turn::Speaking { since, .. } => now >= since + INSISTED,
            Turn::Silent { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five readings a second, as the shell takes them.
    const PERIOD_MS: u64 = 200;

    struct Room {
        voices: Voices<char>,
        now_ms: u64,
    }

    impl Room {
        fn new() -> Self {
            Self {
                voices: Voices::default(),
                now_ms: 5_000,
            }
        }

        fn hear(&mut self, levels: &[(char, f64)]) {
            self.now_ms += PERIOD_MS;
            self.voices.hear(Duration::from_millis(self.now_ms), levels);
        }

        /// The same for so long.
        fn hear_for(&mut self, ms: u64, levels: &[(char, f64)]) {
            for _ in 0..ms / PERIOD_MS {
                self.hear(levels);
            }
        }

        fn speaking(&self) -> String {
            self.voices.speaking().collect()
        }

        fn last(&self) -> Option<char> {
            self.voices.last_speaker()
        }
    }

    #[test]
    fn who_speaks_has_the_ring_within_half_a_second() {
        let mut room = Room::new();
        room.hear_for(2000, &[('a', 0.0), ('b', 0.001)]);
        assert_eq!((room.speaking().as_str(), room.last()), ("", None));
        room.hear_for(400, &[('a', 0.0), ('b', 0.1)]);
        assert_eq!((room.speaking().as_str(), room.last()), ("b", Some('b')));
    }

    #[test]
    fn silence_takes_the_ring_away_and_leaves_the_speaker_large() {
        let mut room = Room::new();
        room.hear_for(1000, &[('a', 0.1), ('b', 0.0)]);
        room.hear_for(800, &[('a', 0.0), ('b', 0.0)]);
        assert_eq!(room.speaking(), "a", "a pause between two sentences");
        room.hear_for(400, &[('a', 0.0), ('b', 0.0)]);
        assert_eq!(room.speaking(), "");
        room.hear_for(60_000, &[('a', 0.0), ('b', 0.0)]);
        assert_eq!(room.last(), Some('a'));
    }

    #[test]
    fn a_knock_is_no_speech() {
        let mut room = Room::new();
        for _ in 0..10 {
            room.hear(&[('a', 0.9)]);
            room.hear(&[('a', 0.0)]);
            assert_eq!((room.speaking().as_str(), room.last()), ("", None));
        }
    }

    #[test]
    fn noise_between_the_thresholds_begins_nothing_and_ends_nothing() {
        let between = f64::midpoint(LOUD, QUIET);
        let mut room = Room::new();
        room.hear_for(5000, &[('a', between)]);
        assert_eq!(room.speaking(), "");
        room.hear_for(600, &[('a', 0.1)]);
        room.hear_for(5000, &[('a', between)]);
        assert_eq!(room.speaking(), "a");
    }

    #[test]
    fn who_answers_becomes_the_last_speaker_once_the_other_has_stopped() {
        let mut room = Room::new();
        room.hear_for(2000, &[('a', 0.1), ('b', 0.0)]);
        room.hear_for(600, &[('a', 0.0), ('b', 0.1)]);
        assert_eq!(room.last(), Some('a'));
        room.hear_for(800, &[('a', 0.0), ('b', 0.1)]);
        assert_eq!((room.speaking().as_str(), room.last()), ("b", Some('b')));
    }

    #[test]
    fn a_word_in_between_changes_nothing_and_talking_over_for_long_does() {
        let mut room = Room::new();
        room.hear_for(2000, &[('a', 0.05), ('b', 0.0)]);
        room.hear_for(1000, &[('a', 0.05), ('b', 0.3)]);
        assert_eq!((room.speaking().as_str(), room.last()), ("ba", Some('a')));
        room.hear_for(2000, &[('a', 0.05), ('b', 0.3)]);
        assert_eq!(room.last(), Some('b'));
        // As loud as the other is not enough, however long.
        for _ in 0..100 {
            room.hear(&[('a', 0.3), ('b', 0.3)]);
            assert_eq!(room.last(), Some('b'));
        }
    }

    #[test]
    fn who_leaves_is_nobodys_speaker() {
        let mut room = Room::new();
        room.hear_for(1000, &[('a', 0.1), ('b', 0.0)]);
        room.hear(&[('b', 0.0)]);
        assert_eq!((room.speaking().as_str(), room.last()), ("", None));
        room.hear_for(1000, &[('b', 0.1)]);
        assert_eq!(room.last(), Some('b'));
    }

    /// Whatever three people and their rooms sound like: nothing changes twice within a second.
    #[test]
    fn nothing_flickers() {
        let mut state = 1_u64;
        let mut random = || {
            // A 64-bit linear congruence (Knuth); its upper bits are good enough here.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).expect("32 bits")) / f64::from(u32::MAX)
        };
        for _ in 0..200 {
            let mut room = Room::new();
            let mut seen: Vec<(Option<char>, u64)> = ['a', 'b', 'c'].map(|who| (Some(who), 0)).to_vec();
            let mut rings = [false; 3];
            let (mut last, mut changes) = (None, 0);
            for _ in 0..200 {
                // From silence to shouting, most of it around the thresholds.
                let levels =
                    ['a', 'b', 'c'].map(|who| (who, 0.002 * 100.0_f64.powf(random() * random() * 1.5)));
                room.hear(&levels);
                let speaking = room.speaking();
                for (index, who) in ['a', 'b', 'c'].into_iter().enumerate() {
                    let rings_now = speaking.contains(who);
                    if rings_now != rings[index] {
                        assert!(room.now_ms - seen[index].1 >= 1000, "the ring of {who} flickers");
                        rings[index] = rings_now;
                        seen[index].1 = room.now_ms;
                    }
                }
                if room.last() != last {
                    assert!(room.now_ms - changes >= 1000, "the speaker flickers");
                    (last, changes) = (room.last(), room.now_ms);
                }
            }
            assert!(
                last.is_some(),
                "the noise of this test is too low to show anything"
            );
        }
    }
}
