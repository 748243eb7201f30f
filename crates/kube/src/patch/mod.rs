//! Changes → an RFC 6902 patch, as admission wants it. It is applied to what came in before it leaves: one that does not
//! apply would refuse the pod, under `failurePolicy: Ignore` too.

use crate::change::{Change, NoPlace, Path, Step, apply};
use serde_json::{Value, json};

/// The operations that do the same as these changes on this object.
///
/// # Errors
/// When a change has no place.
pub fn patch(object: &Value, changes: &[Change]) -> Result<Vec<Value>, NoPlace> {
    let mut object = object.clone();
    let mut operations = Vec::new();
    for change in changes {
        operations.extend(operations_of(&object, change));
        apply(&mut object, std::slice::from_ref(change))?;
    }
    Ok(operations)
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
        Change::Move { mapping, from: (from, index), to: (to, at), key: (key, value) } => {
            let (from, to) = (mapping.key(from), mapping.key(to));
            let item = from.index(*index);
            let mut operations = missing(object, &to, &json!([]));
            match value {
                Some(value) => operations.push(add(&item.key(key), value)),
                None => operations.push(json!({ "op": "remove", "path": pointer(&item.key(key)) })),
            }
            operations.push(json!({ "op": "move", "from": pointer(&item), "path": pointer(&to.index(*at)) }));
            operations.extend(emptied(object, &from, 1));
            operations
        }
        Change::Remove { mapping, key } => {
            let there = mapping.key(key).of(object).is_some();
            there.then(|| json!({ "op": "remove", "path": pointer(&mapping.key(key)) })).into_iter().collect()
        }
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

fn emptied(object: &Value, list: &Path, count: usize) -> Option<Value> {
    let length = list.of(object).and_then(Value::as_array).map(Vec::len);
    (length == Some(count)).then(|| json!({ "op": "remove", "path": pointer(list) }))
}

fn add(path: &Path, value: &Value) -> Value {
    json!({ "op": "add", "path": pointer(path), "value": value })
}

/// RFC 6901: `~` and `/` in a key are escaped.
fn pointer(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    path.0.iter().map(step).collect()
}
