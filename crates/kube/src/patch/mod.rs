//! Changes → an RFC 6902 patch, as admission wants it. It is applied to what it changes of the object before it leaves: one that
//! does not apply would refuse the pod, under `failurePolicy: Ignore` too.

mod touched;

use crate::change::{Change, KeyChange, NoPlace, Path, Step, apply};
use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, MoveOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Value, json};
use std::fmt;
use touched::touched;

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

/// A patch, and the object that it makes.
#[derive(Debug)]
pub struct Patched {
    /// The operations.
    pub patch: Patch,
    /// The object, when they are carried out.
    pub object: Value,
}

/// The operations that do the same as these changes on this object.
///
/// # Errors
/// When a change has no place, or the patch does not do what it is to do.
pub fn patch(mut object: Value, changes: &[Change]) -> Result<Patched, Fault> {
    let Some(mut intended) = touched(&object, changes) else {
        let mut intended = object.clone();
        let patch = operations(&mut intended, changes)?;
        return verified(object, &intended, patch);
    };
    let part = intended.clone();
    let patch = operations(&mut intended, changes)?;
    let Patched { patch, .. } = verified(part, &intended, patch)?;
    apply(&mut object, changes).map_err(Fault::NoPlace)?;
    Ok(Patched { patch, object })
}

/// The operations, while the changes are carried out.
fn operations(object: &mut Value, changes: &[Change]) -> Result<Patch, Fault> {
    let mut operations = Vec::new();
    for change in changes {
        operations.extend(operations_of(object, change));
        apply(object, std::slice::from_ref(change)).map_err(Fault::NoPlace)?;
    }
    Ok(Patch(operations))
}

/// By a reader of patches that is not ours, as the API server's is not.
fn verified(mut object: Value, intended: &Value, patch: Patch) -> Result<Patched, Fault> {
    json_patch::patch_unsafe(&mut object, &patch).map_err(|_| Fault::Mismatch)?;
    if is_same(&object, intended) { Ok(Patched { patch, object }) } else { Err(Fault::Mismatch) }
}

fn operations_of(object: &Value, change: &Change) -> Vec<PatchOperation> {
    match change {
        Change::Set { mapping, key, value } => {
            let mut operations = missing(object, mapping, &json!({}));
            operations.push(add(&mapping.key(key), value));
            operations
        }
        Change::Insert { list, at, items } => inserted(object, list, *at, items),
        Change::Move { mapping, from, to, key, becomes } => {
            let item = from.path(mapping);
            let mut operations = missing(object, &mapping.key(&to.list), &json!([]));
            match becomes {
                KeyChange::Set(value) => operations.push(add(&item.key(key), value)),
                KeyChange::Remove => operations.extend(removed(object, &item.key(key))),
            }
            let (from_item, path) = (pointer_to(&item), pointer_to(&to.path(mapping)));
            operations.push(PatchOperation::Move(MoveOperation { from: from_item, path }));
            operations.extend(emptied(object, &mapping.key(&from.list), 1));
            operations
        }
        Change::Remove { mapping, key } => removed(object, &mapping.key(key)).into_iter().collect(),
        Change::Take { list, at, count } => {
            let one = remove(&list.index(*at));
            std::iter::repeat_n(one, *count).chain(emptied(object, list, *count)).collect()
        }
    }
}

/// Items come into a list. Where there are more of them than it has, it is written as a whole: one operation for all words in
/// front of a command.
fn inserted(object: &Value, list: &Path, at: usize, items: &[Value]) -> Vec<PatchOperation> {
    let there = list.of(object).and_then(Value::as_array).map(Vec::as_slice);
    let there = there.filter(|there| at <= there.len());
    let Some(there) = there.filter(|there| there.len() < items.len() && !there.is_empty()) else {
        let pointer = pointer_to(list);
        let mut operations = missing(object, list, &json!([]));
        operations.extend(items.iter().enumerate().map(|(offset, item)| {
            let path = pointer.with_trailing_token(Token::from(at + offset));
            PatchOperation::Add(AddOperation { path, value: item.clone() })
        }));
        return operations;
    };
    let (before, behind) = there.split_at(at);
    let value = before.iter().chain(items).chain(behind).cloned().collect();
    vec![PatchOperation::Replace(ReplaceOperation { path: pointer_to(list), value })]
}

/// Equal, and mostly in the same order: one is made of the other. Equality of mappings alone looks each key up.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            let is_aligned = one.keys().zip(other.keys()).all(|(one, other)| one == other);
            if is_aligned {
                one.values().zip(other.values()).all(|(one, other)| is_same(one, other))
            } else {
                one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        _ => one == other,
    }
}

