//! A sidecar that drains after it was asked to quit no longer answers its liveness probe. The kubelet kills it for that:
//! 137, which fails the pod, or a new life (linkerd2#8033).

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::Class;
use crate::pod::Container;
use serde_json::Value;
use std::time::Duration;

/// A sidecar that drains with its ports closed, for how long, and what shortens that.
struct Drain {
    preset: &'static str,
    by_default: Duration,
    annotation: &'static str,
    /// The annotation's value is a number of seconds.
    in_seconds: bool,
    variable: Option<&'static str>,
    flag: Option<&'static str>,
}

const DRAINS: [Drain; 2] = [
    // linkerd2-proxy linkerd/app/src/env.rs, DEFAULT_SHUTDOWN_GRACE_PERIOD.
    Drain {
        preset: "linkerd",
        by_default: Duration::from_secs(120),
        annotation: "config.linkerd.io/shutdown-grace-period",
        in_seconds: false,
        variable: Some("LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD"),
        flag: None,
    },
    // consul-k8s charts/consul/values.yaml, connectInject.sidecarProxy.lifecycle.
    Drain {
        preset: "consul-dataplane",
        by_default: Duration::from_secs(30),
        annotation: "consul.hashicorp.com/sidecar-proxy-lifecycle-shutdown-grace-period-seconds",
        in_seconds: true,
        variable: None,
        flag: Some("-shutdown-grace-period-seconds="),
    },
];

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let is_asked = match subject.decision.reason.class() {
        Class::Native | Class::Elsewhere => false,
        Class::Stopped | Class::There | Class::Needless | Class::Unclear | Class::Impossible => true,
    };
    let sidecars = subject.facts.sidecars.iter().filter(|_| subject.ends && is_asked);
    sidecars
        .filter_map(|sidecar| {
            let (container, preset) = (sidecar.container, sidecar.preset?);
            let drain = DRAINS.iter().find(|drain| drain.preset == preset.name)?;
            let probe = container.value().get("livenessProbe")?;
            let number = |key, default| probe.get(key).and_then(Value::as_u64).unwrap_or(default);
            let patience = Duration::from_secs(number("periodSeconds", 10).saturating_mul(number("failureThreshold", 3)));
            let takes = takes(subject, container, drain)?;
            if takes < patience {
                return None;
            }
            let path = subject.path(container);
            let name = container.name();
            let message = format!(
                "`{name}` drains for up to {} s when it is asked to quit, and by its liveness probe the kubelet kills it after {} s: its exit code then fails the pod",
                takes.as_secs(),
                patience.as_secs()
            );
            let value = if drain.in_seconds { "5" } else { "5s" };
            let spot = Spot::value(path.key("livenessProbe"));
            Some(Found::warning(spot, message, format!("{}: \"{value}\"", drain.annotation)).of(container, path))
        })
        .collect()
}

/// How long it drains, as its manifest says. `None`: what that says cannot be read.
fn takes(subject: &Subject<'_>, container: Container<'_>, drain: &Drain) -> Option<Duration> {
    if let Some(text) = subject.pod.annotation(drain.annotation) {
        return read(text, drain.in_seconds);
    }
    if let Some(text) = drain.variable.and_then(|name| container.env(name)) {
        return read(text, false);
    }
    let words = ["command", "args"].into_iter().filter_map(|key| container.words(key)).flatten();
    let flagged = drain.flag.and_then(|flag| {
        words
            .filter_map(|word| word.trim_start_matches('-').strip_prefix(flag.trim_start_matches('-')))
            .next_back()
    });
    match flagged {
        Some(text) => read(text, true),
        None => Some(drain.by_default),
    }
}

fn read(text: &str, in_seconds: bool) -> Option<Duration> {
    if in_seconds {
        return text.parse().ok().map(Duration::from_secs);
    }
    lastout_core::duration::parse(text).ok()
}
