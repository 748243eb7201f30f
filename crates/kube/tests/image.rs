//! `scripts/oci` on the plugin's Dockerfile: what is published has both architectures, the same bytes each time, and no more of
//! them than is promised.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];
const SIZE: usize = 50_000;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Two programs for each architecture, which say what they are; one is much larger.
fn context(folder: &Path) {
    for arch in ARCHITECTURES {
        fs::create_dir(folder.join(arch)).unwrap();
        for (name, size) in [("kubectl-lastout", SIZE), ("lastout", 100)] {
            fs::write(folder.join(arch).join(name), format!("{arch} {name} {}", "x".repeat(size))).unwrap();
        }
    }
}

fn image(context: &Path, out: &Path, limit: usize) -> Output {
    let repository = repository();
    Command::new(repository.join("scripts/oci"))
        .arg(out)
        .args(["--tag", "x:1", "--gzip", "--arch", "amd64", "--arch", "arm64", "--arg", "VERSION=1"])
        .args(["--limit", &limit.to_string(), "--context"])
        .arg(context)
        .arg(repository.join("images/kubectl-lastout/Dockerfile"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap()
}

fn blob(archive: &Path, digest: &Value) -> Vec<u8> {
    let name = format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"));
    let output = Command::new("tar").arg("-xOf").arg(archive).arg(name).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn json(archive: &Path, digest: &Value) -> Value {
    serde_json::from_slice(&blob(archive, digest)).unwrap()
}

#[test]
fn the_image_has_both_programs_for_both_architectures() {
    let folder = tempfile::tempdir().unwrap();
    context(folder.path());
    let archive = folder.path().join("image.tar");
    let output = image(folder.path(), &archive, 4 * SIZE);
    assert!(output.status.success(), "{output:?}");
    let index = Command::new("tar").arg("-xOf").arg(&archive).arg("index.json").output().unwrap().stdout;
    let index: Value = serde_json::from_slice(&index).unwrap();
    let index = json(&archive, &index["manifests"][0]["digest"]);
    let told = String::from_utf8(output.stdout).unwrap();
    for (number, arch) in ARCHITECTURES.into_iter().enumerate() {
        let entry = &index["manifests"][number];
        assert_eq!(entry["platform"]["architecture"], arch);
        let manifest = json(&archive, &entry["digest"]);
        assert_eq!(json(&archive, &manifest["config"]["digest"])["architecture"], arch);
        let mut unpacked = 0;
        for (layer, name) in manifest["layers"].as_array().unwrap().iter().zip(["kubectl-lastout", "lastout"])
        {
            let packed = folder.path().join("layer.tar.gz");
            fs::write(&packed, blob(&archive, &layer["digest"])).unwrap();
            let content = Command::new("tar").arg("-xzOf").arg(&packed).arg(name).output().unwrap().stdout;
            assert!(content.starts_with(format!("{arch} {name} ").as_bytes()), "{arch} {name}");
            unpacked += Command::new("gzip").arg("-dc").arg(&packed).output().unwrap().stdout.len();
        }
        // What is told is the size of the layers.
        let line = told.lines().find(|line| line.starts_with(&format!("x:1 {arch} "))).unwrap();
        assert!(line.contains(&format!(" {unpacked} bytes")), "{line}: {unpacked}");
    }
}

#[test]
fn the_image_is_the_same_bytes_each_time() {
    let made = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()].map(|folder| {
        context(folder.path());
        let archive = folder.path().join("image.tar");
        assert!(image(folder.path(), &archive, 4 * SIZE).status.success());
        fs::read(archive).unwrap()
    });
    assert!(made[0] == made[1]);
}

#[test]
fn an_image_whose_layers_are_too_large_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    context(folder.path());
    let before = fs::read_dir(folder.path()).unwrap().count();
    // The files are smaller, the layers are not: tar's headers and padding count.
    let output = image(folder.path(), &folder.path().join("image.tar"), SIZE + 500);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("the layers of x:1 for amd64 have "), "{said}");
    assert!(said.contains(&format!("more than {}", SIZE + 500)), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
}
