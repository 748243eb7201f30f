//! How many connections there are: as many as there are memory and descriptors for, by a limit of our own. A new one displaces
//! another, so that nobody keeps others out by doing nothing, by sending slowly, or by many connections from one address.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// The handshake and the first request of an API server are over by then.
const BEGINNING: Duration = Duration::from_secs(2);
/// For an answer to be read.
const READING: Duration = Duration::from_secs(10);

/// All connections of a port.
#[derive(Debug)]
pub struct Connections {
    most: u32,
    room: Arc<Semaphore>,
    open: Mutex<Vec<Arc<Connection>>>,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    /// It had no request yet.
    New,
    /// It waits for its next request.
    Idle,
    /// The body of a request is awaited, or memory for it.
    Sending,
    /// A request is complete: what becomes of it is not cut.
    Deciding,
    /// An answer is not sent yet.
    Answering,
    /// It was told to make room.
    Displaced,
}

#[derive(Debug)]
struct State {
    activity: Activity,
    since: Instant,
}

#[derive(Debug)]
struct Connection {
    peer: IpAddr,
    accepted: Instant,
    /// It had an answer that is no refusal: an API server's connections have.
    is_proven: AtomicBool,
    state: Mutex<State>,
    displaced: Notify,
    /// One request at a time: the next is not begun before the answer to the last is sent.
    turn: Arc<Semaphore>,
}

/// A connection; its end makes room.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    _permit: OwnedSemaphorePermit,
}

/// A request, until its answer is sent.
#[derive(Debug)]
pub struct Running {
    place: Arc<Place>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Connections {
    /// For so many at once.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let room = usize::try_from(most).unwrap_or(usize::MAX);
        Arc::new(Self { most, room: Arc::new(Semaphore::new(room)), open: Mutex::default() })
    }

    /// Room for one more; `displaced` is told whose connection has to go for it.
    pub async fn place(self: &Arc<Self>, peer: IpAddr, displaced: impl Fn(IpAddr)) -> Place {
        /// Until then one that is told to go has gone, unless it got a request at the same moment.
        const GOING: Duration = Duration::from_millis(100);
        loop {
            if let Some(place) = self.free_place(peer) {
                return place;
            }
            if let Some(peer) = self.displace(Instant::now()) {
                displaced(peer);
            }
            if let Ok(Ok(permit)) = timeout(GOING, self.room.clone().acquire_owned()).await {
                return self.placed(peer, permit);
            }
        }
    }

    /// Room for one more, if there is some.
    pub fn free_place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let permit = self.room.clone().try_acquire_owned().ok()?;
        Some(self.placed(peer, permit))
    }

    fn placed(self: &Arc<Self>, peer: IpAddr, permit: OwnedSemaphorePermit) -> Place {
        let now = Instant::now();
        let connection = Arc::new(Connection {
            peer: peer.to_canonical(),
            accepted: now,
            is_proven: AtomicBool::new(false),
            state: Mutex::new(State { activity: Activity::New, since: now }),
            displaced: Notify::new(),
            turn: Arc::new(Semaphore::new(1)),
        });
        self.list().push(connection.clone());
        Place { connections: self.clone(), connection, _permit: permit }
    }

    /// Tells one to go: first of an address that has more than a quarter of the room, then by what is lost by it, then the one
    /// that has done nothing for longest.
    fn displace(&self, now: Instant) -> Option<IpAddr> {
        let list = self.list();
        let part = usize::try_from(self.most / 4).unwrap_or(usize::MAX);
        let mut of_peer = HashMap::<IpAddr, usize>::new();
        for one in list.iter() {
            *of_peer.entry(one.peer).or_default() += 1;
        }
        let excess = |peer| of_peer.get(peer).map_or(0, |count| count.saturating_sub(part));
        let candidates = list.iter().filter_map(|one| {
            let (loss, since) = one.loss(now)?;
            Some(((Reverse(excess(&one.peer)), loss, since), one))
        });
        let (_, chosen) = candidates.min_by_key(|(key, _)| *key)?;
        // As it was seen: one thread answers (memory::THREADS), and there was no await since.
        chosen.set(Activity::Displaced);
        chosen.displaced.notify_one();
        Some(chosen.peer)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list().len()
    }

    /// How many of them have a request.
    #[must_use]
    pub fn running(&self) -> usize {
        let has = |one: &&Arc<Connection>| match one.state().activity {
            Activity::Sending | Activity::Deciding | Activity::Answering => true,
            Activity::New | Activity::Idle | Activity::Displaced => false,
        };
        self.list().iter().filter(has).count()
    }

    /// Returns when there are none, or at this moment: whether there are none.
    pub async fn ended(&self, until: Instant) -> bool {
        timeout_at(until, self.room.acquire_many(self.most)).await.is_ok()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        // Nothing that can panic is done with it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, activity: Activity) {
        *self.state() = State { activity, since: Instant::now() };
    }

    /// What is lost if it is cut, the least first, and since when it does what it does. `None`: it is not to be cut, or goes
    /// already.
    fn loss(&self, now: Instant) -> Option<(u8, Instant)> {
        let State { activity, since } = *self.state();
        let is_proven = self.is_proven.load(Ordering::Relaxed);
        let loss = match activity {
            Activity::Deciding | Activity::Displaced => return None,
            Activity::Idle => u8::from(is_proven),
            Activity::New | Activity::Sending | Activity::Answering if is_proven => 3,
            Activity::New | Activity::Sending | Activity::Answering => {
                if now.duration_since(self.accepted) < BEGINNING { 2 } else { 0 }
            }
        };
        Some((loss, since))
    }
}

impl Place {
    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.connection.peer
    }

    /// A request begins, after the answer to the one before is sent: who sends request upon request and reads no answer would
    /// have all answers wait in memory.
    pub async fn run(self: Arc<Self>) -> Running {
        let turn = self.connection.turn.clone().acquire_owned().await.ok();
        self.connection.set(Activity::Sending);
        Running { place: self, _turn: turn }
    }

    /// The request is complete.
    pub fn deciding(&self) {
        self.connection.set(Activity::Deciding);
    }

    /// There is an answer.
    pub fn answering(&self, is_success: bool) {
        if is_success {
            self.connection.is_proven.store(true, Ordering::Relaxed);
        }
        self.connection.set(Activity::Answering);
    }

    /// Returns when the connection is to make room for another. A request may have come at the same moment: it is answered.
    pub async fn displaced(&self) {
        loop {
            self.connection.displaced.notified().await;
            if self.connection.state().activity == Activity::Displaced {
                return;
            }
        }
    }

    /// It does not do what it should, by a first look that comes late enough.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        let State { activity, since } = *self.connection.state();
        match activity {
            Activity::New => true,
            Activity::Answering => since.elapsed() >= READING,
            Activity::Idle | Activity::Sending | Activity::Deciding | Activity::Displaced => false,
        }
    }

    /// Returns when the connection had the time for its first request.
    pub async fn begun(&self) {
        if self.connection.state().activity == Activity::New {
            tokio::time::sleep_until(self.connection.accepted + BEGINNING).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.place.connection.set(Activity::Idle);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.list().retain(|one| !Arc::ptr_eq(one, &self.connection));
    }
}

#[cfg(test)]
mod tests;
