//! Those who wait until the mains of a group are out: guards.

use super::lock::GroupLock;
use super::{Census, dir_of, members, open_to_read};
use lastout_core::settings::Group;
use nix::fcntl::{Flock, FlockArg};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One who waits until the mains are out.
#[derive(Clone, Debug)]
pub struct Watch {
    dir: PathBuf,
    size: u32,
    patience: Option<Duration>,
    /// The pod may be terminating: nobody who is gone comes back.
    terminating: Arc<AtomicBool>,
}

/// What a look at the group shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mains {
    /// Some are in, or have not come yet.
    In,
    /// All are out.
    Out,
}

/// Distance of looks while a member is waited for that nobody can block on: one that has not registered yet, or
/// that will be restarted. Containers of a pod start one by one: at first it comes soon.
fn look_after(now: Duration) -> Duration {
    Duration::from_millis(if now < Duration::from_secs(10) { 20 } else { 250 })
}

impl Watch {
    /// Joins the group as one who watches.
    ///
    /// # Errors
    /// One line: the folder cannot be used, or the members say otherwise.
    pub fn new(group: &Group) -> Result<Self, String> {
        let dir = dir_of(group)?;
        drop(GroupLock::take(&dir, group.size)?);
        // A folder in which one may write, but not look, shows nobody.
        members(&dir)?;
        Ok(Self { dir, size: group.size, patience: group.wait, terminating: Arc::default() })
    }

    /// Looks once whether all are out, by their records. `now`: since our start.
    ///
    /// # Errors
    /// In one line.
    pub fn look(&self, now: Duration) -> Result<Mains, String> {
        Ok(if self.census(now)?.all_out() { Mains::Out } else { Mains::In })
    }

    /// The pod may be terminating: from here on a member that is gone is out, whatever its policy, for the kubelet
    /// restarts none. Else a guard would hold out until it is killed beside mains that were to be restarted.
    pub fn pod_is_terminating(&self) {
        self.terminating.store(true, Ordering::Relaxed);
    }

    /// Waits until all are out and gone, and returns which sidecars the last of them has stopped: blocked in
    /// the lock of a member that is alive, without waking, or looking now and then while nobody is there to block
    /// on. Gone, and not only out: the last one out is busy stopping the sidecars, and asking one twice may harm.
    /// `trouble` gets what keeps it from looking, when that changes; it goes on trying.
    pub fn wait(&self, now: impl Fn() -> Duration, trouble: impl Fn(String)) -> Vec<String> {
        let mut told = String::new();
        loop {
            match self.census(now()) {
                Ok(census) => {
                    let out = census.all_out() || self.terminating.load(Ordering::Relaxed);
                    if out && census.alive.is_empty() {
                        return census.stopped;
                    }
                    // Its end releases the lock, whatever ended it.
                    let block_on =
                        |path: &PathBuf| Flock::lock(open_to_read(path).ok()?, FlockArg::LockShared).ok();
                    if census.alive.first().and_then(block_on).is_none() {
                        crate::sys::pause(look_after(now()));
                    }
                }
                Err(what) => {
                    if what != told {
                        told.clone_from(&what);
                        trouble(what);
                    }
                    crate::sys::pause(look_after(now()));
                }
            }
        }
    }

    fn census(&self, now: Duration) -> Result<Census, String> {
        let _lock = GroupLock::take(&self.dir, self.size)?;
        Census::take(&self.dir, self.size, self.patience.is_some_and(|patience| now >= patience))
    }
}
