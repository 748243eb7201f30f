//! Pods as the API server of 1.36 shows them, and what is to be said of each.

mod rows;

use super::{Standing, Trouble, Why, judge};
use serde_json::{Value, json};

const ENDED: &str = "2026-01-01T00:01:00Z";
/// An hour later.
const NOW: i64 = 1_767_229_260;

fn over(name: &str, code: i64) -> Value {
    json!({ "name": name, "restartCount": 0, "state": { "terminated": {
        "exitCode": code, "finishedAt": ENDED, "reason": "Completed" } } })
}

fn running(name: &str) -> Value {
    json!({ "name": name, "restartCount": 0, "started": true, "state": { "running": { "startedAt": ENDED } } })
}

fn waiting(name: &str, reason: &str, restarts: u64, last: Option<i64>) -> Value {
    let last = last.map_or(json!({}), |code| json!({ "terminated": { "exitCode": code } }));
    json!({ "name": name, "restartCount": restarts, "lastState": last,
            "state": { "waiting": { "reason": reason, "message": format!("{reason}: localhost/none:1") } } })
}

/// `main` and `envoy`.
fn pod(main: Value, envoy: Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": { "name": "p", "namespace": "n" },
        "spec": { "restartPolicy": "Never", "containers": [
            { "name": "main", "image": "report", "command": ["/app/report"] },
            { "name": "envoy", "image": "envoyproxy/envoy" },
        ] },
        "status": { "phase": "Running", "startTime": "2026-01-01T00:00:00Z", "containerStatuses": [main, envoy] },
    })
}

fn changed(mut pod: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut pod);
    pod
}

fn wrapped(pod: Value, words: &[&str]) -> Value {
    let mut command = vec!["/.lastout/lastout"];
    command.extend(words);
    command.extend(["--", "/app/report"]);
    changed(pod, |pod| pod["spec"]["containers"][0]["command"] = command.into())
}

fn on_failure(pod: Value) -> Value {
    changed(pod, |pod| pod["spec"]["restartPolicy"] = "OnFailure".into())
}

fn of(pod: &Value) -> Option<(Standing, Why)> {
    judge(pod, NOW).map(|Trouble { standing, why, .. }| (standing, why))
}

fn hung() -> Value {
    pod(over("main", 0), running("envoy"))
}

#[test]
fn a_moment_after_the_mains_it_is_only_slow() {
    for (age, expected) in
        [(0, Standing::Slow), (9, Standing::Slow), (10, Standing::Hangs), (-5, Standing::Slow)]
    {
        let standing = judge(&hung(), NOW - 3600 + age).map(|trouble| trouble.standing);
        assert_eq!(standing, Some(expected), "{age} s");
    }
}

#[test]
fn what_is_over_or_being_deleted_is_no_trouble() {
    for phase in ["Succeeded", "Failed"] {
        assert_eq!(of(&changed(hung(), |pod| pod["status"]["phase"] = phase.into())), None);
    }
    assert_eq!(of(&changed(hung(), |pod| pod["metadata"]["deletionTimestamp"] = ENDED.into())), None);
}

#[test]
fn since_is_when_the_last_main_ended_and_sidecars_are_named() {
    let trouble = judge(&hung(), NOW).unwrap();
    assert_eq!((trouble.since, trouble.containers), (Some(NOW - 3600), vec!["envoy".to_owned()]));
    assert!(trouble.can_be_rescued);
}

#[test]
fn whom_nobody_can_ask_is_not_offered_a_rescue() {
    let unasked = |name: &str| {
        changed(hung(), |pod| {
            pod["spec"]["containers"][1] = json!({ "name": name, "image": "x" });
            pod["status"]["containerStatuses"][1]["name"] = name.into();
        })
    };
    for name in ["fluent-bit", "cloud-sql-proxy"] {
        let trouble = judge(&unasked(name), NOW).unwrap();
        assert!(!trouble.can_be_rescued, "{trouble:?}");
    }
}

/// Where lastout cannot come in, or is not wanted, a proxy without its switch is as deaf as anywhere.
#[test]
fn a_quit_endpoint_that_is_switched_off_is_so_in_every_pod() {
    let pods: [(&str, fn(&mut Value)); 5] = [
        ("as it is", |_| ()),
        ("opted out", |pod| pod["metadata"]["labels"] = json!({ "lastout.dev/inject": "false" })),
        ("host pid", |pod| pod["spec"]["hostPID"] = true.into()),
        ("name conflict", |pod| pod["spec"]["volumes"] = json!([{ "name": "lastout", "emptyDir": {} }])),
        ("wrapped", |pod| {
            pod["spec"]["containers"][0]["command"] =
                json!(["/.lastout/lastout", "--sidecar", "cloud-sql-proxy", "--", "/app"]);
        }),
    ];
    for (name, change) in pods {
        for (arguments, expected) in [(json!(["p:r:i"]), false), (json!(["--quitquitquit", "p:r:i"]), true)] {
            let pod = changed(hung(), |pod| {
                pod["spec"]["containers"][1] =
                    json!({ "name": "cloud-sql-proxy", "image": "x", "args": arguments });
                pod["status"]["containerStatuses"][1]["name"] = "cloud-sql-proxy".into();
                change(pod);
            });
            let trouble = judge(&pod, NOW).unwrap();
            assert_eq!(trouble.can_be_rescued, expected, "{name} {arguments}: {trouble:?}");
        }
    }
}

