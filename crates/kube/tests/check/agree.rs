//! check and inject ask the same decide.

use super::{HANGS, findings, job, rules, run, wrapped};
use kubectl_lastout::check::check as look;
use kubectl_lastout::decide::{Context, Delivery, Known, KubeVersion, Options, applied, decide};
use kubectl_lastout::pod::Pod;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What inject would change is what hangs, and what it leaves alone is not.
#[test]
fn check_and_inject_agree() {
    let with = |what: &str, to: &str| job(HANGS).replace(what, to);
    for (manifest, hangs) in [
        (job(HANGS), true),
        (with("Never", "OnFailure"), true),
        (with("Never", "Always"), false),
        (
            with("template:\n", "template:\n    metadata: { labels: { lastout.dev/inject: \"false\" } }\n"),
            false,
        ),
        (with("[/app/report]", "[/var/run/argo/argoexec]"), false),
        (with("istio-proxy", "proxy"), true),
        (with("istio-proxy", "proxy").replace("istio/proxyv2", "r/proxy"), false),
    ] {
        let injected = run(&["inject", "--check-only", "-"], &manifest).status.code() == Some(1);
        assert_eq!((rules(&manifest) == ["hangs"], injected), (hangs, hangs), "{manifest}");
    }
    // Where lastout cannot come in, it hangs all the same, and only the kubelet can end it.
    let mend = |manifest: &str| {
        let (rules, found) = findings(manifest);
        assert_eq!(rules, ["hangs"], "{manifest}");
        found[0]["mend"].as_str().unwrap().to_owned()
    };
    let native = "kubectl lastout inject --mode native -";
    assert_eq!(mend(&job(&format!("      hostPID: true\n{HANGS}"))), native);
    assert_eq!(mend(&with("istio-proxy", "fluent-bit").replace("istio/proxyv2", "fluent-bit")), native);
    assert!(mend(&job(&format!("      os: {{ name: windows }}\n{HANGS}"))).contains("restartPolicy: Always"));
    // What its own system ends does not hang.
    assert_eq!(
        rules(&with("istio-proxy", "gke-gcsfuse-sidecar").replace("istio/proxyv2", "r/fuse")),
        [""; 0]
    );
    // To be waited for only is not to be stopped.
    assert!(mend(&job(&wrapped("--sidecar, \"istio:quit=none\""))).contains("restartPolicy: Always"));
    // Told of one, and not of the other.
    let (rules, found) = findings(&job(&wrapped("--sidecar, envoy")));
    assert_eq!(rules, ["hangs"]);
    assert_eq!(found[0]["mend"], "\"--sidecar\", \"istio\",");
}

/// What both cannot read, and of which both say the same.
#[test]
fn a_file_that_is_no_manifest_is_refused_by_both() {
    for (text, is) in [("hello", "a text"), ("42", "a number"), ("kind: Job\n---\ntrue", "true or false")] {
        for verb in ["check", "inject", "uninject", "explain"] {
            let output = run(&[verb, "-"], text);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{verb} {text}: {stderr}");
            assert!(stderr.contains(&format!("apiVersion and kind, and this is {is}")), "{verb}: {stderr}");
        }
    }
}

/// A rule sees the end of a sidecar, or it does not: for inject, which would make it a native one, as for check.
#[test]
fn both_judge_a_pod_failure_policy_alike() {
    for (codes, fires) in [
        ("{ operator: In, values: [1] }", false),
        ("{ operator: In, values: [1, 143] }", true),
        ("{ operator: In, values: [137] }", true),
        ("{ operator: NotIn, values: [1] }", true),
        ("{ operator: NotIn, values: [137, 143] }", false),
        ("{ containerName: report, operator: NotIn, values: [1] }", false),
        ("{ containerName: istio-proxy, operator: In, values: [1] }", false),
        ("{ containerName: istio-proxy, operator: NotIn, values: [1] }", true),
    ] {
        let policy =
            format!("spec:\n  podFailurePolicy: {{ rules: [{{ action: FailJob, onExitCodes: {codes} }}] }}");
        let manifest = job(HANGS).replacen("spec:", &policy, 1);
        let explained = run(&["explain", "--mode", "native", "-"], &manifest).stdout;
        let explained = String::from_utf8(explained).unwrap();
        let refused = explained
            .contains("not-native: its sidecars cannot become native ones (a rule of podFailurePolicy");
        assert_eq!(refused, fires, "{codes}: {explained}");
        let rules = rules(&manifest);
        assert_eq!(rules.iter().any(|rule| rule == "pod-failure-policy"), fires, "{codes}: {rules:?}");
    }
}

