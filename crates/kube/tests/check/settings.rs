//! What a manifest shows of a sidecar: another port, an old version; and of a command line: variables.

use super::{findings, job, rules, run};

fn pod(command: &str, sidecar: &str) -> String {
    job(&format!(
        "      volumes: [{{ name: lastout, image: {{ reference: l }} }}]
      containers:
      - name: report
        image: r/report:1
        command: [{command}]
        volumeMounts: [{{ name: lastout, mountPath: /.lastout, readOnly: true }}]
{sidecar}"
    ))
}

fn annotated(manifest: &str, annotation: &str) -> String {
    manifest.replacen(
        "template:\n",
        &format!("template:\n    metadata: {{ annotations: {{ {annotation} }} }}\n"),
        1,
    )
}

/// The sidecar, an annotation of the pod, the SPEC that is right, the one that is wrong.
const MOVED: [(&str, &str, &str, &str); 6] = [
    (
        "      - { name: p, image: r/cloud-sql-proxy:2.14.0, args: [--quitquitquit, --health-check, --http-port=9801] }\n",
        "a: b",
        "cloud-sql-proxy:ready-port=9801",
        "cloud-sql-proxy",
    ),
    (
        "      - { name: p, image: r/cloud-sql-proxy:2, args: [--quitquitquit, --health-check, --admin-port, \"9191\"] }\n",
        "a: b",
        "cloud-sql-proxy:port=9191",
        "cloud-sql-proxy",
    ),
    (
        "      - { name: istio-proxy, image: istio/proxyv2:1 }\n",
        "status.sidecar.istio.io/port: \"15999\"",
        "istio:port=15999",
        "istio",
    ),
    (
        "      - { name: linkerd-proxy, image: linkerd/proxy:1 }\n",
        "config.linkerd.io/admin-port: \"4999\", config.linkerd.io/proxy-admin-shutdown: enabled",
        "linkerd:port=4999",
        "linkerd",
    ),
    (
        "      - { name: pushgateway, image: prom/pushgateway, args: [\"--web.listen-address=:9999\", --web.enable-lifecycle] }\n",
        "a: b",
        "pushgateway:port=9999",
        "pushgateway",
    ),
    (
        "      - name: p\n        image: r/cloud-sql-proxy:2\n        args: [--quitquitquit, --health-check]\n        env: [{ name: CSQL_PROXY_HTTP_PORT, value: \"9802\" }]\n",
        "a: b",
        "cloud-sql-proxy:ready-port=9802",
        "cloud-sql-proxy",
    ),
];

#[test]
fn inject_tells_lastout_the_port_that_the_manifest_sets_and_check_asks_for_it() {
    for (sidecar, annotation, right, wrong) in MOVED {
        let plain = annotated(
            &pod("/app", sidecar)
                .replace("      volumes: [{ name: lastout, image: { reference: l } }]\n", ""),
            annotation,
        )
        .replace("        volumeMounts: [{ name: lastout, mountPath: /.lastout, readOnly: true }]\n", "");
        let injected = String::from_utf8(run(&["inject", "-"], &plain).stdout).unwrap();
        assert!(injected.contains(right), "{right}: {injected}");
        assert_eq!(rules(&injected), [""; 0], "{injected}");
        let told = |spec: &str| {
            annotated(&pod(&format!("/.lastout/lastout, --sidecar, {spec:?}, --, /app"), sidecar), annotation)
        };
        assert_eq!(rules(&told(right)), [""; 0], "{right}");
        let (rules, findings) = findings(&told(wrong));
        assert_eq!(rules, ["not-switched-on"], "{right}");
        assert_eq!(findings[0]["mend"].as_str().unwrap(), format!("\"--sidecar\", {right:?},"));
    }
}

#[test]
fn an_image_that_is_too_old_cannot_be_asked() {
    let with = |image: &str, command: &str| {
        pod(
            command,
            &format!("      - {{ name: p, image: {image}, args: [--quitquitquit, --health-check] }}\n"),
        )
    };
    let wrapped = "/.lastout/lastout, --sidecar, cloud-sql-proxy, --, /app";
    for image in
        ["r/cloud-sql-proxy:2.0.0", "cloudsql-docker/gce-proxy:1.33.16", "r/cloudsql-docker/gce-proxy"]
    {
        let (rules, found) = findings(&with(image, wrapped));
        assert_eq!(rules, ["not-switched-on"], "{image}");
        let said = |key: &str| found[0][key].as_str().unwrap().to_owned();
        assert!(
            said("message").ends_with(&format!("from 2.1.0 on; its image is {image}")),
            "{}",
            said("message")
        );
        assert_eq!(said("mend"), "use an image of 2.1.0 or later");
    }
    for image in
        ["r/cloud-sql-proxy:2.1.0", "r/cloud-sql-proxy:2", "r/cloud-sql-proxy", "r/cloud-sql-proxy@sha256:1"]
    {
        assert_eq!(rules(&with(image, wrapped)), [""; 0], "{image}");
    }
}

#[test]
fn a_variable_that_nobody_sets_stays_as_it_is_written() {
    let with = |word: &str, more: &str| {
        let sidecar = format!("{more}      - {{ name: istio-proxy, image: istio/proxyv2:1 }}\n");
        rules(&pod(
            &format!("/.lastout/lastout, --sidecar, istio, --wait-timeout, {word:?}, --, /app"),
            &sidecar,
        ))
    };
    assert_eq!(with("$(T)", ""), ["spec-error"]);
    assert_eq!(with("$(T)", "        env: [{ name: T, value: 3s }]\n"), [""; 0]);
    assert_eq!(with("$(T)", "        env: [{ name: T, value: x }]\n"), ["spec-error"]);
    assert_eq!(
        with("$(T)", "        env: [{ name: T, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]\n"),
        [""; 0]
    );
    assert_eq!(with("$(T)", "        envFrom: [{ configMapRef: { name: c } }]\n"), [""; 0]);
    assert_eq!(with("$(DB_SERVICE_PORT)", ""), [""; 0]);
}

/// It is lastout that ends it.
#[test]
fn a_pod_failure_policy_does_not_see_how_a_sidecar_ends_that_lastout_stops() {
    let policy = "spec:\n  podFailurePolicy: { rules: [{ action: FailJob, onExitCodes: { operator: NotIn, values: [3] } }] }\n  template:";
    let wrapped = pod(
        "/.lastout/lastout, --sidecar, istio, --, /app",
        "      - { name: istio-proxy, image: istio/proxyv2:1 }\n",
    );
    assert_eq!(rules(&wrapped.replace("spec:\n  template:", policy)), [""; 0]);
}
