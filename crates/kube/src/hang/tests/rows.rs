//! Each reason, and a pod that has it.

use super::{
    ENDED, NOW, Standing, Why, changed, hung, judge, of, on_failure, over, pod, running, waiting, wrapped,
};
use crate::decide::Reason;
use serde_json::{Value, json};

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
    let helped = |args: &[&str], status: Value| {
        changed(hung(), |pod| {
            let helper = json!({ "name": "lastout-helper", "image": "x", "args": args });
            pod["spec"]["containers"].as_array_mut().unwrap().push(helper);
            pod["status"]["containerStatuses"].as_array_mut().unwrap().push(status);
        })
    };
    let helper_ended = |message: &str| {
        changed(over("lastout-helper", 2), |status| status["state"]["terminated"]["message"] = message.into())
    };
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
    let told = |line: &str| {
        changed(wrapped(hung(), &["--sidecar", "envoy"]), |pod| {
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] =
                format!("lastout: {line}").into();
        })
    };
    let shell = changed(hung(), |pod| {
        let script = "/app/report; curl -X POST http://127.0.0.1:9901/quitquitquit";
        pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    });
    let two_mains = changed(wrapped(hung(), &["--sidecar", "envoy"]), |pod| {
        let mut other = pod["spec"]["containers"][0].clone();
        other["name"] = "other".into();
        pod["spec"]["containers"].as_array_mut().unwrap().push(other);
        pod["status"]["containerStatuses"].as_array_mut().unwrap().push(over("other", 0));
    });
    let init_fails = changed(pod(waiting("main", "PodInitializing", 0, None), running("envoy")), |pod| {
        pod["spec"]["initContainers"] = json!([{ "name": "first", "image": "i" }]);
        pod["status"]["initContainerStatuses"] = json!([waiting("first", "CrashLoopBackOff", 4, Some(1))]);
    });
    let slow_native = changed(native(running("envoy")), |pod| {
        pod["status"]["containerStatuses"] = json!([over("main", 0)]);
    });
    let ended_at = |time: &str| {
        changed(hung(), |pod| {
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = time.into();
        })
    };
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
        (
            "declined",
            told("envoy: POST 127.0.0.1:9901/quitquitquit answered 404"),
            Some((Hangs, Why::Declined)),
        ),
        ("no way", told("envoy: this pod may not end: nobody knows one"), Some((Hangs, Why::NoWay))),
        (
            "never appeared",
            told("envoy: never appeared; if it starts later"),
            Some((Hangs, Why::NeverAppeared)),
        ),
        ("still there", told("envoy: is still there after 10 s"), Some((Hangs, Why::StillThere))),
        (
            "a slow start is none",
            told("still waiting for envoy: GET x: answered 503"),
            Some((Hangs, Why::Unexplained)),
        ),
        ("shell", shell, Some((Hangs, Why::ShellWrap))),
        ("two mains, and no group", two_mains, Some((Hangs, Why::Group))),
        ("lastout refuses an option", wrapped(hung(), &["--sidecar", "nobody"]), Some((Hangs, Why::Refused))),
        ("an init container", on_failure(init_fails), Some((Stuck, Why::InitFails))),
        ("a native sidecar runs on", slow_native, Some((Slow, Why::SlowNative))),
        ("a moment ago", ended_at("2026-01-01T01:00:55Z"), Some((Slow, Why::Ending))),
        ("by a clock that is slow here", ended_at("2026-01-01T03:00:00Z"), Some((Hangs, Why::NotWrapped))),
        ("killed", killed, Some((Hangs, Why::Killed))),
        (
            "a helper that knows the known ones, and does not say why it fails",
            helped(&["helper"], running("lastout-helper")),
            Some((Hangs, Why::Unexplained)),
        ),
        (
            "a helper that is told of another one",
            helped(&["helper", "--sidecar", "istio"], running("lastout-helper")),
            Some((Hangs, Why::NotTold)),
        ),
        (
            "a helper that was killed",
            helped(&["helper"], over("lastout-helper", 137)),
            Some((Hangs, Why::Killed)),
        ),
        (
            "a helper that says at its end why",
            helped(&["helper"], helper_ended("--main x: the pod has no such container")),
            Some((Hangs, Why::HelperFails)),
        ),
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
    let mut met = Vec::new();
    for (name, pod, expected) in rows {
        assert_eq!(of(&pod), expected, "{name}: {:?}", judge(&pod, NOW));
        met.extend(expected.map(|(_, why)| why));
    }
    for why in Why::OWN {
        assert!(met.contains(why), "no pod hangs for {why}");
    }
}
