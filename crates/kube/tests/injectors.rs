//! Manifests as other injectors write them: what is decided about their pods, and what `inject` makes of them. They belong to
//! others and are not here: LASTOUT_FIXTURES names a folder with them (CONTRIBUTING.md). `LASTOUT_BLESS=1` writes what is so now.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use kubectl_lastout::change::{self, Change};
use kubectl_lastout::decide::{Context, Decision, ImageConfig, Known, Options, RoleKind};
use kubectl_lastout::manifest::{Manifest, edited as edited_text};
use kubectl_lastout::{args, cli, patch};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Five ways to change a pod, on nodes that have all of Kubernetes 1.36.
const WAYS: [(&str, &[&str]); 5] = [
    ("auto", &[]),
    ("native", &["--mode", "native"]),
    ("wrap by init container", &["--mode", "wrap", "--delivery", "init-container"]),
    ("wrap by image volume", &["--mode", "wrap", "--delivery", "image-volume"]),
    ("helper", &["--mode", "helper"]),
];

fn options(words: &[&str]) -> (Options, Known) {
    let words = [&["kubectl-lastout", "inject", "--kube-version", "1.36"], words, &["-"]].concat();
    let matches = cli::definition().try_get_matches_from(words).unwrap();
    let matches = matches.subcommand().unwrap().1;
    (args::options(matches), args::known(matches))
}

/// The text with changes of these documents.
fn edited(text: &str, changes: Vec<(usize, change::Path, Vec<Change>)>) -> String {
    let mut documents = 0..;
    let of = |document| {
        let own = changes.iter().filter(move |(number, ..)| *number == document);
        own.map(|(_, at, changes)| (at.clone(), changes.clone())).collect()
    };
    let edited = edited_text(text.to_owned(), |_| of(documents.next().unwrap())).unwrap();
    assert_eq!(edited.refused, [], "none of them has to be written anew");
    edited.after
}

fn read(text: &str) -> Manifest {
    Manifest::read(text).unwrap()
}

fn uninjected(text: &str) -> String {
    let undone = read(text).undo(&[]);
    edited(
        text,
        undone.into_iter().map(|(document, pod, changes)| (document, pod.pod, changes.unwrap())).collect(),
    )
}

/// What `inject` makes of a text, and for people: what is decided, the patch, the lines that change.
fn injected(text: &str, options: &Options, known: &Known) -> (String, String) {
    let manifest = read(text);
    let (mut told, mut edits) = (String::new(), Vec::new());
    let mut intended: Vec<Value> =
        manifest.documents().iter().map(|document| document.value.clone()).collect();
    for judged in manifest.judge(Context::new(known), options, &[]) {
        let Decision { changes, .. } = &judged.decision;
        told.push_str(&words(&judged.workload.title(), &judged.decision));
        let object = intended.get_mut(judged.document).unwrap();
        let whole: Vec<_> = changes.iter().map(|change| change.under(&judged.workload.pod)).collect();
        let patched = patch::patch(object.clone(), &whole).unwrap();
        let operations = serde_json::to_value(&patched.patch).unwrap();
        for operation in operations.as_array().unwrap() {
            let member = |key: &str| operation.get(key).map(|value| format!(" {value}")).unwrap_or_default();
            let op = operation.get("op").and_then(Value::as_str).unwrap();
            let _ = writeln!(told, "  {op}{}{}{}", member("from"), member("path"), member("value"));
        }
        let operations: json_patch::Patch = serde_json::from_value(operations).unwrap();
        json_patch::patch(object, &operations).unwrap();
        edits.push((judged.document, judged.workload.pod, judged.decision.changes));
    }
    let result = edited(text, edits);
    let found: Vec<Value> = read(&result).documents().iter().map(|document| document.value.clone()).collect();
    assert_eq!(found, intended, "the patch and the text are two ways to the same objects");
    if result != text {
        let diff = similar::TextDiff::from_lines(text, &result);
        let count =
            |tag: similar::ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        let _ = writeln!(
            told,
            "  lines: {} more, {} fewer; SHA-256 {}",
            count(similar::ChangeTag::Insert),
            count(similar::ChangeTag::Delete),
            digest(&result)
        );
    }
    (result, told)
}

fn words(title: &str, decision: &Decision) -> String {
    let about = if decision.about.is_empty() { String::new() } else { format!(" ({})", decision.about) };
    let mut told = format!("{title}: {}{about}\n", decision.reason);
    for role in &decision.containers {
        let what = match &role.kind {
            RoleKind::Main { stop_on } => format!("main, over after: {stop_on}"),
            RoleKind::Sidecar { spec } => format!("sidecar, {spec}"),
            RoleKind::NativeSidecar => "native sidecar".to_owned(),
            RoleKind::Excluded => "left out".to_owned(),
        };
        let _ = writeln!(told, "  {}: {what}", role.name);
    }
    for line in decision
        .promised
        .iter()
        .map(|name| format!("{name}: will come"))
        .chain(decision.warnings.iter().map(ToString::to_string))
    {
        let _ = writeln!(told, "  {line}");
    }
    told
}

fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the golden file of a manifest holds: equal ways stand together.
fn found(text: &str) -> String {
    let mut sections: Vec<(String, String)> = Vec::new();
    for (way, words) in WAYS {
        let (options, said) = options(words);
        let images = read(text).images_wanted(Context::new(&said), &options, &[]);
        let mut asked = said.clone();
        asked.images.extend(images.iter().map(|image| {
            let config = ImageConfig { entrypoint: vec!["/entrypoint".to_owned()], ..ImageConfig::default() };
            (image.clone(), Ok(config))
        }));
        let mut variants = vec![(way.to_owned(), said)];
        if !images.is_empty() {
            variants.push((format!("{way} with --resolve-images"), asked));
        }
        for (way, known) in variants {
            let (once, told) = injected(text, &options, &known);
            assert_eq!(injected(&once, &options, &known).0, once, "{way}: inject twice is inject");
            assert!(uninjected(&once) == text, "{way}: uninject gives the bytes back");
            match sections.iter_mut().find(|(_, other)| *other == told) {
                Some((ways, _)) => ways.push_str(&format!(", {way}")),
                None => sections.push((way, told)),
            }
        }
    }
    sections.iter().map(|(ways, told)| format!("# {ways}\n{told}\n")).collect()
}

/// The manifests below a folder, by their path with `-` for `/`.
fn manifests(folder: &Path, before: &str, all: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{before}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            manifests(&path, &format!("{name}-"), all);
        } else if [".yaml", ".yml", ".injected"].iter().any(|end| name.ends_with(end)) {
            all.insert(name, path);
        }
    }
}

#[test]
fn each_manifest_of_another_injector_is_decided_on_and_changed_as_it_was_when_a_person_read_it() {
    let Some(folder) = std::env::var_os("LASTOUT_FIXTURES") else {
        let _ = writeln!(std::io::stderr(), "skipped: LASTOUT_FIXTURES names no folder with manifests");
        return;
    };
    let mut all = BTreeMap::new();
    manifests(Path::new(&folder), "", &mut all);
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/injectors");
    let (mut known, mut wrong) = (BTreeSet::new(), Vec::new());
    for entry in fs::read_dir(&goldens).unwrap() {
        known.insert(entry.unwrap().file_name().into_string().unwrap());
    }
    for (name, path) in all {
        let found = found(&fs::read_to_string(&path).unwrap());
        let golden = goldens.join(format!("{name}.golden"));
        known.remove(&format!("{name}.golden"));
        if !support::golden::is(&golden, &found) {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known.is_empty(), "golden files without a manifest: {known:?}");
}
