//! `rescue`, as far as it comes without a node: what it leaves alone, and when it asks.

use crate::api::{Answer, Api, hanging, job, list};
use crate::run;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const POD: &str = "/api/v1/namespaces/jobs/pods/a";

/// One pod, which is another one from the second look on if `then` is given.
fn server(first: Value, then: Option<Value>) -> Api {
    Api::start(move |path, count| match path.split('?').next().unwrap() {
        POD if count == 0 => Answer::Object(first.clone()),
        POD => Answer::Object(then.clone().unwrap_or_else(|| first.clone())),
        "/api/v1/namespaces/jobs/pods" => list(std::slice::from_ref(&first), ""),
        "/apis/batch/v1/namespaces/jobs/jobs/job" => job(),
        "/apis/batch/v1/namespaces/jobs/jobs/none" => Answer::Status(404, "jobs \"none\" not found"),
        _ => Answer::Status(404, "not found"),
    })
}

fn running() -> Value {
    let mut pod = hanging("a");
    pod["status"]["containerStatuses"][0]["state"] =
        json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
    pod
}

#[test]
fn a_pod_whose_main_runs_is_never_touched() {
    let api = server(running(), None);
    for words in [["rescue", "--yes", "pod/a"], ["rescue", "--yes", "job/job"]] {
        let ran = run(&api, &words);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert_eq!(ran.err, "kubectl-lastout: pod/a is left alone: main `main` runs\n");
    }
    assert!(api.asked().iter().all(|asked| asked.starts_with("GET") && !asked.contains("portforward")));
}

#[test]
fn a_main_that_was_started_again_between_the_two_looks_is_not_touched_either() {
    let api = server(hanging("a"), Some(running()));
    let ran = run(&api, &["rescue", "--yes", "pod/a"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "pod/a is left alone: main `main` runs\n"), "{}", ran.err);
    assert!(!api.asked().iter().any(|asked| asked.contains("portforward")), "{:?}", api.asked());
}

