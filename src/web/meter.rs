//! How loud a microphone is.

use web_sys::{AnalyserNode, AudioContext, MediaStream, MediaStreamAudioSourceNode, MediaStreamTrack};

use super::task::see_to;
use super::{Error, Listener, value, window};

/// Samples that one reading looks at: 43 ms at 48 kHz, longer than a period of any voice.
const WINDOW_SAMPLES: u32 = 2048;
/// Reading at and below which nothing is heard, in decibels of full scale.
const FLOOR_DB: f32 = -60.0;

/// Measures one track, until this is dropped. Nothing of it is played.
pub struct Meter {
    context: AudioContext,
    source: MediaStreamAudioSourceNode,
    analyser: AnalyserNode,
    _listeners: [Listener; 2],
}

impl Meter {
    /// Begins to measure. Some browsers do so only after the first click or key; it waits for it.
    ///
    /// # Errors
    /// If the browser has no Web Audio, or too many contexts are open.
    pub fn new(track: &MediaStreamTrack) -> Result<Self, Error> {
        let context = AudioContext::new().map_err(Error::from)?;
        Self::within(context.clone(), track).inspect_err(|_| _ = context.close())
    }

    fn within(context: AudioContext, track: &MediaStreamTrack) -> Result<Self, Error> {
        let analyser = context.create_analyser().map_err(Error::from)?;
        analyser.set_fft_size(WINDOW_SAMPLES);
        let stream = MediaStream::new().map_err(Error::from)?;
        stream.add_track(track);
        let source = context.create_media_stream_source(&stream).map_err(Error::from)?;
        source.connect_with_audio_node(&analyser).map_err(Error::from)?;
        // Where a click has been, a browser that begins suspended may go on at once.
        wake(&context);
        let listeners = ["pointerdown", "keydown"].map(|kind| {
            let context = context.clone();
            Listener::capturing(&window(), kind, move |_| wake(&context))
        });
        Ok(Self {
            context,
            source,
            analyser,
            _listeners: listeners,
        })
    }

    /// How loud it is now: 0 for silence, 1 for full scale, even steps of loudness between.
    #[must_use]
    pub fn level(&self) -> f64 {
        let mut samples = [0.0; WINDOW_SAMPLES as usize];
        self.analyser.get_float_time_domain_data(&mut samples);
        f64::from(loudness(&samples))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        _ = self.source.disconnect();
        // Its promise tells only that it closed.
        _ = self.context.close();
    }
}

/// Has a context run again that was not allowed to yet, or was taken its sound: by a phone call
/// (`interrupted`, on Apple's systems) or a speaker that went.
pub(super) fn wake(context: &AudioContext) {
    let state = value::get(context, "state").as_string();
    if let Some("suspended" | "interrupted") = state.as_deref() {
        // Goes unanswered until it may run, and is refused if the context is closed before.
        see_to("no sound yet", value::call(context, "resume", &[]));
    }
}

/// The root mean square of samples on a scale of decibels, from 0 at [`FLOOR_DB`] to 1 at full.
fn loudness(samples: &[f32]) -> f32 {
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    let count = u16::try_from(samples.len()).map_or(f32::MAX, f32::from);
    let db = 10.0 * (energy / count.max(1.0)).max(f32::MIN_POSITIVE).log10();
    (1.0 - db / FLOOR_DB).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_runs_from_silence_to_full_scale() {
        let of = |amplitude: f32| loudness(&[amplitude, -amplitude, amplitude, -amplitude]);
        assert!(of(0.0) <= 0.0);
        assert!((of(1.0) - 1.0).abs() < 1e-6);
        assert!((of(0.001) - 0.0).abs() < 1e-3);
        assert!(of(0.1) > of(0.01));
        assert!(loudness(&[]) <= 0.0);
    }
}
