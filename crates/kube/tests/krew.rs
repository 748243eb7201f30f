//! `scripts/krew`: the manifest says of the archives what they are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn krew(folder: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/krew");
    Command::new(script).arg(folder).output().unwrap()
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
    for machine in ["x86_64", "aarch64"] {
        fs::write(folder.path().join(archive(machine)), machine).unwrap();
    }
    let output = krew(folder.path());
    assert!(output.status.success(), "{output:?}");
    let (documents, error) = kubectl_lastout::yaml::read(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(error, None);
    let plugin = &documents[0].value;
    assert_eq!(plugin["spec"]["version"], format!("v{}", env!("CARGO_PKG_VERSION")));
    for (number, (arch, machine)) in [("amd64", "x86_64"), ("arm64", "aarch64")].into_iter().enumerate() {
        let platform = &plugin["spec"]["platforms"][number];
        assert_eq!(platform["selector"]["matchLabels"]["arch"], arch);
        assert_eq!(platform["sha256"], sha256(machine.as_bytes()));
        assert!(platform["uri"].as_str().unwrap().ends_with(&format!("/{}", archive(machine))), "{platform}");
        let root = archive(machine).replace(".tar.gz", "");
        assert_eq!(platform["files"][0]["from"], format!("{root}/kubectl-lastout"));
    }
}

#[test]
fn an_archive_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = krew(folder.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(said.contains(&format!("{} is not there", archive("x86_64"))), "{said}");
}
