//! What this tab offered, kept for the tab's life: after a reload the person may be asked to pick a file
//! again. And whether it put anything on disk, so that nobody looks there in vain.

use visavis_call_core::Kept;
use visavis_protocol::TransferId;

use super::kept;
use crate::web::storage::Shelf::Tab;

/// Offers that are remembered: browsers give a tab 5 MB, and a folder of a thousand files takes 100 kB.
const OFFERS: usize = 64;
/// The ids of the offers, one a line, the newest last.
const INDEX: &str = "visavis.offers";
const ON_DISK: &str = "visavis.has-files";

fn key(id: &str) -> String {
    let mut key = String::from("visavis.offer.");
    key.push_str(id);
    key
}

/// Writes an offer down.
pub(super) fn put(offer: &Kept, own: &str) {
    let id = offer.transfer.to_text();
    Tab.put(&key(&id), Some(&kept::write(offer, own)));
    let index = Tab.get(INDEX).unwrap_or_default();
    let mut ids: Vec<&str> = index.lines().filter(|known| *known != id).collect();
    ids.push(&id);
    let too_many = ids.len().saturating_sub(OFFERS);
    for old in ids.drain(..too_many) {
        Tab.put(&key(old), None);
    }
    Tab.put(INDEX, Some(&ids.join("\n")));
}

/// Forgets an offer, if it is one.
pub(super) fn forget(transfer: TransferId) {
    let id = transfer.to_text();
    let Some(index) = Tab.get(INDEX) else { return };
    let ids: Vec<&str> = index.lines().filter(|known| *known != id).collect();
    Tab.put(&key(&id), None);
    Tab.put(INDEX, (!ids.is_empty()).then(|| ids.join("\n")).as_deref());
}

/// The offers of this tab, the oldest first.
pub(super) fn offers(own: &str) -> Vec<Kept> {
    let index = Tab.get(INDEX).unwrap_or_default();
    let offers = index
        .lines()
        .filter_map(|id| kept::read(&Tab.get(&key(id))?, own));
    offers.take(OFFERS).collect()
}

/// Whether this tab ever put anything on disk.
pub(super) fn has_put_on_disk() -> bool {
    Tab.get(ON_DISK).is_some()
}

pub(super) fn note_put_on_disk() {
    Tab.put(ON_DISK, Some("yes"));
}
