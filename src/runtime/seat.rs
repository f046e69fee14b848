//! The seat of this tab: kept over reloads, so that others see one tile and never two.

use core::time::Duration;

use visavis_protocol::SeatSecret;

use crate::web::lock::{self, Lock};
use crate::web::random;
use crate::web::storage::Shelf;

/// Where the secret is kept: in this tab alone.
const KEY: &str = "visavis.seat";

/// How long another tab may take to let go of the seat. After a reload that is this tab before it,
/// which is on its way out; a duplicated tab, which starts with a copy of the secret, waits in vain.
const PATIENCE: Duration = Duration::from_millis(250);

/// This tab's seat, and the lock by which other tabs know that it is taken.
pub(super) async fn claim() -> (SeatSecret, Option<Lock>) {
    let kept = Shelf::Tab.get(KEY).and_then(|text| text.parse().ok());
    if let Some(secret) = kept
        && let Some(lock) = take(&secret).await
    {
        return (secret, Some(lock));
    }
    let secret = SeatSecret::from_bytes(
        random::bytes().expect("every browser that runs this has a cryptographic generator"),
    );
    Shelf::Tab.put(KEY, Some(&secret.to_text()));
    (secret, take(&secret).await)
}

async fn take(secret: &SeatSecret) -> Option<Lock> {
    // The public half: names of locks can be read by whatever runs on this site.
    let mut name = String::from("visavis.seat.");
    name.push_str(&secret.seat_id().to_text());
    lock::claim(&name, PATIENCE).await
}
