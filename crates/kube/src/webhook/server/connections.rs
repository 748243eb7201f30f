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

    /// Room for one more. `displaced`: called when another one has to go for it.
    pub async fn place(self: &Arc<Self>, displaced: impl Fn()) -> Place {
        /// Until then one that is told to go has gone, unless it got a request at the same moment.
        const GOING: Duration = Duration::from_millis(100);
        let permit = loop {
            if let Ok(permit) = self.room.clone().try_acquire_owned() {
                break permit;
            }
            if self.displace() {
                displaced();
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
