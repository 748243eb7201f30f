//! The scripts that mains run by a shell, and what these do about sidecars: ask them to quit, or run lastout.

use super::shell::{Command, Part, Word, parts};
use super::subject::Subject;
use crate::decide::{Sidecar, is_ended, is_wrapped};
use crate::pod::Container;
use lastout_core::argv::{self, Subcommand};
use lastout_core::presets::{PRESETS, Preset};
use lastout_core::settings::{Settings, resolve};
use std::ops::Range;

/// A main's script.
pub(super) struct Script<'a> {
    pub(super) container: Container<'a>,
    /// The command line, and which of its words is the script.
    pub(super) words: Vec<&'a str>,
    pub(super) word: usize,
    /// `command` or `args`, and the item.
    pub(super) at: (&'static str, usize),
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

/// Scripts in scripts (`sh -c`, `trap`, `$(…)`) that are looked into.
const DEPTH: usize = 8;

/// Programs that send the request that their arguments name.
pub(super) const CLIENTS: [&str; 6] = ["curl", "wget", "pilot-agent", "http", "xh", "grpcurl"];

/// Programs that run a script in a language of their own: a request in it is taken as made.
const INTERPRETERS: [&str; 7] = ["python", "python3", "perl", "ruby", "node", "php", "awk"];

/// Programs that send what they are given: by `printf 'POST …' | nc`.
const PIPES: [&str; 6] = ["nc", "ncat", "netcat", "socat", "telnet", "openssl"];

const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "zsh"];

/// Programs that run the command behind their own options.
const RUNNERS: [&str; 10] =
    ["exec", "command", "time", "timeout", "env", "nohup", "nice", "sudo", "busybox", "setsid"];

/// A main asks this sidecar to quit by its script, or runs lastout in it, which does.
pub(super) fn is_asked(subject: &Subject<'_>, sidecar: &Sidecar<'_>) -> bool {
    let is_row_asked = sidecar.preset.is_some_and(|preset| ask(subject, preset.name));
    is_row_asked
        || told(subject)
            .iter()
            .flat_map(|settings| &settings.sidecars)
            .any(|spec| is_ended(spec) && sidecar.is_meant_by(spec))
}

/// A main's script asks the sidecar of this row to quit.
pub(super) fn ask(subject: &Subject<'_>, row: &str) -> bool {
    let scripts = of_mains(subject);
    scripts
        .iter()
        .flat_map(|script| requests(script.text))
        .any(|request| request.rows.iter().any(|of| of.name == row))
}

/// The scripts of the mains that lastout does not run.
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
    let word = 1 + script_of(shell, options.iter().copied())?;
    let at = if word < count { ("command", word) } else { ("args", word - count) };
    let text = words.get(word)?;
    Some(Script { container, word, at, text, words })
}

/// Which of a shell's arguments is the script.
fn script_of<'a>(shell: &str, mut arguments: impl Iterator<Item = &'a str>) -> Option<usize> {
    let is_c = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    if !SHELLS.contains(&program(shell)) {
        return None;
    }
    Some(arguments.position(is_c)? + 1)
}

/// What lastout is told by scripts that run it. A command line that cannot be read tells it nothing.
fn told(subject: &Subject<'_>) -> Vec<Settings> {
    let mut told = Vec::new();
    for script in of_mains(subject) {
        let mut read = |command: &[Word]| {
            let Some((_, words)) = command.split_first().filter(|(name, _)| program(&name.text) == "lastout")
            else {
                return;
            };
            let bytes: Vec<&[u8]> = words.iter().map(|word| word.text.as_bytes()).collect();
            let line = argv::scan(&bytes);
            let Subcommand::Work(verb) = line.subcommand else { return };
            let env = |name: &str| script.container.env(name).map(str::to_owned);
            told.push(resolve(verb, line.values.iter().map(argv::Given::raw), &env).settings);
        };
        each_command(script.text, 0..script.text.len(), DEPTH, &mut |command, _| {
            read(runs(command.program()))
        });
    }
    told
}

