//! Figures for operators in the Prometheus text format.
//!
//! Counts only: no names, rooms or addresses, which would be labels without end besides.

use core::fmt::Write;
use core::sync::atomic::{AtomicU64, Ordering};

use visavis_protocol::{CloseCode, ErrorCode};

use crate::hub::{Counts, Totals};

/// What the shell counts itself. The hub has its own.
#[derive(Default)]
pub(crate) struct Metrics {
    /// In the order of [`CloseCode::ALL`].
    closes: [AtomicU64; CloseCode::ALL.len()],
    /// Sockets that ended without a close frame of ours.
    gone: AtomicU64,
    /// Connections refused at the door.
    pub(crate) refused: AtomicU64,
    /// HTTP requests answered.
    pub(crate) requests: AtomicU64,
    /// Upgrades refused for their `Origin`.
    pub(crate) foreign: AtomicU64,
}

impl Metrics {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a socket.
    pub(crate) fn count_close(&self, code: Option<CloseCode>) {
        let known = code.and_then(|code| CloseCode::ALL.iter().position(|known| *known == code));
        Self::count(known.map_or(&self.gone, |at| &self.closes[at]));
    }

    /// Writes all figures down.
    pub(crate) fn render(&self, open: usize, counts: Counts, totals: &Totals) -> String {
        let mut page = Page(String::with_capacity(4096));
        page.gauge("open_connections", "Open TCP connections.", open);
        page.gauge("sockets", "Open signaling sockets.", counts.connections);
        page.gauge("rooms", "Rooms with somebody seated.", counts.rooms);
        page.gauge("seats", "Seats taken.", counts.seats);
        page.gauge(
            "seats_away",
            "Seats whose socket is gone at the moment.",
            counts.away,
        );
        page.gauge(
            "watchers",
            "Sockets that look at a room before joining.",
            counts.watchers,
        );
        page.gauge("waiting", "People who wait before a room.", counts.waiting);
        page.gauge(
            "addresses",
            "Addresses remembered for their rates.",
            counts.addresses,
        );
        page.counter("sockets_opened", "Signaling sockets opened.", totals.connections);
        page.counter("messages", "Messages received.", totals.messages);
        page.counter("joins", "Seats taken since the start.", totals.joins);
        page.counter(
            "resumes",
            "Sessions taken over by another socket.",
            totals.resumes,
        );
        page.counter("relayed_messages", "Packets handed on.", totals.relayed);
        page.counter(
            "relayed_bytes",
            "Bytes of packets handed on.",
            totals.relayed_bytes,
        );
        page.counter("http_requests", "HTTP requests answered.", load(&self.requests));
        page.counter(
            "refused_connections",
            "Connections refused at the door.",
            load(&self.refused),
        );
        page.counter(
            "foreign_origins",
            "Upgrades refused for their origin.",
            load(&self.foreign),
        );
        page.head("errors_total", "counter", "Error messages sent, by code.");
        for (code, count) in ErrorCode::ALL.iter().zip(totals.errors) {
            page.labelled("errors_total", "code", code, count);
        }
        page.head("closes_total", "counter", "Sockets ended, by close code.");
        for (code, count) in CloseCode::ALL.iter().zip(&self.closes) {
            page.labelled("closes_total", "code", code.code(), load(count));
        }
        page.labelled("closes_total", "code", "none", load(&self.gone));
        page.0
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string cannot fail.
        let _ = write!(
            self.0,
            "# HELP visavis_{name} {help}\n# TYPE visavis_{name} {kind}\n"
        );
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) {
        self.head(name, "gauge", help);
        let _ = writeln!(self.0, "visavis_{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let name = format!("{name}_total");
        self.head(&name, "counter", help);
        let _ = writeln!(self.0, "visavis_{name} {value}");
    }

    fn labelled(&mut self, name: &str, label: &str, value: impl core::fmt::Display, count: u64) {
        let _ = writeln!(self.0, "visavis_{name}{{{label}=\"{value}\"}} {count}");
    }
}
