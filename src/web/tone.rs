//! A short sound to test a speaker with, made here so that no file need be loaded.

use js_sys::{Array, Uint8Array};
use web_sys::HtmlAudioElement;

use super::element::{play, set_speaker};
use super::{Error, value};

/// Samples a second: enough for a soft tone of two notes.
const RATE_HZ: u32 = 16_000;
/// Bytes of the header in front of the samples.
const HEADER_BYTES: usize = 44;
/// Samples of each note: a third of a second.
const NOTE_SAMPLES: u32 = RATE_HZ / 3;
/// The notes, a fifth apart.
const NOTES_HZ: [f32; 2] = [440.0, 660.0];

/// Plays two notes through a speaker; `None` for the system's. Ends when they have begun.
///
/// # Errors
/// See [`play`] and [`set_speaker`].
pub async fn play_test_sound(device: Option<String>) -> Result<(), Error> {
    let bytes = Array::of1(&Uint8Array::from(wave_file().as_slice()));
    let options = value::dictionary(&[("type", "audio/wav".into())]);
    let blob = value::construct("Blob", &[&bytes, &options])?;
    let urls = value::get(&js_sys::global(), "URL");
    let url = value::call(&urls, "createObjectURL", &[&blob])?;
    let element = HtmlAudioElement::new_with_src(&url.as_string().unwrap_or_default()).map_err(Error::from);
    let outcome = match element {
        Ok(element) => {
            let started = play(&element);
            let chosen = device.map(|device| set_speaker(&element, Some(&device)));
            if let Some(chosen) = chosen {
                // A speaker that is gone falls back to the system's.
                _ = chosen.await;
            }
            started.await
        }
        Err(error) => Err(error),
    };
    // The element keeps what it has loaded.
    _ = value::call(&urls, "revokeObjectURL", &[&url]);
    outcome
}

/// The notes as a WAV file of 16-bit samples.
fn wave_file() -> Vec<u8> {
    let samples = NOTE_SAMPLES as usize * NOTES_HZ.len();
    let size = u32::try_from(samples * 2).unwrap_or_default();
    let mut file = Vec::with_capacity(HEADER_BYTES + samples * 2);
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
    for note in NOTES_HZ {
        for n in 0..NOTE_SAMPLES {
            file.extend_from_slice(&sample(note, n).to_le_bytes());
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
fn sample(note_hz: f32, n: u32) -> i16 {
    let place = n as f32 / NOTE_SAMPLES as f32;
    let envelope = place.min(1.0 - place) * 2.0;
    let phase = (note_hz * n as f32 / RATE_HZ as f32).fract();
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
        let file = wave_file();
        let said = u32::from_le_bytes(file[40..44].try_into().unwrap());
        assert_eq!(said as usize, file.len() - HEADER_BYTES);
        assert_eq!(&file[..4], b"RIFF");
    }

    #[test]
    fn the_sound_is_heard_and_does_not_click() {
        let loudest = (0..NOTE_SAMPLES).map(|n| sample(440.0, n).unsigned_abs()).max();
        assert!(loudest > Some(4000));
        assert_eq!(sample(440.0, 0), 0);
        assert!(sample(440.0, NOTE_SAMPLES - 1).unsigned_abs() < 100);
    }
}
