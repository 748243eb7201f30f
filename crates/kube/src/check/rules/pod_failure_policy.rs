//! A rule of `podFailurePolicy` that names no container looks at the sidecars' exit codes as well, a native one's after its
//! SIGTERM among them (seen on 1.36). The kubelet ends no plain one: that ends as it is asked to.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::Reason;
use crate::pod::list;
use serde_json::Value;

/// How a sidecar ends that is ended by the kubelet: SIGTERM, SIGKILL.
const ENDS: [u64; 2] = [143, 137];

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let Some(job) = subject.job else { return Vec::new() };
    let (Some(policy), Some(spec)) = (job.get("podFailurePolicy"), subject.workload.job_spec()) else {
        return Vec::new();
    };
    let becomes_native = subject.decision.reason == Reason::InjectedNative;
    let here = subject.facts.sidecars.iter().filter(|_| becomes_native).map(|sidecar| sidecar.container);
    let sidecars: Vec<&str> =
        here.chain(subject.facts.native.iter().copied()).map(|container| container.name()).collect();
    if sidecars.is_empty() && subject.facts.promised.iter().all(|promised| promised.native == Some(false)) {
        return Vec::new();
    }
    let rules = list(policy, "rules")
        .enumerate()
        .filter_map(|(index, rule)| Some((index, rule, rule.get("onExitCodes")?)));
    let mut all = Vec::new();
    for (index, rule, codes) in rules {
        let path = spec.key("podFailurePolicy").key("rules").index(index).key("onExitCodes");
        let action = rule.get("action").and_then(Value::as_str).unwrap_or("Count");
        let named = codes.get("containerName").and_then(Value::as_str);
        if named.is_some_and(|named| !sidecars.contains(&named)) {
            continue;
        }
        let listed = |code: &u64| list(codes, "values").any(|value| value.as_u64() == Some(*code));
        let is_in = codes.get("operator").and_then(Value::as_str) == Some("In");
        let Some(code) = ENDS.iter().find(|code| listed(code) == is_in) else { continue };
        let whose = crate::check::subject::names(
            named.into_iter().chain(sidecars.iter().copied().filter(|_| named.is_none())),
        );
        let whose = if whose == "nothing" { "a sidecar that is added".to_owned() } else { whose };
        let message = format!(
            "when a pod fails, this rule ({action}) also sees the exit code of {whose}: {code} after the kubelet has ended it"
        );
        let main = subject.facts.mains.first().map_or("MAIN", |main| main.name());
        let spot = if named.is_some() {
            Spot::value(path.key("containerName"))
        } else {
            Spot::value(path.key("operator"))
        };
        all.push(Found::warning(spot, message, format!("containerName: {main}")));
    }
    all
}
