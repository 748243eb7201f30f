//! A request's body, within limits of size and time. What all bodies take together is bounded as well; large ones have a
//! share of their own, so that they do not keep out small ones.

use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// An API server takes no object that is larger, and etcd half of it.
pub const LONGEST: usize = 3 * 1024 * 1024;
/// Of a body beyond that so much is read and thrown away: whoever is cut while sending does not read what is wrong.
const PATIENCE: usize = 16 * 1024 * 1024;
/// What is small: nearly all pods are.
const SMALL: usize = 32 * 1024;
/// Permits are of so many bytes.
const UNIT: usize = 1024;
/// All small bodies, and the beginnings of the large ones: 32 MiB.
const SMALL_SHARE: usize = 32 * 1024;
/// All that is beyond the beginnings: 24 MiB.
const LARGE_SHARE: usize = 24 * 1024;

/// What all bodies may take.
#[derive(Clone, Debug)]
pub struct Memory {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { small: Arc::new(Semaphore::new(SMALL_SHARE)), large: Arc::new(Semaphore::new(LARGE_SHARE)) }
    }
}

/// A body, and its share.
#[derive(Debug, Default)]
pub struct Body {
    /// All of it.
    pub bytes: Vec<u8>,
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

/// Reads a body.
///
/// # Errors
/// With the status that says why there is none: too long, too slow, cut, or no memory for it in time.
pub async fn read(mut body: Incoming, memory: &Memory, until: Instant) -> Result<Body, StatusCode> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut read = Body::default();
    if announced <= LONGEST {
        // An announcement is not believed beyond what is small: it costs the sender nothing.
        read.bytes.reserve(announced.min(SMALL));
    }
    let mut length = 0_usize;
    loop {
        let frame = timeout_at(until, body.frame()).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > PATIENCE {
            break;
        }
        if length > LONGEST || announced > LONGEST {
            read = Body::default();
            continue;
        }
        read.pay(length, memory, until).await?;
        read.bytes.extend_from_slice(&data);
    }
    if length > LONGEST || announced > LONGEST { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(read) }
}

impl Body {
    /// It is larger than nearly all are.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.bytes.len() > 4 * SMALL
    }

    /// Takes its share of the memory for so many bytes.
    async fn pay(&mut self, length: usize, memory: &Memory, until: Instant) -> Result<(), StatusCode> {
        let parts =
            [(&mut self.small, &memory.small, 0..SMALL), (&mut self.large, &memory.large, SMALL..LONGEST)];
        for (held, share, range) in parts {
            let wanted = (length.clamp(range.start, range.end) - range.start).div_ceil(UNIT);
            let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let Some(due) = u32::try_from(wanted.saturating_sub(has)).ok().filter(|due| *due > 0) else {
                continue;
            };
            let permit = timeout_at(until, share.clone().acquire_many_owned(due)).await;
            let permit = permit.ok().and_then(Result::ok).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
            match held {
                Some(held) => held.merge(permit),
                None => *held = Some(permit),
            }
        }
        Ok(())
    }
}

/// In words.
#[must_use]
pub fn why(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_TIMEOUT => "the body did not come in time",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than 3 MiB",
        StatusCode::SERVICE_UNAVAILABLE => {
            "too many bodies at once: there was no memory for this one in time"
        }
        _ => "the body ended before its end",
    }
}
