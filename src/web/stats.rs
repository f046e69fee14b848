//! What `getStats` tells of a connection (W3C WebRTC Statistics), as far as somebody asks.

use core::cell::RefCell;
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

/// Readings by the same rows, after which they are looked for again whatever the report says.
const USES: u8 = 4;

/// Which rows of a connection's reports matter. A row that is looked at is made into an object for it, and
/// a report has some fifty: so most readings look at the few that told something before.
#[derive(Default)]
pub(super) struct Guide(RefCell<Known>);

#[derive(Default)]
struct Known {
    /// How many rows the report had in which these were found.
    rows: f64,
    uses: u8,
    /// Ids of all `inbound-rtp`.
    inbound: Vec<JsValue>,
    /// The id of the transport. Firefox has none; it marks the chosen pair.
    transport: JsValue,
    pair: JsValue,
    /// A chosen pair, and whether either end of it is a relay's.
    judged: Option<(JsValue, bool)>,
}

impl Guide {
    /// Reads a report. `mids` are the ids of the media sections, by slot.
    pub(super) fn read(&self, report: &JsValue, mids: &[JsValue; SLOTS]) -> Option<Arrived> {
        let mut known = self.0.borrow_mut();
        let rows = value::get(report, "size").as_f64();
        known.uses += 1;
        if Some(known.rows) == rows
            && known.uses <= USES
            && let Some(arrived) = known.read(report, mids)
        {
            return Some(arrived);
        }
        *known = Known::find(report)?;
        known.read(report, mids)
    }
}

impl Known {
    fn find(report: &JsValue) -> Option<Self> {
        let mut known = Self::default();
        let rows = Array::from(&value::call(report, "values", &[]).ok()?);
        known.rows = f64::from(rows.length());
        for row in rows.iter() {
            let id = value::get(&row, "id");
            match text(&row, "type").as_str() {
                "inbound-rtp" => known.inbound.push(id),
                "transport" => known.transport = id,
                "candidate-pair" if value::get(&row, "selected").is_truthy() => known.pair = id,
                _ => {}
            }
        }
        Some(known)
    }

    /// `None` if one of the rows is gone, or no longer what it was.
    fn read(&mut self, report: &JsValue, mids: &[JsValue; SLOTS]) -> Option<Arrived> {
        let mut arrived = Arrived::default();
        let mut youngest = f64::INFINITY;
        for id in &self.inbound {
            let row = row(report, id)?;
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
        arrived.relayed = self.relayed(report)?;
        // Neither a report's clock nor a packet's is ours: what cannot be counts as unknown.
        arrived.age = Duration::try_from_secs_f64(youngest / 1000.0).unwrap_or_default();
        Some(arrived)
    }

    /// Whether either end of the chosen pair is a relay's, if there is a pair yet.
    fn relayed(&mut self, report: &JsValue) -> Option<Option<bool>> {
        let chosen = if self.transport.is_undefined() {
            let is_chosen = |pair: &JsValue| value::get(pair, "selected").is_truthy();
            if !self.pair.is_undefined() {
                row(report, &self.pair).filter(is_chosen)?;
            }
            self.pair.clone()
        } else {
            value::get(&row(report, &self.transport)?, "selectedCandidatePairId")
        };
        if chosen.is_undefined() {
            return Some(None);
        }
        if let Some((pair, is_relayed)) = &self.judged
            && *pair == chosen
        {
            return Some(Some(*is_relayed));
        }
        let pair = row(report, &chosen)?;
        let is_relay = |end| {
            let candidate = row(report, &value::get(&pair, end));
            candidate.is_some_and(|candidate| text(&candidate, "candidateType") == "relay")
        };
        let is_relayed = is_relay("localCandidateId") || is_relay("remoteCandidateId");
        self.judged = Some((chosen, is_relayed));
        Some(Some(is_relayed))
    }
}

/// The row with an id, if the report has it.
pub(super) fn row(report: &JsValue, id: &JsValue) -> Option<JsValue> {
    let row = value::call(report, "get", &[id]).ok()?;
    (!row.is_undefined()).then_some(row)
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
