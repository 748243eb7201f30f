//! `kubectl lastout check`, over the built binary, and its page in the docs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

mod agree;
mod input;
mod output;
mod places;
#[path = "../program/mod.rs"]
mod program;
mod rules;
mod sarif;
mod scripts;
mod settings;

use program::run;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A Job with these containers, in flow style or as block items of eight spaces.
pub(crate) fn job(pod: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{ name: report }}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n{pod}"
    )
}

pub(crate) const HANGS: &str = "      containers:
      - name: report
        image: r/report:1
        command: [/app/report]
      - name: istio-proxy
        image: istio/proxyv2:1
";

/// The same, with what a Cloud SQL proxy needs left out.
pub(crate) const DISTROLESS: &str = "      containers:
      - name: report
        image: r/distroless:1
        command: [/app/report]
      - name: istio-proxy
        image: istio/proxyv2:1
      - name: cloud-sql-proxy
        image: r/cloud-sql-proxy:2
        args:
        - project:region:instance
";

pub(crate) fn check(words: &[&str], stdin: &str) -> (i32, String, String) {
    let output = run(&[&["check"], words].concat(), stdin);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The rules that fire, in the order of the text, and the findings.
pub(crate) fn findings(manifest: &str) -> (Vec<String>, Vec<Value>) {
    let (_, stdout, stderr) = check(&["-o", "json", "-"], manifest);
    let whole: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    assert_eq!(whole["summary"]["unreadable"], 0, "{stderr}");
    let findings = whole["findings"].as_array().unwrap().clone();
    let rules = findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect();
    (rules, findings)
}

pub(crate) fn rules(manifest: &str) -> Vec<String> {
    findings(manifest).0
}

pub(crate) fn file(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A main that lastout runs beside an Istio proxy.
pub(crate) fn wrapped(options: &str) -> String {
    format!(
        "      volumes: [{{ name: lastout, image: {{ reference: l }} }}]
      containers:
      - name: report
        image: r/report:1
        command: [/.lastout/lastout, {options}, --, /app/report]
        volumeMounts: [{{ name: lastout, mountPath: /.lastout, readOnly: true }}]
      - name: istio-proxy
        image: istio/proxyv2:1
"
    )
}

/// The manifests of the page, before and after.
pub(crate) fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/check.md")).unwrap();
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}
