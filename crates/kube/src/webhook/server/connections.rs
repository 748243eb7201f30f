//! How many connections there are: as many as there are descriptors for, by a limit of our own. A new one displaces the one
//! that has been idle for longest, so that nobody keeps others out by doing nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// All connections of a port.
#[derive(Debug)]
pub struct Connections {
    most: u32,
    room: Arc<Semaphore>,
    open: Mutex<Vec<Arc<Activity>>>,
    began: Instant,
}

/// What a connection does.
#[derive(Debug, Default)]
pub struct Activity {
    running: AtomicUsize,
    was_used: AtomicBool,
    /// Milliseconds after the start of the server.
    idle_since: AtomicU64,
    /// It is to make room.
    pub displaced: Notify,
}

/// A connection; its end makes room.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    /// What it does.
    pub activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

/// A request that runs.
#[derive(Debug)]
pub struct Running<'a> {
    connections: &'a Connections,
    activity: &'a Activity,
}

impl Connections {
    /// For so many at once.
    #[must_use]
    pub fn new(most: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            room: Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(usize::MAX))),
            open: Mutex::default(),
            began: Instant::now(),
        })
    }

    /// Room for one more. `displaced` counts those that have to go for it.
    pub async fn place(self: &Arc<Self>, displaced: &AtomicU64) -> Place {
        /// Until then one that is told to go has gone, unless it got a request at the same moment.
        const GOING: Duration = Duration::from_millis(100);
        let permit = loop {
            if let Ok(permit) = self.room.clone().try_acquire_owned() {
                break permit;
            }
            if self.displace() {
                displaced.fetch_add(1, Ordering::Relaxed);
            }
            if let Ok(Ok(permit)) = timeout(GOING, self.room.clone().acquire_owned()).await {
                break permit;
            }
        };
        let activity = Arc::new(Activity { idle_since: AtomicU64::new(self.now()), ..Activity::default() });
        self.list().push(activity.clone());
        Place { connections: self.clone(), activity, _permit: permit }
    }

    /// Tells the one that has been idle for longest to go; before all those that never had a request.
    fn displace(&self) -> bool {
        let list = self.list();
        let idle = list.iter().filter(|one| one.running.load(Ordering::Acquire) == 0);
        let longest = idle
            .min_by_key(|one| (one.was_used.load(Ordering::Relaxed), one.idle_since.load(Ordering::Relaxed)));
        longest.is_some_and(|one| {
            one.displaced.notify_one();
            true
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list().len()
    }

    /// Returns when there are none, or at this moment: whether there are none.
    pub async fn ended(&self, until: Instant) -> bool {
        timeout_at(until, self.room.acquire_many(self.most)).await.is_ok()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Activity>>> {
        // Nothing that can panic is done with it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    /// It has had a request.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.was_used.load(Ordering::Relaxed)
    }
}

impl Place {
    /// A request begins; it ends when this is dropped.
    #[must_use]
    pub fn run(&self) -> Running<'_> {
        self.activity.running.fetch_add(1, Ordering::AcqRel);
        self.activity.was_used.store(true, Ordering::Relaxed);
        Running { connections: &self.connections, activity: &self.activity }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.activity.idle_since.store(self.connections.now(), Ordering::Relaxed);
        self.activity.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.list().retain(|one| !Arc::ptr_eq(one, &self.activity));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_one_displaces_the_one_that_has_been_idle_for_longest_unless_it_runs() {
        let (connections, displaced) = (Connections::new(3), AtomicU64::new(0));
        let used = connections.place(&displaced).await;
        drop(used.run());
        let busy = connections.place(&displaced).await;
        let running = busy.run();
        let unused = connections.place(&displaced).await;
        let told = |place: &Place| {
            let activity = place.activity.clone();
            async move { timeout(Duration::from_secs(60), activity.displaced.notified()).await.is_ok() }
        };
        // One that never had a request goes before one that had.
        let next = tokio::spawn({
            let connections = connections.clone();
            async move { connections.place(&AtomicU64::new(0)).await }
        });
        assert!(told(&unused).await);
        drop(unused);
        let next = next.await.unwrap();
        drop(next.run());
        let last = tokio::spawn(async move { connections.place(&AtomicU64::new(0)).await });
        assert!(told(&used).await);
        drop(used);
        drop(last.await.unwrap());
        assert!(timeout(Duration::ZERO, busy.activity.displaced.notified()).await.is_err());
        drop(running);
    }

    #[tokio::test]
    async fn the_end_of_all_is_awaited_until_a_moment() {
        let connections = Connections::new(2);
        let place = connections.place(&AtomicU64::new(0)).await;
        assert!(!connections.ended(Instant::now()).await);
        assert_eq!(connections.count(), 1);
        drop(place);
        assert!(connections.ended(Instant::now() + Duration::from_secs(60)).await);
        assert_eq!(connections.count(), 0);
    }
}
