//! A cluster as the decisions see it, with any number of replicas: what is stored, what the API server has read of it, what each
//! replica has seen of it, and who does what in which order.

use kubectl_lastout::webhook::certificates::lifetimes::{BACKDATED, Lifetimes};
use kubectl_lastout::webhook::certificates::rotation::{
    Authority, Bundle, Now, Rotation, SecretWrite, SeenConfiguration, SeenSecret,
};
use std::collections::BTreeSet;
use std::time::Duration;

pub const LIFETIMES: Lifetimes =
    Lifetimes { certificate: Duration::from_secs(20 * 60), authority: Duration::from_secs(2 * 3600) };
/// The unit of time. An authority settles within eight of them.
pub const TICK: Duration = Duration::from_millis(7_500);
/// Nobody who is not deaf is further behind than by so many ticks.
const LAG: u32 = 2;
/// From an overwritten `caBundle` to one that is mended and read, with some conflicts on the way.
const MENDED: u32 = 12;

/// An object, and the version by which it is written.
#[derive(Clone)]
struct Stored<T> {
    version: u64,
    object: T,
}

pub struct Replica {
    rotation: Rotation,
    /// Seconds that its clock is ahead.
    skew: i64,
    /// The API server has said what time it is.
    is_sure: bool,
    secret_version: Option<u64>,
    configuration_version: Option<u64>,
    /// `/readyz`, since which tick: what is served was in `caBundle` once.
    ready: Option<u32>,
    /// Ticks since it saw the Secret, saw the configuration, acted.
    behind: [u32; 3],
    /// It sees neither until this tick.
    deaf_until: u32,
}

pub struct World {
    tick: u32,
    versions: u64,
    made: u64,
    secret: Option<Stored<(Vec<Authority>, bool)>>,
    configuration: Option<Stored<Vec<Bundle>>>,
    /// What the API server trusts, and for how many ticks it has not looked.
    read: (Vec<Bundle>, u32),
    replicas: Vec<Replica>,
    /// Until then an overwritten `caBundle` may not be mended.
    overwritten_until: u32,
    pub writes: u32,
    /// By whom leaves were signed.
    pub signers: BTreeSet<[u8; 32]>,
}

/// What others do to the objects.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    DeleteSecret,
    /// Its keys are another one's.
    ForeignSecret,
    /// One authority is left, and rubbish.
    DamageSecret,
    /// An apply that takes the `caBundle` away.
    EmptyBundle,
    /// One entry has another one's.
    ForeignBundle,
    RecreateConfiguration,
    DeleteConfiguration,
}

impl World {
    /// A bundle that was just applied, and replicas with these clocks.
    pub fn new(skews: &[i64]) -> Self {
        let mut world = Self {
            tick: 0,
            versions: 0,
            made: 0,
            secret: None,
            configuration: None,
            read: (Vec::new(), 0),
            replicas: skews.iter().map(|skew| Replica::new(*skew)).collect(),
            overwritten_until: 0,
            writes: 0,
            signers: BTreeSet::new(),
        };
        world.overwrite(vec![Bundle::default(); 2]);
        world
    }

    fn wall(&self, skew: i64) -> Duration {
        let start = Duration::from_secs(1_800_000_000).saturating_add_signed(skew);
        start + TICK * self.tick
    }

    fn now(&self, replica: usize) -> Now {
        let Replica { skew, is_sure, .. } = self.replicas[replica];
        Now { wall: self.wall(skew), is_sure, steady: TICK * self.tick }
    }

    fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    fn store_secret(&mut self, authorities: Vec<Authority>, is_sound: bool) {
        let are_sure = self.replicas.iter().all(|replica| replica.is_sure);
        assert!(authorities.len() <= 3 || !are_sure, "{authorities:?}");
        self.secret = Some(Stored { version: self.version(), object: (authorities, is_sound) });
    }

    fn store_configuration(&mut self, bundles: Vec<Bundle>) {
        self.configuration = Some(Stored { version: self.version(), object: bundles });
    }

    fn make(&mut self, wall: Duration) -> Authority {
        self.made += 1;
        let mut id = [0; 32];
        id[..8].copy_from_slice(&self.made.to_be_bytes());
        let whole = Duration::from_secs(wall.as_secs());
        Authority {
            id,
            not_before: whole - BACKDATED,
            not_after: LIFETIMES.end_of_authority(wall),
            is_ours: true,
        }
    }