/// Makes the parents that are not there; null is as good as nothing.
fn missing(object: &Value, whole: &Path, value: &Value) -> Vec<PatchOperation> {
    let mut part = Some(object);
    let mut operations = Vec::new();
    for (at, step) in whole.0.iter().enumerate() {
        part = part.and_then(|part| step.of(part)).filter(|part| !part.is_null());
        if part.is_none() {
            let is_last = at + 1 == whole.0.len();
            let path = Path(whole.0.iter().take(at + 1).cloned().collect());
            let empty = json!({});
            operations.push(add(&path, if is_last { value } else { &empty }));
        }
    }
    operations
}

/// A key goes, if it is there.
fn removed(object: &Value, path: &Path) -> Option<PatchOperation> {
    path.of(object).map(|_| remove(path))
}

fn emptied(object: &Value, list: &Path, count: usize) -> Option<PatchOperation> {
    let length = list.of(object).and_then(Value::as_array).map(Vec::len);
    (length == Some(count)).then(|| remove(list))
}

fn add(path: &Path, value: &Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: pointer_to(path), value: value.clone() })
}

fn remove(path: &Path) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path: pointer_to(path) })
}

fn pointer_to(path: &Path) -> PointerBuf {
    PointerBuf::from_tokens(path.0.iter().map(|step| match step {
        Step::Key(key) => Token::new(key),
        Step::Index(index) => Token::from(*index),
    }))
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
    fn sameness_is_equality() {
        let of = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let all = [
            r#"{"a":1,"b":[{"c":null},"x"]}"#,
            r#"{"b":[{"c":null},"x"],"a":1}"#,
            r#"{"a":1,"b":["x",{"c":null}]}"#,
            r#"{"a":1,"c":[{"c":null},"x"]}"#,
            r#"{"a":1,"b":[{"c":null}]}"#,
            r#"{"a":1}"#,
            "[]",
            "null",
            "1",
            "1.0",
        ];
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (of(one), of(other)))) {
            assert_eq!(is_same(&one, &other), one == other, "{one} {other}");
        }
    }

    #[test]
    fn a_short_list_is_written_as_a_whole_and_a_long_one_is_not() {
        let object = json!({ "short": ["/app"], "long": [1, 2, 3], "null": null });
        let insert = |list: &str, at, items: &[&str]| Change::Insert {
            list: Path::keys(&[list]),
            at,
            items: items.iter().map(|item| Value::from(*item)).collect(),
        };
        let changes = [insert("short", 0, &["a", "b"]), insert("long", 3, &["c"]), insert("null", 0, &["d"])];
        let patched = patch(object, &changes).unwrap();
        let operations = json!([
            { "op": "replace", "path": "/short", "value": ["a", "b", "/app"] },
            { "op": "add", "path": "/long/3", "value": "c" },
            { "op": "add", "path": "/null", "value": [] },
            { "op": "add", "path": "/null/0", "value": "d" },
        ]);
        assert_eq!(serde_json::to_value(&patched.patch).unwrap(), operations);
        assert_eq!(
            patched.object,
            json!({ "short": ["a", "b", "/app"], "long": [1, 2, 3, "c"], "null": ["d"] })
        );
    }

    #[test]
    fn a_patch_that_does_something_else_does_not_leave() {
        let (object, intended) = (json!({ "a": [1] }), json!({ "a": [1, 2] }));
        let with = |patch: Value| verified(object.clone(), &intended, serde_json::from_value(patch).unwrap());
        assert!(with(json!([{ "op": "add", "path": "/a/-", "value": 2 }])).is_ok());
        assert!(matches!(with(json!([{ "op": "add", "path": "/a/0", "value": 2 }])), Err(Fault::Mismatch)));
        assert!(matches!(with(json!([{ "op": "add", "path": "/b/-", "value": 2 }])), Err(Fault::Mismatch)));
        // What is no part of the change is none of what the patch is tried out on: it may not go there.
        let change =
            [Change::Set { mapping: Path::keys(&["a"]).index(0), key: "b".to_owned(), value: json!(1) }];
        let whole = json!({ "a": [{}, { "c": 1 }], "d": 1 });
        let part = touched(&whole, &change).unwrap();
        let mut intended = part.clone();
        apply(&mut intended, &change).unwrap();
        let with = |patch: Value| verified(part.clone(), &intended, serde_json::from_value(patch).unwrap());
        let right = json!({ "op": "add", "path": "/a/0/b", "value": 1 });
        assert!(with(json!([right])).is_ok());
        for path in ["/d", "/a/1", "/a/1/c", "/e"] {
            for other in
                [json!({ "op": "add", "path": path, "value": 2 }), json!({ "op": "remove", "path": path })]
            {
                assert!(matches!(with(json!([right, other])), Err(Fault::Mismatch)), "{other}");
            }
        }
        let nowhere = [Change::Take { list: Path::keys(&["b"]), at: 0, count: 1 }];
        assert!(matches!(patch(object, &nowhere), Err(Fault::NoPlace(_))));
    }
}
