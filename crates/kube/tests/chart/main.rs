//! `charts/lastout` is made here, of what the program prints: `LASTOUT_BLESS=1` writes it, and without that the test fails where
//! it is not what it would be. What Helm makes of it is in `tools`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod merge;
mod slots;
mod templates;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use support::golden;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The chart's files.
fn files() -> BTreeMap<String, String> {
    let version = env!("CARGO_PKG_VERSION");
    let about = format!(
        "apiVersion: v2\nname: lastout\ndescription: Ends the sidecars of Jobs when their mains are over\ntype: application\n\
         version: {version}\nappVersion: {version:?}\nkubeVersion: \">=1.28.0-0\"\n"
    );
    let mut files = templates::webhook();
    files.extend(templates::policies());
    for (name, text) in [
        ("Chart.yaml", about),
        ("values.yaml", values::values()),
        ("values.schema.json", values::schema()),
        ("templates/_helpers.tpl", include_str!("helpers.tpl").to_owned()),
        ("templates/NOTES.txt", include_str!("NOTES.txt").to_owned()),
        ("templates/tests/webhook.yaml", include_str!("test.yaml").to_owned()),
    ] {
        assert_eq!(files.insert(name.to_owned(), text), None, "{name}");
    }
    files
}

/// The names of the files below a folder.
fn names(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder.join(below)).into_iter().flatten().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            names(folder, &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn the_chart_is_what_it_would_be_if_it_were_made_now() {
    let folder = repository().join("charts/lastout");
    let files = files();
    if golden::is_blessing() {
        let _ = fs::remove_dir_all(&folder);
        for name in files.keys() {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        }
    }
    for (name, text) in &files {
        golden::held(&folder.join(name), text);
    }
    let mut found = BTreeSet::new();
    names(&folder, "", &mut found);
    assert_eq!(found, files.keys().cloned().collect(), "LASTOUT_BLESS=1 writes it anew");
}

#[test]
fn the_page_of_the_webhook_names_every_value() {
    let page = fs::read_to_string(repository().join("docs/webhook.md")).unwrap();
    for row in values::rows() {
        assert!(page.contains(&format!("`{}`", row.path)), "{}", row.path);
    }
}
