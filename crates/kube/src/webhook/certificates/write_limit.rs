//! How soon the next write may be.

use super::lifetimes::Lifetimes;
use crate::cluster::backoff::Backoff;
use std::time::{Duration, Instant};

/// So many at once: a Secret and a `caBundle` is what is needed, with a conflict or two.
const AT_ONCE: u32 = 6;

/// A token bucket. Whoever overwrites a `caBundle` again and again, such as a controller that takes it for its own, is answered each
/// time, and within seconds; but what two controllers make of it between them must not keep the API server busy. A pause that
/// doubled each time would leave the `caBundle` wrong for half a minute, each time.
pub(super) struct WriteLimit {
    /// For each, one more.
    interval: Duration,
    /// When all are there again.
    full_at: Instant,
    backoff: Backoff,
    not_before: Option<Instant>,
}

impl WriteLimit {
    pub(super) fn new(lifetimes: Lifetimes) -> Self {
        // Two seconds, where lifetimes are not those of a test.
        let interval = lifetimes.settling() / 30;
        Self { interval, full_at: Instant::now(), backoff: Backoff::default(), not_before: None }
    }

    /// How long to wait with a write.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.not_before?.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    /// Something was written, or found written by somebody else.
    pub(super) fn succeeded(&mut self) {
        self.backoff.reset();
        self.not_before = Some(self.take());
    }

    pub(super) fn failed(&mut self) {
        let pause = Instant::now() + self.backoff.pause();
        self.not_before = Some(self.take().max(pause));
    }

    /// When there is one for the next.
    fn take(&mut self) -> Instant {
        self.full_at = self.full_at.max(Instant::now()) + self.interval;
        self.full_at.checked_sub(self.interval * (AT_ONCE - 1)).unwrap_or(self.full_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_writes_are_at_once_and_others_follow_within_seconds() {
        let mut limit = WriteLimit::new(Lifetimes::default());
        for number in 1..AT_ONCE {
            limit.succeeded();
            assert_eq!(limit.wait(), None, "{number}");
        }
        for _ in 0..3 {
            limit.succeeded();
        }
        let wait = limit.wait().unwrap_or_default();
        assert!(wait > Duration::from_secs(4) && wait <= Duration::from_secs(8), "{wait:?}");
        for _ in 0..20 {
            limit.failed();
        }
        assert!(limit.wait() > Some(Duration::from_secs(14)), "failures wait longer");
    }
}
