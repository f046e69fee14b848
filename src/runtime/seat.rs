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
const PATIENCE: Duration = Duration::from_millis(800);

/// This tab's seat.
pub(super) struct Seat {
    pub(super) secret: SeatSecret,
    /// Whether this tab had it before it was loaded again.
    pub(super) was_kept: bool,
    /// The seat of the tab that this one is a duplicate of.
    pub(super) twin: Option<SeatSecret>,
    /// By which other tabs know that it is taken.
    _lock: Option<Lock>,
}

impl Seat {
    /// Finds the seat of this tab, or takes a new one.
    pub(super) async fn claim() -> Self {
        let kept = Shelf::Tab.get(KEY).and_then(|text| text.parse().ok());
        if let Some(secret) = kept
            && let Some(lock) = lock::claim(&name(&secret), PATIENCE).await
        {
            return Self {
                secret,
                was_kept: true,
                twin: None,
                _lock: Some(lock),
            };
        }
        let secret = SeatSecret::from_bytes(
            random::bytes().expect("every browser that runs this has a cryptographic generator"),
        );
        Shelf::Tab.put(KEY, Some(&secret.to_text()));
        let lock = lock::claim(&name(&secret), PATIENCE).await;
        Self {
            secret,
            was_kept: false,
            twin: kept,
            _lock: lock,
        }
    }

    /// Takes the seat of the tab that this one is a duplicate of.
    pub(super) fn of_twin(&self) -> Option<Self> {
        let secret = self.twin?;
        Shelf::Tab.put(KEY, Some(&secret.to_text()));
        Some(Self {
            secret,
            was_kept: false,
            twin: None,
            _lock: lock::steal(&name(&secret)),
        })
    }
}

fn name(secret: &SeatSecret) -> String {
    // The public half: names of locks can be read by whatever runs on this site.
    let mut name = String::from("visavis.seat.");
    name.push_str(&secret.seat_id().to_text());
    name
}