#[test]
fn another_pod_of_the_same_name_is_not_touched() {
    let mut other = hanging("a");
    other["metadata"]["uid"] = "other".into();
    let api = server(hanging("a"), Some(other));
    let ran = run(&api, &["rescue", "--yes", "pod/a"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("another one now"), "{}", ran.out);
    assert!(!api.asked().iter().any(|asked| asked.contains("portforward")), "{:?}", api.asked());
}

#[test]
fn a_failed_main_that_the_kubelet_starts_again_is_not_over() {
    let mut pod = hanging("a");
    pod["spec"]["restartPolicy"] = "OnFailure".into();
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 1.into();
    let ran = run(&server(pod, None), &["rescue", "--yes", "a"]);
    assert_eq!(
        ran.err,
        "kubectl-lastout: pod/a is left alone: main `main` has failed and is started again\n"
    );
    assert_eq!(ran.code, 1);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let api = server(hanging("a"), None);
    let ran = run(&api, &["rescue", "pod/a"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("pod/a: envoy (POST 127.0.0.1:9901/quitquitquit)\n"), "{}", ran.err);
    assert!(ran.err.ends_with("add --yes\n"), "{}", ran.err);
    assert_eq!(api.asked().len(), 1, "{:?}", api.asked());
}

#[test]
fn a_pod_that_is_over_needs_nothing() {
    let mut pod = hanging("a");
    pod["status"]["phase"] = "Succeeded".into();
    let ran = run(&server(pod, None), &["rescue", "pod/a"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "kubectl-lastout: pod/a is over already: Succeeded\n"));
    let mut pod = hanging("a");
    pod["status"]["phase"] = "Succeeded".into();
    let ran = run(&server(pod, None), &["rescue", "--yes", "job/job"]);
    let said = "kubectl-lastout: job/job: all of its pods are over, or end by themselves\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, said));
}

#[test]
fn what_is_not_there_and_what_is_no_pod_is_one_line_and_exit_2() {
    let api = server(hanging("a"), None);
    let ran = run(&api, &["rescue", "--yes", "pod/b"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "kubectl-lastout: pod/b: not found\n"));
    let ran = run(&api, &["rescue", "pod/b", "pod/a"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.starts_with("kubectl-lastout: pod/b: not found\npod/a: envoy ("), "{}", ran.err);
    let api = server(hanging("a"), None);
    let ran = run(&api, &["rescue", "--yes", "deployment/b"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("write pod/NAME or job/NAME"), "{}", ran.err);
    assert_eq!(api.asked().len(), 0, "{:?}", api.asked());
}

#[test]
fn where_neither_port_forward_nor_an_ephemeral_container_is_allowed_both_are_told() {
    let api = Api::start(|path, _| match path.split('?').next().unwrap() {
        POD => Answer::Object(hanging("a")),
        "/api/v1/namespaces/jobs/pods/a/portforward" => Answer::Status(403, "pods/portforward is forbidden"),
        "/api/v1/namespaces/jobs/pods/a/ephemeralcontainers" => {
            Answer::Status(403, "ephemeralcontainers is forbidden")
        }
        _ => Answer::Status(404, "not found"),
    });
    let ran = run(&api, &["rescue", "--yes", "--timeout", "5s", "pod/a"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("portforward is forbidden; an ephemeral container asks envoy"), "{}", ran.out);
    assert!(ran.out.contains("ephemeral container: ephemeralcontainers is forbidden"), "{}", ran.out);
    assert!(ran.out.ends_with("pod/a has not ended\n"), "{}", ran.out);
}

#[test]
fn a_pod_that_cannot_be_looked_at_directly_before_is_not_asked() {
    let api = Api::start(|path, count| match path.split('?').next().unwrap() {
        POD if count < 2 => Answer::Object(hanging("a")),
        _ => Answer::Status(403, "pods is forbidden"),
    });
    let ran = run(&api, &["rescue", "--yes", "--timeout", "1s", "pod/a"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("the pod could not be looked at"), "{}", ran.out);
    assert!(!api.asked().iter().any(|asked| asked.contains("portforward")), "{:?}", api.asked());
}

#[test]
fn a_main_that_is_started_again_before_the_ephemeral_container_comes_is_not_touched() {
    let api = Api::start(|path, count| match path.split('?').next().unwrap() {
        POD if count < 2 => Answer::Object(hanging("a")),
        POD => Answer::Object(running()),
        _ => Answer::Status(404, "not found"),
    });
    let ran = run(&api, &["rescue", "--yes", "--ephemeral", "pod/a"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "pod/a is left alone: main `main` runs\n"), "{}", ran.err);
    assert!(!api.asked().iter().any(|asked| asked.contains("ephemeralcontainers")), "{:?}", api.asked());
}

#[test]
fn a_sidecar_that_is_told_gone_and_still_runs_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let api = Api::start(move |path, _| match path.split('?').next().unwrap() {
        POD => {
            let asked = asked.load(Ordering::SeqCst);
            let mut pod = hanging("a");
            let over = json!({ "terminated": { "exitCode": 0, "startedAt": null, "finishedAt": null } });
            let name = |number: usize| format!("lastout-rescue-{number}");
            pod["spec"]["ephemeralContainers"] =
                (1..=asked).map(|number| json!({ "name": name(number) })).collect();
            pod["status"]["ephemeralContainerStatuses"] =
                (1..=asked).map(|number| json!({ "name": name(number), "state": over })).collect();
            if asked > 1 {
                pod["status"]["containerStatuses"][1]["state"] = over;
                pod["status"]["phase"] = "Succeeded".into();
            }
            Answer::Object(pod)
        }
        "/api/v1/namespaces/jobs/pods/a/ephemeralcontainers" => {
            asked.fetch_add(1, Ordering::SeqCst);
            Answer::Object(hanging("a"))
        }
        "/api/v1/namespaces/jobs/pods/a/log" => {
            let verdict = if asked.load(Ordering::SeqCst) > 1 { "gone" } else { "already_gone" };
            let report = json!({ "version": 1, "sidecars": [{ "name": "envoy", "verdict": verdict }] });
            Answer::Text(format!("lastout: info: envoy: {verdict}\n{report}\n"))
        }
        "/apis/batch/v1/namespaces/jobs/jobs/job" => job(),
        _ => Answer::Status(404, "not found"),
    });
    let ran = run(&api, &["rescue", "--yes", "--ephemeral", "pod/a"]);
    let patches = api.asked().iter().filter(|asked| asked.contains("ephemeralcontainers")).count();
    assert_eq!((ran.code, patches), (0, 2), "{}{}", ran.out, ran.err);
    assert_eq!(
        ran.out,
        "pod/a: info: envoy: already_gone\npod/a: info: envoy: gone\npod/a: Succeeded\njob/job has no end yet: it may have other pods, or make another one\n"
    );
}

/// The arguments of the container that is put into the pod.
fn arguments(pod: Value, words: &[&str]) -> Vec<String> {
    let api = Api::start(move |path, _| match path.split('?').next().unwrap() {
        POD => Answer::Object(pod.clone()),
        _ => Answer::Status(403, "forbidden"),
    });
    let ran = run(&api, &[&["rescue", "--yes", "pod/a"], words].concat());
    let bodies = api.bodies();
    let [body] = &bodies[..] else { panic!("{bodies:?}: {}{}", ran.out, ran.err) };
    let container = &body["spec"]["ephemeralContainers"][0];
    container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn from_inside_a_sidecar_is_asked_where_lastout_was_told_to_ask_it() {
    let mut pod = hanging("a");
    let told = json!(["/.lastout/lastout", "--sidecar", "envoy:port=9902", "--", "/app/report"]);
    pod["spec"]["containers"][0]["command"] = told;
    let arguments = arguments(pod, &["--ephemeral"]);
    assert_eq!(arguments[arguments.len() - 2..], ["--sidecar", "envoy:port=9902"], "{arguments:?}");
}

#[test]
fn a_sidecar_that_is_ended_by_its_process_is_reached_from_inside_only() {
    let mut pod = hanging("a");
    pod["spec"]["shareProcessNamespace"] = true.into();
    let arguments = arguments(pod, &["--sidecar", "envoy:quit=none,process=envoy"]);
    assert_eq!(
        arguments[arguments.len() - 2..],
        ["--sidecar", "envoy:quit=none,process=envoy"],
        "{arguments:?}"
    );
}

#[test]
fn a_sidecar_that_the_kubelet_starts_again_is_told_and_not_waited_for() {
    let api = Api::start(|path, count| match path.split('?').next().unwrap() {
        POD => {
            let mut pod = hanging("a");
            pod["spec"]["restartPolicy"] = "OnFailure".into();
            if count > 1 {
                pod["status"]["containerStatuses"][1]["state"] = json!({ "terminated": { "exitCode": 7 } });
            }
            Answer::Object(pod)
        }
        _ => Answer::Status(404, "not found"),
    });
    let ran = run(&api, &["rescue", "--yes", "pod/a"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("envoy: ended with exit code 7, and the kubelet starts it again"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("pod/a has not ended\n"), "{}", ran.out);
    assert!(!api.asked().iter().any(|asked| asked.contains("portforward")), "{:?}", api.asked());
}
