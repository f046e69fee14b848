//! The sounds that the app makes by itself: to test a speaker with, and of calls. Made here, so that no file
//! need be loaded.

use core::future::Future;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::HtmlAudioElement;

use super::element::{play, set_speaker};
use super::{Error, value};

/// Samples a second: enough for a soft tone of two notes.
const RATE_HZ: u32 = 16_000;
/// Bytes of the header in front of the samples.
const HEADER_BYTES: usize = 44;

/// A note.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// Nothing is silence.
    hz: f32,
    samples: u32,
}

const fn note(hz: f32, samples: u32) -> Note {
    Note { hz, samples }
}

/// A fifth.
const TEST: [Note; 2] = [note(440.0, RATE_HZ / 3), note(660.0, RATE_HZ / 3)];
/// Somebody came: a bell at a door.
const ARRIVAL: [Note; 3] = [
    note(784.0, RATE_HZ / 3),
    note(0.0, RATE_HZ / 12),
    note(622.25, RATE_HZ * 2 / 3),
];
/// Somebody calls: a chord, twice, and a rest.
const INCOMING: [Note; 8] = [
    note(523.25, RATE_HZ / 6),
    note(659.25, RATE_HZ / 6),
    note(784.0, RATE_HZ / 3),
    note(0.0, RATE_HZ / 6),
    note(523.25, RATE_HZ / 6),
    note(659.25, RATE_HZ / 6),
    note(784.0, RATE_HZ / 3),
    note(0.0, RATE_HZ * 3 / 2),
];
/// The tone that people in Europe know of telephones (ETSI ETR 187): a second of it, and four of rest.
const BACK: [Note; 2] = [note(425.0, RATE_HZ), note(0.0, RATE_HZ * 4)];

/// Plays two notes through a speaker; `None` for the system's. Ends when they have begun.
///
/// # Errors
/// See [`play`] and [`set_speaker`].
pub async fn play_test_sound(device: Option<String>) -> Result<(), Error> {
    Sound::of(&TEST)?.play(device).await
}

/// Plays the bell of somebody who came, once. Ends when it has begun.
///
/// # Errors
/// See [`play`]: a page on which nobody has clicked yet may make no sound.
pub async fn play_arrival(device: Option<String>) -> Result<(), Error> {
    Sound::of(&ARRIVAL)?.play(device).await
}

/// What rings, again and again until it is dropped.
pub struct Ring(Sound);

impl Ring {
    /// Somebody calls.
    ///
    /// # Errors
    /// If the browser makes no sounds.
    pub fn incoming() -> Result<Self, Error> {
        Self::of(&INCOMING)
    }

    /// It rings where somebody is called.
    ///
    /// # Errors
    /// If the browser makes no sounds.
    pub fn back() -> Result<Self, Error> {
        Self::of(&BACK)
    }

    fn of(notes: &[Note]) -> Result<Self, Error> {
        let sound = Sound::of(notes)?;
        sound.element.set_loop(true);
        Ok(Self(sound))
    }

    /// Begins to ring through a speaker; `None` for the system's.
    ///
    /// # Errors
    /// See [`play`]: a page on which nobody has clicked yet may make no sound.
    pub fn start(&self, device: Option<String>) -> impl Future<Output = Result<(), Error>> + use<> {
        self.0.play(device)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Fails for no element.
        _ = self.0.element.pause();
    }
}

/// An element that has some notes loaded.
struct Sound {
    element: HtmlAudioElement,
    url: JsValue,
}

impl Sound {
    fn of(notes: &[Note]) -> Result<Self, Error> {
        let bytes = Array::of1(&Uint8Array::from(wave_file(notes).as_slice()));
        let options = value::dictionary(&[("type", "audio/wav".into())]);
        let blob = value::construct("Blob", &[&bytes, &options])?;
        let url = value::call(&urls(), "createObjectURL", &[&blob])?;
        let element =
            HtmlAudioElement::new_with_src(&url.as_string().unwrap_or_default()).map_err(Error::from)?;
        Ok(Self { element, url })
    }

    fn play(&self, device: Option<String>) -> impl Future<Output = Result<(), Error>> + use<> {
        let started = play(&self.element);
        let chosen = device.map(|device| set_speaker(&self.element, Some(&device)));
        async move {
            if let Some(chosen) = chosen {
                // A speaker that is gone falls back to the system's.
                _ = chosen.await;
            }
            started.await
        }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        // The element keeps what it has loaded.
        _ = value::call(&urls(), "revokeObjectURL", &[&self.url]);
    }
}

fn urls() -> JsValue {
    value::get(&js_sys::global(), "URL")
}

/// The notes as a WAV file of 16-bit samples.
fn wave_file(notes: &[Note]) -> Vec<u8> {
    let samples: u32 = notes.iter().map(|note| note.samples).sum();
    let size = samples * 2;
    let mut file = Vec::with_capacity(HEADER_BYTES + size as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(size + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes()); // PCM
    file.extend_from_slice(&1_u16.to_le_bytes()); // one channel
    file.extend_from_slice(&RATE_HZ.to_le_bytes());
    file.extend_from_slice(&(RATE_HZ * 2).to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&size.to_le_bytes());
    for note in notes {
        for n in 0..note.samples {
            file.extend_from_slice(&sample(*note, n).to_le_bytes());
        }
    }
    file
}

/// One sample of a note that swells and fades, so that it does not click.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "small numbers, and samples are rounded by nature"
)]
fn sample(note: Note, n: u32) -> i16 {
    let place = n as f32 / note.samples as f32;
    let envelope = place.min(1.0 - place) * 2.0;
    let phase = (note.hz * n as f32 / RATE_HZ as f32).fract();
    // A parabola a half period is as good as a sine to the ear, and needs no table of them.
    let half = if phase < 0.5 {
        phase * 2.0
    } else {
        phase * 2.0 - 1.0
    };
    let arch = 4.0 * half * (1.0 - half);
    let wave = if phase < 0.5 { arch } else { -arch };
    (wave * envelope * 0.25 * f32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_how_long_it_is() {
        let file = wave_file(&BACK);
        let said = u32::from_le_bytes(file[40..44].try_into().unwrap());
        assert_eq!(said as usize, file.len() - HEADER_BYTES);
        assert_eq!(&file[..4], b"RIFF");
    }

    #[test]
    fn the_sound_is_heard_and_does_not_click() {
        let loudest = (0..TEST[0].samples)
            .map(|n| sample(TEST[0], n).unsigned_abs())
            .max();
        assert!(loudest > Some(4000));
        assert_eq!(sample(TEST[0], 0), 0);
        assert!(sample(TEST[0], TEST[0].samples - 1).unsigned_abs() < 100);
    }
}
