//! A request's body, within limits of size and time.

use super::memory::{LONGEST, Memory, SMALL, Share};
use super::refusal::Refusal;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::EXPECT;
use tokio::time::{Instant, timeout_at};

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
    let announced = announced(&body);
    let read = if announced > LONGEST {
        Err(Refusal::Long)
    } else {
        let all = timeout_at(until, read_all(&mut body, announced, memory, until)).await;
        all.unwrap_or(Err(Refusal::Slow))
    };
    // Who has asked whether to send it has not begun to.
    if read.as_ref().is_err_and(|refusal| *refusal == Refusal::Long) && !headers.contains_key(EXPECT) {
        tokio::spawn(timeout_at(until, discard(body)));
    }
    read
}

fn announced(body: &Incoming) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

async fn read_all(
    body: &mut Incoming,
    announced: usize,
    memory: &Memory,
    until: Instant,
) -> Result<Body, Refusal> {
    let mut read = Body::default();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Unread)?.into_data() else { continue };
        if read.bytes().is_empty() {
            read.first = data;
        } else {
            read.append(&data, announced.min(SMALL));
        }
        let length = read.bytes().len();
        if length > LONGEST {
            return Err(Refusal::Long);
        }
        // An announcement is not believed before: it costs the sender nothing.
        if length > SMALL && read.share.is_none() {
            let most = if body.size_hint().upper().is_some() { announced } else { LONGEST };
            read.share = Some(memory.take(most, until).await.ok_or(Refusal::Memory)?);
            read.whole.reserve_exact(most.saturating_sub(read.whole.len()));
        }
    }
    Ok(read)
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

    fn append(&mut self, data: &[u8], expected: usize) {
        if self.whole.is_empty() {
            self.whole.reserve(expected);
            self.whole.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.whole.extend_from_slice(data);
    }
}