    /// The replica reads the Secret.
    pub fn see_secret(&mut self, replica: usize) {
        let now = self.now(replica);
        let tick = self.tick;
        let seen = match &self.secret {
            None => SeenSecret::Absent,
            Some(stored) => {
                let (authorities, is_sound) = stored.object.clone();
                SeenSecret::Present { authorities, is_sound }
            }
        };
        let replica = &mut self.replicas[replica];
        if tick >= replica.deaf_until {
            replica.rotation.saw_secret(seen, now);
            replica.secret_version = self.secret.as_ref().map(|stored| stored.version);
            replica.behind[0] = 0;
        }
    }

    /// The replica reads the configuration.
    pub fn see_configuration(&mut self, replica: usize) {
        let now = self.now(replica);
        let tick = self.tick;
        let seen = match &self.configuration {
            None => SeenConfiguration::Absent,
            Some(stored) => SeenConfiguration::Present(stored.object.clone()),
        };
        let replica = &mut self.replicas[replica];
        if tick >= replica.deaf_until {
            replica.rotation.saw_configuration(seen, now);
            replica.configuration_version = self.configuration.as_ref().map(|stored| stored.version);
            replica.look(now, tick);
            replica.behind[1] = 0;
        }
    }

    /// The replica does what it has to; `answers`: it hears what became of its writes.
    pub fn act(&mut self, index: usize, answers: bool) {
        let now = self.now(index);
        let plan = self.replicas[index].rotation.plan(now);
        assert!(!plan.wait.is_zero(), "it would turn in a circle");
        self.replicas[index].behind[2] = 0;
        if let Some(leaf) = plan.sign {
            assert!(leaf.until > now.wall && leaf.until <= leaf.by.not_after, "{leaf:?}");
            let replica = &mut self.replicas[index];
            replica.rotation.signed(leaf);
            replica.look(now, self.tick);
            self.signers.insert(leaf.by.id);
        }
        if let Some(write) = plan.secret {
            let stored = self.secret.as_ref().map(|stored| stored.version);
            let (kept, add) = match write {
                SecretWrite::Create => {
                    assert_eq!(self.replicas[index].secret_version, None);
                    (Vec::new(), true)
                }
                SecretWrite::Update { keep, add } => (keep, add),
            };
            if stored == self.replicas[index].secret_version {
                let added = add.then(|| self.make(now.wall));
                self.store_secret(kept.into_iter().chain(added).collect(), true);
                self.writes += 1;
            }
            if answers {
                self.see_secret(index);
            }
        }
        if let Some(authorities) = plan.bundle {
            let stored = self.configuration.as_ref().map(|stored| (stored.version, stored.object.len()));
            if let Some((version, entries)) = stored
                && self.replicas[index].configuration_version == Some(version)
            {
                self.store_configuration(vec![Bundle { authorities, is_sound: true }; entries]);
                self.writes += 1;
            }
            if answers {
                self.see_configuration(index);
            }
        }
    }

    /// The API server reads the configuration.
    pub fn read(&mut self) {
        self.read = (self.configuration.as_ref().map(|stored| stored.object.clone()).unwrap_or_default(), 0);
    }

    /// The replica sees nothing for so many ticks.
    pub fn deafen(&mut self, replica: usize, ticks: u32) {
        self.replicas[replica].deaf_until = self.tick + ticks;
        if self.tick < self.overwritten_until {
            self.overwritten_until = self.overwritten_until.max(self.tick + ticks + MENDED);
        }
    }

    /// The replica believes its own clock. What it signs by that is not looked at.
    pub fn mislead(&mut self, replica: usize) {
        self.replicas[replica].is_sure = false;
    }

    /// The replica is another process.
    pub fn restart(&mut self, replica: usize) {
        let Replica { skew, is_sure, .. } = self.replicas[replica];
        self.replicas[replica] = Replica { is_sure, ..Replica::new(skew) };
    }

    /// The whole cluster stands still.
    pub fn stop(&mut self, ticks: u32) {
        self.tick += ticks;
        for replica in 0..self.replicas.len() {
            self.restart(replica);
        }
    }

    pub fn suffer(&mut self, fault: Fault) {
        let foreign = {
            let wall = self.wall(0);
            Authority { is_ours: false, ..self.make(wall) }
        };
        match fault {
            Fault::DeleteSecret => self.secret = None,
            Fault::ForeignSecret => self.store_secret(Vec::new(), false),
            Fault::DamageSecret => {
                let mut left = self.secret.as_ref().map(|stored| stored.object.0.clone()).unwrap_or_default();
                left.truncate(1);
                self.store_secret(left, false);
            }
            Fault::EmptyBundle => self.overwrite(vec![Bundle { is_sound: false, ..Bundle::default() }; 2]),
            Fault::ForeignBundle => {
                let mut bundles =
                    self.configuration.as_ref().map(|stored| stored.object.clone()).unwrap_or_default();
                if let Some(bundle) = bundles.last_mut() {
                    *bundle = Bundle { authorities: vec![foreign], is_sound: true };
                    self.overwrite(bundles);
                }
            }
            Fault::RecreateConfiguration => self.overwrite(vec![Bundle::default(); 2]),
            Fault::DeleteConfiguration => self.configuration = None,
        }
    }

