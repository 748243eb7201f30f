//! A request's body, within limits of size and time.

use super::memory::{LONGEST, Memory, SMALL, Share};
use super::refusal::Refusal;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::EXPECT;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// An API server has sent a body long before.
const SENDING: Duration = Duration::from_secs(10);
/// Of a body that is too long so much is read and thrown away, as whoever is cut while sending does not read what is wrong.
const DISCARDED: usize = 16 * 1024 * 1024;

/// A body, and its share of the memory.
#[derive(Debug, Default)]
pub struct Body {
    /// The first of what came, which is mostly all.
    first: Bytes,
    /// All of it, if the first is not.
    whole: Vec<u8>,
    share: Option<Share>,
}

/// Reads a body.
///
/// # Errors
/// When it is too long, too slow, cut, or there is no memory for it in time.
pub async fn read(
    mut body: Incoming,
    headers: &HeaderMap,
    memory: &Memory,
    until: Instant,
) -> Result<Body, Refusal> {
    let read = read_all(&mut body, memory, until).await;
    // Who has asked whether to send it has not begun to.
    if read.as_ref().is_err_and(|refusal| *refusal == Refusal::Long) && !headers.contains_key(EXPECT) {
        tokio::spawn(timeout(SENDING, discard(body)));
    }
    read
}

async fn read_all(body: &mut Incoming, memory: &Memory, until: Instant) -> Result<Body, Refusal> {
    let size = body.size_hint();
    let announced = usize::try_from(size.lower()).unwrap_or(usize::MAX);
    if announced > LONGEST {
        return Err(Refusal::Long);
    }
    let mut read = Body::default();
    // An announcement is not believed beyond what is small: it costs the sender nothing.
    if in_time(until, read.extend(body, SMALL, announced.min(SMALL))).await? {
        return Ok(read);
    }
    let most = if size.upper().is_some() { announced } else { LONGEST };
    read.share = Some(memory.take(most, until).await.ok_or(Refusal::Memory)?);
    if in_time(until, read.extend(body, LONGEST, most)).await? { Ok(read) } else { Err(Refusal::Long) }
}

/// The time that passes until there is memory is not the sender's.
async fn in_time<T>(until: Instant, reading: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    timeout_at(until.min(Instant::now() + SENDING), reading).await.unwrap_or(Err(Refusal::Slow))
}

/// The answer is on its way meanwhile.
async fn discard(mut body: Incoming) {
    let mut length = 0_usize;
    while let Some(Ok(frame)) = body.frame().await {
        length = length.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if length > DISCARDED {
            return;
        }
    }
}

impl Body {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        if self.whole.is_empty() { &self.first } else { &self.whole }
    }

    /// It takes longer than others should wait for.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.share.is_some()
    }

    /// Its share of the memory, which becomes that of its answer.
    #[must_use]
    pub fn into_share(self) -> Option<Share> {
        self.share
    }

    /// Reads until there is more than `most`, or to the end: whether that is it.
    async fn extend(&mut self, body: &mut Incoming, most: usize, expected: usize) -> Result<bool, Refusal> {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::Unread)?.into_data() else { continue };
            if self.bytes().is_empty() {
                self.first = data;
            } else {
                if self.whole.is_empty() {
                    self.whole.reserve_exact(expected);
                    self.whole.extend_from_slice(&self.first);
                    self.first = Bytes::new();
                }
                self.whole.reserve_exact(expected.saturating_sub(self.whole.len()));
                self.whole.extend_from_slice(&data);
            }
            if self.bytes().len() > most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
