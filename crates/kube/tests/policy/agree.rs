//! Policy and `decide` come to the same pod, or the policy leaves it alone for one of its limits.

use super::{Limit, Reason, Value, Way, Why, generated, json};
use kubectl_lastout::pod::find;
use kubectl_lastout::yaml;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The pods of all manifests below a folder.
fn pods_below(folder: &Path) -> Vec<Value> {
    let mut pods = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            pods.extend(pods_below(&path));
        } else if path.extension().is_some_and(|extension| {
            ["yaml", "yml", "json", "injected", "golden"].iter().any(|known| extension == *known)
        }) && let Ok(text) = fs::read_to_string(&path)
        {
            for document in yaml::stream(&text).map_while(Result::ok) {
                let found = find(&document.value, &[]);
                pods.extend(
                    found.into_iter().filter_map(|workload| workload.pod.of(&document.value).cloned()),
                );
            }
        }
    }
    pods
}

/// Both on each pod. -> how many were changed, and the reasons and limits that were met
fn compare(pods: &[Value]) -> (usize, BTreeSet<String>) {
    let (mut changed, mut met) = (0, BTreeSet::new());
    for way in Way::all() {
        for pod in pods {
            let (decision, why) = way.compare(pod);
            let is_limit = why.iter().any(|why| matches!(why, Why::Limit(_)));
            changed += usize::from(decision.is_change() && !is_limit);
            met.extend(why.iter().map(|why| match why {
                Why::Decided(reason) => reason.slug().to_owned(),
                Why::Limit(limit) => limit.words().to_owned(),
            }));
        }
    }
    (changed, met)
}

#[test]
fn the_pods_of_our_own_manifests_become_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pods = pods_below(&root.join("tests/cases"));
    pods.extend(pods_below(&root.join("../../tests/e2e/manifests")));
    pods.extend(pods_below(&root.join("../../examples")));
    assert!(pods.len() > 40, "{}", pods.len());
    let (changed, met) = compare(&pods);
    assert!(changed > 40, "{changed}");
    let never = [Reason::UnresolvedImage, Reason::NotSelected, Reason::PatchMismatch, Reason::Internal];
    let is_change =
        |reason| matches!(reason, Reason::InjectedNative | Reason::InjectedWrap | Reason::InjectedHelper);
    for reason in Reason::ALL.iter().filter(|reason| !never.contains(reason) && !is_change(**reason)) {
        // The cases have no container with a restartPolicy of its own.
        if *reason != Reason::NotNative {
            assert!(met.contains(reason.slug()), "no manifest is left alone as {reason}");
        }
    }
}

#[test]
fn the_pods_that_others_wrote_become_the_same() {
    let Some(folder) = std::env::var_os("LASTOUT_FIXTURES") else {
        println!("skipped: LASTOUT_FIXTURES is not set");
        return;
    };
    let pods = pods_below(Path::new(&folder));
    assert!(pods.len() > 20, "{}", pods.len());
    compare(&pods);
}