    fn overwrite(&mut self, bundles: Vec<Bundle>) {
        self.store_configuration(bundles);
        let heard = self.replicas.iter().map(|replica| replica.deaf_until).max().unwrap_or(0).max(self.tick);
        self.overwritten_until = heard + MENDED;
    }

    /// Time goes on; who is too far behind catches up. Then what is served must be trusted.
    pub fn tick(&mut self) {
        self.tick += 1;
        self.read.1 += 1;
        if self.read.1 >= LAG {
            self.read();
        }
        for index in 0..self.replicas.len() {
            for behind in &mut self.replicas[index].behind {
                *behind += 1;
            }
            if self.replicas[index].behind[0] >= LAG {
                self.see_secret(index);
            }
            if self.replicas[index].behind[1] >= LAG {
                self.see_configuration(index);
            }
            if self.replicas[index].behind[2] >= LAG {
                self.act(index, true);
            }
        }
        if self.tick > self.overwritten_until {
            for index in 0..self.replicas.len() {
                self.check(index);
            }
        }
    }

    /// The API server's verifier.
    fn check(&self, index: usize) {
        let replica = &self.replicas[index];
        if !replica.is_sure {
            return;
        }
        // Who becomes ready is not in the Service before the API server has read what the replica has seen.
        if replica.ready.is_none_or(|since| self.tick < since + LAG) || self.read.0.is_empty() {
            return;
        }
        let wall = self.wall(0);
        let leaf = replica.rotation.serving().unwrap();
        let context =
            || format!("tick {}, replica {index}: {leaf:?}; it trusts {:?}", self.tick, self.read.0);
        assert!(leaf.from.saturating_sub(BACKDATED) <= wall && wall <= leaf.until, "{}", context());
        assert!(leaf.by.not_before <= wall && wall <= leaf.by.not_after, "{}", context());
        for bundle in &self.read.0 {
            assert!(bundle.authorities.iter().any(|authority| authority.id == leaf.by.id), "{}", context());
        }
    }

    /// Nothing is left to be done: what is there is sound, trusted, and the same for all.
    pub fn must_be_at_rest(&mut self) {
        let deaf = self.replicas.iter().map(|replica| replica.deaf_until).max().unwrap_or(0);
        while self.tick < deaf {
            self.tick();
        }
        if self.configuration.is_none() {
            self.suffer(Fault::RecreateConfiguration);
        }
        for _ in 0..40 {
            self.tick();
        }
        // An authority may be due, or over, just now.
        (0..40).find(|_| {
            self.tick();
            self.is_sound()
        });
        assert!(self.is_sound());
        (0..self.replicas.len()).for_each(|index| self.must_serve(index));
    }

    /// The replica is ready, and rightly so.
    pub fn must_serve(&self, index: usize) {
        assert!(self.replicas[index].ready.is_some() && self.replicas[index].rotation.is_trusted());
        self.check(index);
    }
}

impl World {
    fn is_sound(&self) -> bool {
        let Some((authorities, is_sound)) = self.secret.as_ref().map(|stored| &stored.object) else {
            return false;
        };
        let bundles = self.configuration.iter().flat_map(|stored| &stored.object);
        *is_sound
            && !authorities.is_empty()
            && bundles.clone().count() == 2
            && bundles.clone().all(|bundle| {
                bundle.is_sound
                    && bundle.authorities.iter().all(|authority| authority.is_ours)
                    && authorities.iter().all(|authority| bundle.authorities.contains(authority))
            })
    }
}

impl Replica {
    fn new(skew: i64) -> Self {
        Self {
            rotation: Rotation::new(LIFETIMES),
            skew,
            is_sure: true,
            secret_version: None,
            configuration_version: None,
            ready: None,
            behind: [0; 3],
            deaf_until: 0,
        }
    }

    fn look(&mut self, now: Now, tick: u32) {
        if self.rotation.is_ready(now) {
            self.ready.get_or_insert(tick);
        }
    }
}

/// Ahead or behind by whole seconds.
trait Signed {
    fn saturating_add_signed(self, seconds: i64) -> Self;
}

impl Signed for Duration {
    fn saturating_add_signed(self, seconds: i64) -> Self {
        let by = Self::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self.saturating_sub(by) } else { self + by }
    }
}
