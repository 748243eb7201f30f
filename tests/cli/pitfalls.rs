//! `docs/pitfalls.md` names the test of every pitfall: those tests are there.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn every_pitfall_has_a_test_or_a_reason_and_every_test_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/pitfalls.md")).unwrap();
    let mut files = vec![];
    for folder in ["tests", "crates/core/tests", "crates/core/src"] {
        sources(&root.join(folder), &mut files);
    }
    let code: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let quoted = text.split('`').skip(1).step_by(2);
    let named: Vec<_> = quoted.filter(|word| word.matches('_').count() >= 2 && !word.contains('!')).collect();
    for name in &named {
        assert!(code.contains(&format!("fn {name}(")), "docs/pitfalls.md names {name}, which is nowhere");
    }
    for n in 1..=46 {
        let start = format!("\n{n}. **");
        let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("no pitfall {n}"));
        let own = rest.split_once(&format!("\n{}. **", n + 1)).map_or(rest, |(own, _)| own);
        assert!(named.iter().any(|name| own.contains(name)), "pitfall {n} names no test");
    }
}