#[test]
fn one_that_failed_at_its_start_and_runs_since_is_not_said_to_crash() {
    let envoy = |started: &str| {
        json!({ "name": "envoy", "restartCount": 2, "started": true, "state": { "running": { "startedAt": started } },
                "lastState": { "terminated": { "exitCode": 1 } } })
    };
    for (started, expected) in
        [("2026-01-01T00:01:00Z", Why::NotWrapped), ("2026-01-01T01:00:30Z", Why::SidecarCrashes)]
    {
        let trouble = judge(&on_failure(pod(over("main", 0), envoy(started))), NOW).unwrap();
        assert_eq!(trouble.why, expected, "{started}");
        assert_eq!(trouble.can_be_rescued, expected == Why::NotWrapped);
    }
}

#[test]
fn what_starts_a_sidecar_again_is_named() {
    let crashing = pod(over("main", 0), waiting("envoy", "CrashLoopBackOff", 4, Some(1)));
    let by = |pod: &Value| judge(pod, NOW).unwrap().message;
    let message = by(&on_failure(crashing.clone()));
    assert!(message.contains("for restartPolicy is OnFailure;"), "{message}");
    let ruled = changed(crashing, |pod| {
        pod["spec"]["containers"][1]["restartPolicy"] = "Never".into();
        pod["spec"]["containers"][1]["restartPolicyRules"] =
            json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [1] } }]);
    });
    let message = by(&ruled);
    assert!(message.contains("for its restartPolicyRules say so;"), "{message}");
}

#[test]
fn what_the_kubelet_cannot_start_yet_has_a_while_to_come() {
    for reason in ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError", "CreateContainerError"] {
        let stuck = pod(waiting("main", reason, 0, None), running("envoy"));
        let late = pod(over("main", 0), waiting("envoy", reason, 0, None));
        for (pod, young, old) in [
            (stuck, Some(Standing::WillHang), Standing::Stuck),
            (late, Some(Standing::Slow), Standing::Hangs),
        ] {
            let at = |age: i64| judge(&pod, NOW - 3660 + age).map(|trouble| trouble.standing);
            assert_eq!((at(59), at(60)), (young, Some(old)), "{reason}");
        }
    }
}

#[test]
fn mains_that_lastout_runs_are_no_sidecars_that_nobody_knows() {
    let words = [
        "/.lastout/lastout",
        "--group",
        "/.lastout-group",
        "--group-size",
        "2",
        "--sidecar",
        "envoy",
        "--",
        "x",
    ];
    let pod = |second: Value| {
        changed(pod(over("main", 0), running("envoy")), |pod| {
            pod["spec"]["containers"][0]["command"] = json!(words);
            for name in ["b", "c"] {
                pod["spec"]["containers"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({ "name": name, "command": second }));
                pod["status"]["containerStatuses"].as_array_mut().unwrap().push(running(name));
            }
        })
    };
    assert_ne!(of(&pod(json!(words))).map(|(_, why)| why), Some(Why::SecondMain));
    let trouble = judge(&pod(json!(["/app"])), NOW).unwrap();
    assert_eq!(trouble.why, Why::SecondMain);
    let sidecars =
        "lastout.dev/sidecars: \"b:quit=http://127.0.0.1:PORT/PATH c:quit=http://127.0.0.1:PORT/PATH\"";
    assert_eq!(trouble.prevent.as_deref(), Some(sidecars));
}

#[test]
fn a_sidecar_has_failed_since_its_own_end() {
    let trouble = judge(&pod(running("main"), over("envoy", 1)), NOW).unwrap();
    assert_eq!((trouble.why, trouble.since), (Why::SidecarFailed, Some(NOW - 3600)));
}

#[test]
fn a_main_in_the_middle_of_its_restarts_is_never_taken_for_over() {
    let rules = json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }]);
    let pod = changed(pod(over("main", 42), running("envoy")), |pod| {
        pod["spec"]["containers"][0]["restartPolicy"] = "Never".into();
        pod["spec"]["containers"][0]["restartPolicyRules"] = rules;
    });
    assert_ne!(of(&pod).map(|(standing, _)| standing), Some(Standing::Hangs));
}

#[test]
fn any_json_is_judged_without_a_panic() {
    let odd = [
        json!(null),
        json!(7),
        json!([]),
        json!({ "metadata": 1, "spec": 2, "status": 3 }),
        json!({ "kind": "Pod", "metadata": {}, "spec": { "containers": [1, {}] }, "status": { "containerStatuses": [[], 1, { "name": 4 }] } }),
    ];
    for pod in odd {
        let _ = judge(&pod, NOW);
    }
}
