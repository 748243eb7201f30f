//! The fenced blocks of a page, and a shell in which those are run that show a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A fenced block.
pub struct Block {
    /// What stands behind its first fence: a language, and for us a word more.
    pub info: String,
    /// Its lines.
    pub text: String,
}

/// All blocks of a page, in its order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(info), false) => found.push(Block { info: info.to_owned(), text: String::new() }),
            (Some(_), true) => {}
            (None, true) => found.last_mut().unwrap().text.push_str(&format!("{line}\n")),
            (None, false) => continue,
        }
        open = line != "```" || !open;
    }
    found
}

/// A block that shows a terminal: each command (`$ COMMAND`), and what it prints.
pub fn commands(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => found.push((command.to_owned(), String::new())),
            None => found.last_mut().unwrap().1.push_str(&format!("{line}\n")),
        }
    }
    found
}

/// A folder in which the commands of a page are run, with a `kubectl` that knows this plugin and nothing else.
pub struct Terminal {
    folder: TempDir,
    programs: TempDir,
}

impl Terminal {
    /// With an empty folder.
    pub fn new() -> Self {
        let (folder, programs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let kubectl = programs.path().join("kubectl");
        let plugin = env!("CARGO_BIN_EXE_kubectl-lastout");
        let script = format!("#!/bin/sh\n[ \"$1\" = lastout ] || exit 99\nshift\nexec '{plugin}' \"$@\"\n");
        fs::write(&kubectl, script).unwrap();
        fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, programs }
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a command prints, on both streams.
    pub fn run(&self, command: &str) -> String {
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .env("PATH", path)
            .current_dir(self.folder())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}
