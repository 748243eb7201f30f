//! After the mains: which sidecars run on, and why nothing has ended them.

use super::last_words::{self, Told};
use super::life::{Life, State};
use super::{Standing, Subject, Trouble, Why};
use crate::check::{
    GROUP, HANGS, NOT_SWITCHED_ON, SHELL_WRAP, SPEC_ERROR, STOP_POLICY, Severity, Unplaced, names,
};
use crate::decide::switches::{self, Asked};
use crate::decide::{Listed, Reach, Reason, Sidecar, is_wrapped, reach, too_old};
use crate::pod::{Container, list};
use lastout_core::presets::Switch;

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
    if subject.is_a_moment_ago(since) {
        let message = format!("{mains} ended a moment ago");
        return Some(Trouble::new(Standing::Slow, Why::Ending, since, message).of(sidecars));
    }
    if let Some((sidecar, life)) = alive.iter().find(|(_, life)| life.crashes(subject.now)) {
        let name = sidecar.container.name();
        let code = life.last_code.unwrap_or_default();
        let message = format!(
            "`{name}` has ended with exit code {code} and is started again, {} times so far, for {}; {mains} is over",
            life.restarts,
            restarted_by(subject, sidecar.container)
        );
        return Some(
            Trouble::new(Standing::Hangs, Why::SidecarCrashes, since, message)
                .of(sidecars)
                .prevented_by(sidecar.native_by_hand()),
        );
    }
    let mut trouble = explained(subject, &mains, &sidecars);
    trouble.since = since;
    trouble.can_be_rescued &= alive.iter().all(|(sidecar, _)| can_be_asked(subject, sidecar));
    Some(trouble.of(sidecars))
}

/// What has a sidecar started again that has failed.
fn restarted_by(subject: &Subject<'_>, container: Container<'_>) -> String {
    if list(container.value(), "restartPolicyRules").next().is_some() {
        return "its restartPolicyRules say so".to_owned();
    }
    let policy = container.restart_policy().unwrap_or_else(|| subject.pod.restart_policy());
    format!("restartPolicy is {policy:?}")
}

/// There is a way to end it, and as far as the pod shows it listens there. That is looked at in every pod: the rule of `check`
/// looks only where lastout is, or can come in.
fn can_be_asked<'a>(subject: &Subject<'a>, sidecar: &Sidecar<'a>) -> bool {
    let Some(Listed { spec, .. }) = subject.asked_by(sidecar) else { return false };
    let asked = Asked { ready: false, ..Asked::by(&spec) };
    let listens = sidecar.preset.is_none_or(|preset| {
        let off = switches::off(subject.pod, preset, asked, Some(sidecar.container));
        // What its configuration may have switched on is not known to be off.
        let is_off = off.iter().any(|ways| !ways.iter().any(|need| matches!(need.switch, Switch::Config(_))));
        !is_off && (!asked.quit || too_old(sidecar.container, preset).is_none())
    });
    reach(&spec, subject.pod) != Reach::Nobody && listens
}

/// Why, as far as the pod shows it.
fn explained(subject: &Subject<'_>, mains: &str, sidecars: &[&str]) -> Trouble {
    let (reason, about) = subject.reason();
    let found = subject.found();
    let hang =
        |why, message| Trouble { can_be_rescued: true, ..Trouble::new(Standing::Hangs, why, None, message) };
    let running = names(sidecars.iter().copied());
    if reason != Reason::Already {
        let shell = found.iter().find(|found| found.rule == SHELL_WRAP);
        let why = if shell.is_some() { Why::ShellWrap } else { reason.into() };
        let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
        let message = format!("{running} still runs although {mains} is over; {}{about}", why.words());
        let mut trouble = hang(why, message);
        trouble.prevent = shell.map(|found| found.mend.clone());
        return trouble;
    }
    if let Some(told) = said(subject) {
        let mut trouble = hang(told.why, String::new());
        trouble.explain(told);
        trouble.prevent = mend(found, trouble.why);
        return trouble;
    }
    let unexplained = format!("{running} still runs although {mains} is over");
    if let Some(helper) = subject.facts.helper {
        let shown = first(found)
            .map(|(found, why)| hang(why, found.message.clone()).prevented_by(found.mend.clone()));
        return of_helper(subject, helper, shown.unwrap_or_else(|| hang(Why::Unexplained, unexplained)));
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
            format!("`{}` was ended by {how}, together with its lastout; {running} runs on", main.name());
        hang(Why::Killed, message)
    } else if let Some((found, why)) = first(found) {
        hang(why, found.message.clone()).prevented_by(found.mend.clone())
    } else {
        hang(Why::Unexplained, unexplained)
    };
    // Its log may know better, but for what nobody lived to write.
    trouble.ask = wrapped.filter(|_| killed.is_none()).map(|(main, _)| main.name().to_owned());
    trouble
}

