//! One pod, as often as it changes: a list, then a watch from there, for as long as it takes. A watch ends for many reasons,
//! and none of them says anything about the pod.

use super::backoff::{Backoff, LONGEST};
use super::outage::Outage;
use crate::cluster::api::{Kind, unexpected, within};
use futures_util::TryStreamExt as _;
use kube::Client;
use kube::core::WatchEvent;
use kube::core::params::{ListParams, WatchParams};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The server ends a watch after this many seconds, and we begin another.
const SECONDS: u32 = 120;
/// A connection that died unnoticed says nothing, not even that the time is over.
pub const SILENCE: Duration = Duration::from_secs(SECONDS as u64 + 30);
/// A server that is alive has begun to answer by then.
const ANSWER: Duration = Duration::from_secs(30);

/// One pod of a namespace.
pub(super) struct Watched<'a> {
    pub(super) client: Client,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// What a list and its watch came to.
enum Seen<T> {
    Answer(T),
    Gone,
    /// The watch has ended, or what it began from is forgotten (410): list again.
    Again,
}

impl Watched<'_> {
    /// Asks `look` about the pod whenever it has changed, until that has an answer. `None`: there is no such pod.
    pub(super) async fn until<T>(
        &self,
        outage: &mut Outage,
        mut look: impl FnMut(&Value) -> Option<T>,
    ) -> Option<T> {
        let mut backoff = Backoff::default();
        loop {
            match self.once(outage, &mut backoff, &mut look).await {
                Ok(Seen::Answer(answer)) => return Some(answer),
                Ok(Seen::Gone) => return None,
                Ok(Seen::Again) => {}
                Err(error) => outage.begins(&error),
            }
            backoff.wait().await;
        }
    }

    async fn once<T>(
        &self,
        outage: &mut Outage,
        backoff: &mut Backoff,
        look: &mut impl FnMut(&Value) -> Option<T>,
    ) -> kube::Result<Seen<T>> {
        let fields = format!("metadata.name={}", self.name);
        let pods = Kind::Pods.request(Some(self.namespace));
        let list = pods.list(&ListParams::default().fields(&fields)).map_err(kube::Error::BuildRequest)?;
        let list: Value = within(ANSWER, self.client.request(list)).await?;
        let (Some(items), Some(from)) = (
            list.get("items").and_then(Value::as_array),
            list.pointer("/metadata/resourceVersion").and_then(Value::as_str),
        ) else {
            return Err(unexpected("the answer is no list"));
        };
        let Some(pod) = items.first() else { return Ok(Seen::Gone) };
        if let Some(answer) = look(pod) {
            return Ok(Seen::Answer(answer));
        }
        let watch = pods.watch(&WatchParams::default().fields(&fields).timeout(SECONDS), from);
        let watch = self.client.request_events::<Value>(watch.map_err(kube::Error::BuildRequest)?);
        let opened = Instant::now();
        let mut events = Box::pin(within(ANSWER, watch).await?);
        // To list it is not enough.
        outage.ends();
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                    backoff.reset();
                    if let Some(answer) = look(&pod) {
                        return Ok(Seen::Answer(answer));
                    }
                }
                WatchEvent::Deleted(_) => return Ok(Seen::Gone),
                WatchEvent::Bookmark(_) => backoff.reset(),
                WatchEvent::Error(status) if status.code == 410 => return Ok(Seen::Again),
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        // It was open for long, only nothing has happened: not one that is closed as often as it is opened.
        if opened.elapsed() > LONGEST {
            backoff.reset();
        }
        Ok(Seen::Again)
    }
}
