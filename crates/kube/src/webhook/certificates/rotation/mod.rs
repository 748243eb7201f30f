//! Who signs, who is trusted, and what is to be written: decided from what was seen of the Secret and of the configuration.
//! No clock, no key, no request: the same replica's decisions can be played through in a test, with those of another one.
//!
//! ```text
//! age of an authority   0 ────────────────── 2/3 ─────────────── 1 (expired)
//! in the Secret         it alone              it and the next one
//! in caBundle           it alone              both, before anything is signed by the next one
//! signs leaves          it                    it, until the next one has been in caBundle for `settling`; then that
//! ```
//! There is no leader. Each replica decides for itself, from objects that all of them see; writes are bound to the version that
//! was seen, so of two at once one fails, and looks again.

mod plan;
mod seen;

use super::lifetimes::{BACKDATED, Lifetimes};
use std::collections::BTreeMap;
use std::time::Duration;

pub use plan::{Leaf, Plan, SecretWrite};
pub use seen::{Authority, Bundle, Configuration, Id, Now, Secret};

/// The longest time without a new decision: the clock may have been set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What one replica has seen, and what it serves.
#[derive(Clone, Debug)]
pub struct Rotation {
    lifetimes: Lifetimes,
    /// `None`: not read yet.
    secret: Option<Secret>,
    /// When (steady) that was. A watch that has broken leaves it behind.
    read: Duration,
    configuration: Option<Configuration>,
    /// Those in the `caBundle` of every entry, and since when (steady) without a break.
    trusted: BTreeMap<Id, Duration>,
    /// Those in a `caBundle` and not in the Secret, and since when (steady). A leaf of theirs may still be served by another
    /// replica, or by this one.
    gone: BTreeMap<Id, Duration>,
    serving: Option<Leaf>,
}

impl Rotation {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(lifetimes: Lifetimes) -> Self {
        Self {
            lifetimes,
            secret: None,
            read: Duration::ZERO,
            configuration: None,
            trusted: BTreeMap::new(),
            gone: BTreeMap::new(),
            serving: None,
        }
    }

    /// The Secret was read, or written by us.
    pub fn saw_secret(&mut self, secret: Secret, now: Now) {
        self.secret = Some(secret);
        self.read = now.steady;
    }

    /// The configuration was read, or written by us.
    pub fn saw_configuration(&mut self, configuration: Configuration, now: Now) {
        let mut trusted = BTreeMap::new();
        if let Configuration::Present(bundles) = &configuration
            && let Some((first, others)) = bundles.split_first()
        {
            for Authority { id, .. } in &first.authorities {
                let is_in = |bundle: &Bundle| bundle.authorities.iter().any(|other| other.id == *id);
                if others.iter().all(is_in) {
                    trusted.insert(*id, self.trusted.get(id).copied().unwrap_or(now.steady));
                }
            }
        }
        self.trusted = trusted;
        self.configuration = Some(configuration);
    }

    /// A leaf is being served.
    pub fn signed(&mut self, leaf: Leaf) {
        self.serving = Some(leaf);
    }

    /// What is served.
    #[must_use]
    pub fn serving(&self) -> Option<Leaf> {
        self.serving
    }

    /// There is a configuration, and it calls our Service.
    #[must_use]
    pub fn is_called(&self) -> bool {
        !self.bundles().is_empty()
    }

