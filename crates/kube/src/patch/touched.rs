//! The part of an object that changes name: what a patch does is tried out on it alone, for most of a pod stays as it is.

use crate::change::{Change, Path, Step};
use serde_json::Value;

/// A copy of what the changes name and of the ways to it. An item beside these ways is null, and a key beside them is left out;
/// an operation that went there would fail or make another object than the changes.
///
/// `None`: an item goes to another list, or out of one, and the changes behind it name places by their new numbers.
pub(super) fn touched(object: &Value, changes: &[Change]) -> Option<Value> {
    let ways: Option<Vec<Path>> = changes.iter().map(way).collect();
    let ways = ways?;
    Some(copy(object, &ways.iter().map(|way| way.0.as_slice()).collect::<Vec<_>>()))
}

/// What is copied as a whole. An insertion moves the items behind it, so its list is.
fn way(change: &Change) -> Option<Path> {
    match change {
        Change::Set { mapping, key, .. } | Change::Remove { mapping, key } => Some(mapping.key(key)),
        Change::Insert { list, .. } => Some(list.clone()),
        Change::Move { .. } | Change::Take { .. } => None,
    }
}

fn copy(value: &Value, ways: &[&[Step]]) -> Value {
    if ways.iter().any(|way| way.is_empty()) {
        return value.clone();
    }
    let behind = |step: &dyn Fn(&Step) -> bool| -> Vec<&[Step]> {
        ways.iter()
            .filter_map(|way| way.split_first().filter(|(first, _)| step(first)))
            .map(|(_, rest)| rest)
            .collect()
    };
    match value {
        Value::Object(entries) => {
            let mut part = serde_json::Map::new();
            for way in ways {
                if let Some(Step::Key(key)) = way.first()
                    && !part.contains_key(key)
                    && let Some(entry) = entries.get(key)
                {
                    let ways = behind(&|step| matches!(step, Step::Key(other) if other == key));
                    part.insert(key.clone(), copy(entry, &ways));
                }
            }
            part.into()
        }
        Value::Array(items) => {
            let item = |(at, item)| {
                let ways = behind(&|step| matches!(step, Step::Index(index) if *index == at));
                if ways.is_empty() { Value::Null } else { copy(item, &ways) }
            };
            items.iter().enumerate().map(item).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_part_has_what_is_named_and_the_numbers_of_all_items() {
        let object = json!({
            "kind": "Pod",
            "metadata": { "name": "x", "labels": { "a": "b" } },
            "spec": { "containers": [{ "name": "a" }, { "name": "b", "command": ["x"], "env": [1] }], "volumes": [{ "name": "v" }] },
        });
        let insert = |list: Path| Change::Insert { list, at: 0, items: vec![json!(1)] };
        let container = |index| Path::keys(&["spec", "containers"]).index(index);
        let set = |mapping: Path, key: &str| Change::Set { mapping, key: key.to_owned(), value: json!(1) };
        let changes = [
            insert(Path::keys(&["spec", "volumes"])),
            insert(container(1).key("command")),
            set(Path::keys(&["metadata", "annotations"]), "c"),
            set(container(1), "name"),
        ];
        let part = json!({
            "metadata": {},
            "spec": { "containers": [null, { "name": "b", "command": ["x"] }], "volumes": [{ "name": "v" }] },
        });
        assert_eq!(touched(&object, &changes), Some(part));
        // An item that comes into a list moves the others: all of them are there.
        let changes = [insert(Path::keys(&["spec", "containers"])), set(container(2), "name")];
        assert_eq!(touched(&object, &changes).unwrap()["spec"]["containers"], object["spec"]["containers"]);
        let take = Change::Take { list: Path::keys(&["spec", "volumes"]), at: 0, count: 1 };
        assert_eq!(touched(&object, &[take]), None);
    }
}
