//! `manifests`: what it prints is taken in its order, asks for no more than it needs, and runs what the program understands.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use kubectl_lastout::cli;
use serde_json::{Value, json};
use std::process::{Command, Output};

const WAYS: [&[&str]; 4] =
    [&[], &["--certificates", "cert-manager"], &["--certificates", "secret"], &["--namespaces", "all"]];

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubectl-lastout")).arg("manifests").args(words).output().unwrap()
}

fn printed(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn objects(words: &[&str]) -> Vec<Value> {
    let (documents, error) = kubectl_lastout::yaml::read(&printed(words));
    assert_eq!(error, None);
    documents.into_iter().map(|document| document.value).collect()
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

fn of<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap()
}

#[test]
fn the_namespace_comes_first_and_the_configuration_last() {
    for words in WAYS {
        let found = objects(words);
        let kinds = kinds(&found);
        assert_eq!(
            (kinds.first(), kinds.last()),
            (Some(&"Namespace"), Some(&"MutatingWebhookConfiguration"))
        );
        assert_eq!(printed(words), printed(words));
    }
}

#[test]
fn all_of_it_is_in_the_namespace_that_is_said() {
    for words in WAYS {
        let text = printed(&[words, &["-n", "elsewhere", "--create-namespace"]].concat());
        assert!(!text.contains("namespace: lastout"), "{text}");
        assert_eq!(text.replace("elsewhere", "lastout"), printed(words));
    }
}

#[test]
fn only_a_webhook_that_makes_its_certificate_itself_has_rights_and_a_token() {
    for words in WAYS {
        let found = objects(words);
        let itself = !words.contains(&"--certificates");
        assert_eq!(kinds(&found).contains(&"ClusterRole"), itself, "{words:?}");
        let pod = &of(&found, "Deployment")["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], itself);
        let egress = &of(&found, "NetworkPolicy")["spec"]["egress"];
        assert_eq!(egress.as_array().unwrap().is_empty(), !itself);
        for role in found.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("Role")) {
            for rule in role["rules"].as_array().unwrap() {
                // What no name can be given for: the API server does not know it yet.
                let is_create = rule["verbs"] == json!(["create"]);
                assert_eq!(rule["resourceNames"].is_array(), !is_create, "{rule}");
                for part in ["apiGroups", "resources", "verbs"] {
                    assert!(!rule[part].as_array().unwrap().contains(&json!("*")), "{rule}");
                }
            }
        }
    }
}

/// Else cert-manager before 1.19 leaves the webhook a minute without trust (tests/e2e/certmanager.py).
#[test]
fn the_authority_that_cert_manager_renews_keeps_its_key_and_the_certificate_does_not() {
    let found = objects(&["--certificates", "cert-manager"]);
    let policies: Vec<_> = found
        .iter()
        .filter(|object| object["kind"] == "Certificate")
        .map(|object| (object["spec"]["isCA"] == true, &object["spec"]["privateKey"]["rotationPolicy"]))
        .collect();
    assert_eq!(policies, [(true, &json!("Never")), (false, &json!("Always"))]);
}

#[test]
fn the_deployment_runs_what_the_command_line_takes() {
    let given = [
        "--mode",
        "wrap",
        "--kube-version",
        "1.33",
        "--resources",
        "inherit",
        "--sidecar",
        "a:quit=http://127.0.0.1/$(x)",
    ];
    for words in WAYS {
        let found = objects(&[words, &given].concat());
        let container = &of(&found, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        let args: Vec<String> = container["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().replace("$$", "$"))
            .collect();
        assert!(args.contains(&"--sidecar=a:quit=http://127.0.0.1/$(x)".to_owned()), "{args:?}");
        let matches = cli::definition()
            .try_get_matches_from([&["kubectl-lastout".to_owned()], &args[..]].concat())
            .unwrap();
        let (name, matches) = matches.subcommand().unwrap();
        assert_eq!(name, "webhook");
        // The ports that probes, the Service and the command line mean are the same.
        let ports = container["ports"].as_array().unwrap();
        for (option, port) in [("listen", "https"), ("admin-listen", "admin")] {
            let port = ports.iter().find(|found| found["name"] == port).unwrap()["containerPort"].to_string();
            let default = matches.get_raw(option).unwrap().next().unwrap().to_string_lossy().into_owned();
            assert_eq!(default, format!(":{port}"), "{option}");
        }
        for (option, kind) in [("service", "Service"), ("configuration", "MutatingWebhookConfiguration")] {
            assert_eq!(
                of(&found, kind)["metadata"]["name"],
                matches.get_one::<String>(option).unwrap().as_str()
            );
        }
        let grace = of(&found, "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            .as_u64()
            .unwrap();
        assert!(matches.get_one::<std::time::Duration>("drain-timeout").unwrap().as_secs() < grace);
    }
}

#[test]
fn a_pod_is_asked_about_once_at_most_and_never_in_namespaces_of_the_system_or_our_own() {
    for words in WAYS {
        let found = objects(words);
        let hooks = of(&found, "MutatingWebhookConfiguration")["webhooks"].as_array().unwrap();
        assert_eq!(hooks[0]["objectSelector"], json!({ "matchLabels": { "lastout.dev/inject": "true" } }));
        let others =
            json!([{ "key": "lastout.dev/inject", "operator": "NotIn", "values": ["true", "false"] }]);
        assert_eq!(hooks[1]["objectSelector"]["matchExpressions"], others);
        assert_eq!([&hooks[0]["failurePolicy"], &hooks[1]["failurePolicy"]], ["Fail", "Ignore"]);
        for hook in hooks {
            let excluded = &hook["namespaceSelector"]["matchExpressions"][0];
            assert_eq!(excluded["operator"], "NotIn");
            for name in ["kube-system", "kube-public", "kube-node-lease", "lastout"] {
                assert!(excluded["values"].as_array().unwrap().contains(&json!(name)), "{name}");
            }
            assert_eq!(
                hook["clientConfig"]["caBundle"],
                Value::Null,
                "an apply would take away what is written there"
            );
        }
    }
}

#[test]
fn selectors_find_the_pods_and_not_their_version() {
    let found = objects(&[]);
    let deployment = &of(&found, "Deployment")["spec"];
    let labels = &deployment["template"]["metadata"]["labels"];
    let selectors = [
        &deployment["selector"]["matchLabels"],
        &of(&found, "Service")["spec"]["selector"],
        &of(&found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &of(&found, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ];
    for selector in selectors {
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value);
        }
        assert_eq!(selector["app.kubernetes.io/version"], Value::Null);
    }
}

#[test]
fn options_that_do_not_go_together_are_refused_in_words() {
    for (words, said) in [
        (&["--helper"][..], "--helper: name the namespace of the pods with --namespace"),
        (&["--helper", "-n", "x", "--replicas", "3"], "'--helper' cannot be used with"),
        (&["--service-account", "x"], "--helper"),
        (&["--ca-bundle", "x"], "--ca-bundle: it goes with --certificates secret"),
        (
            &["--certificates", "secret", "--ca-bundle", "/no/such/file"],
            "--ca-bundle /no/such/file: No such file",
        ),
        (
            &["--certificates", "secret", "--ca-bundle", "/dev/null"],
            "--ca-bundle /dev/null: it has no certificate in PEM",
        ),
        (&["--replicas", "0"], "0 is not in 1..=100"),
    ] {
        let output = run(words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {stderr}");
        assert!(output.stdout.is_empty() && stderr.contains(said), "{words:?}: {stderr}");
    }
}
