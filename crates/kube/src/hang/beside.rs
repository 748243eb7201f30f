//! While a main runs: whether its pod will hang, and whether it can still come to its end.

use super::after::first;
use super::life::{Life, State};
use super::{LONG, Standing, Subject, Trouble, Why};
use crate::check::{HANGS, NO_COMMAND, STOP_POLICY, Severity, names};
use crate::decide::{Reason, is_wrapped};
use crate::pod::{Container, RestartPolicy};

pub(super) fn look(subject: &Subject<'_>) -> Option<Trouble> {
    stopped_too_early(subject)
        .or_else(|| second_main(subject))
        .or_else(|| failed_sidecar(subject))
        .or_else(|| will_hang(subject))
}

/// Under `OnFailure` lastout has stopped the sidecars after a failure, and main is started again without them: it waits for
/// them, fails, and so on.
fn stopped_too_early(subject: &Subject<'_>) -> Option<Trouble> {
    let (main, life) = subject.mains().find(|(main, life)| life.restarts > 0 && is_wrapped(*main))?;
    let code = life.last_code?;
    let gone: Vec<&str> =
        over(subject).into_iter().filter(|ended| ended.code == 0).map(|ended| ended.name).collect();
    if gone.is_empty() {
        return None;
    }
    let policy = subject.found().iter().find(|found| found.rule == STOP_POLICY)?;
    let (name, gone_names) = (main.name(), names(gone.iter().copied()));
    let message = format!(
        "`{name}` is started again after exit code {code}, and lastout had stopped {gone_names} by then: {}",
        policy.message
    );
    Some(
        Trouble::new(Standing::Stuck, Why::StopPolicy, subject.started_at(), message)
            .of(gone)
            .prevented_by(policy.mend.clone()),
    )
}

/// A plain sidecar that is over for good.
struct Ended<'a> {
    name: &'a str,
    code: i64,
    at: Option<i64>,
}

fn over<'a>(subject: &Subject<'a>) -> Vec<Ended<'a>> {
    let all = subject.facts.sidecars.iter().map(|sidecar| sidecar.container);
    let ended = |container: Container<'a>| match Life::of(subject.pod, container).state {
        State::Over { code, at, .. } => Some(Ended { name: container.name(), code, at }),
        State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
    };
    all.filter(|container| Life::of(subject.pod, *container).is_over_for_good(subject.pod, *container))
        .filter_map(ended)
        .collect()
}

/// One main is over, and another runs on: meant so, or a sidecar that nobody knows as one. What lastout runs is surely a main.
fn second_main(subject: &Subject<'_>) -> Option<Trouble> {
    let is_over = |(main, life): &(Container<'_>, Life<'_>)| life.is_over_for_good(subject.pod, *main);
    let (ended, mut rest): (Vec<_>, Vec<_>) = subject.mains().partition(is_over);
    rest.retain(|(main, _)| !is_wrapped(*main));
    let since = subject.ended_at();
    if ended.is_empty() || rest.is_empty() || subject.ago(since) < LONG {
        return None;
    }
    let name_of = |all: &[(Container<'_>, Life<'_>)]| names(all.iter().map(|(main, _)| main.name()));
    let others: Vec<String> = rest.iter().map(|(main, _)| main.name().to_owned()).collect();
    let message = format!(
        "{} is over, and {} runs on: it counts as a main, because no known sidecar has its name or its image",
        name_of(&ended),
        name_of(&rest)
    );
    let specs: Vec<String> =
        others.iter().map(|name| format!("{name}:quit=http://127.0.0.1:PORT/PATH")).collect();
    let prevent = format!("lastout.dev/sidecars: \"{}\"", specs.join(" "));
    Some(Trouble::new(Standing::Slow, Why::SecondMain, since, message).of(others).prevented_by(prevent))
}

/// Under `Never` a sidecar that has failed is gone for good, and the pod has failed already: main only does not know.
fn failed_sidecar(subject: &Subject<'_>) -> Option<Trouble> {
    let Ended { name, code, at } = over(subject).into_iter().find(|ended| ended.code != 0)?;
    let running = names(subject.mains().map(|(main, _)| main.name()));
    let fails = match subject.pod.restart_policy() {
        RestartPolicy::Never => ", and the pod will count as failed",
        RestartPolicy::OnFailure | RestartPolicy::Always => "",
    };
    let message = format!("`{name}` has ended with exit code {code} while {running} runs{fails}");
    Some(Trouble::new(Standing::Slow, Why::SidecarFailed, at, message).of([name]))
}

/// A plain sidecar, and nothing that will end it: what `check` says of a manifest.
fn will_hang(subject: &Subject<'_>) -> Option<Trouble> {
    let alive = subject.alive();
    if alive.is_empty() {
        return None;
    }
    let no_command = subject
        .found()
        .iter()
        .find(|found| found.rule == NO_COMMAND && found.severity == Severity::Error)
        .map(|found| (found, Why::LeftAlone(Reason::NoCommand)));
    let (found, why) = no_command.or_else(|| first(subject.found()))?;
    let why = match (found.rule, Why::from(subject.reason().0)) {
        (HANGS, Why::Unexplained) => Why::NotTold,
        (HANGS, other) => other,
        _ => why,
    };
    let sidecars = alive.iter().map(|(sidecar, _)| sidecar.container.name());
    let mut trouble = Trouble::new(Standing::WillHang, why, None, found.message.clone()).of(sidecars);
    // For one that lastout is not in, the row knows what to type.
    trouble.prevent = (why != Why::NotWrapped).then(|| found.mend.clone());
    Some(trouble)
}