/// Why the helper has not stopped them: it was killed, says so at its end, or its log does.
fn of_helper(subject: &Subject<'_>, helper: Container<'_>, mut trouble: Trouble) -> Trouble {
    let native = helper.is_native_sidecar();
    let life = if native { Life::of_init(subject.pod, helper) } else { Life::of(subject.pod, helper) };
    let name = helper.name();
    match life.state {
        State::Over { code: KILLED, .. } => {
            trouble.why = Why::Killed;
            trouble.message = format!("`{name}` was killed before it could stop them; {}", trouble.message);
            trouble.prevent = Some(
                "kubectl lastout inject --mode helper --kube-version 1.29 or newer: a native sidecar is started again"
                    .to_owned(),
            );
        }
        State::Over { message, .. } if !message.trim().is_empty() => {
            trouble.why = Why::HelperFails;
            trouble.message = format!("`{name}`: {}", message.trim());
        }
        State::Over { .. } | State::Unknown | State::Waiting { .. } | State::Running { .. } => {
            trouble.ask = Some(name.to_owned());
        }
    }
    trouble
}

/// The termination message of a main, where lastout leaves its last words.
fn said(subject: &Subject<'_>) -> Option<Told> {
    subject.mains().filter(|(main, _)| is_wrapped(*main)).find_map(|(_, life)| match life.state {
        State::Over { message, .. } => last_words::read(message),
        State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
    })
}

/// The rules of `check` whose errors explain that a pod hangs in which lastout is.
const RULES: [(&str, Why); 5] = [
    (NOT_SWITCHED_ON, Why::NotSwitchedOn),
    (STOP_POLICY, Why::StopPolicy),
    (HANGS, Why::NotTold),
    (GROUP, Why::Group),
    (SPEC_ERROR, Why::Refused),
];

/// The first of them that has found something.
pub(super) fn first(found: &[Unplaced]) -> Option<(&Unplaced, Why)> {
    RULES.iter().find_map(|(rule, why)| Some((error_of(found, rule)?, *why)))
}

fn error_of<'a>(found: &'a [Unplaced], rule: &str) -> Option<&'a Unplaced> {
    found.iter().find(|found| found.rule == rule && found.severity == Severity::Error)
}

/// What to write instead, where a rule has found the same.
fn mend(found: &[Unplaced], why: Why) -> Option<String> {
    let mut rules = RULES.iter().filter(|(_, of)| *of == why);
    rules.find_map(|(rule, _)| Some(error_of(found, rule)?.mend.clone()))
}

/// The kubelet ends native sidecars, which may take `terminationGracePeriodSeconds`.
fn native(subject: &Subject<'_>, since: Option<i64>) -> Option<Trouble> {
    let runs = |life: Life<'_>| matches!(life.state, State::Running { .. });
    let alive = subject.facts.native.iter().filter(|native| runs(Life::of_init(subject.pod, **native)));
    let alive: Vec<&str> = alive.map(|native| native.name()).collect();
    if alive.is_empty() || subject.is_a_moment_ago(since) {
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
