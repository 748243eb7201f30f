//! A shell that asks a sidecar to quit when the command is over: what everybody writes first. As PID 1 the shell does not
//! pass signals on, the exit code is that of the request unless somebody thought of it, and nothing looks whether the
//! sidecar went.

use crate::change::Spot;
use crate::check::scripts::{self, Request, Script, requests};
use crate::check::subject::{Found, Subject};
use crate::decide::BINARY;
use lastout_core::presets::Preset;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.ends {
        return Vec::new();
    }
    let scripts = scripts::of_mains(subject);
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
