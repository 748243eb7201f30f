//! What decisions are made from: the two objects as they were seen, and the time.

use super::super::lifetimes::{BACKDATED, Lifetimes};
use std::time::Duration;

/// SHA-256 of an authority's certificate.
pub type Id = [u8; 32];

/// What a decision has to know of an authority's certificate. Times are since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Which.
    pub id: Id,
    /// As the certificate says, back-dated.
    pub not_before: Duration,
    /// As the certificate says.
    pub not_after: Duration,
    /// Its subject says that we have made it.
    pub is_ours: bool,
}

impl Authority {
    pub(super) fn is_over(&self, now: Now) -> bool {
        self.not_after <= now.wall
    }

    /// A verifier whose clock is ours would take it.
    pub(super) fn is_valid(&self, now: Now) -> bool {
        self.not_before <= now.wall && !self.is_over(now)
    }

    /// It was made so long ago that it is in `caBundle` since long, even if the clock of whoever made it is ahead.
    pub(super) fn is_settled_by_age(&self, lifetimes: Lifetimes, now: Now) -> bool {
        self.made().saturating_add(lifetimes.settling_with_skew()) <= now.wall
    }

    /// It lasts until another one is settled by its age, even if our clock is behind.
    pub(super) fn lasts(&self, lifetimes: Lifetimes, now: Now) -> bool {
        self.not_after > now.wall.saturating_add(lifetimes.settling_with_skew())
    }

    /// The later one; what else is equal is told apart somehow, but by all replicas in the same way.
    pub(in super::super) fn rank(&self) -> (Duration, Id) {
        (self.not_before, self.id)
    }

    pub(super) fn made(&self) -> Duration {
        self.not_before.saturating_add(BACKDATED)
    }

    /// When the next one has to be made, so that the rest of its life is the overlap. An authority that was made when
    /// lifetimes were set longer is replaced as if it had ours. Certificates know whole seconds: sooner than one after it was
    /// made may be before it was made, and would be so for each that follows it.
    pub(super) fn renewal(&self, lifetimes: Lifetimes) -> Duration {
        let life = self.not_after.saturating_sub(self.made()).min(lifetimes.authority);
        self.made().saturating_add((life / 3 * 2).max(Duration::from_secs(1)))
    }
}

/// The two clocks of a moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since 1970, by the API server's clock where that is known: what certificates speak of.
    pub wall: Duration,
    /// It is known. By a clock that only we believe, nothing is thrown away.
    pub is_sure: bool,
    /// Since some beginning: what is waited by, as nobody can set it.
    pub steady: Duration,
}

/// The Secret, as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenSecret {
    /// There is none.
    Absent,
    /// There is one, with those authorities that can sign; none where it is damaged or another one's.
    Present {
        /// In any order.
        authorities: Vec<Authority>,
        /// It is, to the byte, what we would write of them.
        is_sound: bool,
    },
}

/// The configuration, as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenConfiguration {
    /// There is none, or none of its entries calls our Service.
    Absent,
    /// The `caBundle` of each entry that calls our Service.
    Present(Vec<Bundle>),
}

/// A `caBundle`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// What can be read of it.
    pub authorities: Vec<Authority>,
    /// There is nothing else in it.
    pub is_sound: bool,
}
