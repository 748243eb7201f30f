//! The API server's clock: it is by that one that certificates begin and end. Learnt from the `Date` of each of its answers.

use k8s_openapi::jiff::fmt::rfc2822::DateTimeParser;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Clocks differ by seconds, and a `Date` knows whole ones. Certificates are back-dated by more than this.
const TOLERATED: Duration = Duration::from_secs(60);
/// What the difference has to change by, before it is told as another one.
const NEWS: Duration = Duration::from_secs(10);

/// The time now, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Option<Compared>>>);

/// What was found at the last answer.
#[derive(Clone, Copy, Debug)]
struct Compared {
    /// Since 1970: the API server's time where ours is another, else ours, which is finer.
    time: Duration,
    /// When that was. From there time goes on by the steady clock: one that is set by hand, or by NTP, changes nothing before
    /// the API server has answered again.
    at: Instant,
    skew: Option<Skew>,
}

/// How far this machine's clock is from the API server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// Ours shows what theirs will.
    Ahead(Duration),
    /// Ours shows what theirs has shown.
    Behind(Duration),
}

impl Clock {
    /// Since 1970, and whether the API server has been heard: until then, it is what this machine believes.
    #[must_use]
    pub fn now(&self) -> (Duration, bool) {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Compared { time, at, .. }) => (time.saturating_add(at.elapsed()), true),
            None => (since_1970(SystemTime::now()), false),
        }
    }

    /// Where it is worth telling.
    #[must_use]
    pub fn skew(&self) -> Option<Skew> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).and_then(|compared| compared.skew)
    }

    /// An answer to a request that was sent at `sent` has this `Date`, and has come just now.
    pub(super) fn heard(&self, date: &str, sent: SystemTime) {
        let Ok(date) = DateTimeParser::new().parse_timestamp(date) else { return };
        let Ok(date) = u64::try_from(date.as_second()) else { return };
        let (sent, date, received) =
            (since_1970(sent), Duration::from_secs(date), since_1970(SystemTime::now()));
        let skew = Skew::between(sent, date, received);
        let time = if skew.is_some() { date } else { received };
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = compared
            .and_then(|compared| compared.skew)
            .filter(|old| skew.is_some_and(|new| old.is_about(new)));
        *compared = Some(Compared { time, at: Instant::now(), skew: told.or(skew) });
    }
}

impl Skew {
    /// None that is sure: the answer was made at some moment between the two, and in the second that its `Date` names. A clock
    /// that is set meanwhile makes the two change places.
    fn between(sent: Duration, date: Duration, received: Duration) -> Option<Self> {
        let (first, last) = (sent.min(received), sent.max(received));
        let ahead = first.saturating_sub(date + Duration::from_secs(1));
        let behind = date.saturating_sub(last);
        if ahead > TOLERATED {
            return Some(Self::Ahead(ahead));
        }
        (behind > TOLERATED).then_some(Self::Behind(behind))
    }

    fn is_about(self, other: Self) -> bool {
        match (self, other) {
            (Self::Ahead(one), Self::Ahead(two)) | (Self::Behind(one), Self::Behind(two)) => {
                one.abs_diff(two) < NEWS
            }
            (Self::Ahead(_), Self::Behind(_)) | (Self::Behind(_), Self::Ahead(_)) => false,
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Ahead(by) | Self::Behind(by)) = self;
        let minutes = by.as_secs() / 60;
        let amount = match minutes {
            0..120 => format!("{minutes} min"),
            120..2_880 => format!("{} h", minutes / 60),
            _ => format!("{} days", minutes / 1_440),
        };
        let direction = if matches!(self, Self::Ahead(_)) { "ahead of" } else { "behind" };
        write!(f, "this machine's clock is {amount} {direction} the API server's")
    }
}

fn since_1970(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_difference_is_told_where_no_delay_explains_it() {
        let date = seconds(100_000);
        for (sent, received, skew) in [
            (100_000, 100_001, None),
            (100_060, 100_061, None),
            (99_940, 99_940, None),
            (100_062, 100_063, Some(Skew::Ahead(seconds(61)))),
            (99_930, 99_939, Some(Skew::Behind(seconds(61)))),
            // The answer was on its way for an hour, or we stood still meanwhile.
            (100_000, 103_600, None),
            // Our clock was an hour ahead, and was set right between the two.
            (103_600, 100_000, None),
        ] {
            assert_eq!(Skew::between(seconds(sent), date, seconds(received)), skew, "{sent} {received}");
        }
    }

    #[test]
    fn time_is_the_api_servers_where_ours_is_another() {
        let clock = Clock::default();
        assert!(!clock.now().1);
        clock.heard("no date", SystemTime::now());
        assert!(!clock.now().1);
        clock.heard("Sun, 06 Nov 1994 08:49:37 GMT", SystemTime::now());
        let (now, is_sure) = clock.now();
        assert!(is_sure && now >= seconds(784_111_777) && now < seconds(784_111_877), "{now:?}");
        let told = clock.skew().unwrap();
        assert!(told.to_string().ends_with(" days ahead of the API server's"), "{told}");
        clock.heard("Sun, 06 Nov 1994 08:49:40 GMT", SystemTime::now());
        assert_eq!(clock.skew(), Some(told), "seconds are no news");
        assert_eq!(
            Skew::Behind(seconds(3 * 3_600)).to_string(),
            "this machine's clock is 3 h behind the API server's"
        );
    }
}