#[test]
fn a_sentence_about_two_mains_is_one_about_two() {
    let two = job(HANGS).replace(
        "      - name: istio",
        "      - { name: second, image: r, command: [/app] }\n      - name: istio",
    );
    let (_, found) = findings(&two);
    assert_eq!(
        found[0]["message"],
        "`istio-proxy` runs on when `report` and `second` are over, so the Job never ends"
    );
}

/// A pod's containers, restart policy, labels and annotations, as they come.
fn pod() -> impl Strategy<Value = Value> {
    let names = [
        "main",
        "second",
        "istio-proxy",
        "cloud-sql-proxy",
        "linkerd-proxy",
        "fluent-bit",
        "gke-gcsfuse-sidecar",
    ];
    let command = prop_oneof![
        6 => Just(json!(["/app"])),
        1 => Just(json!(["sh", "-c", "/app; curl -X POST localhost:15020/quitquitquit"])),
        1 => Just(Value::Null),
        1 => Just(json!(["/var/run/argo/argoexec"])),
    ];
    let container =
        (prop::sample::select(names.to_vec()), command, any::<bool>()).prop_map(|(name, command, rules)| {
            let mut container = json!({ "name": name, "image": "r/x:1" });
            if !command.is_null() {
                container["command"] = command;
            }
            if rules {
                container["restartPolicyRules"] =
                    json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [3] } }]);
            }
            container
        });
    let metadata = prop::sample::select(vec![
        json!({}),
        json!({ "labels": { "sidecar.istio.io/inject": "true" } }),
        json!({ "annotations": { "linkerd.io/inject": "enabled" } }),
        json!({ "annotations": { "dapr.io/enabled": "true" } }),
        json!({ "annotations": { "sidecar.opentelemetry.io/inject": "true" } }),
        json!({ "annotations": { "gke-gcsfuse/volumes": "true" } }),
        json!({ "labels": { "lastout.dev/inject": "false" } }),
        json!({ "annotations": { "lastout.dev/main": "main" } }),
    ]);
    let spec = (
        prop::collection::vec(container, 1..5),
        prop::sample::select(vec!["Never", "OnFailure", "Always"]),
        any::<bool>(),
    );
    (spec, metadata).prop_map(|((containers, policy, host_pid), metadata)| {
        let mut seen = std::collections::HashSet::new();
        let containers: Vec<Value> =
            containers.into_iter().filter(|container| seen.insert(container["name"].to_string())).collect();
        let mut spec = json!({ "restartPolicy": policy, "containers": containers });
        if host_pid {
            spec["hostPID"] = json!(true);
        }
        json!({ "metadata": metadata, "spec": spec })
    })
}

fn rules_of(pod: &Value, context: Context<'_>, options: &Options) -> Vec<&'static str> {
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "x" }, "spec": { "template": pod } });
    look("x", &format!("{job:#}"), context, options, &[], "")
        .findings
        .iter()
        .map(|finding| finding.rule.slug)
        .collect()
}

proptest! {
    /// What inject would change is told of, and what it has changed is right.
    #[test]
    fn check_asks_for_what_inject_does_and_has_nothing_against_it(
        pod in pod(),
        version in prop::option::of(28u32..37),
        by_image in any::<bool>(),
    ) {
        let delivery = if by_image { Delivery::ImageVolume } else { Delivery::InitContainer };
        let kube_version = version.map(|minor| KubeVersion(1, minor));
        let options = Options { delivery, image: "r/lastout:1".into(), ..Options::default() };
        let known = Known { kube_version, ..Known::default() };
        let context = Context::new(&known);
        let decision = decide(Pod(&pod), context, &options);
        let before = rules_of(&pod, context, &options);
        let asks = ["hangs", "will-be-injected", "shell-wrap"];
        if decision.is_change() {
            prop_assert!(before.iter().any(|rule| asks.contains(rule)), "{before:?}: {pod:#}");
            let after = applied(&pod, &decision).unwrap();
            // What the sidecars are told is the user's, and so is an annotation that names no container; a shell's own request goes on beside ours.
            let left: Vec<&str> = rules_of(&after, context, &options).into_iter().filter(|rule| !["not-switched-on", "shell-wrap"].contains(rule)).filter(|rule| !(*rule == "spec-error" && before.contains(rule))).collect();
            prop_assert_eq!(&left, &[""; 0], "{:#}", after);
        }
        let may_hang = ["hangs", "no-command"].iter().any(|rule| before.contains(rule));
        prop_assert!(!(may_hang && pod["spec"]["restartPolicy"] == "Always"), "{before:?}: {pod:#}");
    }
}
