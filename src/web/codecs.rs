//! Which codecs and header extensions a description offers, and what its text says of them. A browser offers all that it has, which
//! makes more than half of a description and of the bytes of a join.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

use super::value;

/// Leaves a transceiver the codecs that this app uses, in the browser's own order: Opus; VP8, VP9
/// profile 0, H.264 constrained baseline, AV1. Redundancy and error correction formats that nobody
/// asked for go, and so do the telephone's.
///
/// Retransmission as a stream of its own (RTX, RFC 4588) goes as well: lost packets are sent again on
/// the stream itself. With RTX a browser fills up with the last pictures while it probes the way
/// after a hole, and the receiver takes them for late ones and holds the good ones back.
///
/// Does nothing in a browser that does not let a page choose, or that has none of these: its own
/// list is right then.
pub fn prefer_codecs(transceiver: &JsValue, kind: &str) {
    let all = value::get(&js_sys::global(), "RTCRtpReceiver");
    let Ok(capabilities) = value::call(&all, "getCapabilities", &[&kind.into()]) else {
        return;
    };
    let Ok(listed) = js_sys::try_iter(&value::get(&capabilities, "codecs")) else {
        return;
    };
    let wanted = Array::new();
    let mut has_codec = false;
    for codec in listed.into_iter().flatten().flatten() {
        let text = |key| value::get(&codec, key).as_string().unwrap_or_default();
        let (mime, format) = (text("mimeType"), text("sdpFmtpLine"));
        if is_wanted(&mime, &format) {
            has_codec = true;
            wanted.push(&codec);
        }
    }
    if has_codec {
        // A browser that finds fault with its own list keeps it whole.
        _ = value::call(transceiver, "setCodecPreferences", &[&wanted]);
    }
}

/// Offers the RTP header extensions that this app has a use for: the media section's id, loudness,
/// congestion control, rotation, kind of content. What is left out is for simulcast, for wide
/// colours and for measurements that nobody reads.
///
/// Congestion control goes by pictures alone. Sound flows on through a hole in the network, and with
/// its packets counted, their first report after it has the sender repeat pictures from before the
/// hole at once; a receiver takes them for late ones and holds those that follow back.
///
/// Does nothing in a browser that does not let a page choose.
pub fn prefer_extensions(transceiver: &JsValue, kind: &str) {
    let Ok(extensions) = value::call(transceiver, "getHeaderExtensionsToNegotiate", &[]) else {
        return;
    };
    let Ok(listed) = js_sys::try_iter(&extensions) else {
        return;
    };
    for extension in listed.into_iter().flatten().flatten() {
        let uri = value::get(&extension, "uri").as_string().unwrap_or_default();
        let is_kept = KEPT_EXTENSIONS.iter().any(|kept| uri.ends_with(kept));
        if !is_kept || (kind == "audio" && uri.ends_with(CONGESTION_CONTROL)) {
            value::set(extension.unchecked_ref(), "direction", &"stopped".into());
        }
    }
    // Takes back the very list that it gave, or throws and keeps its own.
    _ = value::call(transceiver, "setHeaderExtensionsToNegotiate", &[&extensions]);
}

/// A description without attributes of payload types that its media sections do not list. Firefox
/// keeps the feedback of codecs that were left out by preference, and Chromium refuses the whole
/// description for it.
pub fn without_orphans(sdp: &str) -> String {
    let mut kept = String::with_capacity(sdp.len());
    let mut listed = "";
    for line in sdp.split_inclusive('\n') {
        if line.starts_with("m=") {
            listed = line.trim_end();
        }
        if payload_type(line).is_none_or(|payload| listed.split(' ').skip(3).any(|one| one == payload)) {
            kept.push_str(line);
        }
    }
    kept
}

/// The payload type that an attribute is about; `*` is about all.
fn payload_type(line: &str) -> Option<&str> {
    let value = ["a=rtcp-fb:", "a=fmtp:", "a=rtpmap:"]
        .iter()
        .find_map(|name| line.strip_prefix(name))?;
    value.split(' ').next().filter(|payload| *payload != "*")
}

const CONGESTION_CONTROL: &str = "/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// How the URIs of the extensions end that are offered.
const KEPT_EXTENSIONS: [&str; 5] = [
    ":sdes:mid",
    ":ssrc-audio-level",
    CONGESTION_CONTROL,
    ":3gpp:video-orientation",
    "/video-content-type",
];

/// Whether a codec is one that this app uses: by its `mimeType` and `sdpFmtpLine`.
fn is_wanted(mime: &str, format: &str) -> bool {
    let has = |parameter: &str| {
        format
            .split(';')
            .any(|one| one.trim().eq_ignore_ascii_case(parameter))
    };
    match mime.to_ascii_lowercase().as_str() {
        "audio/opus" | "video/vp8" => true,
        "video/vp9" => !format.contains("profile-id=") || has("profile-id=0"),
        "video/av1" => !format.contains("profile=") || has("profile=0"),
        "video/h264" => has("profile-level-id=42e01f") && has("packetization-mode=1"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_profile_of_each_video_codec_is_kept() {
        assert!(is_wanted("video/VP8", ""));
        assert!(is_wanted("video/VP9", "profile-id=0"));
        assert!(!is_wanted("video/VP9", "profile-id=2"));
        assert!(is_wanted("video/AV1", "level-idx=5;profile=0;tier=0"));
        assert!(!is_wanted("video/AV1", "level-idx=5;profile=1;tier=0"));
        let h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
        assert!(is_wanted("video/H264", h264));
        assert!(!is_wanted("video/H264", &h264.replace("mode=1", "mode=0")));
        assert!(!is_wanted("video/H264", &h264.replace("42e01f", "640c1f")));
        assert!(!is_wanted("video/rtx", ""));
        assert!(!is_wanted("video/ulpfec", ""));
    }

    #[test]
    fn feedback_of_codecs_that_were_left_out_goes_too() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 109\r\na=rtpmap:109 opus/48000/2\r\na=rtcp-fb:* nack\r\n\
            m=video 0 UDP/TLS/RTP/SAVPF 120 124\r\na=fmtp:124 apt=120\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:12 nack\r\n\
            a=rtcp-fb:122 nack pli\r\na=mid:1\r\n";
        let repaired = without_orphans(sdp);
        assert_eq!(
            repaired,
            sdp.replace("a=rtcp-fb:12 nack\r\na=rtcp-fb:122 nack pli\r\n", "")
        );
        assert_eq!(without_orphans(&repaired), repaired);
    }

    #[test]
    fn the_telephone_is_left_out() {
        assert!(is_wanted("audio/opus", "minptime=10;useinbandfec=1"));
        for mime in [
            "audio/PCMU",
            "audio/CN",
            "audio/telephone-event",
            "audio/G722",
            "audio/red",
        ] {
            assert!(!is_wanted(mime, ""), "{mime}");
        }
    }
}
