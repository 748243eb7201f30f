//! While a main runs: whether its pod will hang, and whether it can still come to its end.

use super::after::first;
use super::life::{Life, State};
use super::{LONG, Standing, Subject, Trouble, Why};
use crate::check::names;
use crate::decide::is_wrapped;
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
        over(subject).into_iter().filter(|(_, code)| *code == 0).map(|(name, _)| name).collect();
    if gone.is_empty() {
        return None;
    }
    let found = subject.errors();
    let policy = found.iter().find(|found| found.rule == "stop-policy")?;
    let (name, gone_names) = (main.name(), names(gone.iter().copied()));
    let message = format!(
        "`{name}` is started again after exit code {code}, and lastout had stopped {gone_names} by then: {}",
        policy.message
    );
    let since = super::life::seconds(subject.pod.0.get("status").and_then(|status| status.get("startTime")));
    Some(
        Trouble::new(Standing::Stuck, Why::StopPolicy, since, message)
            .of(gone)
            .prevented_by(policy.mend.clone()),
    )
}

/// Plain sidecars that are over for good, and their exit codes.
fn over<'a>(subject: &Subject<'a>) -> Vec<(&'a str, i64)> {
    let all = subject.facts.sidecars.iter().map(|sidecar| sidecar.container);
    let code = |container: Container<'a>| match Life::of(subject.pod, container).state {
        State::Over { code, .. } => Some((container.name(), code)),
        State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
    };
    all.filter(|container| Life::of(subject.pod, *container).is_over_for_good(subject.pod, *container))
        .filter_map(code)
        .collect()
}

/// One main is over, and another runs on: meant so, or a sidecar that nobody knows as one.
fn second_main(subject: &Subject<'_>) -> Option<Trouble> {
    let is_over = |(main, life): &(Container<'_>, Life<'_>)| life.is_over_for_good(subject.pod, *main);
    let (ended, rest): (Vec<_>, Vec<_>) = subject.mains().partition(is_over);
    let since = subject.ended_at();
    if ended.is_empty() || rest.is_empty() || subject.ago(since) < LONG {
        return None;
    }
    let name_of = |all: &[(Container<'_>, Life<'_>)]| names(all.iter().map(|(main, _)| main.name()));
    let others: Vec<String> = rest.iter().map(|(main, _)| main.name().to_owned()).collect();
    let message = format!(
        "{} is over, and {} runs on: it counts as a main, for no known sidecar has its name or its image",
        name_of(&ended),
        name_of(&rest)
    );
    let prevent = format!("lastout.dev/sidecars: \"{}:quit=http://127.0.0.1:PORT/PATH\"", others.join(" "));
    Some(Trouble::new(Standing::Slow, Why::SecondMain, since, message).of(others).prevented_by(prevent))
}

/// Under `Never` a sidecar that has failed is gone for good, and the pod has failed already: main only does not know.
fn failed_sidecar(subject: &Subject<'_>) -> Option<Trouble> {
    let (name, code) = over(subject).into_iter().find(|(_, code)| *code != 0)?;
    let running = names(subject.mains().map(|(main, _)| main.name()));
    let fails = match subject.pod.restart_policy() {
        RestartPolicy::Never => ", and the pod will count as failed",
        RestartPolicy::OnFailure | RestartPolicy::Always => "",
    };
    let message = format!("`{name}` has ended with exit code {code} while {running} runs{fails}");
    Some(Trouble::new(Standing::Slow, Why::SidecarFailed, subject.created_at(), message).of([name]))
}

/// A plain sidecar, and nothing that will end it: what `check` says of a manifest.
fn will_hang(subject: &Subject<'_>) -> Option<Trouble> {
    let alive = subject.alive();
    if alive.is_empty() {
        return None;
    }
    let found = subject.errors();
    let (message, prevent, why) = match found.iter().find(|found| found.rule == "no-command") {
        Some(found) => {
            (found.message.clone(), found.mend.clone(), Why::LeftAlone(crate::decide::Reason::NoCommand))
        }
        None => {
            let (found, why) = first(&found)?;
            let why = match (found.rule, Why::from(subject.reason().0)) {
                ("hangs", Why::Unexplained) => Why::NotTold,
                ("hangs", other) => other,
                _ => why,
            };
            let prevent = if why == Why::NotWrapped { String::new() } else { found.mend.clone() };
            (found.message.clone(), prevent, why)
        }
    };
    let sidecars = alive.iter().map(|(sidecar, _)| sidecar.container.name());
    Some(Trouble::new(Standing::WillHang, why, None, message).of(sidecars).prevented_by(prevent))
}
