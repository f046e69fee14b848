//! What `getStats` tells of a connection (W3C WebRTC Statistics), as far as somebody asks.

use std::time::Duration;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::peer::SLOTS;
use super::value;

/// What has arrived on a connection so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// `bytesReceived` of all `inbound-rtp`.
    pub bytes: u64,
    /// Since the last packet of them, as far as the browser says.
    pub age: Duration,
    /// For each slot, bytes of sound or decoded pictures.
    pub progress: [u64; SLOTS],
    /// Whether either end of the chosen pair of candidates is a relay's.
    pub relayed: Option<bool>,
}

/// Reads a report. `mids` are the ids of the media sections, by slot.
pub(super) fn read(report: &JsValue, mids: &[JsValue; SLOTS]) -> Option<Arrived> {
    let mut arrived = Arrived::default();
    let mut youngest = f64::INFINITY;
    let mut pair = JsValue::UNDEFINED;
    let rows = Array::from(&value::call(report, "values", &[]).ok()?);
    for row in rows.iter() {
        match text(&row, "type").as_str() {
            "inbound-rtp" => {
                let bytes = number(&row, "bytesReceived");
                arrived.bytes += bytes;
                if let Some(last) = value::get(&row, "lastPacketReceivedTimestamp").as_f64() {
                    youngest = youngest.min(value::get(&row, "timestamp").as_f64().unwrap_or(last) - last);
                }
                let mid = value::get(&row, "mid");
                if let Some(slot) = mids.iter().position(|known| *known == mid) {
                    arrived.progress[slot] += if text(&row, "kind") == "video" {
                        number(&row, "framesDecoded")
                    } else {
                        bytes
                    };
                }
            }
            "transport" => {
                let chosen = value::get(&row, "selectedCandidatePairId");
                if !chosen.is_undefined() {
                    pair = value::call(report, "get", &[&chosen]).unwrap_or(pair);
                }
            }
            // Firefox has no transports; it marks the pair.
            "candidate-pair" if pair.is_undefined() && value::get(&row, "selected").is_truthy() => {
                pair = row;
            }
            _ => {}
        }
    }
    if !pair.is_undefined() {
        let is_relay = |end| {
            let candidate = value::call(report, "get", &[&value::get(&pair, end)]);
            candidate.is_ok_and(|candidate| text(&candidate, "candidateType") == "relay")
        };
        arrived.relayed = Some(is_relay("localCandidateId") || is_relay("remoteCandidateId"));
    }
    // Neither a report's clock nor a packet's is ours: what cannot be counts as unknown.
    arrived.age = Duration::try_from_secs_f64(youngest / 1000.0).unwrap_or_default();
    Some(arrived)
}

fn text(row: &JsValue, key: &str) -> String {
    value::get(row, key).as_string().unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counters of bytes and pictures; the cast saturates"
)]
fn number(row: &JsValue, key: &str) -> u64 {
    value::get(row, key).as_f64().unwrap_or_default() as u64
}