/// The requests to the quit endpoints of known sidecars: in the arguments of a command that sends them, so neither in a
/// comment nor in what is only printed.
pub(super) fn requests(script: &str) -> Vec<Request> {
    let mut sent: Vec<Range<usize>> = Vec::new();
    each_command(script, 0..script.len(), DEPTH, &mut |command, piped| {
        let Some((name, arguments)) = runs(command.program()).split_first() else { return };
        let name = program(&name.text);
        if CLIENTS.contains(&name) || INTERPRETERS.contains(&name) {
            sent.extend(arguments.iter().map(|word| word.range.clone()));
        } else if PIPES.contains(&name) {
            let printed = piped.filter(|piped| {
                piped.program().first().is_some_and(|name| ["echo", "printf"].contains(&program(&name.text)))
            });
            sent.extend(printed.into_iter().flat_map(|piped| &piped.words).map(|word| word.range.clone()));
        }
    });
    let mut found: Vec<Request> = Vec::new();
    for preset in PRESETS {
        let Some(quit) = preset.quit else { continue };
        // `pilot-agent request POST quitquitquit` has no slash.
        let path = if quit.path == "/quitquitquit" { "quitquitquit" } else { quit.path };
        for (at, _) in script.match_indices(path) {
            if !sent.iter().any(|word| word.contains(&at)) || !is_for(script, at, preset) {
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

/// Every command of a script and of the scripts in it, with the one whose output it reads.
fn each_command(
    script: &str,
    within: Range<usize>,
    depth: usize,
    look: &mut impl FnMut(&Command, Option<&Command>),
) {
    let Some(parts) = parts(script, within).filter(|_| depth > 0) else { return };
    for (at, part) in parts.iter().enumerate() {
        let Part::Command(command) = part else { continue };
        let before = at.checked_sub(2).and_then(|first| parts.get(first..at));
        let piped = match before {
            Some([Part::Command(piped), Part::Operator("|" | "|&")]) => Some(piped),
            _ => None,
        };
        look(command, piped);
        let mut inner: Vec<Range<usize>> = command.words.iter().flat_map(|word| word.inner.clone()).collect();
        if let Some((name, arguments)) = runs(command.program()).split_first() {
            let texts = arguments.iter().map(|word| word.text.as_str());
            let scripts = match program(&name.text) {
                "trap" | "eval" => Some(0),
                shell => script_of(shell, texts),
            };
            inner.extend(scripts.and_then(|at| arguments.get(at)).map(|word| unquoted(script, word)));
        }
        for within in inner {
            each_command(script, within, depth - 1, look);
        }
    }
}

/// What is between the quotes of a word that is one script.
fn unquoted(script: &str, word: &Word) -> Range<usize> {
    let Range { start, end } = word.range.clone();
    let is_quoted =
        script.get(start..end).is_some_and(|text| text.len() > 1 && text.starts_with(['\'', '"']));
    if is_quoted { start + 1..end - 1 } else { start..end }
}

/// The command that a runner runs: `timeout -k 1 5 curl …` is curl.
fn runs(words: &[Word]) -> &[Word] {
    let mut rest = words;
    while let Some((_, behind)) =
        rest.split_first().filter(|(name, _)| RUNNERS.contains(&program(&name.text)))
    {
        // Its own options may have values: what counts is a program that matters here.
        let known = |word: &Word| {
            let name = program(&word.text);
            let lists: [&[&str]; 5] = [&CLIENTS, &INTERPRETERS, &SHELLS, &RUNNERS, &["lastout"]];
            lists.iter().any(|list| list.contains(&name))
        };
        let Some(at) = behind.iter().position(known) else { return &[] };
        rest = behind.get(at..).unwrap_or_default();
    }
    rest
}

/// The name of a program without its folder.
fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
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

    #[test]
    fn a_request_is_made_by_a_command_that_sends_it() {
        for asks in [
            "/app; \"curl\" -X POST 'http://localhost:15020/quitquitquit'",
            "trap 'curl -X POST localhost:15020/quitquitquit' EXIT; /app",
            "/app; code=$(curl -o /dev/null -w '%{http_code}' -X POST localhost:15020/quitquitquit)",
            "stop() {\n  timeout -k 1 5 /usr/bin/curl -XPOST localhost:15020/quitquitquit\n}\n/app\nstop",
            "/app; until wget -q --post-data= localhost:15020/quitquitquit; do sleep 1; done",
            "/app; bash -ec \"curl -X POST localhost:15020/quitquitquit\"",
            "/app; python3 -c 'import requests; requests.post(\"http://localhost:15020/quitquitquit\")'",
            "/app; printf 'POST localhost:15020/quitquitquit HTTP/1.0\\r\\n\\r\\n' | nc localhost 15020",
            "/app; RC=$? curl -X POST localhost:15020/quitquitquit",
        ] {
            assert_eq!(rows(asks), ["istio"], "{asks}");
        }
        for only_says in [
            "echo localhost:15020/quitquitquit; /app",
            "/app # curl -X POST localhost:15020/quitquitquit",
            "cat <<X >/note\ncurl -X POST localhost:15020/quitquitquit\nX\n/app",
            "/app 'then curl -X POST localhost:15020/quitquitquit'",
            "/app; curl http://x >localhost:15020/quitquitquit",
            "/app; curl -X POST 'localhost:15020/quitquitquit",
        ] {
            assert_eq!(rows(only_says), [""; 0], "{only_says}");
        }
    }
}
