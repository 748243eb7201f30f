//! `--resolve-images`, as a user runs it, with a registry on loopback.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod fake;
mod limits;
mod login;
mod platforms;
mod words;

use fake::Registry;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A user: a folder with manifests and docker's configuration.
struct User {
    folder: tempfile::TempDir,
}

impl User {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A Job whose main has this image, and these further lines; written as `NAME.yaml`.
    fn job(&self, name: &str, image: &str, lines: &str) -> String {
        let text = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      \
             restartPolicy: Never\n      containers:\n      - name: main\n        image: {image} # the app\n{lines}      \
             - name: istio-proxy\n        image: istio/proxyv2:1.20\n"
        );
        self.file(&format!("{name}.yaml"), &text).display().to_string()
    }

    fn run(&self, words: &[&str]) -> Output {
        // Nothing of the user who runs the tests, and a proxy that nobody must use for loopback.
        Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
            .args(words)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().display()))
            .env("DOCKER_CONFIG", self.folder.path())
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .output()
            .unwrap()
    }

    /// What is injected into a Job with this image.
    fn inject(&self, image: &str, lines: &str, words: &[&str]) -> Injected {
        let file = self.job("report", image, lines);
        let output = self.run(&[&["inject", "--resolve-images", &file], words].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        Injected { text, said }
    }
}

struct Injected {
    text: String,
    said: String,
}

impl Injected {
    fn main(&self) -> serde_json::Value {
        let (documents, error) = kubectl_lastout::yaml::read(&self.text);
        assert_eq!(error, None);
        documents[0].value["spec"]["template"]["spec"]["containers"][0].clone()
    }

    /// What stands behind `--` in the main's command; `None`: it has none.
    fn command(&self) -> Option<Vec<String>> {
        let command: Vec<String> = serde_json::from_value(self.main().get("command")?.clone()).unwrap();
        let behind = command.iter().position(|word| word == "--").unwrap() + 1;
        Some(command[behind..].to_vec())
    }

    #[track_caller]
    fn refused(&self, why: &str) {
        assert_eq!(self.command(), None, "{}", self.said);
        assert!(self.said.contains("unresolved-image"), "{}", self.said);
        assert!(self.said.contains(why), "{}", self.said);
    }
}

fn image(registry: &Registry) -> String {
    format!("{}/team/app:1", registry.authority)
}
