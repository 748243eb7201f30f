//! docs/doctor.md is held to the code.

use crate::api::{Api, hanging, list};
use crate::run;
use kubectl_lastout::cluster::doctor::rbac::ROLES;
use kubectl_lastout::cluster::doctor::reasons;
use kubectl_lastout::manifest::Manifest;
use serde_json::Value;
use std::fs;

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md")).unwrap()
}

#[test]
fn the_table_of_reasons_is_the_codes() {
    let page = page();
    let table = page.split("### Reasons").nth(1).unwrap().split("\n#").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> =
        reasons().into_iter().map(|(slug, words)| format!("| `{slug}` | {words} |")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_page_names_every_option_of_a_verb_where_it_tells_of_that_verb() {
    let definition = kubectl_lastout::cli::definition();
    let page = page();
    let (doctor, rescue) = page.split_once("\n## rescue\n").unwrap();
    for (verb, text) in [("doctor", doctor), ("rescue", rescue)] {
        let verb = definition.find_subcommand(verb).unwrap();
        // Said once, for both.
        let of_cluster = ["kubeconfig", "context", "as", "as-group"];
        for option in verb.get_arguments().filter_map(|argument| argument.get_long()) {
            let named = match option {
                "namespace" => "`-n NAMESPACE`",
                "all-namespaces" => "`-A`",
                "output" => "`-o ",
                other => &format!("`--{other}"),
            };
            let text = if of_cluster.contains(&option) { doctor } else { text };
            let rows = text.lines().filter(|line| line.starts_with("| `-")).collect::<String>();
            assert!(rows.contains(named), "{} --{option}", verb.get_name());
        }
    }
}

/// Resource and verb of each request that a verb of ours makes.
const DOCTOR: [(&str, &str); 5] =
    [("pods", "list"), ("pods/log", "get"), ("jobs", "get"), ("jobs", "list"), ("namespaces", "list")];
const RESCUE: [(&str, &str); 7] = [
    ("pods", "get"),
    ("pods", "list"),
    ("pods/portforward", "get"),
    ("pods/portforward", "create"),
    ("pods/ephemeralcontainers", "patch"),
    ("pods/log", "get"),
    ("jobs", "get"),
];

#[test]
fn the_roles_allow_what_is_asked_for_and_no_more() {
    let manifest = Manifest::read(ROLES).unwrap();
    let roles: Vec<&Value> = manifest.documents().iter().map(|document| &document.value).collect();
    assert_eq!(roles.len(), 2);
    for (role, name, expected) in
        [(roles[0], "lastout-doctor", DOCTOR.as_slice()), (roles[1], "lastout-rescue", &RESCUE)]
    {
        assert_eq!(role["metadata"]["name"], name);
        assert!(page().contains(&format!("`{name}`")), "{name}");
        let words = |rule: &Value, key: &str| -> Vec<String> {
            rule[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let mut allowed = Vec::new();
        for rule in role["rules"].as_array().unwrap() {
            let group = if rule["resources"][0] == "jobs" { "batch" } else { "" };
            assert_eq!(words(rule, "apiGroups"), [group], "{rule}");
            for resource in words(rule, "resources") {
                allowed.extend(words(rule, "verbs").into_iter().map(|verb| (resource.clone(), verb)));
            }
        }
        let expected: Vec<(String, String)> =
            expected.iter().map(|(resource, verb)| ((*resource).to_owned(), (*verb).to_owned())).collect();
        assert_eq!(allowed, expected, "{name}");
    }
}

/// Keys of `-o json`, as the page tells them.
#[test]
fn the_page_names_every_key_of_the_json() {
    let api = Api::start(|_, _| list(&[hanging("a")], ""));
    let json: Value = serde_json::from_str(&run(&api, &["doctor", "-o", "json"]).out).unwrap();
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let page = page();
    let table = page.split("### JSON\n").nth(1).unwrap().split("\n#").next().unwrap();
    let mut told: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let pod = keys(&json["pods"][0]).into_iter().map(|key| format!("pods[].{key}"));
    let mut expected: Vec<String> = pod.chain(keys(&json).into_iter().filter(|key| key != "pods")).collect();
    expected.sort();
    told.sort_unstable();
    assert_eq!(told, expected);
}