/// Pods of which most are changed, with what the others do not have.
fn odd_pod() -> impl Strategy<Value = Value> {
    let rules = |rules: Value| json!({ "restartPolicy": "Never", "restartPolicyRules": rules });
    let rule = |operator: &str, values: Value| json!({ "action": "Restart", "exitCodes": { "operator": operator, "values": values } });
    let main = prop_oneof![
        16 => Just(json!({})),
        2 => Just(json!({ "restartPolicy": "OnFailure" })),
        1 => Just(rules(json!([rule("In", json!([42, 43, 7, 255]))]))),
        1 => Just(rules(json!([rule("NotIn", json!([0])), rule("In", json!([0]))]))),
        1 => Just(rules(json!([{ "action": "Terminate", "exitCodes": { "operator": "In", "values": [0] } }, rule("NotIn", json!([3]))]))),
        2 => Just(json!({ "volumeMounts": [{ "name": "x", "mountPath": "/x" }] })),
        1 => Just(json!({ "volumeMounts": [{ "name": "x", "mountPath": "/.lastout-group//" }] })),
        1 => Just(json!({ "image": "registry.example/lastout:1", "command": null })),
        1 => Just(json!({ "image": "cloud-sql-proxy:5000/x" })),
        1 => Just(json!({ "env": [{ "name": "LASTOUT_SIDECAR", "value": "istio" }], "command": null })),
        1 => Just(json!({ "command": ["/x/lastout", "--"] })),
        1 => Just(json!({ "command": ["/tekton/bin/entrypoint"] })),
        1 => Just(json!({ "command": null })),
    ];
    let side = prop_oneof![
        4 => Just(json!({ "name": "istio-proxy" })),
        2 => Just(json!({ "name": "one", "image": "registry:5000/hub/istio/proxyv2:1.2" })),
        2 => Just(json!({ "name": "two", "image": "x/cloud-sql-proxy@sha256:00" })),
        2 => Just(json!({ "name": "kuma" })),
        2 => Just(json!({ "name": "proxy" })),
        1 => Just(json!({ "name": "cloud-sql-proxy", "args": ["--http-port=9090", "--x"] })),
        1 => Just(json!({ "name": "cloud-sql-proxy", "args": ["--http-port=9801"] })),
        1 => Just(json!({ "name": "cloud-sql-proxy", "command": ["/p", "--admin-port", "9092"] })),
        1 => Just(json!({ "name": "cloud-sql-proxy", "env": [{ "name": "CSQL_PROXY_ADMIN_PORT", "value": "9191" }] })),
        1 => Just(json!({ "name": "prometheus", "args": ["--web.listen-address=0.0.0.0:9090"] })),
        1 => Just(json!({ "name": "pgbouncer" })),
        1 => Just(json!({ "name": "gke-gcsfuse-sidecar" })),
        1 => Just(json!({ "name": "istio-proxy", "restartPolicy": "Never" })),
    ];
    let annotation = prop_oneof![
        Just(("lastout.dev/stop-on", "0,$(X)")),
        Just(("lastout.dev/stop-on", "7-3")),
        Just(("lastout.dev/stop-on", "0,3-255,7")),
        Just(("lastout.dev/stop-on", "success")),
        Just(("status.sidecar.istio.io/port", "15999")),
        Just(("lastout.dev/mode", "wrap")),
        Just(("lastout.dev/mode", "native")),
        Just(("lastout.dev/mode", "auto")),
        Just(("lastout.dev/mode", "odd")),
        Just(("lastout.dev/main", "main-0, main-1")),
        Just(("lastout.dev/main", "nobody")),
        Just(("lastout.dev/exclude-containers", "main-1\tistio-proxy")),
        Just(("lastout.dev/sidecars", "main-1:quit=http://127.0.0.1:80/q  istio")),
        Just(("lastout.dev/sidecars", "main-0\nistio:port=80,timeout=1s")),
        Just(("lastout.dev/command.main-0", "[\"/found\"]")),
    ];
    let policy = prop::sample::select(vec!["Never", "Never", "OnFailure", "OnFailure", "Always"]);
    let lists = (
        prop::collection::vec(main, 1..3),
        prop::collection::vec(side, 0..3),
        prop::collection::vec(annotation, 0..3),
    );
    (lists, policy, any::<[bool; 4]>()).prop_map(
        |((mains, sides, annotations), policy, [is_of_root, volumes, init, first])| {
            let of_main = |(at, fields)| {
                (json!({ "name": format!("main-{at}"), "image": "x", "command": ["/app", "$(X)"] }), fields)
            };
            let mut containers: Vec<Value> = Vec::new();
            let mains = mains.into_iter().enumerate().map(of_main);
            for (mut container, fields) in
                mains.chain(sides.into_iter().map(|side| (json!({ "image": "y" }), side)))
            {
                container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
                if containers.iter().all(|other| other["name"] != container["name"]) {
                    containers.push(container);
                }
            }
            if first {
                containers.reverse();
            }
            let mut spec = json!({ "restartPolicy": policy, "containers": containers });
            if is_of_root {
                spec["securityContext"] = json!({ "runAsUser": 0 });
            }
            if volumes {
                spec["volumes"] = json!([{ "name": "x", "emptyDir": {} }]);
            }
            if init {
                spec["initContainers"] =
                    json!([{ "name": "first" }, { "name": "own", "restartPolicy": "Always" }]);
            }
            let mut pod = json!({ "spec": spec });
            for (key, value) in annotations {
                pod["metadata"]["annotations"][key] = value.into();
            }
            pod
        },
    )
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() }
}

