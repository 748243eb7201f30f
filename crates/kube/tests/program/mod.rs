//! The built program, for tests that give it a manifest by stdin.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// How it ends, and what it says.
pub fn run(words: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever refuses its options does not read, and nobody has to read all of it.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    child.wait_with_output().unwrap()
}
