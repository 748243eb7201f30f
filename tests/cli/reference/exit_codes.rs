//! docs/reference/exit-codes.md: each way in which lastout ends, and its exit code.

use super::{code, held, schema, table};
use lastout_core::outcome::{Ended, Outcome};
use lastout_core::signal::Signal;
use std::fs;

/// Each outcome: the report's name for it, one such, its code in words, and what it means.
pub fn outcomes() -> [(&'static str, Outcome, &'static str, &'static str); 10] {
    let ended = Ended::Exited(1);
    [
        ("exited", Outcome::Main(ended), "the command's own", "The command ended by itself."),
        ("killed", Outcome::Main(Ended::Killed(Signal::TERM)), "128+n", "Signal n ended the command."),
        ("mapped", Outcome::Mapped { ended, code: 0 }, "as mapped", "`--map-exit` gave another code."),
        ("not_found", Outcome::NotFound, "", "The command, or the interpreter that it names, was not found."),
        ("cannot_execute", Outcome::CannotExecute, "", "The command is there but cannot be executed."),
        (
            "internal",
            Outcome::Internal,
            "",
            "An option or a variable cannot be used, or lastout itself failed.",
        ),
        ("wait_timeout", Outcome::WaitTimeout, "", "A sidecar was not ready in time."),
        (
            "signalled",
            Outcome::Signalled(Signal::TERM),
            "128+n",
            "Signal n ended lastout before the command began.",
        ),
        ("done", Outcome::Done, "", "`lastout wait`, `stop` or `guard` did what it should."),
        ("not_stopped", Outcome::NotStopped, "", "`lastout stop`: a sidecar is still there."),
    ]
}

#[test]
fn the_page_of_exit_codes_has_every_outcome() {
    let schema = schema();
    let known: Vec<_> = schema["properties"]["outcome"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(outcomes().map(|row| row.0).to_vec(), known);
    let rows = outcomes().map(|(name, outcome, words, meaning)| {
        let number = if words.is_empty() { outcome.code().to_string() } else { words.to_owned() };
        vec![number, code(name), meaning.to_owned()]
    });
    let text = format!(
        "If the command has run, the exit code is the command's own, whatever the sidecars do. If lastout is not \
         PID 1, and a signal has ended the command, lastout ends itself by the same signal instead of exiting with \
         128+n. The second column is `outcome` in [the report](../report.md#outcome).\n\n{}",
        table(&["exit code", "outcome", "meaning"], rows)
    );
    held("exit-codes.md", "Exit codes", &text);
    // The short table of docs/usage.md.
    let usage = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/usage.md")).unwrap();
    for (_, outcome, words, _) in outcomes().iter().filter(|row| row.2.is_empty() && row.1.code() > 1) {
        assert!(usage.contains(&format!("\n| {} | ", outcome.code())), "{words}: {}", outcome.code());
    }
}
