//! The shell scripts of mains, and the requests in them that ask a known sidecar to quit.

use super::subject::Subject;
use crate::decide::{Sidecar, is_wrapped};
use crate::pod::Container;
use lastout_core::presets::{PRESETS, Preset};

/// A main's script.
pub(super) struct Script<'a> {
    pub(super) container: Container<'a>,
    /// `command` or `args`, and the item.
    pub(super) at: (&'static str, usize),
    pub(super) shell: &'a str,
    pub(super) text: &'a str,
}

/// A request in a script.
pub(super) struct Request {
    /// Where its path begins.
    pub(super) at: usize,
    pub(super) length: usize,
    /// Whose it may be.
    pub(super) rows: Vec<&'static Preset>,
}

/// A main's script asks this sidecar to quit.
pub(super) fn is_asked(subject: &Subject<'_>, sidecar: &Sidecar<'_>) -> bool {
    sidecar.preset.is_some_and(|preset| ask(subject, preset.name))
}

/// A main's script asks the sidecar of this row to quit.
pub(super) fn ask(subject: &Subject<'_>, row: &str) -> bool {
    let scripts = of_mains(subject);
    scripts
        .iter()
        .flat_map(|script| requests(script.text))
        .any(|request| request.rows.iter().any(|of| of.name == row))
}

pub(super) fn of_mains<'a>(subject: &Subject<'a>) -> Vec<Script<'a>> {
    let mains = subject.facts.mains.iter().copied().filter(|main| !is_wrapped(*main));
    mains.filter_map(script).collect()
}

/// `sh -c SCRIPT`, in `command` or with a part of it in `args`.
fn script(container: Container<'_>) -> Option<Script<'_>> {
    let command = container.words("command")?;
    let count = command.len();
    let words: Vec<&str> = command.into_iter().chain(container.words("args").unwrap_or_default()).collect();
    let (shell, options) = words.split_first()?;
    if !["sh", "bash", "ash", "dash", "zsh"].contains(&shell.rsplit('/').next()?) {
        return None;
    }
    let dash_c = options
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?;
    let word = dash_c + 2;
    let at = if word < count { ("command", word) } else { ("args", word - count) };
    Some(Script { container, at, shell, text: words.get(word)? })
}

/// The requests to the quit endpoints of known sidecars.
pub(super) fn requests(script: &str) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    for preset in PRESETS {
        let Some(quit) = preset.quit else { continue };
        // `pilot-agent request POST quitquitquit` has no slash.
        let path = if quit.path == "/quitquitquit" { "quitquitquit" } else { quit.path };
        for (at, _) in script.match_indices(path) {
            if is_behind_flag(script, at) || !is_for(script, at, preset) {
                continue;
            }
            match found.iter_mut().find(|request| request.at == at) {
                Some(request) => request.rows.push(preset),
                None => found.push(Request { at, length: path.len(), rows: vec![preset] }),
            }
        }
    }
    found.sort_by_key(|request| request.at);
    found
}

/// `--quitquitquit` is the sidecar's own flag.
fn is_behind_flag(script: &str, at: usize) -> bool {
    script.get(..at).is_some_and(|before| before.ends_with("--"))
}

/// The port in front of the path is this row's, or nobody's: people set others. A path of few letters needs a host.
fn is_for(script: &str, at: usize, preset: &Preset) -> bool {
    let before = script.get(..at).unwrap_or_default().trim_end_matches('/');
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (host, port) = before.split_at(before.len() - digits);
    let is_whole = script.get(at..).is_some_and(|rest| {
        let path = preset.quit.map_or("", |quit| quit.path.trim_start_matches('/'));
        let behind = rest.trim_start_matches('/').strip_prefix(path).unwrap_or_default();
        !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
    });
    let port: Option<u16> = host.ends_with(':').then(|| port.parse().ok()).flatten();
    let has = |row: &Preset, port: u16| row.quit.is_some_and(|quit| quit.ports.contains(&port));
    match port {
        Some(port) if has(preset, port) => is_whole,
        // Envoy's own admin port in an Istio sidecar, and any other that is nobody's default.
        Some(port) => is_whole && !PRESETS.iter().any(|other| has(other, port)),
        None => is_whole && preset.quit.is_some_and(|quit| quit.path == "/quitquitquit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(script: &str) -> Vec<&str> {
        requests(script).iter().flat_map(|request| &request.rows).map(|row| row.name).collect()
    }

    #[test]
    fn a_request_is_known_by_its_path_and_its_port() {
        assert_eq!(rows("/app; curl -fsI -X POST http://localhost:15020/quitquitquit"), ["istio"]);
        assert_eq!(rows("/app && wget --post-data= http://127.0.0.1:4191/shutdown"), ["linkerd"]);
        assert_eq!(rows("cloud-sql-proxy --quitquitquit & /app"), [""; 0]);
        assert_eq!(rows("curl http://db/shutdown/all; curl http://x:8080/shutdowns"), [""; 0]);
        assert!(rows("/app; curl -X POST localhost:15000/quitquitquit").contains(&"istio"));
        assert!(rows("/app; pilot-agent request POST quitquitquit").contains(&"istio"));
    }
}
