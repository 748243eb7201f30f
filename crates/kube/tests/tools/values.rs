//! Values of our own chart that manifests have no option for, and those that mean nothing.

use super::bundle::{both, helm, release};
use super::{objects, repository, succeeded, text};
use serde_json::json;
use std::fs;

#[test]
fn values_that_mean_nothing_are_refused_in_words() {
    let rows = [
        ("mode=webhok", &["mode", "'auto', 'policy', 'webhook'"][..]),
        ("replicas=3", &["replicas", "additional"]),
        ("webhook.replicas=0", &["webhook/replicas", "minimum"]),
        ("injection.kubeVersion=2", &["injection/kubeVersion", "want string"]),
        ("image=a'b", &["image", "pattern"]),
        ("certificates.caBundle=abc", &["certificates/caBundle", "pattern"]),
        ("certificates.secret=a-", &["certificates/secret", "pattern"]),
        ("certificates.lifetime=1", &["certificates/lifetime", "string"]),
        ("webhook.imagePullSecrets={a}", &["webhook/imagePullSecrets/0", "object"]),
        ("webhook.resources.cpu=1", &["webhook/resources", "additional"]),
        ("webhook.apiServers={10.0.0.1}", &["webhook/apiServers/0", "pattern"]),
        ("test.namespace=a_b", &["test/namespace", "pattern"]),
        ("test.namespace=lastout", &["test.namespace lastout: nobody is asked about pods of"]),
        ("mode=policy,injection.mode=helper", &["a policy knows no helper containers"]),
        ("mode=policy,injection.resources=inherit", &["a policy cannot; take mode webhook"]),
    ];
    for tool in both() {
        for (values, words) in rows {
            let output = helm(&tool, &["template", "--set", values]);
            let said = text(&output.stderr);
            assert!(!output.status.success() && output.stdout.is_empty(), "{values}");
            for word in words {
                assert!(said.contains(word), "{values}: {said}");
            }
        }
    }
}

#[test]
fn a_null_is_not_a_value_and_a_number_is_not_a_version() {
    let schema = fs::read_to_string(repository().join("charts/lastout/values.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    for tool in both() {
        for (name, section) in schema["properties"].as_object().unwrap() {
            let inner =
                section["properties"].as_object().filter(|inner| inner.values().any(|x| x.is_object()));
            let paths: Vec<String> = inner
                .into_iter()
                .flatten()
                .map(|(key, _)| format!("{name}.{key}"))
                .chain([name.clone()])
                .collect();
            for path in paths.iter().filter(|path| *path != "global") {
                let output = helm(&tool, &["template", "--set", &format!("{path}=null")]);
                let said = text(&output.stderr);
                let key = path.rsplit('.').next().unwrap();
                assert!(!output.status.success() && output.stdout.is_empty(), "{path}");
                assert!(said.contains("missing propert") && said.contains(key), "{path}: {said}");
            }
        }
        let file = tool.home.path().join("values.yaml");
        for (values, word) in [
            ("injection: {kubeVersion: 1.30}", "/injection/kubeVersion"),
            ("image: 1.30", "/image"),
            ("certificates: {lifetime: 24}", "/certificates/lifetime"),
        ] {
            fs::write(&file, values).unwrap();
            let output = helm(&tool, &["template", "--values", file.to_str().unwrap()]);
            let said = text(&output.stderr);
            assert!(!output.status.success(), "{values}");
            assert!(said.contains(word) && said.contains("got number, want string"), "{values}: {said}");
        }
        // What parent charts share may be nothing; a limit may be taken away.
        for values in ["global=null", "webhook.resources.limits=null"] {
            succeeded(&helm(&tool, &["template", "--set", values]));
        }
    }
}

#[test]
fn the_pod_that_tests_a_release_is_where_its_user_may_create_it() {
    for tool in both() {
        let pod = |values: &str| {
            objects(&succeeded(&helm(&tool, &["template", "--set", values])))
                .remove("Pod lastout-webhook-test")
                .unwrap()
        };
        let given = pod("webhook.imagePullSecrets[0].name=own");
        assert_eq!(given["metadata"]["namespace"], "default");
        assert!(
            given["spec"]["imagePullSecrets"].is_null(),
            "those of the release's namespace are not there"
        );
        let given = pod("test.namespace=team,test.imagePullSecrets[0].name=theirs");
        assert_eq!(given["metadata"]["namespace"], "team");
        assert_eq!(given["spec"]["imagePullSecrets"], json!([{ "name": "theirs" }]));
    }
}

#[test]
fn the_policy_of_the_network_names_api_servers_that_are_known() {
    for tool in both() {
        let egress = |values: &[&str]| {
            release(&tool, values)["NetworkPolicy lastout-webhook"]["spec"]["egress"].clone()
        };
        let ports = json!([{ "protocol": "TCP" }]);
        assert_eq!(egress(&[]), json!([{ "ports": ports }]));
        assert_eq!(
            egress(&["webhook.apiServers={10.0.0.1/32,fd00::1/128}"]),
            json!([{
                "ports": ports,
                "to": [{ "ipBlock": { "cidr": "10.0.0.1/32" } }, { "ipBlock": { "cidr": "fd00::1/128" } }],
            }])
        );
        assert_eq!(egress(&["webhook.apiServers={10.0.0.1/32}", "certificates.from=secret"]), json!([]));
    }
}
