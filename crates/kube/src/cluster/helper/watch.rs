//! One pod, as often as it changes: a list, then a watch from there, for as long as it takes. A watch ends for many reasons,
//! and none of them says anything about the pod.

use super::patience::Patience;
use super::telling::Telling;
use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::Value;
use std::time::Duration;

/// The server ends a watch after this many seconds, and we begin another.
const SECONDS: u32 = 120;

/// Asks `look` about the pod whenever it has changed, until that has an answer. `None`: there is no such pod any more.
pub(super) async fn until<T>(
    pods: &Api<DynamicObject>,
    name: &str,
    telling: &mut Telling,
    mut look: impl FnMut(&Value) -> Option<T>,
) -> Option<T> {
    let fields = format!("metadata.name={name}");
    let mut patience = Patience::default();
    loop {
        match round(pods, &fields, telling, &mut patience, &mut look).await {
            Ok(Round::Answer(answer)) => return Some(answer),
            Ok(Round::Gone) => return None,
            Ok(Round::Again) => {}
            Err(error) => telling.fails(&error),
        }
        patience.wait().await;
    }
}

enum Round<T> {
    Answer(T),
    Gone,
    /// The watch has ended, or what it began from is forgotten (410): list again.
    Again,
}

async fn round<T>(
    pods: &Api<DynamicObject>,
    fields: &str,
    telling: &mut Telling,
    patience: &mut Patience,
    look: &mut impl FnMut(&Value) -> Option<T>,
) -> Result<Round<T>, kube::Error> {
    let list = pods.list(&ListParams::default().fields(fields)).await?;
    telling.works();
    let Some(pod) = list.items.into_iter().next() else { return Ok(Round::Gone) };
    if let Some(answer) = look(&value(pod)) {
        return Ok(Round::Answer(answer));
    }
    let from = list.metadata.resource_version.unwrap_or_default();
    let mut events =
        pods.watch(&WatchParams::default().fields(fields).timeout(SECONDS), &from).await?.boxed();
    // A connection that died unnoticed says nothing, not even that the time is over.
    let silence = Duration::from_secs(u64::from(SECONDS) + 30);
    while let Ok(event) = tokio::time::timeout(silence, events.try_next()).await {
        let Some(event) = event? else { return Ok(Round::Again) };
        match event {
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                patience.reset();
                if let Some(answer) = look(&value(pod)) {
                    return Ok(Round::Answer(answer));
                }
            }
            WatchEvent::Deleted(_) => return Ok(Round::Gone),
            WatchEvent::Bookmark(_) => patience.reset(),
            WatchEvent::Error(status) if status.code == 410 => return Ok(Round::Again),
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        }
    }
    Ok(Round::Again)
}

/// The whole object, as `decide` reads it.
fn value(pod: DynamicObject) -> Value {
    serde_json::to_value(pod).unwrap_or_default()
}
