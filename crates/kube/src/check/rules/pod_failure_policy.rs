//! A rule of `podFailurePolicy` that names no container looks at the sidecars' exit codes as well, a native one's after its
//! SIGTERM among them (seen on 1.36). The kubelet does not end one that lastout stops: that ends as it is asked to.

use crate::change::Spot;
use crate::check::subject::{Found, Subject, names};
use crate::decide::{Class, sees_end_of};
use crate::pod::list;
use serde_json::Value;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let Some(job) = subject.job else { return Vec::new() };
    let (Some(policy), Some(spec)) = (job.get("podFailurePolicy"), subject.workload.job_spec()) else {
        return Vec::new();
    };
    // Of one that lastout does not stop yet it is open whether it becomes a native one.
    let is_stopped = subject.decision.reason.class() == Class::There;
    let here = subject.facts.sidecars.iter().filter(|_| !is_stopped).map(|sidecar| sidecar.container);
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
        let seen: Vec<&str> =
            sidecars.iter().copied().filter(|name| sees_end_of(codes, Some(name)).is_some()).collect();
        let of_one_to_come = || sees_end_of(codes, None).filter(|_| sidecars.is_empty());
        let code = seen.first().and_then(|name| sees_end_of(codes, Some(name)));
        let Some(code) = code.or_else(of_one_to_come) else { continue };
        let whose = match seen.as_slice() {
            [] => "a sidecar that is added".to_owned(),
            seen => names(seen.iter().copied()),
        };
        let message = format!(
            "when a pod fails, this rule ({action}) also applies to the exit code of {whose}: {code} after the kubelet has ended it"
        );
        let main = subject.facts.mains.first().map_or("MAIN", |main| main.name());
        let is_bound = codes.get("containerName").is_some_and(Value::is_string);
        let spot = Spot::value(path.key(if is_bound { "containerName" } else { "operator" }));
        all.push(Found::warning(spot, message, format!("containerName: {main}")));
    }
    all
}
