//! A pod as the API server has it → whether its mains are over.

use crate::decide::{Context, Facts, Known, Options};
use crate::exit::Error;
use crate::hang::life::{Life, State as LifeState, has_ended};
use crate::pod::{Container, Pod};
use serde_json::Value;

/// How far the pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// These mains run, are to start, or are started again.
    Running(Vec<String>),
    Over(Over),
}

/// What is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The pod is being deleted, or has ended: there is nothing to stop.
    Pod,
    /// All mains, for good.
    Mains {
        /// Each with its exit code, in words.
        mains: Vec<String>,
        /// The SPECs of the sidecars that have not ended for good.
        sidecars: Vec<String>,
        /// The helper itself is a native sidecar.
        is_native: bool,
    },
}

/// # Errors
/// When nothing can be waited for, or nothing can be stopped: the pod's spec never changes, so this does not pass.
pub(super) fn state(pod: &Value, options: &Options) -> Result<State, Error> {
    if has_ended(pod) {
        return Ok(State::Over(Over::Pod));
    }
    let known = Known::default();
    let context = Context::new(&known).in_admission();
    let facts = Facts::of(Pod(pod), context, options);
    let names: Vec<&str> = facts.pod.containers().iter().map(|container| container.name()).collect();
    if let Some(unknown) = options.mains.iter().find(|name| !names.contains(&name.as_str())) {
        let names = names.join(", ");
        return Err(Error(format!("--main {unknown}: the pod has no such container; it has {names}")));
    }
    if facts.mains.is_empty() {
        return Err(Error(
            "all of the pod's containers are sidecars: --main names what is to be waited for".to_owned(),
        ));
    }
    let (mut running, mut over) = (Vec::new(), Vec::new());
    for main in &facts.mains {
        match final_code(facts.pod, *main) {
            Some(code) => over.push(format!("{} ended with {code}", main.name())),
            None => running.push(main.name().to_owned()),
        }
    }
    if !running.is_empty() {
        return Ok(State::Running(running));
    }
    let sidecars = facts
        .sidecars
        .iter()
        .filter(|sidecar| final_code(facts.pod, sidecar.container).is_none())
        .map(|sidecar| sidecar.spec.text.clone())
        .collect();
    let is_native = facts.helper.is_some_and(Container::is_native_sidecar);
    Ok(State::Over(Over::Mains { mains: over, sidecars, is_native }))
}

/// With which code it ended, if nobody starts it again.
fn final_code(pod: Pod<'_>, container: Container<'_>) -> Option<i64> {
    let life = Life::of(pod, container);
    match life.state {
        LifeState::Over { code, .. } if life.is_over_for_good(pod, container) => Some(code),
        LifeState::Over { .. }
        | LifeState::Unknown
        | LifeState::Waiting { .. }
        | LifeState::Running { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(sidecars: &[&str], mains: &[&str]) -> Options {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Options { sidecars: all(sidecars), mains: all(mains), ..Options::default() }
    }

    /// A pod with `main` and a mesh; `state` is main's.
    fn pod(policy: &str, state: &Value) -> Value {
        json!({
            "metadata": { "name": "x" },
            "spec": {
                "restartPolicy": policy,
                "containers": [{ "name": "main" }, { "name": "istio-proxy" }, { "name": "lastout-helper", "args": ["helper"] }],
            },
            "status": { "phase": "Running", "containerStatuses": [
                { "name": "istio-proxy", "state": { "running": {} } },
                { "name": "main", "state": state },
            ] },
        })
    }

    fn terminated(code: i64) -> Value {
        json!({ "terminated": { "exitCode": code } })
    }

    fn over(code: i64) -> State {
        State::Over(Over::Mains {
            mains: vec![format!("main ended with {code}")],
            sidecars: vec!["istio".to_owned()],
            is_native: false,
        })
    }

    #[test]
    fn a_main_is_over_when_nobody_starts_it_again() {
        let running = State::Running(vec!["main".to_owned()]);
        for (policy, state_of_main, expected) in [
            ("Never", json!({ "running": {} }), &running),
            ("Never", json!({}), &running),
            ("Never", terminated(0), &over(0)),
            ("Never", terminated(3), &over(3)),
            ("OnFailure", terminated(0), &over(0)),
            ("OnFailure", terminated(3), &running),
            ("OnFailure", json!({ "waiting": { "reason": "CrashLoopBackOff" } }), &running),
            ("Always", terminated(0), &running),
        ] {
            let found = state(&pod(policy, &state_of_main), &options(&["istio"], &["main"])).unwrap();
            assert_eq!(&found, expected, "{policy} {state_of_main}");
        }
    }

    #[test]
    fn its_own_rules_count_and_a_pod_without_status_is_waited_for() {
        let mut pod = pod("Never", &terminated(42));
        let rule = json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }]);
        pod["spec"]["containers"][0]["restartPolicyRules"] = rule;
        let options = options(&["istio"], &[]);
        assert_eq!(state(&pod, &options), Ok(State::Running(vec!["main".to_owned()])));
        pod["status"]["containerStatuses"][1]["state"] = terminated(1);
        assert_eq!(state(&pod, &options), Ok(over(1)));
        pod.as_object_mut().unwrap().remove("status");
        assert_eq!(state(&pod, &options), Ok(State::Running(vec!["main".to_owned()])));
    }

    #[test]
    fn a_pod_that_ends_needs_nothing() {
        let options = options(&["istio"], &[]);
        let mut pod = pod("Never", &terminated(0));
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-28T10:00:00Z");
        assert_eq!(state(&pod, &options), Ok(State::Over(Over::Pod)));
        pod["metadata"].as_object_mut().unwrap().remove("deletionTimestamp");
        pod["status"]["phase"] = json!("Failed");
        assert_eq!(state(&pod, &options), Ok(State::Over(Over::Pod)));
    }

    #[test]
    fn a_sidecar_that_ended_for_good_is_not_asked_again() {
        let mut pod = pod("OnFailure", &terminated(0));
        for (code, left) in [(0, &[][..]), (1, &["istio".to_owned()][..])] {
            pod["status"]["containerStatuses"][0]["state"] = terminated(code);
            let found = state(&pod, &options(&["istio"], &[])).unwrap();
            assert!(
                matches!(&found, State::Over(Over::Mains { sidecars, .. }) if sidecars == left),
                "{code}: {found:?}"
            );
        }
    }

    #[test]
    fn what_can_never_be_is_an_error() {
        let pod = pod("Never", &terminated(0));
        let error = state(&pod, &options(&["istio"], &["mian"])).unwrap_err().to_string();
        assert!(
            error.contains("--main mian: the pod has no such container; it has main, istio-proxy"),
            "{error}"
        );
        let error = state(&pod, &options(&["main:quit=file:/x"], &[])).unwrap_err().to_string();
        assert!(error.contains("--main names"), "{error}");
    }
}