/// Compares as many of them. -> how many were changed, and the limits that were met
fn compare_generated(mut runner: TestRunner) -> (usize, BTreeSet<&'static str>) {
    let ways = Way::all();
    let mut met = BTreeSet::new();
    let changed = std::cell::Cell::new(0);
    let seen = std::cell::RefCell::new(&mut met);
    runner
        .run(&(prop_oneof![1 => generated::pod(), 3 => odd_pod()], 0..ways.len()), |(pod, way)| {
            let (decision, why) = ways[way].compare(&pod);
            let is_limit = why.iter().any(|why| matches!(why, Why::Limit(_)));
            changed.set(changed.get() + usize::from(decision.is_change() && !is_limit));
            seen.borrow_mut().extend(why.into_iter().filter_map(|why| match why {
                Why::Limit(limit) => Some(limit.words()),
                Why::Decided(_) => None,
            }));
            Ok(())
        })
        .unwrap();
    (changed.get(), met)
}

#[test]
fn generated_pods_become_the_same() {
    compare_generated(TestRunner::new(config()));
}

/// The same pods each time: what they meet is no matter of luck.
#[test]
fn generated_pods_meet_every_limit_and_many_are_changed() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (changed, met) = compare_generated(TestRunner::new_with_rng(config(), rng));
    assert!(changed > 125, "only {changed} of them are changed");
    for limit in
        Limit::ALL.into_iter().filter(|limit| !matches!(limit, Limit::ManyContainers | Limit::RestartRules))
    {
        assert!(met.contains(limit.words()), "no pod meets: {}", limit.words());
    }
}

#[test]
fn as_many_containers_as_there_are_indices_are_wrapped_and_no_more() {
    let way = &Way::all()[1];
    let pod = |count: usize| {
        let main = |at| json!({ "name": format!("main-{at}"), "command": ["/app"] });
        let mut containers: Vec<Value> = (1..count).map(main).collect();
        containers.push(json!({ "name": "istio-proxy" }));
        json!({ "spec": { "restartPolicy": "Never", "containers": containers } })
    };
    assert_eq!(way.compare(&pod(64)).1, []);
    assert!(way.compare(&pod(65)).1.contains(&Why::Limit(Limit::ManyContainers)));
}

#[test]
fn scattered_exit_codes_are_ranges_and_too_many_are_left_alone() {
    let pod = |rules: usize, codes: usize| {
        let values: Vec<usize> = (1..=codes).map(|code| code * 255 / codes).collect();
        let rule = json!({ "action": "Restart", "exitCodes": { "operator": "In", "values": values } });
        let main = json!({ "name": "main", "command": ["/app"], "restartPolicyRules": vec![rule; rules] });
        json!({ "spec": { "restartPolicy": "Never", "containers": [main, { "name": "istio-proxy" }] } })
    };
    for way in Way::all() {
        for codes in [1, 2, 20, 128, 255] {
            assert_eq!(way.compare(&pod(1, codes)).1, [], "{codes}");
        }
        assert!(way.compare(&pod(20, 255)).1.contains(&Why::Limit(Limit::RestartRules)));
    }
}

#[test]
fn a_pod_with_resources_of_its_own_gets_none_by_us() {
    let containers = json!([{ "name": "main", "command": ["/app"] }, { "name": "istio-proxy" }]);
    let limits = json!({ "limits": { "cpu": "1", "memory": "1Gi" } });
    for resources in [json!(null), json!({}), limits] {
        let pod =
            json!({ "spec": { "restartPolicy": "Never", "containers": containers, "resources": resources } });
        for way in Way::all() {
            assert_eq!(way.compare(&pod).1, [], "{resources}");
        }
    }
}

