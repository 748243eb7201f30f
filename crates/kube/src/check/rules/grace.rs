//! `terminationGracePeriodSeconds`: after that the kubelet kills whatever is there. After a stop signal lastout waits for
//! the main for `--grace`, and then for the sidecars for a second at most; `--delay-signal` comes before.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::invocation::Invocation;
use lastout_core::settings::Opt;
use serde_json::Value;
use std::time::Duration;

/// What the kubelet gives where a pod says nothing.
const DEFAULT: u64 = 30;
/// How long sidecars are looked at after a stop signal.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let period = subject.pod.spec().get("terminationGracePeriodSeconds").and_then(Value::as_u64);
    let given = Duration::from_secs(period.unwrap_or(DEFAULT));
    let mut all = Vec::new();
    for invocation in subject
        .invocations
        .iter()
        .filter(|invocation| !invocation.is_init && (invocation.is_run() || invocation.is_guard()))
    {
        let (held, grace) = (held(invocation), invocation.settings.grace.unwrap_or_default());
        let hook = hook(invocation);
        let takes = held + grace + LOOK + hook;
        if held + grace == Duration::ZERO || takes <= given {
            continue;
        }
        let name = invocation.container.name();
        let given = given.as_secs();
        let message = format!(
            "`{name}` may take {} s to end, and the kubelet kills it after {given} s: the sidecars are not stopped, and the exit code is 137",
            takes.as_secs()
        );
        let needed = takes.as_secs() + u64::from(takes.subsec_nanos() > 0);
        let spot = match period {
            Some(_) => Spot::value(subject.spec().key("terminationGracePeriodSeconds")),
            None if grace > Duration::ZERO => invocation.spot_of(Opt::Grace),
            None => invocation.spot_of(Opt::DelaySignal),
        };
        let mend = format!("terminationGracePeriodSeconds: {needed}");
        all.push(Found::warning(spot, message, mend).of(invocation.container, invocation.path.clone()));
    }
    all
}

/// How long a stop signal is held back.
fn held(invocation: &Invocation<'_>) -> Duration {
    let settings = &invocation.settings;
    let of_stop = settings.delays.iter().filter(|(signal, _)| settings.stop_signals.contains(signal));
    of_stop.map(|(_, delay)| *delay).max().unwrap_or_default()
}

/// A sleeping `preStop` hook comes before the signal, and counts.
fn hook(invocation: &Invocation<'_>) -> Duration {
    let seconds =
        invocation.container.value().pointer("/lifecycle/preStop/sleep/seconds").and_then(Value::as_u64);
    Duration::from_secs(seconds.unwrap_or_default())
}
