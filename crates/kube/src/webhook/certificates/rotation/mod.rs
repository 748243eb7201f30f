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
mod signer;

use super::lifetimes::{BACKDATED, Lifetimes};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use plan::{Leaf, Plan, SecretWrite};
pub use seen::{Authority, Bundle, Id, Now, SeenConfiguration, SeenSecret};

/// The longest time without a new decision: the clock may have been set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What one replica has seen, and what it serves.
#[derive(Clone, Debug)]
pub struct Rotation {
    lifetimes: Lifetimes,
    /// `None`: not read yet.
    secret: Option<SeenSecret>,
    /// When (steady) that was. A watch that has broken leaves it behind.
    read_at: Duration,
    configuration: Option<SeenConfiguration>,
    /// Those in the `caBundle` of every entry, and since when (steady) without a break.
    trusted: BTreeMap<Id, Duration>,
    /// Those that were in a Secret which we have seen, as long as they are in it or in a `caBundle`.
    known: BTreeSet<Id>,
    /// Those in a `caBundle` that are no longer in the Secret, and since when (steady). A leaf of theirs may still be served by
    /// another replica, or by this one.
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
            read_at: Duration::ZERO,
            configuration: None,
            trusted: BTreeMap::new(),
            known: BTreeSet::new(),
            gone: BTreeMap::new(),
            serving: None,
        }
    }

    /// The Secret was read, or written by us.
    pub fn saw_secret(&mut self, secret: SeenSecret, now: Now) {
        self.secret = Some(secret);
        self.read_at = now.steady;
        let ids: Vec<Id> = self.authorities().iter().map(|authority| authority.id).collect();
        self.known.extend(ids);
    }

    /// The configuration was read, or written by us.
    pub fn saw_configuration(&mut self, configuration: SeenConfiguration, now: Now) {
        let mut trusted = BTreeMap::new();
        if let SeenConfiguration::Present(bundles) = &configuration
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

    /// What is served is not over.
    #[must_use]
    pub fn is_valid(&self, now: Now) -> bool {
        self.serving.is_some_and(|leaf| leaf.until > now.wall)
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
            Some(SeenSecret::Present { authorities, .. }) => authorities,
            Some(SeenSecret::Absent) | None => &[],
        }
    }

    fn bundles(&self) -> &[Bundle] {
        match &self.configuration {
            Some(SeenConfiguration::Present(bundles)) => bundles,
            Some(SeenConfiguration::Absent) | None => &[],
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
            SeenSecret::Absent => Some(SecretWrite::Create),
            SeenSecret::Present { authorities, is_sound } => {
                let add = self.newest(now).is_none_or(|newest| newest.renewal(self.lifetimes) <= now.wall);
                let keep = self.kept(authorities.clone(), now);
                let is_due = add || !is_sound || keep.len() < authorities.len();
                is_due.then_some(SecretWrite::Update { keep, add })
            }
        }
    }

    /// Those that stay, the newest first. One that is over hurts nobody; without one that is over by the clock of one machine
    /// alone, no replica would be trusted. So it is thrown away when it is over for long, by the API server's clock.
    fn kept(&self, mut authorities: Vec<Authority>, now: Now) -> Vec<Authority> {
        authorities.sort_by_key(|authority| Reverse(authority.rank()));
        authorities.dedup_by_key(|authority| authority.id);
        authorities.retain(|authority| !now.is_sure || now.wall < self.thrown_away(*authority));
        authorities
    }

    fn thrown_away(&self, authority: Authority) -> Duration {
        authority.not_after.saturating_add(self.lifetimes.retention())
    }

    /// A Secret that is deleted is how an administrator gets rid of an authority: nobody puts it back from memory. But what
    /// it has signed is served until all replicas have seen that, so it is trusted for the time that a leaf lives. So are those
    /// with our name that we have not seen in a Secret: we may have started after it was deleted. Anybody else's was never in
    /// one, and is not kept.
    fn note_gone(&mut self, now: Now) {
        let mut gone = BTreeMap::new();
        let mut known = BTreeSet::new();
        let in_bundles = self.bundles().iter().flat_map(|bundle| &bundle.authorities);
        for Authority { id, is_ours, .. } in self.authorities().iter().chain(in_bundles) {
            let is_known = self.known.contains(id);
            if is_known {
                known.insert(*id);
            }
            if self.secret.is_some() && (is_known || *is_ours) && !self.is_in_secret(*id) {
                gone.insert(*id, self.gone.get(id).copied().unwrap_or(now.steady));
            }
        }
        (self.known, self.gone) = (known, gone);
    }

    fn bundle_write(&self, now: Now) -> Option<Vec<Authority>> {
        self.secret.as_ref()?;
        let of_bundles = self.bundles().iter().flat_map(|bundle| &bundle.authorities).filter(|authority| {
            let since = self.gone.get(&authority.id);
            // Who has not heard of the Secret for long must not take away what is in it by now.
            since.is_some_and(|since| self.read_at < since.saturating_add(self.lifetimes.retention()))
        });
        let of_leaf = self.serving.iter().map(|leaf| &leaf.by);
        let all = self.authorities().iter().chain(of_leaf).chain(of_bundles).copied().collect();
        let wanted = self.kept(all, now);
        let is_as_wanted = |bundle: &Bundle| {
            bundle.is_sound
                && bundle.authorities.len() == wanted.len()
                && wanted.iter().all(|authority| bundle.authorities.contains(authority))
        };
        // An empty one would make the API server trust the whole world's authorities.
        (!wanted.is_empty() && !self.bundles().iter().all(is_as_wanted)).then_some(wanted)
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
        let ends = self.authorities().iter().filter(|_| now.is_sure);
        let ends = ends.map(|authority| self.thrown_away(*authority));
        let renewals = self.newest(now).map(|newest| newest.renewal(self.lifetimes));
        let of_wall = authorities
            .flat_map(|authority| [authority.not_before, authority.not_after])
            .chain(ends)
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
