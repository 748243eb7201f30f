//! After the mains: which sidecars run on, and why nothing has ended them.

use super::life::{Life, State};
use super::told::{self, Told};
use super::{AFTER, Standing, Subject, Trouble, Why};
use crate::check::{Loose, names};
use crate::decide::{Reach, Reason, is_wrapped, reach};

/// Exit code of a container that was killed: by the kernel for its memory, by the kubelet, by a person.
const KILLED: i64 = 137;

pub(super) fn look(subject: &Subject<'_>) -> Option<Trouble> {
    if !subject.mains_are_over() {
        return None;
    }
    let since = subject.ended_at();
    let mains = names(subject.facts.mains.iter().map(|main| main.name()));
    let alive = subject.alive();
    let sidecars: Vec<&str> = alive.iter().map(|(sidecar, _)| sidecar.container.name()).collect();
    if alive.is_empty() {
        return native(subject, since);
    }
    if subject.ago(since) < AFTER {
        let message = format!("{mains} ended a moment ago");
        return Some(Trouble::new(Standing::Slow, Why::Ending, since, message).of(sidecars));
    }
    if let Some((sidecar, life)) = alive.iter().find(|(_, life)| life.crashes()) {
        let name = sidecar.container.name();
        let code = life.last_code.unwrap_or_default();
        let message = format!(
            "`{name}` has ended with exit code {code} and is started again, {} times so far, for restartPolicy is OnFailure; {mains} is over",
            life.restarts
        );
        return Some(
            Trouble::new(Standing::Hangs, Why::SidecarCrashes, since, message)
                .of(sidecars)
                .prevented_by(sidecar.native_by_hand()),
        );
    }
    let mut trouble = explained(subject, &mains, &sidecars);
    trouble.since = since;
    trouble.can_be_rescued &=
        alive.iter().all(|(sidecar, _)| reach(&sidecar.spec.spec, subject.pod) != Reach::Nobody);
    Some(trouble.of(sidecars))
}

/// Why, as far as the pod shows it.
fn explained(subject: &Subject<'_>, mains: &str, sidecars: &[&str]) -> Trouble {
    let (reason, about) = subject.reason();
    let found = subject.errors();
    let hang = |why, message| Trouble::new(Standing::Hangs, why, None, message);
    let running = names(sidecars.iter().copied());
    let is_off = found.iter().any(|found| found.rule == "not-switched-on");
    if reason != Reason::Already {
        let why =
            if found.iter().any(|found| found.rule == "shell-wrap") { Why::ShellWrap } else { reason.into() };
        let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
        let message = format!("{running} runs on since {mains} is over; {}{about}", why.words());
        let mut trouble = hang(why, message);
        trouble.can_be_rescued = !is_off;
        return trouble;
    }
    if let Some(told) = said(subject) {
        let mut trouble = hang(told.why, String::new());
        trouble.can_be_rescued = true;
        trouble.explain(told);
        trouble.prevent = mend(&found, trouble.why);
        return trouble;
    }
    // Of a group it is the last one out who stops them.
    let wrapped =
        subject.mains().filter(|(main, _)| is_wrapped(*main)).max_by_key(|(_, life)| match life.state {
            State::Over { at, .. } => at,
            State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
        });
    let killed = wrapped.filter(|(_, life)| matches!(life.state, State::Over { code: KILLED, .. }));
    let mut trouble = if let Some((main, life)) = killed {
        let memory = matches!(life.state, State::Over { reason: "OOMKilled", .. });
        let how = if memory { "its memory limit" } else { "a KILL signal" };
        let message =
            format!("`{}` was ended by {how}, and lastout in it with it; {running} runs on", main.name());
        hang(Why::Killed, message)
    } else if let Some((found, why)) = first(&found) {
        let mut trouble = hang(why, found.message.clone());
        trouble.prevent.clone_from(&found.mend);
        trouble
    } else {
        hang(Why::Unexplained, format!("{running} runs on since {mains} is over"))
    };
    trouble.can_be_rescued = !is_off;
    // Its log may know better, but for what nobody lived to write.
    trouble.ask = wrapped.filter(|_| killed.is_none()).map(|(main, _)| main.name().to_owned());
    trouble
}

/// The termination message of a main, where lastout leaves its last words.
fn said(subject: &Subject<'_>) -> Option<Told> {
    subject.mains().filter(|(main, _)| is_wrapped(*main)).find_map(|(_, life)| match life.state {
        State::Over { message, .. } => told::read(message),
        State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
    })
}

/// The rules of `check` that explain a hang, the first that has found something.
const RULES: [(&str, Why); 6] = [
    ("not-switched-on", Why::NotSwitchedOn),
    ("stop-policy", Why::StopPolicy),
    ("hangs", Why::NotTold),
    ("group", Why::Group),
    ("spec-error", Why::Refused),
    ("shell-wrap", Why::ShellWrap),
];

pub(super) fn first(found: &[Loose]) -> Option<(&Loose, Why)> {
    RULES.iter().find_map(|(rule, why)| Some((found.iter().find(|found| found.rule == *rule)?, *why)))
}

/// What to write instead, where a rule has found the same.
fn mend(found: &[Loose], why: Why) -> String {
    let rules = RULES.iter().filter(|(_, of)| *of == why);
    rules
        .filter_map(|(rule, _)| found.iter().find(|found| found.rule == *rule))
        .map(|found| found.mend.clone())
        .next()
        .unwrap_or_default()
}

/// The kubelet ends native sidecars, which may take `terminationGracePeriodSeconds`.
fn native(subject: &Subject<'_>, since: Option<i64>) -> Option<Trouble> {
    let runs = |life: Life<'_>| matches!(life.state, State::Running { .. });
    let alive = subject.facts.native.iter().filter(|native| runs(Life::of_init(subject.pod, **native)));
    let alive: Vec<&str> = alive.map(|native| native.name()).collect();
    if alive.is_empty() || subject.ago(since) < AFTER {
        return None;
    }
    let grace = subject.pod.spec().get("terminationGracePeriodSeconds").and_then(serde_json::Value::as_i64);
    let grace = grace.unwrap_or(30);
    let message = format!(
        "{} does not end at TERM: the kubelet kills it after {grace} s (terminationGracePeriodSeconds)",
        names(alive.iter().copied())
    );
    Some(Trouble::new(Standing::Slow, Why::SlowNative, since, message).of(alive))
}
