//! By whom leaves are to be signed.

use super::Rotation;
use super::seen::{Authority, Id, Now};
use std::cmp::Reverse;
use std::time::Duration;

type Rank = (Duration, Id);

/// What speaks for an authority, the least first. One signs that API servers trust, rather than one that they do not; and one that
/// all of them have read, rather than one that one of them may not have.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It is in the Secret, and no more.
    InSecret(Rank),
    /// It signs now, and is not in `caBundle`.
    Served,
    /// It is in `caBundle`, and is to be left soon.
    Ending(Rank),
    /// It is in `caBundle`, and we came too late to know since when: the oldest, then.
    Oldest(Reverse<Rank>),
    /// The same, of one that was made long ago: by all appearances it was read everywhere.
    SettledByAge(Rank),
    /// It signs now and is in `caBundle`.
    ServedAndTrusted,
    /// It was in `caBundle` for long enough, or signs already. One that is gone from the Secret is left for any that is in it, but
    /// not for one that is to be left soon itself.
    Settled { stays: bool, rank: Rank },
}

impl Rotation {
    /// By whom a leaf is to be signed now.
    pub(super) fn signer(&self, now: Now) -> Option<Authority> {
        // Before both were seen, nobody knows which of two authorities the API server trusts.
        let (Some(_), Some(_)) = (&self.secret, &self.configuration) else { return None };
        let served = self.serving.map(|leaf| leaf.by);
        let valid = self.authorities().iter().chain(&served).filter(|authority| authority.is_valid(now));
        valid.max_by_key(|authority| self.claim(authority, now)).copied()
    }

    fn claim(&self, authority: &Authority, now: Now) -> Claim {
        let Authority { id, .. } = *authority;
        let rank = authority.rank();
        let (is_served, lasts) = (self.is_served(id), authority.lasts(self.lifetimes, now));
        match (self.trusted.contains_key(&id), lasts) {
            (false, _) if is_served => Claim::Served,
            (false, _) => Claim::InSecret(rank),
            (true, false) if is_served => Claim::ServedAndTrusted,
            (true, false) => Claim::Ending(rank),
            (true, true) => {
                let settles = self.settles(id, now);
                if is_served || settles.is_some_and(|when| when <= now.steady) {
                    let stays = self.is_in_secret(id) && authority.renewal(self.lifetimes) > now.wall;
                    Claim::Settled { stays, rank }
                } else if authority.is_settled_by_age(self.lifetimes, now) {
                    Claim::SettledByAge(rank)
                } else {
                    Claim::Oldest(Reverse(rank))
                }
            }
        }
    }
}
