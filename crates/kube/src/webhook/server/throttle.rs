//! Lines of the log that anybody can cause are written once a second: more would push out those about admissions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two lines.
const SILENCE: Duration = Duration::from_secs(1);

/// One kind of line.
#[derive(Debug)]
pub struct Throttle {
    began: Instant,
    /// From when on a line is written again: milliseconds.
    silent_until: AtomicU64,
    withheld: AtomicU64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { began: Instant::now(), silent_until: AtomicU64::new(0), withheld: AtomicU64::new(0) }
    }
}

impl Throttle {
    /// Whether a line may be written now; with how many were withheld since the last one.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(self.began.elapsed())
    }

    fn pass_at(&self, now: Duration) -> Option<u64> {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let until = self.silent_until.load(Ordering::Relaxed);
        let next = milliseconds(now + SILENCE);
        let is_over = milliseconds(now) >= until
            && self.silent_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_over {
            return Some(self.withheld.swap(0, Ordering::Relaxed));
        }
        self.withheld.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_that_says_how_many_were_withheld() {
        let throttle = Throttle::default();
        let at = |milliseconds| throttle.pass_at(Duration::from_millis(milliseconds));
        assert_eq!(
            [at(0), at(1), at(999), at(1000), at(1001), at(5000), at(5000)],
            [Some(0), None, None, Some(2), None, Some(1), None]
        );
    }
}
