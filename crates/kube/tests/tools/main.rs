//! The plugin beside the real Helm and the real kustomize (`scripts/tools`), without a cluster and without a network. What
//! they make of a chart or an overlay with our program in it is held against what `inject` makes of their plain output.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod api;
mod bundle;
mod helm;
mod kustomize;
mod values;

use serde_json::Value;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::init::skip_without;

const BIN: &str = env!("CARGO_BIN_EXE_kubectl-lastout");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// These files of ours: `crates/kube/tests/tools/NAME`.
fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(name)
}

/// What `scripts/tools WORD` prints.
fn script(word: &str) -> String {
    succeeded(&Command::new(repository().join("scripts/tools")).arg(word).output().unwrap())
}

/// A real program, installed by `scripts/tools`, which finds our plugin on PATH and nothing of its user's.
struct Tool {
    program: PathBuf,
    home: tempfile::TempDir,
}

impl Tool {
    /// None, and one line, where it is not installed; a failure where it must be.
    fn installed(name: &str) -> Option<Self> {
        let program = Path::new(script("dir").trim_end()).join(name);
        if program.exists() {
            return Some(Self { program, home: tempfile::tempdir().unwrap() });
        }
        skip_without(name, &format!("scripts/tools {name} does that: {}", program.display()));
        None
    }

    fn run(&self, words: &[&str]) -> Output {
        let plugin = Path::new(BIN).parent().unwrap().to_path_buf();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([plugin].into_iter().chain(env::split_paths(&path))).unwrap();
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| {
            ["HELM_", "XDG_", "KUBE"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
        }) {
            command.env_remove(name);
        }
        command.args(words).current_dir(self.home.path()).env("HOME", self.home.path()).env("PATH", path);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

/// What it wrote, for it succeeded.
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the plugin makes of a text, when it succeeds.
fn plugin(words: &[&str], input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.yaml");
    fs::write(&path, input).unwrap();
    succeeded(&Command::new(BIN).args(words).arg(&path).output().unwrap())
}

/// By titles: `Job report`.
type Objects = BTreeMap<String, Value>;

/// The objects of a manifest by their titles, as kubectl reads them.
fn objects(manifest: &str) -> Objects {
    let (documents, error) = kubectl_lastout::yaml::read(manifest);
    assert_eq!(error, None, "{manifest}");
    let named = |value: Value| {
        let word = |pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (format!("{} {}", word("/kind"), word("/metadata/name")), value)
    };
    documents.into_iter().map(|document| document.value).filter(|value| !value.is_null()).map(named).collect()
}

/// The command of a container of the pod template at `way`.
fn command<'a>(object: &'a Value, way: &str, container: &str) -> Vec<&'a str> {
    let containers = object.pointer(&format!("{way}/spec/containers")).and_then(Value::as_array).unwrap();
    let container = containers.iter().find(|found| found["name"] == container).unwrap();
    container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

const JOB: &str = "/spec/template";
const CRON_JOB: &str = "/spec/jobTemplate/spec/template";

/// `inject` by hand, without its tool, and back: the bytes that the tool has written.
fn comes_back(plain: &str) {
    let injected = plugin(&["inject", "--strict"], plain);
    assert_ne!(injected, plain);
    assert_eq!(plugin(&["inject", "--strict"], &injected), injected);
    assert_eq!(plugin(&["uninject", "--strict"], &injected), plain);
}

#[test]
fn the_page_says_how_it_is_done_here_and_with_which_versions() {
    let page = fs::read_to_string(repository().join("docs/kubectl.md")).unwrap();
    for words in [&helm::PROGRAM[..], &helm::PLUGIN, &kustomize::FLAGS] {
        assert!(page.contains(&words.join(" ")), "{words:?}");
    }
    let list = script("list");
    let named = |line: &&str| line.starts_with("helm") || line.starts_with("kustomize");
    let rows: Vec<&str> = list.lines().filter(named).collect();
    assert_eq!(rows.len(), 3);
    for (name, version) in rows.into_iter().map(|line| line.split_once(" v").unwrap()) {
        let program = name.trim_end().trim_end_matches(char::is_numeric).replace('h', "H");
        let version = version.rsplit_once('.').unwrap().0;
        assert!(page.contains(&format!("{program} {version}")), "{program} {version}");
    }
}
