//! What `/metrics` counts, and the Prometheus text that says it.

use super::refusal::Refusal;
use crate::decide::Reason;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds: an admission takes less than a millisecond, unless something is wrong.
const BOUNDS: [f64; 14] =
    [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    /// By reason, in the order of `Reason::ALL`.
    admissions: [AtomicU64; Reason::ALL.len()],
    /// In the order of `Refusal::ALL`.
    refusals: [AtomicU64; Refusal::ALL.len()],
    /// By bound; the last is for what took longer.
    durations: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
    /// Panics, caught or not.
    pub panics: AtomicU64,
    /// Handshakes that came to nothing.
    pub handshakes_failed: AtomicU64,
    /// Connections that were cut to make room.
    pub displaced: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            admissions: std::array::from_fn(|_| AtomicU64::new(0)),
            refusals: std::array::from_fn(|_| AtomicU64::new(0)),
            durations: std::array::from_fn(|_| AtomicU64::new(0)),
            nanoseconds: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
        }
    }
}

/// What others know at the moment when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Connections.
    pub connections: usize,
    /// Requests that are not answered yet.
    pub running: usize,
    /// Lines of the log that were not written.
    pub lines_lost: u64,
    /// The server is ready.
    pub is_ready: bool,
    /// The API server can trust the certificate, where that is known.
    pub is_trusted: Option<bool>,
    /// When the certificate ends.
    pub not_after: Option<SystemTime>,
}

impl Metrics {
    /// A review was answered.
    pub fn admitted(&self, reason: Reason, took: Duration) {
        let place = Reason::ALL.iter().position(|known| *known == reason);
        add(place.and_then(|place| self.admissions.get(place)), 1);
        let seconds = took.as_secs_f64();
        add(self.durations.get(BOUNDS.iter().take_while(|bound| seconds > **bound).count()), 1);
        add(Some(&self.nanoseconds), u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// A request got another answer.
    pub fn refused(&self, refusal: Refusal) {
        add(self.refusals.get(refusal as usize), 1);
    }

    /// All of it, as Prometheus reads it.
    #[must_use]
    pub fn text(&self, now: Now) -> String {
        let mut page = Page::default();
        page.head("admissions_total", "counter", "Reviews answered, by reason.");
        for (reason, count) in Reason::ALL.iter().zip(&self.admissions) {
            page.sample(&format!("admissions_total{{reason=\"{reason}\"}}"), count.load(Ordering::Relaxed));
        }
        page.head(
            "refusals_total",
            "counter",
            "Requests that were no review, or could not be answered, by status code.",
        );
        for (refusal, count) in Refusal::ALL.iter().zip(&self.refusals) {
            let code = refusal.status().as_u16();
            page.sample(&format!("refusals_total{{code=\"{code}\"}}"), count.load(Ordering::Relaxed));
        }
        page.head("admission_duration_seconds", "histogram", "From the whole body to its answer.");
        let mut sum = 0;
        for (bound, count) in
            BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]).zip(&self.durations)
        {
            sum += count.load(Ordering::Relaxed);
            page.sample(&format!("admission_duration_seconds_bucket{{le=\"{bound}\"}}"), sum);
        }
        let seconds = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        page.sample("admission_duration_seconds_sum", seconds);
        page.sample("admission_duration_seconds_count", sum);
        for (name, what, count) in [
            ("panics_total", "Panics: faults of ours.", &self.panics),
            ("tls_handshakes_failed_total", "Connections that came to no TLS.", &self.handshakes_failed),
            (
                "connections_displaced_total",
                "Connections that were cut to make room for new ones.",
                &self.displaced,
            ),
        ] {
            page.counter(name, what, count.load(Ordering::Relaxed));
        }
        page.counter("log_lines_lost_total", "Lines of the log that nobody read in time.", now.lines_lost);
        page.gauge("connections", "Connections that are open.", now.connections);
        page.gauge("requests_running", "Reviews that are read, decided on or being answered.", now.running);
        page.gauge("ready", "1 when /readyz says yes.", u8::from(now.is_ready));
        if let Some(is_trusted) = now.is_trusted {
            page.gauge(
                "certificate_trusted",
                "1 when the certificate holds, and its authority is in each caBundle.",
                u8::from(is_trusted),
            );
        }
        if let Some(left) = now.not_after.and_then(|end| end.duration_since(UNIX_EPOCH).ok()) {
            page.gauge(
                "certificate_not_after_seconds",
                "When the certificate ends, in Unix time.",
                left.as_secs(),
            );
        }
        page.0
    }
}

fn add(counter: Option<&AtomicU64>, count: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

/// The text; a `String` takes all that is written to it.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, what: &str) {
        let _ =
            write!(self.0, "# HELP lastout_webhook_{name} {what}\n# TYPE lastout_webhook_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "lastout_webhook_{name} {value}");
    }

    fn counter(&mut self, name: &str, what: &str, value: u64) {
        self.head(name, "counter", what);
        self.sample(name, value);
    }

    fn gauge(&mut self, name: &str, what: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", what);
        self.sample(name, value);
    }
}
