//! Changes → an RFC 6902 patch, as admission wants it. It is applied to what came in before it leaves: one that does not
//! apply would refuse the pod, under `failurePolicy: Ignore` too.

use crate::change::{Change, KeyChange, NoPlace, Path, Step, apply};
use serde_json::{Value, json};
use std::fmt;

/// Why there is no patch: a fault of ours, each of them.
#[derive(Debug)]
pub enum Fault {
    /// A change has no place.
    NoPlace(NoPlace),
    /// It would not apply, or comes to another object than the changes.
    Mismatch,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(path) => path.fmt(f),
            Self::Mismatch => f.write_str("the patch does not come to what the changes come to"),
        }
    }
}

impl std::error::Error for Fault {}

/// The operations that do the same as these changes on this object.
///
/// # Errors
/// When a change has no place, or the patch does not do what it is to do.
pub fn patch(object: &Value, changes: &[Change]) -> Result<Value, Fault> {
    let mut intended = object.clone();
    let mut operations = Vec::new();
    for change in changes {
        operations.extend(operations_of(&intended, change));
        apply(&mut intended, std::slice::from_ref(change)).map_err(Fault::NoPlace)?;
    }
    verified(object, &intended, operations.into())
}

/// By a reader of patches that is not ours, as the API server's is not.
fn verified(object: &Value, intended: &Value, patch: Value) -> Result<Value, Fault> {
    let operations: json_patch::Patch = serde_json::from_value(patch.clone()).map_err(|_| Fault::Mismatch)?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &operations).map_err(|_| Fault::Mismatch)?;
    if patched == *intended { Ok(patch) } else { Err(Fault::Mismatch) }
}

fn operations_of(object: &Value, change: &Change) -> Vec<Value> {
    match change {
        Change::Set { mapping, key, value } => {
            let mut operations = missing(object, mapping, &json!({}));
            operations.push(add(&mapping.key(key), value));
            operations
        }
        Change::Insert { list, at, items } => {
            let mut operations = missing(object, list, &json!([]));
            operations
                .extend(items.iter().enumerate().map(|(offset, item)| add(&list.index(at + offset), item)));
            operations
        }
        Change::Move { mapping, from, to, key, becomes } => {
            let item = from.path(mapping);
            let mut operations = missing(object, &mapping.key(&to.list), &json!([]));
            match becomes {
                KeyChange::Set(value) => operations.push(add(&item.key(key), value)),
                KeyChange::Remove => operations.extend(removed(object, &item.key(key))),
            }
            let to = pointer(&to.path(mapping));
            operations.push(json!({ "op": "move", "from": pointer(&item), "path": to }));
            operations.extend(emptied(object, &mapping.key(&from.list), 1));
            operations
        }
        Change::Remove { mapping, key } => removed(object, &mapping.key(key)).into_iter().collect(),
        Change::Take { list, at, count } => {
            let one = json!({ "op": "remove", "path": pointer(&list.index(*at)) });
            std::iter::repeat_n(one, *count).chain(emptied(object, list, *count)).collect()
        }
    }
}

/// Makes the parents that are not there; null is as good as nothing.
fn missing(object: &Value, whole: &Path, value: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    for length in 1..=whole.0.len() {
        let part = Path(whole.0.iter().take(length).cloned().collect());
        if part.of(object).is_none_or(Value::is_null) {
            let value = if length == whole.0.len() { value.clone() } else { json!({}) };
            operations.push(add(&part, &value));
        }
    }
    operations
}

/// A key goes, if it is there.
fn removed(object: &Value, path: &Path) -> Option<Value> {
    path.of(object).map(|_| json!({ "op": "remove", "path": pointer(path) }))
}

fn emptied(object: &Value, list: &Path, count: usize) -> Option<Value> {
    let length = list.of(object).and_then(Value::as_array).map(Vec::len);
    (length == Some(count)).then(|| json!({ "op": "remove", "path": pointer(list) }))
}

fn add(path: &Path, value: &Value) -> Value {
    json!({ "op": "add", "path": pointer(path), "value": value })
}

/// RFC 6901: `~` and `/` in a key are escaped.
pub(crate) fn pointer(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    path.0.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_does_something_else_does_not_leave() {
        let (object, intended) = (json!({ "a": [1] }), json!({ "a": [1, 2] }));
        let with = |patch| verified(&object, &intended, patch);
        assert!(with(json!([{ "op": "add", "path": "/a/-", "value": 2 }])).is_ok());
        assert!(matches!(with(json!([{ "op": "add", "path": "/a/0", "value": 2 }])), Err(Fault::Mismatch)));
        assert!(matches!(with(json!([{ "op": "add", "path": "/b/-", "value": 2 }])), Err(Fault::Mismatch)));
        assert!(matches!(with(json!([{ "op": "put", "path": "/a" }])), Err(Fault::Mismatch)));
        let nowhere = [Change::Take { list: Path::keys(&["b"]), at: 0, count: 1 }];
        assert!(matches!(patch(&object, &nowhere), Err(Fault::NoPlace(_))));
    }
}
