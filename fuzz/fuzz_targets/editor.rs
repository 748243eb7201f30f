//! Any text, and a few changes of it: no panic, and what comes out is what was meant. `edit` compares that itself; here
//! it is read as a whole file, with what stands around the document. The last 24 bytes choose the change.
#![no_main]

use kubectl_lastout::change::{Change, Item, KeyChange, Path, Step};
use kubectl_lastout::yaml::{self, Edit};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// A way into the value, as these bytes lead.
fn lead(value: &Value, bytes: &mut impl Iterator<Item = u8>) -> Path {
    let mut path = Path::default();
    let mut at = value;
    for _ in 0..bytes.next().unwrap_or(0) % 6 {
        let pick = usize::from(bytes.next().unwrap_or(0));
        let (step, next) = match at {
            Value::Object(entries) if !entries.is_empty() => {
                let (key, value) = entries.iter().nth(pick % entries.len()).expect("an entry");
                (Step::Key(key.clone()), value)
            }
            Value::Array(items) if !items.is_empty() => {
                (Step::Index(pick % items.len()), &items[pick % items.len()])
            }
            _ => break,
        };
        path.0.push(step);
        at = next;
    }
    path
}

fuzz_target!(|bytes: &[u8]| {
    let Some((bytes, choice)) = bytes.len().checked_sub(24).map(|end| bytes.split_at(end)) else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut choice = choice.iter().copied();
    let (documents, error) = yaml::read(text);
    if error.is_some() || documents.is_empty() {
        return;
    }
    let number = usize::from(choice.next().unwrap_or(0)) % documents.len();
    let document = &documents[number];
    let path = lead(&document.value, &mut choice);
    let index = usize::from(choice.next().unwrap_or(0) % 4);
    let item = json!({ "name": "new", "list": ["a", "on"], "mapping": { "x": 1 } });
    let change = match choice.next().unwrap_or(0) % 5 {
        0 => Change::Set { mapping: path, key: "new".to_owned(), value: item },
        1 => Change::Insert { list: path, at: index, items: vec![item] },
        2 => Change::Take { list: path, at: index, count: 1 },
        3 => match path.0.split_last() {
            Some((Step::Key(key), mapping)) => {
                Change::Remove { mapping: Path(mapping.to_vec()), key: key.clone() }
            }
            _ => return,
        },
        _ => match path.0.split_last() {
            Some((Step::Key(key), mapping)) => Change::Move {
                mapping: Path(mapping.to_vec()),
                from: Item::of(key, index),
                to: Item::of("initContainers", 0),
                key: "restartPolicy".to_owned(),
                becomes: KeyChange::Set(json!("Always")),
            },
            _ => return,
        },
    };
    let edit = Edit { at: Path::default(), changes: vec![change] };
    let Ok(new) = yaml::edit(text, document.clone(), &[edit]) else { return };
    let file = format!("{}{new}{}", &text[..document.span.start], &text[document.span.end..]);
    let (after, error) = yaml::read(&file);
    assert!(error.is_none(), "{error:?}\n{file}");
    for (other, (before, after)) in documents.iter().zip(&after).enumerate() {
        assert!(other == number || before.value == after.value, "{file}");
    }
});
