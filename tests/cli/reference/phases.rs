//! docs/reference/phases.md: what a run of lastout goes through.

use super::{code, held, schema, table};
use lastout_core::machine::PhaseName;
use lastout_core::settings::OPTIONS;
use serde_json::Value;

/// What a phase is, what ends it, and the options that are about it. A new phase has to be told of.
fn told(phase: PhaseName) -> [&'static str; 4] {
    match phase {
        PhaseName::Waiting => [
            "waiting",
            "The sidecars are asked whether they are ready. The command has not been started. With `guard`: the \
             mains of the group have not ended.",
            "All are ready, or the optional ones are absent; or the time is over; or a stop signal has come, after \
             which the command is never started.",
            "`--wait-timeout`, `--on-wait-timeout`, `--no-wait`, `--absent-after`, `--env-file`",
        ],
        PhaseName::Running => [
            "running",
            "The command runs. Signals are forwarded to it, and orphans are reaped.",
            "The command has ended.",
            "`--grace`, `--signal-group`, `--rewrite-signal`, `--delay-signal`",
        ],
        PhaseName::Leftovers => [
            "leftovers",
            "The processes that the command has left behind have got TERM.",
            "All of them have ended, or the time is over, or a stop signal has come.",
            "`--leftovers`",
        ],
        PhaseName::Leaving => [
            "leaving",
            "The exit code is written into the group's folder, and the members of the group that still run are \
             counted.",
            "It is known whether this member is the last.",
            "`--group`, `--group-wait`",
        ],
        PhaseName::Lingering => [
            "lingering",
            "A pause, so that telemetry can be sent.",
            "The time is over, or a stop signal has come.",
            "`--linger`",
        ],
        PhaseName::Stopping => [
            "stopping",
            "The sidecars are told to end, those of low `order` first, and are watched until they are gone.",
            "All are gone, or the time is over, or a second stop signal has come.",
            "`--stop-on`, `--stop-timeout`",
        ],
        PhaseName::Exit => ["", "", "", ""],
    }
}

#[test]
fn the_page_of_phases_has_every_phase() {
    use PhaseName::{Exit, Leaving, Leftovers, Lingering, Running, Stopping, Waiting};
    let told: Vec<_> = [Waiting, Running, Leftovers, Leaving, Lingering, Stopping, Exit]
        .map(told)
        .into_iter()
        .filter(|row| !row[0].is_empty())
        .collect();
    let known = &schema()["properties"]["phases"]["items"]["properties"]["phase"]["enum"];
    assert_eq!(Value::from(told.iter().map(|row| row[0]).collect::<Vec<_>>()), *known);
    for option in told.iter().flat_map(|row| row[3].split(", ")).filter(|cell| !cell.is_empty()) {
        let name = option.trim_matches('`').trim_start_matches("--");
        assert!(OPTIONS.iter().any(|known| known.name == name), "{option} is no option");
    }
    let rows = told.iter().map(|row| {
        [&[code(row[0])], &row[1..].iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>()[..]].concat()
    });
    let text = format!(
        "A run of lastout goes through these phases in this order, and leaves out those in which there is nothing \
         to do; but every run has `waiting`, however short. `--log-level info` prints a line for each, with its duration, and [the report](../report.md) has \
         them as `phases`. Signals are answered in all of \
         them, and every child that ends is reaped.\n\n{}",
        table(&["phase", "what happens", "what ends it", "options"], rows)
    );
    held("phases.md", "Phases of a run", &text);
}
