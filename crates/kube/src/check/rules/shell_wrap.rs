//! A shell that asks a sidecar to quit when the command is over: what everybody writes first. As PID 1 the shell does not
//! pass signals on, the exit code is that of the request unless somebody thought of it, and nothing looks whether the
//! sidecar went.

use crate::change::Spot;
use crate::check::scripts::{self, CLIENTS, Request, Script, requests};
use crate::check::shell::{Command, Part, parts, variable};
use crate::check::subject::{Found, Subject, names};
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
        names(specs.iter().copied())
    );
    let path = subject.path(script.container);
    let spot = Spot {
        path: path.key(script.at.0).index(script.at.1),
        key: false,
        within: Some(first.at..first.at + first.length),
    };
    let mend = mend(script, &specs, single_command(script.text));
    Some(Found::warning(spot, message, mend).of(script.container, path))
}

/// lastout in front of the shell. The script's own `rest` is written where it is sure what that is: a wrong one would do
/// something else than the Job did, and nobody would see it.
fn mend(script: &Script<'_>, specs: &[&str], rest: Option<&str>) -> String {
    let mut words: Vec<String> = vec![quoted(BINARY)];
    for spec in specs {
        words.extend([quoted("--sidecar"), quoted(spec)]);
    }
    words.push(quoted("--"));
    for (at, word) in script.words.iter().enumerate() {
        words.push(match rest {
            _ if at != script.word => quoted(word),
            Some(rest) => quoted(rest),
            None => "<script without those lines>".to_owned(),
        });
    }
    let args = if script.container.words("args").is_some() { "\nargs: []" } else { "" };
    let line = format!("command: [{}]{args}", words.join(", "));
    match rest {
        Some(_) => line,
        None => {
            format!("keep the script, take the lines of the request out, and let lastout run it:\n{line}")
        }
    }
}

/// In double quotes, as YAML reads it: a JSON string is one.
fn quoted(word: &str) -> String {
    serde_json::Value::from(word).to_string()
}

/// The command of a script that is nothing but one command, `CODE=$?` perhaps, requests, and `exit $CODE` perhaps. `None`:
/// it is any other.
fn single_command(script: &str) -> Option<&str> {
    // The kubelet or the shell puts something else in its place.
    if script.contains("$(") || script.contains("$$") || script.contains('`') {
        return None;
    }
    let parts = parts(script, 0..script.len())?;
    let mut steps = steps(&parts)?.into_iter();
    let text = |command: &Command| script.get(command.range.clone());
    let (main, is_and) = steps.next().filter(|(main, _)| is_plain(main))?;
    let (mut next, mut code) = (steps.next()?, None);
    if let [word] = next.0.words.as_slice()
        && let Some(name) = variable(&word.text)
        && text(next.0)?.replace('"', "") == format!("{name}=$?")
    {
        (code, next) = (Some(name), steps.next()?);
    }
    let is_request = |command: &Command| {
        let is_client = command.words.first().is_some_and(|word| CLIENTS.contains(&word.text.as_str()));
        is_client && !command.has_document && text(command).is_some_and(|text| !requests(text).is_empty())
    };
    if !is_request(next.0) || (is_and && code.is_some()) {
        return None;
    }
    let mut last = steps.find(|(command, _)| !is_request(command));
    if let Some((exit, _)) = last
        && let [word, value] = exit.words.as_slice()
        && word.text == "exit"
        && code.is_some_and(|code| [format!("${code}"), format!("${{{code}}}")].contains(&value.text))
    {
        last = steps.next();
    }
    text(main).filter(|_| last.is_none() && !is_request(main))
}

/// The commands of a script that are run one after the other, and whether the first one's success is asked for.
fn steps(parts: &[Part]) -> Option<Vec<(&Command, bool)>> {
    let mut steps: Vec<(&Command, bool)> = Vec::new();
    for part in parts {
        match part {
            Part::Command(command) => steps.push((command, false)),
            Part::Operator(";" | "\n") => {}
            Part::Operator("&&") if steps.len() == 1 => {
                steps.iter_mut().for_each(|(_, is_and)| *is_and = true);
            }
            Part::Operator(_) => return None,
        }
    }
    Some(steps)
}

/// A program is run: nothing that changes the shell, or that the grammar reads otherwise.
fn is_plain(command: &Command) -> bool {
    const OWN: [&str; 38] = [
        "!", "{", "}", "[[", ".", ":", "alias", "break", "case", "cd", "continue", "do", "done", "elif",
        "else", "esac", "eval", "exec", "exit", "export", "false", "fi", "for", "function", "if", "return",
        "select", "set", "shift", "source", "then", "time", "trap", "true", "unset", "until", "wait",
        "while",
    ];
    let name = command.program().first().map(|word| word.text.as_str());
    let is_own = |name: &str| OWN.contains(&name) || name.starts_with(['$', '~']);
    !command.has_document && name.is_some_and(|name| !is_own(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURL: &str = "curl -X POST localhost:15020/quitquitquit";

    #[test]
    fn the_command_of_a_script_that_is_surely_understood() {
        for (script, command) in [
            ("/app --x 'a b'; CURL", "/app --x 'a b'"),
            ("/app && CURL", "/app"),
            ("/app\nrc=$?\nCURL\nexit $rc\n", "/app"),
            ("/app; rc=\"$?\"; CURL >/dev/null 2>&1; exit \"${rc}\";", "/app"),
            ("# run the app\n/app\nCURL", "/app"),
            ("MODE=x /app \\\n  --flag >/log 2>&1\nCURL\nCURL", "MODE=x /app \\\n  --flag >/log 2>&1"),
            ("/app --url http://db/;CURL # bye", "/app --url http://db/"),
        ] {
            assert_eq!(single_command(&script.replace("CURL", CURL)), Some(command), "{script}");
        }
    }

    #[test]
    fn no_other_script_is_taken_apart() {
        for script in [
            "/app; EXIT_CODE=$?; CURL; echo done; exit $EXIT_CODE",
            "/app; RESULT=$?\n[ \"$RESULT\" = 0 ] && CURL\nexit $RESULT",
            "sleep 10\n/app; test $? = 0 || FAIL=1; CURL; exit $FAIL",
            "f() {\n/app\n}\nf\nCURL",
            "/app && CURL || (CURL; exit 1)",
            "cat <<X | /app\na; b\nX\nCURL",
            "cat <<X\na; b\nX\nCURL",
            "trap 'CURL' EXIT; /app",
            "while ! curl x; do sleep 1; done; /app; CURL",
            "/app & CURL",
            "/app | tee /log; CURL",
            "/app || CURL",
            "/app; CURL || true",
            "/app && rc=$?; CURL; exit $rc",
            "/app; CURL; exit 0",
            "/app; CURL; exit $?",
            "/app; rc=$?; CURL; exit $other",
            "/app; rc=$?; CURL; exit $rc; /more",
            "/app; rc=1; CURL; exit $rc",
            "/app; sleep 5; CURL",
            "/app $(date); CURL",
            "/app $$; CURL",
            "cd /x; CURL",
            "exec /app; CURL",
            "$APP; CURL",
            "CURL; CURL",
            "CURL",
            "/app 'x; CURL",
        ] {
            assert_eq!(single_command(&script.replace("CURL", CURL)), None, "{script}");
        }
    }
}
