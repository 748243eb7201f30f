//! `doctor` and `rescue` before an API server that refuses, forgets, breaks off or talks rubbish.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod api;
mod docs;
mod doctor;
mod rescue;

use std::path::PathBuf;
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
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig: PathBuf = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts: [{{name: here, context: {{cluster: here, user: me, namespace: jobs}}}}]\n\
         clusters: [{{name: here, cluster: {{server: {:?}}}}}]\nusers: [{{name: me, user: {{}}}}]\n",
        api.url
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
        .args(words)
        .env("KUBECONFIG", &kubeconfig)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
