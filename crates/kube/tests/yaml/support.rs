//! The manifests under `tests/manifests`, and changes as an injector makes them, with their inverses.

use kubectl_lastout::change::{Change, Item, KeyChange, Path, Step};
use kubectl_lastout::yaml::{self, Edit, Refused};
use serde_json::{Value, json};

/// Names and texts, in the order of the names.
pub fn manifests() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests");
    let mut manifests: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder of manifests")
        .map(|entry| entry.expect("a manifest").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("a manifest in UTF-8"))
        })
        .collect();
    manifests.sort();
    manifests
}

/// The ways to the pod specs of an object: itself, a template's, those of a list's items.
pub fn pod_specs(value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    look(value, &Path::default(), &mut found);
    found
}

fn look(value: &Value, at: &Path, found: &mut Vec<Path>) {
    if value.get("containers").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        found.push(at.clone());
    }
    for key in ["spec", "template", "jobTemplate"] {
        if let Some(part) = value.get(key) {
            look(part, &at.key(key), found);
        }
    }
    for (index, item) in value.get("items").and_then(Value::as_array).into_iter().flatten().enumerate() {
        look(item, &at.key("items").index(index), found);
    }
}

/// A kind of injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// An init container, a volume, a mount, a command.
    Wrap,
    /// The container at this index goes to the init containers.
    Native(usize),
}

/// What such an injection does to a pod spec, and what undoes it.
pub fn injection(pod: &Value, which: Injection) -> (Vec<Change>, Vec<Change>) {
    let mut changes = Vec::new();
    let mut inverse = Vec::new();
    let root = Path::default();
    let length = |list: &Path| list.of(pod).and_then(Value::as_array).map_or(0, Vec::len);
    let mut insert = |list: Path, at: usize, items: Vec<Value>| {
        inverse.insert(0, Change::Take { list: list.clone(), at, count: items.len() });
        changes.push(Change::Insert { list, at, items });
    };
    match which {
        Injection::Native(index) => {
            let at = length(&root.key("initContainers"));
            let (containers, inits) = (Item::of("containers", index), Item::of("initContainers", at));
            let moved = |from: &Item, to: &Item, becomes| Change::Move {
                mapping: root.clone(),
                from: from.clone(),
                to: to.clone(),
                key: "restartPolicy".to_owned(),
                becomes,
            };
            changes.push(moved(&containers, &inits, KeyChange::Set(json!("Always"))));
            inverse.push(moved(&inits, &containers, KeyChange::Remove));
        }
        Injection::Wrap => {
            let installer = json!({
                "name": "lastout", "image": "registry.example/lastout@sha256:00", "command": ["/lastout", "install", "/.lastout"],
                "resources": { "limits": { "cpu": "20m", "memory": "16Mi" } },
                "securityContext": { "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } },
                "volumeMounts": [{ "name": "lastout", "mountPath": "/.lastout" }],
            });
            insert(root.key("initContainers"), 0, vec![installer]);
            let volume = json!({ "name": "lastout", "emptyDir": { "sizeLimit": "16Mi" } });
            insert(root.key("volumes"), length(&root.key("volumes")), vec![volume]);
            let container = root.key("containers").index(0);
            let mounts = container.key("volumeMounts");
            let mount = json!({ "name": "lastout", "mountPath": "/.lastout", "readOnly": true });
            insert(mounts.clone(), length(&mounts), vec![mount]);
            let command = container.key("command");
            if length(&command) > 0 {
                insert(command, 0, vec![json!("/.lastout/lastout"), json!("--")]);
            } else if command.of(pod).is_none_or(Value::is_null) {
                let value = json!(["/.lastout/lastout", "run", "--", "on"]);
                changes.push(Change::Set { mapping: container.clone(), key: "command".to_owned(), value });
                inverse.insert(0, Change::Remove { mapping: container, key: "command".to_owned() });
            }
        }
    }
    (changes, inverse)
}

/// Whether a list that the injection would fill is null now or, for a container that moves, `[]`: then what undoes it
/// cannot give the same bytes.
pub fn fills_a_gap(pod: &Value, which: Injection) -> bool {
    let path = |keys: &[&str]| Path::keys(keys);
    let container = Path(vec![Step::Key("containers".to_owned()), Step::Index(0)]);
    let is_null = |path: &Path| path.of(pod).is_some_and(Value::is_null);
    let is_empty = |path: &Path| path.of(pod).and_then(Value::as_array).is_some_and(Vec::is_empty);
    let inits = path(&["initContainers"]);
    match which {
        Injection::Native(_) => is_null(&inits) || is_empty(&inits),
        Injection::Wrap => {
            is_null(&inits)
                || is_null(&path(&["volumes"]))
                || is_null(&container.key("volumeMounts"))
                || is_null(&container.key("command"))
        }
    }
}

/// A file with these changes in one of its documents.
pub fn edited(text: &str, document: usize, at: &Path, changes: &[Change]) -> Result<String, Refused> {
    let (documents, _) = yaml::read(text);
    let document = &documents[document];
    let new = yaml::edit(text, document.clone(), &[Edit { at: at.clone(), changes: changes.to_vec() }])?;
    Ok(format!("{}{new}{}", &text[..document.span.start], &text[document.span.end..]))
}

/// Random numbers that are the same each time.
pub struct Random(pub u64);

impl Random {
    /// Below this.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % end.max(1)
    }
}

/// A text with one to four things changed that people change: lines, comments, blanks, line ends, lists.
pub fn mutated(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..=random.below(4) {
        let end = if lines.iter().any(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        let at = random.below(lines.len());
        let column = random.below(5) * 2;
        let indent = lines.get(at).map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
        match random.below(16) {
            0 => lines.insert(at, format!("{}# a comment{end}", " ".repeat(indent))),
            1 => lines.insert(at, format!("{}# another{end}", " ".repeat(column))),
            2 | 3 => lines.insert(at, end.to_owned()),
            4 => lines.insert(at, format!("{}{end}", " ".repeat(column))),
            5 => lines = lines.iter().map(|line| line.trim_end().to_owned() + "\r\n").collect(),
            6 => lines[at] = format!("{} # behind{end}", lines[at].trim_end()),
            7 => lines[at] = format!("{}  {end}", lines[at].trim_end()),
            8 => lines[at] = lines[at].replacen("- ", &format!("-{end}{}", " ".repeat(indent + 2)), 1),
            9 => lines[at] = lines[at].replacen(": ", ": &a ", 1),
            10 => {
                let last = lines.len() - 1;
                lines[last] = lines[last].trim_end().to_owned();
            }
            11 => lines = lines.iter().map(|line| indented_twice(line)).collect(),
            12 => lines[at] = lines[at].replacen("- ", "-   ", 1),
            13 => lines[at] = format!("{}volumes: []{end}", " ".repeat(indent)) + &lines[at],
            14 => {
                let line = lines[at].clone();
                lines.insert(random.below(lines.len()), line);
            }
            _ => drop(lines.remove(at)),
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.concat()
}

fn indented_twice(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    " ".repeat(indent) + line
}
