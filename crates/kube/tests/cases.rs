//! One file a case: what `explain` says of it, and what `inject` changes. `LASTOUT_BLESS=1` writes what is so now.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn run(folder: &Path, words: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_kubectl-lastout")).current_dir(folder).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_case_is_explained_and_changed_as_it_was_when_it_was_read_by_a_person() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut reasons = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let options: Vec<&str> =
            text.lines().next().unwrap().strip_prefix("# inject:").unwrap().split_whitespace().collect();
        let explained = run(&folder, &[&["explain"], &options[..], &[name]].concat());
        let diff = run(&folder, &[&["inject", "--strict", "--diff"], &options[..], &[name]].concat());
        let found = format!("{explained}\n{diff}");
        reasons.extend(
            explained
                .lines()
                .filter_map(|line| Some(line.strip_prefix("└─ ")?.split(':').next()?.to_owned())),
        );
        let golden = path.with_extension("golden");
        if !support::golden::is(&golden, &found) {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What only admission or a registry can lead to, and what is a fault of ours.
    let elsewhere = ["not-selected", "unresolved-image", "patch-mismatch", "internal"];
    for reason in kubectl_lastout::decide::Reason::ALL {
        assert!(
            reasons.contains(reason.slug()) || elsewhere.contains(&reason.slug()),
            "no case has the reason {reason}"
        );
    }
}