/// The parameters' SPECs are those of `--sidecar`, behind those of the pod's own annotation.
#[test]
fn sidecars_in_the_parameters_are_known() {
    let way = Way::of("params", &["--params", "lastout/own"]);
    let told = Way::of("told", &["--sidecar", "proxy:process=proxy", "--sidecar", "istio"]);
    let pod = super::as_in_admission(&json!({ "spec": { "restartPolicy": "Never", "containers": [
        { "name": "main", "command": ["/app"] }, { "name": "proxy" },
    ] } }));
    let mutated = |text: &str| way.policy.mutated(&pod, &json!({ "data": { "sidecars": text } }), &[]).0;
    let none = json!({});
    assert_eq!(way.policy.mutated(&pod, &Value::Null, &[]).0, pod);
    assert_eq!(way.policy.mutated(&pod, &none, &[]).0, pod);
    let changed = mutated("proxy:process=proxy\nistio\n");
    assert_ne!(changed, pod);
    assert_eq!(changed, told.policy.mutated(&pod, &Value::Null, &[]).0);
    assert_eq!(mutated("proxy:process=proxy proxy:timeout=1s"), pod, "one cannot be read");
    assert_eq!(
        mutated("proxy:process=proxy other:bad=1 , istio"),
        changed,
        "it is about no container of this pod"
    );
}

/// The words in front of `--`, an option and its value being one, in any order; and the pod without them.
fn told(pod: &Value) -> (Vec<Vec<String>>, Value) {
    let (mut pod, mut told) = (pod.clone(), Vec::new());
    for container in pod["spec"]["containers"].as_array_mut().unwrap() {
        let Some(words) = container["command"].as_array().cloned() else { continue };
        let Some(end) = words.iter().position(|word| word == "--") else { continue };
        let mut options: Vec<String> =
            words[1..end].chunks(2).map(|pair| format!("{} {}", pair[0], pair[1])).collect();
        options.sort();
        told.push(options);
        container["command"] = words[end..].into();
    }
    (told, pod)
}

/// The policy's first turn, another injector, the second turn: as if all had been there from the start.
#[test]
fn lastout_is_told_of_a_sidecar_that_comes_between_the_two_turns() {
    let main = |name: &str| json!({ "name": name, "image": "x", "command": ["/app", "--"] });
    let side = |name: &str| json!({ "name": name, "image": "x" });
    for way in Way::all().iter().filter(|way| way.name != "native") {
        for (mains, first, late) in [
            (vec![main("main")], vec![side("cloud-sql-proxy")], vec![side("istio-proxy")]),
            (
                vec![main("a"), main("b")],
                vec![side("envoy")],
                vec![side("proxy-2"), side("linkerd-proxy"), side("kuma")],
            ),
            // What main itself is told names sidecars, too, and has a word that is empty.
            (
                vec![json!({ "name": "main", "image": "x",
                    "command": ["/app", "--upstream", "envoy", "", "--sidecar", "proxy-2"] })],
                vec![side("cloud-sql-proxy")],
                vec![side("envoy"), side("proxy-2")],
            ),
        ] {
            let pod = |sides: &[Value]| {
                let containers: Vec<&Value> = mains.iter().chain(sides).collect();
                let mut pod = super::as_in_admission(
                    &json!({ "spec": { "restartPolicy": "OnFailure", "containers": containers } }),
                );
                pod["metadata"]["annotations"] = json!({ "lastout.dev/sidecars": "proxy-2:process=proxy" });
                pod
            };
            let mut between = way.policy.mutated(&pod(&first), &Value::Null, &[]).0;
            between["spec"]["containers"].as_array_mut().unwrap().extend(late.clone());
            let found = way.policy.mutated(&between, &Value::Null, &[]).0;
            let at_once =
                way.policy.mutated(&pod(&[first.clone(), late.clone()].concat()), &Value::Null, &[]).0;
            assert_ne!(found, between, "{}", way.name);
            assert_eq!(told(&found), told(&at_once), "{}", way.name);
            assert_eq!(way.policy.mutated(&found, &Value::Null, &[]).0, found, "{}: a third turn", way.name);
            // One that cannot be ended: a pod that would hang all the same stays as it is.
            let mut endless = between.clone();
            endless["spec"]["containers"].as_array_mut().unwrap().push(side("otel-collector"));
            assert_eq!(way.policy.mutated(&endless, &Value::Null, &[]).0, endless, "{}", way.name);
        }
    }
}
