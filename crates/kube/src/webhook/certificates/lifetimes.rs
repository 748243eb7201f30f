//! How long certificates live, and what follows from it.

use crate::exit::Error;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_secs(1);

/// Certificates begin this long before they are made, for API servers whose clock is behind ours.
pub const BACKDATED: Duration = Duration::from_secs(5 * 60);

/// An API server reads a changed configuration within a second; one that was cut off from etcd, when it is back.
const SETTLING: Duration = Duration::from_secs(60);

/// What the user sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// `--certificate-lifetime`: of a leaf, which a replica signs for itself and keeps in memory.
    pub certificate: Duration,
    /// `--ca-lifetime`: of an authority.
    pub authority: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            certificate: Duration::from_secs(24 * 3_600),
            authority: Duration::from_secs(365 * 24 * 3_600),
        }
    }
}

impl Lifetimes {
    /// What can be kept to: certificates know whole seconds.
    ///
    /// # Errors
    /// When these cannot be.
    pub fn check(self) -> Result<Self, Error> {
        let Self { certificate, authority } = self;
        if certificate < SHORTEST {
            return Err(Error(format!(
                "--certificate-lifetime {certificate:?}: the shortest is {SHORTEST:?}"
            )));
        }
        if authority < certificate {
            return Err(Error(format!(
                "--ca-lifetime {authority:?} is shorter than --certificate-lifetime {certificate:?}: an authority has to live \
                 for as long as what it signs"
            )));
        }
        Ok(self)
    }

    /// For so long two authorities are trusted: the last third of the older one's life.
    #[must_use]
    pub fn overlap(self) -> Duration {
        self.authority / 3
    }

    /// An authority signs when it has been in `caBundle` for so long. A small part of the overlap, where that is short.
    #[must_use]
    pub fn settling(self) -> Duration {
        (self.overlap() / 8).min(SETTLING)
    }

    /// What settles within it, settles even where clocks differ by some minutes.
    #[must_use]
    pub fn settling_with_skew(self) -> Duration {
        self.settling() + BACKDATED.min(self.overlap() / 4)
    }

    /// An authority that is gone from the Secret stays in `caBundle` for so long: what it has signed may still be served. One that
    /// has expired stays in both for as long.
    #[must_use]
    pub fn retention(self) -> Duration {
        self.certificate.max(self.settling() * 4)
    }

    /// The end of a leaf that is signed now. Certificates know whole seconds only; one that was cut down to them could be over
    /// before it is renewed.
    #[must_use]
    pub fn end_of_leaf(self, now: Duration) -> Duration {
        whole_seconds(now.saturating_add(self.certificate))
    }

    /// The end of an authority that is made now.
    #[must_use]
    pub fn end_of_authority(self, now: Duration) -> Duration {
        whole_seconds(now.saturating_add(self.authority))
    }
}

/// Up to the next one.
fn whole_seconds(moment: Duration) -> Duration {
    Duration::from_secs(moment.as_secs() + u64::from(moment.subsec_nanos() > 0))
}
