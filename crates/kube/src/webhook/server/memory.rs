//! How much memory there is, and who may have how much of it. All together is less than the limit of the bundle's pod: whoever
//! goes beyond that is killed, and with `Fail` no pod of a Job that asks for it is created.

use crate::webhook::values::MOST as MOST_VALUES;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The memory limit of the bundle's pod.
pub const LIMIT: usize = 128 * MIB;

/// API servers keep 25 idle connections each, and open more only for as long as they ask more at once. Descriptors are a
/// thousand where nobody has said more.
pub const CONNECTIONS: usize = 512;
/// What HTTP holds of a connection's input, a head included.
pub const BUFFER: usize = 16 * KIB;
/// What TLS holds of its output while the client does not read.
pub const UNSENT: usize = 16 * KIB;
/// What is small: the body of nearly each pod. Each connection may hold one without asking, and it is decided at once.
pub const SMALL: usize = 32 * KIB;
/// An API server takes no object that is larger, and etcd half of it.
pub const LONGEST: usize = 3 * MIB;
/// All large bodies, and their answers until they are sent.
const LARGE: usize = 12 * MIB;

/// The program at rest.
const PROGRAM: usize = 10 * MIB;
/// A connection: its task, its TLS, the buffers above, and a record that is not whole yet.
const CONNECTION: usize = 8 * KIB + BUFFER + UNSENT;
/// Threads that answer. What displaces connections counts on one, too: nothing happens to a connection between a look and an
/// act.
pub const THREADS: usize = 1;
/// A value, as it was read, in the pod as it will be, and each of them in a list that grows to twice its size.
const VALUE: usize = 2 * 2 * 128;
/// What becomes of a large body beside its values: texts of the pod, of the pod as it will be, of the patch, of the answer.
const TEXTS: usize = 4 * LONGEST;
/// A small body has no more values than half of its bytes, and the same texts beside them.
const SMALL_REVIEWS: usize = THREADS * (SMALL / 2 * VALUE + 4 * SMALL);

const ALL: usize =
    PROGRAM + CONNECTIONS * (CONNECTION + SMALL) + LARGE + MOST_VALUES * VALUE + TEXTS + SMALL_REVIEWS;
/// What the allocator has not given back, and what the kernel holds for sockets.
const MARGIN: usize = 16 * MIB;
const _: () = assert!(ALL + MARGIN <= LIMIT);

/// Permits are of so many bytes.
const UNIT: usize = KIB;

/// What large bodies may take.
#[derive(Clone, Debug)]
pub struct Memory {
    large: Arc<Semaphore>,
}

/// A part of it.
pub type Share = OwnedSemaphorePermit;

impl Default for Memory {
    fn default() -> Self {
        Self { large: Arc::new(Semaphore::new(LARGE / UNIT)) }
    }
}

impl Memory {
    /// Takes all that a body may need, at once: who waited for more while holding some would wait for others who do the same.
    /// `None`: there was none in time.
    pub async fn take(&self, bytes: usize, until: Instant) -> Option<Share> {
        let units = u32::try_from(bytes.min(LONGEST).div_ceil(UNIT)).ok()?;
        timeout_at(until, self.large.clone().acquire_many_owned(units)).await.ok()?.ok()
    }
}
