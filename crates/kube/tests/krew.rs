//! `scripts/krew` and `scripts/archive`: the manifest says of the archives what they are, and what it takes from them is there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name))
}

fn krew(folder: &Path) -> Output {
    script("krew").arg(folder).output().unwrap()
}

fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// As `scripts/dist` makes them, of a program that says for which machine it is.
fn archives(folder: &Path) {
    for machine in ["x86_64", "aarch64"] {
        let binary = folder.join(machine).join("kubectl-lastout");
        fs::create_dir(binary.parent().unwrap()).unwrap();
        fs::write(&binary, machine).unwrap();
        let made = succeeded(script("archive").arg(folder).arg(machine).arg(binary));
        assert_eq!(Path::new(made.trim()).file_name().unwrap(), &*archive(machine));
    }
}

fn archive(machine: &str) -> String {
    format!("kubectl-lastout-{}-{machine}-linux.tar.gz", env!("CARGO_PKG_VERSION"))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn krews_manifest_has_the_digests_of_the_archives() {
    let folder = tempfile::tempdir().unwrap();
    archives(folder.path());
    let output = krew(folder.path());
    assert!(output.status.success(), "{output:?}");
    let (documents, error) = kubectl_lastout::yaml::read(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(error, None);
    let plugin = &documents[0].value;
    assert_eq!(plugin["spec"]["version"], format!("v{}", env!("CARGO_PKG_VERSION")));
    for (number, (arch, machine)) in [("amd64", "x86_64"), ("arm64", "aarch64")].into_iter().enumerate() {
        let platform = &plugin["spec"]["platforms"][number];
        assert_eq!(platform["selector"], json!({ "matchLabels": { "os": "linux", "arch": arch } }));
        let path = folder.path().join(archive(machine));
        assert_eq!(platform["sha256"], sha256(&fs::read(&path).unwrap()));
        assert!(platform["uri"].as_str().unwrap().ends_with(&format!("/{}", archive(machine))), "{platform}");
        // What krew takes out of the archive is in it; what it links is among that.
        let mut taken = Vec::new();
        for file in platform["files"].as_array().unwrap() {
            let from = file["from"].as_str().unwrap();
            assert_eq!(file["to"], ".");
            taken.push(from.rsplit('/').next().unwrap());
            let content = succeeded(Command::new("tar").arg("-xzOf").arg(&path).arg(from));
            assert!(if from.ends_with("LICENSE") {
                content.contains("Apache License")
            } else {
                content == machine
            });
        }
        assert_eq!(taken, ["kubectl-lastout", "LICENSE"]);
        assert_eq!(platform["bin"], taken[0]);
        let listed = succeeded(Command::new("tar").arg("-tvzf").arg(&path));
        assert!(
            listed.lines().any(|line| line.starts_with("-rwxr-xr-x") && line.ends_with("/kubectl-lastout")),
            "{listed}"
        );
    }
}

#[test]
fn an_archive_is_the_same_bytes_each_time() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| {
        archives(folder.path());
        fs::read(folder.path().join(archive("x86_64"))).unwrap()
    });
    assert_eq!(one, other);
}

#[test]
fn an_archive_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = krew(folder.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(said.contains(&format!("{} is not there", archive("x86_64"))), "{said}");
}
