//! The templates: the objects that the program prints, with places that values fill in.

use super::merge::Variants;
use super::slots::{Slots, add, put};
use kubectl_lastout::cel::{self, Namespaces};
use kubectl_lastout::install::{self, Certificates, Settings};
use kubectl_lastout::{cli, verbs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The objects of one text, as templates, by kind and name.
type Objects = Vec<(String, String)>;

const HEAD: &str = "{{- /* Written by crates/kube/tests/chart (LASTOUT_BLESS=1): do not edit. */}}\n";

/// The webhook's bundle, a file for each kind of object, but for the namespace, which Helm makes.
pub fn webhook() -> BTreeMap<String, String> {
    let variants = Variants {
        questions: vec![
            ("certificates.from", vec!["itself", "cert-manager", "secret"]),
            ("namespaces", vec!["labelled", "all"]),
        ],
    };
    let all: Vec<Objects> = (0..variants.count()).map(|number| bundle(&variants.answers(number))).collect();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for title in titles(&all) {
        let texts: Vec<String> = all.iter().map(|objects| text_of(objects, &title)).collect();
        let mut object = variants.merged(&texts);
        if title.starts_with("NetworkPolicy") {
            object = format!("{{{{- if .Values.webhook.networkPolicy }}}}\n{object}{{{{- end }}}}\n");
        }
        let file = files.entry(format!("templates/{}.yaml", file_of(&title))).or_default();
        file.push_str(&object);
    }
    let when = |text: &String| {
        format!("{HEAD}{{{{- if eq (include \"lastout.mode\" .) \"webhook\" }}}}\n{text}{{{{- end }}}}\n")
    };
    files.into_iter().map(|(name, text)| (name, when(&text))).collect()
}

/// The policies, a file for each way to change a pod.
pub fn policies() -> BTreeMap<String, String> {
    let variants = Variants { questions: vec![("namespaces", vec!["labelled", "all"])] };
    let ways: [(&str, &[&str]); 3] = [
        ("init-container", &[]),
        ("image-volume", &["--delivery", "image-volume"]),
        ("native", &["--mode", "native"]),
    ];
    let file = |(way, words): (&str, &[&str])| {
        let all: Vec<Objects> =
            (0..variants.count()).map(|number| policy(words, variants.answers(number)[0])).collect();
        let objects = titles(&all).into_iter().map(|title| {
            variants.merged(&all.iter().map(|objects| text_of(objects, &title)).collect::<Vec<_>>())
        });
        let condition = format!(
            "and (eq (include \"lastout.mode\" .) \"policy\") (eq (include \"lastout.way\" .) {way:?})"
        );
        let text =
            format!("{HEAD}{{{{- if {condition} }}}}\n{}{{{{- end }}}}\n", objects.collect::<String>());
        (format!("templates/policy-{way}.yaml"), text)
    };
    ways.into_iter().map(file).collect()
}

fn bundle(answers: &[&str]) -> Objects {
    let mut slots = Slots::default();
    let certificates =
        match answers[0] {
            "itself" => Certificates::Itself,
            "cert-manager" => Certificates::CertManager,
            _ => Certificates::Secret {
                name: slots.words(".Values.certificates.secret"),
                ca_bundle: Some(slots.lines(
                    "{{- with .Values.certificates.caBundle }}\ncaBundle: {{ . | b64enc }}\n{{- end }}",
                )),
            },
        };
    let settings = Settings {
        namespace: slots.words(".Release.Namespace"),
        creates_namespace: false,
        image: slots.words(".Values.helperImage | quote"),
        replicas: 2,
        arguments: vec![slots.lines("{{- include \"lastout.arguments\" . | nindent INDENT }}")],
        drain: Duration::ZERO,
        namespaces: namespaces(answers[1]),
        certificates,
    };
    let mut found = Vec::new();
    for mut object in install::webhook(&settings) {
        labelled(&mut object, &mut slots);
        match object["kind"].as_str().unwrap() {
            "Deployment" => deployment(&mut object, &mut slots),
            "NetworkPolicy" if answers[0] == "itself" => {
                let to = "{{- with .Values.webhook.apiServers }}\nto:\n{{- range . }}\n- ipBlock:\n    cidr: {{ . }}\n{{- end }}\n{{- end }}";
                add(&mut object, "/spec/egress/0", slots.lines(to));
            }
            "MutatingWebhookConfiguration" => {
                for (number, which) in ["pods", "namespaces"].iter().enumerate() {
                    let mut set = |key: &str, value: String| {
                        put(&mut object, &format!("/webhooks/{number}/{key}"), value)
                    };
                    set("failurePolicy", slots.words(&format!(".Values.webhook.failurePolicy.{which}")));
                    set("timeoutSeconds", slots.words(".Values.webhook.timeoutSeconds"));
                }
            }
            _ => {}
        }
        found.push((title(&object), slots.text(&object)));
    }
    found
}

fn deployment(object: &mut Value, slots: &mut Slots) {
    put(object, "/spec/replicas", slots.words(".Values.webhook.replicas"));
    let grace = format!("add .Values.webhook.drainTimeoutSeconds {}", install::AFTER_DRAIN);
    put(object, "/spec/template/spec/terminationGracePeriodSeconds", slots.words(&grace));
    let resources = "resources:\n  {{- toYaml .Values.webhook.resources | nindent 10 }}";
    put(object, "/spec/template/spec/containers/0/resources", slots.lines(resources));
    for key in ["imagePullSecrets", "tolerations"] {
        let list = format!(
            "{{{{- with .Values.webhook.{key} }}}}\n{key}:\n{{{{- toYaml . | nindent INDENT }}}}\n{{{{- end }}}}"
        );
        add(object, "/spec/template/spec", slots.lines(&list));
    }
    let class = "{{- with .Values.webhook.priorityClassName }}\npriorityClassName: {{ . }}\n{{- end }}";
    add(object, "/spec/template/spec", slots.lines(class));
}

fn policy(words: &[&str], which: &str) -> Objects {
    let words = [&["kubectl-lastout", "policy", "--namespaces", which], words].concat();
    let matches = cli::definition().try_get_matches_from(words).unwrap();
    let mut settings = verbs::policy::settings(matches.subcommand().unwrap().1);
    let mut slots = Slots::default();
    let cpu_and_memory =
        ["_0", "_1"].map(|at| slots.words(&format!("(split \",\" .Values.injection.resources).{at}")));
    settings.image = slots.words(".Values.image");
    settings.resources = Some(cpu_and_memory.into());
    settings.parameters = Some((slots.words(".Release.Namespace"), "lastout-sidecars".to_owned()));
    let mut found = Vec::new();
    let objects = cel::parameters(&settings).into_iter().chain(cel::mutating(&settings));
    for mut object in objects.chain(cel::warning(&settings)) {
        labelled(&mut object, &mut slots);
        match object["kind"].as_str().unwrap() {
            "ConfigMap" => {
                let data = "{{- with .Values.injection.sidecars }}\ndata:\n  sidecars: {{ join \"\\n\" . | quote }}\n{{- end }}";
                add(&mut object, "", slots.lines(data));
            }
            kind if kind.starts_with("MutatingAdmissionPolicy") => {
                let version =
                    format!("admissionregistration.k8s.io/{}", slots.words(".Values.policy.apiVersion"));
                put(&mut object, "/apiVersion", version);
            }
            _ => {}
        }
        found.push((title(&object), slots.text(&object)));
    }
    found
}

fn namespaces(word: &str) -> Namespaces {
    if word == "all" { Namespaces::All } else { Namespaces::Labelled }
}

/// The labels that Helm's users look for, beside ours.
fn labelled(object: &mut Value, slots: &mut Slots) {
    add(object, "/metadata/labels", slots.lines("{{- include \"lastout.labels\" . | nindent INDENT }}"));
}

fn title(object: &Value) -> String {
    format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}

/// All titles, each behind the one that it follows.
fn titles(all: &[Objects]) -> Vec<String> {
    let mut titles: Vec<String> = Vec::new();
    for objects in all {
        let mut next = 0;
        for (title, _) in objects {
            match titles.iter().position(|known| known == title) {
                Some(at) => next = at + 1,
                None => {
                    titles.insert(next, title.clone());
                    next += 1;
                }
            }
        }
    }
    titles
}

fn text_of(objects: &Objects, title: &str) -> String {
    let text = objects.iter().find(|(found, _)| found == title).map(|(_, text)| text.as_str());
    text.map(|text| format!("---\n{text}")).unwrap_or_default()
}

fn file_of(title: &str) -> &'static str {
    match title.split(' ').next().unwrap() {
        "ServiceAccount" | "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => "rights",
        "Service" | "Deployment" | "PodDisruptionBudget" | "NetworkPolicy" => "server",
        "Issuer" | "Certificate" => "certificates",
        "MutatingWebhookConfiguration" => "configuration",
        other => panic!("{other}: in which file?"),
    }
}
