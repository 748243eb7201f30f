//! How long to wait before the next try.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// Twice as long after each failure, up to half a minute; of that, a random part between the half and the whole, so that
/// the helpers of many pods, or the replicas of a webhook, do not come back at once after an API server's restart.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.pause()).await;
    }

    /// How long to wait, for who has to do something else meanwhile.
    pub(crate) fn pause(&mut self) -> Duration {
        // The standard library's hashers are seeded at random.
        self.next(RandomState::new().hash_one(self.failures))
    }

    fn next(&mut self, random: u64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = whole / 2;
        let thousandths = u32::try_from(random % 1_001).unwrap_or(0);
        half + half * thousandths / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_half_a_minute_and_begins_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let millis: Vec<u128> = (0..9).map(|_| backoff.next(1_000).as_millis()).collect();
        assert_eq!(millis, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        backoff.reset();
        assert_eq!(backoff.next(0).as_millis(), 125, "the least is the half");
        for _ in 0..100 {
            assert!(backoff.next(u64::MAX) <= LONGEST);
        }
    }
}
