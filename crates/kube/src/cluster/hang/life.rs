//! What the kubelet says of a container: views on a pod's `status`.

use super::LONG;
use crate::decide::final_codes;
use crate::pod::{Container, Pod, list};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// A container as the kubelet has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life<'a> {
    pub(crate) state: State<'a>,
    pub(crate) restarts: u64,
    /// The exit code of the life before.
    pub(crate) last_code: Option<i64>,
    /// Its startup probe has succeeded, or it has none.
    pub(crate) started: bool,
}

/// Its state. Times are seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State<'a> {
    /// The kubelet has said nothing yet.
    Unknown,
    Waiting {
        reason: &'a str,
        message: &'a str,
    },
    Running {
        since: Option<i64>,
    },
    Over {
        code: i64,
        at: Option<i64>,
        reason: &'a str,
        message: &'a str,
    },
}

impl<'a> Life<'a> {
    /// Of this one of `containers`.
    pub(crate) fn of(pod: Pod<'a>, container: Container<'a>) -> Self {
        Self::in_list(pod, "containerStatuses", container.name())
    }

    /// Of this one of `initContainers`.
    pub(crate) fn of_init(pod: Pod<'a>, container: Container<'a>) -> Self {
        Self::in_list(pod, "initContainerStatuses", container.name())
    }

    /// Of any list of statuses.
    pub(crate) fn in_list(pod: Pod<'a>, key: &str, name: &str) -> Self {
        let status = pod.0.get("status").unwrap_or(&Value::Null);
        let own = list(status, key).find(|own| own.get("name").is_some_and(|found| found == name));
        let Some(own) = own else {
            return Self { state: State::Unknown, restarts: 0, last_code: None, started: false };
        };
        let ended = own.get("lastState").and_then(|last| last.get("terminated"));
        Self {
            state: own.get("state").map_or(State::Unknown, State::read),
            restarts: own.get("restartCount").and_then(Value::as_u64).unwrap_or(0),
            last_code: ended.and_then(|ended| ended.get("exitCode")?.as_i64()),
            started: own.get("started").and_then(Value::as_bool).unwrap_or(false),
        }
    }

    /// Over, and nobody starts it again.
    pub(crate) fn is_over_for_good(&self, pod: Pod<'_>, container: Container<'_>) -> bool {
        match self.state {
            State::Over { code, .. } => {
                final_codes(pod, container).has(u8::try_from(code).unwrap_or(u8::MAX))
            }
            State::Unknown | State::Waiting { .. } | State::Running { .. } => false,
        }
    }

    /// It has failed, and is started again, now or later. One that has run for a while since then has found what it needed.
    pub(super) fn crashes(&self, now: i64) -> bool {
        let failed = |code: Option<i64>| code.is_some_and(|code| code != 0);
        match self.state {
            State::Waiting { reason, .. } => reason == "CrashLoopBackOff" && failed(self.last_code),
            State::Running { since } => {
                let is_young = since.is_some_and(|since| now.saturating_sub(since) < LONG);
                is_young && self.restarts > 1 && failed(self.last_code)
            }
            State::Over { code, .. } => code != 0,
            State::Unknown => false,
        }
    }
}

impl<'a> State<'a> {
    fn read(state: &'a Value) -> Self {
        let text = |of: &'a Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(over) = state.get("terminated") {
            return Self::Over {
                code: over.get("exitCode").and_then(Value::as_i64).unwrap_or(0),
                at: seconds(over.get("finishedAt")),
                reason: text(over, "reason"),
                message: text(over, "message"),
            };
        }
        if let Some(running) = state.get("running") {
            return Self::Running { since: seconds(running.get("startedAt")) };
        }
        match state.get("waiting") {
            Some(waiting) => {
                Self::Waiting { reason: text(waiting, "reason"), message: text(waiting, "message") }
            }
            None => Self::Unknown,
        }
    }
}

/// Nothing is to be waited for in this pod: it has ended, or is being deleted.
pub(crate) fn has_ended(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    matches!(phase, Some("Succeeded" | "Failed")) || pod.pointer("/metadata/deletionTimestamp").is_some()
}

/// A time of the API's, in seconds since the epoch.
pub(crate) fn seconds(time: Option<&Value>) -> Option<i64> {
    time?.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}
