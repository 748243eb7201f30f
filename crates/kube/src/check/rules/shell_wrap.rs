//! A shell that asks a sidecar to quit when the command is over: what everybody writes first. As PID 1 the shell does not
//! pass signals on, the exit code is that of the request unless somebody thought of it, and nothing looks whether the
//! sidecar went.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::{BINARY, Sidecar, is_wrapped};
use crate::pod::Container;
use lastout_core::presets::{PRESETS, Preset};

/// A main's script.
struct Script<'a> {
    container: Container<'a>,
    /// `command` or `args`, and the item.
    at: (&'static str, usize),
    shell: &'a str,
    text: &'a str,
}

/// A request in a script.
struct Request {
    /// Where its path begins.
    at: usize,
    length: usize,
    /// Whose it may be.
    rows: Vec<&'static Preset>,
}

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.ends {
        return Vec::new();
    }
    let scripts = scripts(subject);
    scripts.iter().filter_map(|script| found(subject, script, &requests(script.text))).collect()
}

fn found(subject: &Subject<'_>, script: &Script<'_>, requests: &[Request]) -> Option<Found> {
    let first = requests.first()?;
    let here = |row: &&'static Preset| {
        let is_it = |preset: Option<&Preset>| preset.is_some_and(|preset| preset.name == row.name);
        subject.facts.sidecars.iter().any(|sidecar| is_it(sidecar.preset))
            || subject.facts.promised.iter().any(|promised| promised.injector.preset == row.name)
    };
    let mut specs: Vec<&str> = Vec::new();
    for request in requests {
        let known = request.rows.iter().copied().find(here).or_else(|| request.rows.first().copied());
        specs.extend(known.map(|row| row.name).filter(|name| !specs.contains(name)));
    }
    let name = script.container.name();
    let message = format!(
        "the shell of `{name}` asks {} to quit: signals do not reach the command, its exit code is lost, and nothing waits for the end",
        crate::check::subject::names(specs.iter().copied())
    );
    let sidecars: String = specs.iter().map(|spec| format!("\"--sidecar\", \"{spec}\", ")).collect();
    let rest = without_requests(script.text).unwrap_or_else(|| "THE SCRIPT WITHOUT ITS REQUESTS".to_owned());
    let mend = format!("command: [\"{BINARY}\", {sidecars}\"--\", {:?}, \"-c\", {rest:?}]", script.shell);
    let path = subject.path(script.container);
    let spot = Spot {
        path: path.key(script.at.0).index(script.at.1),
        key: false,
        within: Some(first.at..first.at + first.length),
    };
    Some(Found::warning(spot, message, mend).of(script.container, path))
}

/// A main's script asks this sidecar to quit.
pub(super) fn is_asked(subject: &Subject<'_>, sidecar: &Sidecar<'_>) -> bool {
    sidecar.preset.is_some_and(|preset| asks(subject, preset.name))
}

/// A main's script asks the sidecar of this row to quit.
pub(super) fn asks(subject: &Subject<'_>, row: &str) -> bool {
    let scripts = scripts(subject);
    scripts
        .iter()
        .flat_map(|script| requests(script.text))
        .any(|request| request.rows.iter().any(|of| of.name == row))
}

fn scripts<'a>(subject: &Subject<'a>) -> Vec<Script<'a>> {
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
fn requests(script: &str) -> Vec<Request> {
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

/// What is left of a plain script: its statements, and no request. `None`: it is no plain one.
fn without_requests(script: &str) -> Option<String> {
    let has_request = |text: &str| !requests(text).is_empty();
    let is_plain = |text: &str| {
        let words = ["trap", "while", "until", "for", "if", "case", "function"];
        let quotes = text.matches(['\'', '"']).count();
        quotes.is_multiple_of(2) && !text.split_ascii_whitespace().any(|word| words.contains(&word))
    };
    let mut left: Vec<&str> = Vec::new();
    for statement in script.split(['\n', ';']).map(str::trim).filter(|statement| !statement.is_empty()) {
        if !is_plain(statement) || statement.ends_with('\\') {
            return None;
        }
        let before =
            statement.split("&&").flat_map(|part| part.split("||")).take_while(|part| !has_request(part));
        let kept = before.last().and_then(|part| {
            let end = part.as_ptr().addr() + part.len() - statement.as_ptr().addr();
            statement.get(..end).map(str::trim)
        });
        let keeps_code = |text: &str| text.ends_with("=$?") || text.starts_with("exit $");
        left.extend(kept.filter(|text| !text.is_empty() && !keeps_code(text)));
    }
    (!left.is_empty()).then(|| left.join("; "))
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
    fn what_is_left_of_a_plain_script() {
        let left = |script: &str| without_requests(script);
        assert_eq!(
            left("/app --x 'a b'; curl -X POST localhost:15020/quitquitquit").unwrap(),
            "/app --x 'a b'"
        );
        assert_eq!(left("/app && curl -X POST localhost:15020/quitquitquit").unwrap(), "/app");
        assert_eq!(
            left("/app\nrc=$?\ncurl -X POST localhost:15020/quitquitquit\nexit $rc\n").unwrap(),
            "/app"
        );
        assert_eq!(left("trap 'curl localhost:15020/quitquitquit' EXIT; /app"), None);
        assert_eq!(left("while ! curl x; do sleep 1; done; /app; curl localhost:15020/quitquitquit"), None);
    }
}
