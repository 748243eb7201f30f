//! One object, as often as it changes: a list, then a watch from there, for as long as it takes. A watch ends for many reasons,
//! and none of them says anything about the object.

use super::patience::Patience;
use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::Value;
use std::time::Duration;

/// The server ends a watch after this many seconds, and we begin another.
const SECONDS: u32 = 120;

/// Who is told how the watch does.
pub(crate) trait Telling {
    /// It failed, and is tried again.
    fn fails(&mut self, error: &kube::Error);
    /// The object was read.
    fn works(&mut self);
}

/// Asks `look` about the object, or about there being none, whenever that has changed, until it has an answer.
pub(crate) async fn until<T>(
    objects: &Api<DynamicObject>,
    name: &str,
    telling: &mut impl Telling,
    mut look: impl FnMut(Option<Value>) -> Option<T>,
) -> T {
    let mut patience = Patience::default();
    loop {
        match round(objects, name, telling, &mut patience, &mut look).await {
            Ok(Some(answer)) => return answer,
            // The watch has ended, or what it began from is forgotten (410): list again.
            Ok(None) => {}
            Err(error) => telling.fails(&error),
        }
        patience.wait().await;
    }
}

async fn round<T>(
    objects: &Api<DynamicObject>,
    name: &str,
    telling: &mut impl Telling,
    patience: &mut Patience,
    look: &mut impl FnMut(Option<Value>) -> Option<T>,
) -> Result<Option<T>, kube::Error> {
    let fields = format!("metadata.name={name}");
    let list = objects.list(&ListParams::default().fields(&fields)).await?;
    telling.works();
    let answer = look(list.items.into_iter().next().map(value));
    if answer.is_some() {
        return Ok(answer);
    }
    let from = list.metadata.resource_version.unwrap_or_default();
    let mut events =
        objects.watch(&WatchParams::default().fields(&fields).timeout(SECONDS), &from).await?.boxed();
    // A connection that died unnoticed says nothing, not even that the time is over.
    let silence = Duration::from_secs(u64::from(SECONDS) + 30);
    while let Ok(event) = tokio::time::timeout(silence, events.try_next()).await {
        let Some(event) = event? else { return Ok(None) };
        let now = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(value(object)),
            WatchEvent::Deleted(_) => None,
            WatchEvent::Bookmark(_) => {
                patience.reset();
                continue;
            }
            WatchEvent::Error(status) if status.code == 410 => return Ok(None),
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        };
        patience.reset();
        let answer = look(now);
        if answer.is_some() {
            return Ok(answer);
        }
    }
    Ok(None)
}

/// The whole object, as `decide` reads it.
fn value(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
