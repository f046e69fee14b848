//! Several sounds made one, to be recorded and not to be heard.
//!
//! It takes clones of the tracks: what is mixed here goes on being sent, or played through its own
//! element, whatever happens to the mix.

use core::cell::RefCell;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AudioContext, AudioNode, EventTarget, MediaStream, MediaStreamAudioSourceNode, MediaStreamTrack,
};

use super::meter::wake;
use super::{Error, Listener, document, value};

/// A mix of tracks that come and go, until this is dropped.
pub struct Mix {
    context: AudioContext,
    sum: AudioNode,
    inputs: RefCell<Vec<Input>>,
    _listeners: [Listener; 2],
}

struct Input {
    /// The track that it is a clone of.
    of: MediaStreamTrack,
    copy: MediaStreamTrack,
    source: MediaStreamAudioSourceNode,
    gain: AudioNode,
}

impl Mix {
    /// Silence. Only within a click, or once there was one.
    ///
    /// # Errors
    /// If the browser has no Web Audio, or too many contexts are open.
    pub fn new() -> Result<Self, Error> {
        let context = AudioContext::new().map_err(Error::from)?;
        let sum = value::call(&context, "createMediaStreamDestination", &[])?;
        wake(&context);
        // A phone call stops it, and nobody else has it go on.
        let listeners = [
            (context.unchecked_ref::<EventTarget>(), "statechange"),
            (&document(), "visibilitychange"),
        ]
        .map(|(target, kind)| {
            let context = context.clone();
            Listener::new(target, kind, move |_| wake(&context))
        });
        Ok(Self {
            context,
            sum: sum.unchecked_into(),
            inputs: RefCell::default(),
            _listeners: listeners,
        })
    }

    /// What comes of it.
    #[must_use]
    pub fn track(&self) -> Option<MediaStreamTrack> {
        let stream: MediaStream = value::get(&self.sum, "stream").unchecked_into();
        stream.get_tracks().get(0).dyn_into().ok()
    }

    /// The clock that it runs by, and where whatever is to keep running is led.
    pub(super) const fn clock(&self) -> (&AudioContext, &AudioNode) {
        (&self.context, &self.sum)
    }

    /// Mixes these tracks from now on, each as loud as it says, 0 to 1: takes those in that came, and
    /// lets go of those that went.
    pub fn follow(&self, tracks: &[(MediaStreamTrack, f64)]) {
        let mut inputs = self.inputs.borrow_mut();
        inputs.retain(|input| tracks.iter().any(|(track, _)| input.of == *track));
        for (track, volume) in tracks {
            if inputs.iter().all(|input| input.of != *track)
                && let Ok(input) = self.input(track)
            {
                inputs.push(input);
            }
            if let Some(input) = inputs.iter().find(|input| input.of == *track) {
                let gain = value::get(&input.gain, "gain");
                value::set(&gain, "value", &JsValue::from(*volume));
            }
        }
    }

    fn input(&self, track: &MediaStreamTrack) -> Result<Input, Error> {
        let copy: MediaStreamTrack = value::call(track, "clone", &[])?.unchecked_into();
        let made = MediaStream::new().and_then(|stream| {
            stream.add_track(&copy);
            self.context.create_media_stream_source(&stream)
        });
        let made = made.map_err(Error::from).and_then(|source| {
            let gain: AudioNode = value::call(&self.context, "createGain", &[])?.unchecked_into();
            source.connect_with_audio_node(&gain)?;
            gain.connect_with_audio_node(&self.sum)?;
            Ok((source, gain))
        });
        match made {
            Ok((source, gain)) => Ok(Input {
                of: Clone::clone(track),
                copy,
                source,
                gain,
            }),
            Err(error) => {
                copy.stop();
                Err(error)
            }
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        _ = self.source.disconnect();
        _ = self.gain.disconnect();
        self.copy.stop();
    }
}

impl Drop for Mix {
    fn drop(&mut self) {
        // Its promise tells only that it closed.
        _ = self.context.close();
    }
}
