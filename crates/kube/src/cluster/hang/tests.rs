//! Pods as the API server of 1.36 shows them, and what is to be said of each.

use super::{Standing, Trouble, Why, judge};
use crate::decide::Reason;
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
fn each_pod_is_judged_by_what_the_kubelet_and_the_manifest_say() {
    use Standing::{Hangs, Slow, Stuck, WillHang};
    let native = |native: Value| {
        changed(pod(waiting("main", "PodInitializing", 0, None), running("x")), |pod| {
            pod["spec"]["containers"].as_array_mut().unwrap().truncate(1);
            pod["status"]["containerStatuses"].as_array_mut().unwrap().truncate(1);
            pod["spec"]["initContainers"] = json!([{ "name": "envoy", "image": "envoyproxy/envoy", "restartPolicy": "Always",
                "startupProbe": { "httpGet": { "port": 1 } } }]);
            pod["status"]["initContainerStatuses"] = json!([native]);
        })
    };
    let unstarted = |restarts: u64| json!({ "name": "envoy", "restartCount": restarts, "started": false, "state": { "running": {} } });
    let fluent = changed(hung(), |pod| {
        pod["spec"]["containers"][1] = json!({ "name": "fluent-bit", "image": "fluent/fluent-bit" });
        pod["status"]["containerStatuses"][1] = running("fluent-bit");
    });
    let sql = |pod: Value, arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.to_vec();
        changed(pod, |pod| {
            pod["spec"]["containers"][1] =
                json!({ "name": "cloud-sql-proxy", "image": "x", "args": arguments });
            pod["status"]["containerStatuses"][1]["name"] = "cloud-sql-proxy".into();
        })
    };
    let second = changed(hung(), |pod| {
        pod["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "name": "shipper", "image": "s", "command": ["s"] }));
        pod["status"]["containerStatuses"].as_array_mut().unwrap().push(running("shipper"));
    });
    let killed = changed(wrapped(hung(), &["--sidecar", "envoy"]), |pod| {
        pod["status"]["containerStatuses"][0]["state"]["terminated"] =
            json!({ "exitCode": 137, "reason": "OOMKilled", "finishedAt": ENDED });
    });
    let said = changed(wrapped(hung(), &["--sidecar", "envoy"]), |pod| {
        pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] =
            "lastout: warn: envoy: was asked twice and came back each time: something restarts it".into();
    });
    let early = changed(
        on_failure(wrapped(pod(running("main"), over("envoy", 0)), &["--sidecar", "envoy"])),
        |pod| {
            pod["status"]["containerStatuses"][0]["restartCount"] = 2.into();
            pod["status"]["containerStatuses"][0]["lastState"] = json!({ "terminated": { "exitCode": 5 } });
        },
    );
    let silent = |pod: Value| {
        changed(pod, |pod| {
            pod["spec"]["containers"][0].as_object_mut().unwrap().remove("command");
        })
    };
    let opted_out =
        changed(hung(), |pod| pod["metadata"]["labels"] = json!({ "lastout.dev/inject": "false" }));
    let runs = || pod(running("main"), running("envoy"));
    let left = Why::LeftAlone;
    let rows = [
        ("no lastout", hung(), Some((Hangs, Why::NotWrapped))),
        ("main failed", pod(over("main", 3), running("envoy")), Some((Hangs, Why::NotWrapped))),
        ("no command", silent(hung()), Some((Hangs, left(Reason::NoCommand)))),
        ("opted out", opted_out, Some((Hangs, left(Reason::OptedOut)))),
        ("no endpoint", fluent, Some((Hangs, left(Reason::NoEndpoint)))),
        (
            "wrapped, and nothing explains it",
            wrapped(hung(), &["--sidecar", "envoy"]),
            Some((Hangs, Why::Unexplained)),
        ),
        ("not told of it", wrapped(hung(), &["--sidecar", "istio?"]), Some((Hangs, Why::NotTold))),
        ("it says so itself", said, Some((Hangs, Why::CameBack))),
        ("killed", killed, Some((Hangs, Why::Killed))),
        (
            "policy",
            wrapped(pod(over("main", 3), running("envoy")), &["--stop-on", "success", "--sidecar", "envoy"]),
            Some((Hangs, Why::StopPolicy)),
        ),
        (
            "switched off",
            sql(wrapped(hung(), &["--sidecar", "cloud-sql-proxy"]), &["p:r:i"]),
            Some((Hangs, Why::NotSwitchedOn)),
        ),
        (
            "sidecar crashes",
            on_failure(pod(over("main", 0), waiting("envoy", "CrashLoopBackOff", 4, Some(1)))),
            Some((Hangs, Why::SidecarCrashes)),
        ),
        (
            "sidecar's image",
            pod(over("main", 0), waiting("envoy", "ImagePullBackOff", 0, None)),
            Some((Hangs, Why::ImageMissing)),
        ),
        (
            "main's image",
            pod(waiting("main", "ErrImageNeverPull", 0, None), running("envoy")),
            Some((Stuck, Why::ImageMissing)),
        ),
        (
            "a mount that is not there",
            pod(waiting("main", "CreateContainerError", 0, None), running("envoy")),
            Some((Stuck, Why::CannotCreate)),
        ),
        ("startup probe, restarted", native(unstarted(3)), Some((Stuck, Why::StartupProbe))),
        ("startup probe, an hour", native(unstarted(0)), Some((Stuck, Why::StartupProbe))),
        ("started", native(running("envoy")), None),
        ("stopped in an earlier life", early, Some((Stuck, Why::StopPolicy))),
        ("second main", second, Some((Slow, Why::SecondMain))),
        ("failed sidecar", pod(running("main"), over("envoy", 1)), Some((Slow, Why::SidecarFailed))),
        ("will hang", runs(), Some((WillHang, Why::NotWrapped))),
        ("will hang, no command", silent(runs()), Some((WillHang, left(Reason::NoCommand)))),
        (
            "will hang, switched off",
            sql(wrapped(runs(), &["--sidecar", "cloud-sql-proxy"]), &["p:r:i"]),
            Some((WillHang, Why::NotSwitchedOn)),
        ),
        ("all is well", wrapped(runs(), &["--sidecar", "envoy"]), None),
        (
            "on failure, started again",
            on_failure(pod(over("main", 1), running("envoy"))),
            Some((WillHang, Why::NotWrapped)),
        ),
        ("sidecar has ended", pod(over("main", 0), over("envoy", 0)), None),
    ];
    for (name, pod, expected) in rows {
        assert_eq!(of(&pod), expected, "{name}: {:?}", judge(&pod, NOW));
    }
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
