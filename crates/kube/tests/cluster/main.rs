//! `doctor` and `rescue` before an API server that refuses, forgets, breaks off or talks rubbish.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod api;
mod docs;
mod doctor;
mod kubeconfig;
mod rescue;

use std::path::Path;
use std::process::{Command, Stdio};

/// How a run of the plugin ended.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
}

/// Runs the plugin against this server.
pub fn run(api: &api::Api, words: &[&str]) -> Ran {
    run_as(api, "user: {}", words, |_, _| {})
}

/// The same as this user (`user: …`, in YAML), and with what `change` does to the command; it gets the kubeconfig's path too.
pub fn run_as(api: &api::Api, user: &str, words: &[&str], change: impl FnOnce(&mut Command, &Path)) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts: [{{name: here, context: {{cluster: here, user: me, namespace: jobs}}}}]\n\
         clusters: [{{name: here, cluster: {{server: {:?}}}}}]\nusers: [{{name: me, {user}}}]\n",
        api.url
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"));
    command.args(words).env("KUBECONFIG", &kubeconfig).stdin(Stdio::null());
    change(&mut command, &kubeconfig);
    let done = command.output().unwrap();
    Ran {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
