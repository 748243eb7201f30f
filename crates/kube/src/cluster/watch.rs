//! One object, as often as it changes: a list, then a watch from there, for as long as it takes. A watch ends for many reasons,
//! and none of them says anything about the object.

use super::api::within;
use super::backoff::{Backoff, LONGEST};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The server ends a watch after this many seconds, and we begin another.
const SECONDS: u32 = 120;
/// A connection that died unnoticed says nothing, not even that the time is over.
pub(crate) const SILENCE: Duration = Duration::from_secs(SECONDS as u64 + 30);
/// A server that is alive has begun to answer by then.
const ANSWER: Duration = Duration::from_secs(30);

/// Who is told how the watch does.
pub(crate) trait Observer {
    /// It failed, and is tried again.
    fn fails(&mut self, error: &kube::Error);
    /// The object was read, and is watched.
    fn works(&mut self);
}

/// Asks `look` about the object, or about there being none, whenever that has changed, until it has an answer.
pub(crate) async fn until<T>(
    objects: &Api<DynamicObject>,
    name: &str,
    observer: &mut impl Observer,
    mut look: impl FnMut(Option<Value>) -> Option<T>,
) -> T {
    let mut backoff = Backoff::default();
    loop {
        match once(objects, name, observer, &mut backoff, &mut look).await {
            Ok(Some(answer)) => return answer,
            // The watch has ended, or what it began from is forgotten (410): list again.
            Ok(None) => {}
            Err(error) => observer.fails(&error),
        }
        backoff.wait().await;
    }
}

async fn once<T>(
    objects: &Api<DynamicObject>,
    name: &str,
    observer: &mut impl Observer,
    backoff: &mut Backoff,
    look: &mut impl FnMut(Option<Value>) -> Option<T>,
) -> kube::Result<Option<T>> {
    let (object, from) = within(ANSWER, list(objects, name)).await?;
    let answer = look(object);
    if answer.is_some() {
        observer.works();
        return Ok(answer);
    }
    let params = WatchParams::default().fields(&only(name)).timeout(SECONDS);
    let opened = Instant::now();
    let mut events = within(ANSWER, objects.watch(&params, &from)).await?.boxed();
    // To list it is not enough.
    observer.works();
    while let Some(event) = events.try_next().await? {
        let now = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(value(object)?),
            WatchEvent::Deleted(_) => None,
            WatchEvent::Bookmark(_) => {
                backoff.reset();
                continue;
            }
            WatchEvent::Error(status) if status.code == 410 => return Ok(None),
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        };
        backoff.reset();
        let answer = look(now);
        if answer.is_some() {
            return Ok(answer);
        }
    }
    // It was open for long, only nothing has happened: not one that is closed as often as it is opened.
    if opened.elapsed() > LONGEST {
        backoff.reset();
    }
    Ok(None)
}

/// The object, or that there is none, and the version from which a watch goes on. By a list: its right can be bound to one name,
/// as the watch's can, and 404 would be an error.
pub(crate) async fn list(objects: &Api<DynamicObject>, name: &str) -> kube::Result<(Option<Value>, String)> {
    let list = objects.list(&ListParams::default().fields(&only(name))).await?;
    let object = list.items.into_iter().next().map(value).transpose()?;
    Ok((object, list.metadata.resource_version.unwrap_or_default()))
}

fn only(name: &str) -> String {
    format!("metadata.name={name}")
}

/// The whole object, as `decide` reads it.
pub(crate) fn value(object: DynamicObject) -> kube::Result<Value> {
    serde_json::to_value(object).map_err(kube::Error::SerdeError)
}