    /// What is served is signed by one that is in the `caBundle` of every entry.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.serving.is_some_and(|leaf| self.trusted.contains_key(&leaf.by.id))
    }

    /// It will be trusted for a while, too: where a cluster stood still until its authority was nearly over, the next one comes
    /// first.
    #[must_use]
    pub fn is_ready(&self, now: Now) -> bool {
        self.is_trusted() && self.serving.is_some_and(|leaf| leaf.by.lasts(self.lifetimes, now))
    }

    /// What is to be done now.
    pub fn plan(&mut self, now: Now) -> Plan {
        self.note_gone(now);
        let sign = self.leaf(now);
        Plan {
            secret: self.secret_write(now),
            bundle: self.bundle_write(now),
            sign,
            wait: self.wait(now, sign.or(self.serving)),
        }
    }

    fn authorities(&self) -> &[Authority] {
        match &self.secret {
            Some(Secret::Present { authorities, .. }) => authorities,
            Some(Secret::Absent) | None => &[],
        }
    }

    fn bundles(&self) -> &[Bundle] {
        match &self.configuration {
            Some(Configuration::Present(bundles)) => bundles,
            Some(Configuration::Absent) | None => &[],
        }
    }

    fn is_in_secret(&self, id: Id) -> bool {
        self.authorities().iter().any(|authority| authority.id == id)
    }

    /// The newest that can sign now.
    fn newest(&self, now: Now) -> Option<Authority> {
        let valid = self.authorities().iter().filter(|authority| authority.is_valid(now));
        valid.max_by_key(|authority| authority.rank()).copied()
    }

    fn secret_write(&self, now: Now) -> Option<SecretWrite> {
        match self.secret.as_ref()? {
            Secret::Absent => Some(SecretWrite::Create),
            Secret::Present { authorities, is_sound } => {
                let add = self.newest(now).is_none_or(|newest| newest.renewal(self.lifetimes) <= now.wall);
                let keep: Vec<Authority> =
                    authorities.iter().filter(|authority| !authority.is_over(now)).copied().collect();
                let is_due = add || !is_sound || keep.len() < authorities.len();
                is_due.then_some(SecretWrite::Update { keep, add })
            }
        }
    }

    /// A Secret that is deleted is how an administrator gets rid of an authority: nobody puts it back from memory. But what
    /// it has signed is served until all replicas have seen that, so it is trusted for the time that a leaf lives.
    fn note_gone(&mut self, now: Now) {
        let mut gone = BTreeMap::new();
        if self.secret.is_some() {
            for Authority { id, .. } in self.bundles().iter().flat_map(|bundle| &bundle.authorities) {
                if !self.is_in_secret(*id) {
                    gone.insert(*id, self.gone.get(id).copied().unwrap_or(now.steady));
                }
            }
        }
        self.gone = gone;
    }

    fn bundle_write(&self, now: Now) -> Option<Vec<Authority>> {
        self.secret.as_ref()?;
        let of_bundles = self.bundles().iter().flat_map(|bundle| &bundle.authorities).filter(|authority| {
            let since = self.gone.get(&authority.id);
            // Who has not heard of the Secret for long must not take away what is in it by now.
            since.is_some_and(|since| self.read < since.saturating_add(self.lifetimes.retention()))
        });
        let of_leaf = self.serving.iter().map(|leaf| &leaf.by);
        let mut wanted: Vec<Authority> =
            self.authorities().iter().chain(of_leaf).chain(of_bundles).copied().collect();
        wanted.retain(|authority| !authority.is_over(now));
        wanted.sort_by_key(|authority| std::cmp::Reverse(authority.rank()));
        wanted.dedup_by_key(|authority| authority.id);
        let is_as_wanted = |bundle: &Bundle| {
            bundle.is_sound
                && bundle.authorities.len() == wanted.len()
                && wanted.iter().all(|authority| bundle.authorities.contains(authority))
        };
        // An empty one would make the API server trust the whole world's authorities.
        (!wanted.is_empty() && !self.bundles().iter().all(is_as_wanted)).then_some(wanted)
    }

    /// By whom leaves are to be signed.
    fn signer(&self, now: Now) -> Option<Authority> {
        // Before both were seen, nobody knows which of two authorities the API server trusts.
        let (Some(_), Some(_)) = (&self.secret, &self.configuration) else { return None };
        let current = self.serving.map(|leaf| leaf.by).filter(|by| by.is_valid(now));
        let valid = self.authorities().iter().filter(|authority| authority.is_valid(now));
        let trusted = valid.chain(&current).filter(|authority| self.trusted.contains_key(&authority.id));
        let (lasting, ending): (Vec<_>, Vec<_>) =
            trusted.partition(|authority| authority.lasts(self.lifetimes, now));
        let trusted_current = current.filter(|by| self.trusted.contains_key(&by.id));
        let settled = self.settled(&lasting, now).or(trusted_current);
        let apparent = settled.or_else(|| apparent(&lasting, self.lifetimes, now));
        let any =
            apparent.or_else(|| ending.iter().max_by_key(|authority| authority.rank()).copied().copied());
        any.or(current).or_else(|| self.newest(now))
    }

    /// The newest of those that API servers have read by now. One that is gone from the Secret is left for any that is in it,
    /// but not for one that is to be left soon itself.
    fn settled(&self, trusted: &[&Authority], now: Now) -> Option<Authority> {
        let settled = trusted.iter().filter(|authority| {
            let settles = self.settles(authority.id, now);
            self.is_served(authority.id) || settles.is_some_and(|when| when <= now.steady)
        });
        let newest = settled.max_by_key(|authority| {
            let stays = self.is_in_secret(authority.id) && authority.renewal(self.lifetimes) > now.wall;
            (stays, authority.rank())
        });
        newest.copied().copied()
    }

    fn is_served(&self, id: Id) -> bool {
        self.serving.is_some_and(|leaf| leaf.by.id == id)
    }

    /// When (steady) every API server has read the `caBundle` with this authority. There is less patience where what is served
    /// is nearly over.
    fn settles(&self, id: Id, now: Now) -> Option<Duration> {
        let is_ending = self.serving.is_some_and(|leaf| !leaf.by.lasts(self.lifetimes, now));
        let settling = self.lifetimes.settling() / if is_ending { 2 } else { 1 };
        self.trusted.get(&id).map(|since| since.saturating_add(settling))
    }

    fn leaf(&self, now: Now) -> Option<Leaf> {
        let by = self.signer(now)?;
        let leaf = Leaf { by, from: now.wall, until: self.lifetimes.end_of_leaf(now.wall).min(by.not_after) };
        let Some(old) = self.serving else { return Some(leaf) };
        // A clock that was set back makes the leaf one of the future; and one that its authority has cut short is not made
        // longer by another try.
        let is_due = self.renewal_of(old) <= now.wall && leaf.until > old.until
            || now.wall.saturating_add(BACKDATED) < old.from;
        (old.by.id != by.id || is_due).then_some(leaf)
    }

    fn renewal_of(&self, leaf: Leaf) -> Duration {
        leaf.from + leaf.until.saturating_sub(leaf.from).min(self.lifetimes.certificate) / 3 * 2
    }

    fn wait(&self, now: Now, served: Option<Leaf>) -> Duration {
        let authorities = self.authorities().iter();
        let renewals = self.newest(now).map(|newest| newest.renewal(self.lifetimes));
        let of_wall = authorities
            .flat_map(|authority| [authority.not_before, authority.not_after])
            .chain(renewals)
            .chain(served.iter().flat_map(|leaf| [self.renewal_of(*leaf), leaf.until]));
        let retained = self.gone.values().map(|since| since.saturating_add(self.lifetimes.retention()));
        let of_steady = self.trusted.keys().filter_map(|id| self.settles(*id, now)).chain(retained);
        let ahead = |clock: Duration| {
            move |moment: Duration| moment.checked_sub(clock).filter(|wait| !wait.is_zero())
        };
        let waits = of_wall.filter_map(ahead(now.wall)).chain(of_steady.filter_map(ahead(now.steady)));
        waits.min().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }
}

/// One that API servers have read by all appearances, where we came too late to know since when: one that was made long ago; of
/// others the oldest.
fn apparent(trusted: &[&Authority], lifetimes: Lifetimes, now: Now) -> Option<Authority> {
    let seasoned = trusted.iter().filter(|authority| authority.is_seasoned(lifetimes, now));
    let newest = seasoned.max_by_key(|authority| authority.rank());
    newest.or_else(|| trusted.iter().min_by_key(|authority| authority.rank())).copied().copied()
}
