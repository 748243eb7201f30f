//! The images that known sidecars are shipped as: for containers whose name says nothing, such as `csql-default-db`,
//! which Cloud SQL's operator adds.

use super::{Preset, find};

/// A row's name, and the ends of the paths of its images: whole parts, without registry, tag and digest.
///
/// One part where that is nobody else's name (`cloud-sql-proxy`), so that a mirror may have it in any folder; two where
/// the last part alone would be anybody's (`proxy`, `agent`).
pub static IMAGES: &[(&str, &[&str])] = &[
    // istio manifests/charts/*/values.yaml: the hubs of releases before and from 1.30, of builds, and of GKE's mesh.
    (
        "istio",
        &[
            "istio/proxyv2",
            "istio-release/proxyv2",
            "istio-testing/proxyv2",
            "release/proxyv2",
            "testing/proxyv2",
            "asm/proxyv2",
        ],
    ),
    // envoyproxy.io "Installing Envoy"; App Mesh user guide "Envoy image".
    (
        "envoy",
        &["envoyproxy/envoy", "envoyproxy/envoy-distroless", "envoyproxy/envoy-contrib", "aws-appmesh-envoy"],
    ),
    // linkerd2 charts/linkerd-control-plane/values.yaml.
    ("linkerd", &["linkerd/proxy", "linkerd-io/proxy"]),
    // cloud-sql-proxy README.md; gce-proxy is version 1, which has no quit endpoint.
    ("cloud-sql-proxy", &["cloud-sql-proxy", "cloudsql-docker/gce-proxy"]),
    // alloydb-auth-proxy README.md.
    ("alloydb-auth-proxy", &["alloydb-auth-proxy"]),
    // dapr charts/dapr/charts/dapr_sidecar_injector/values.yaml.
    ("dapr", &["daprd"]),
    // consul-k8s charts/consul/values.yaml; Consul calls the container of a further service consul-dataplane-SERVICE.
    ("consul-dataplane", &["consul-dataplane"]),
    // kuma deployments/charts/kuma/values.yaml; Kong Mesh has it under the same name.
    ("kuma", &["kuma-dp"]),
    // Nothing for vault-agent and openbao-agent: server, agent and the client that a main may be are one image.
    ("pushgateway", &["pushgateway"]),
    ("prometheus", &["prom/prometheus", "prometheus/prometheus"]),
    ("statsd-exporter", &["statsd-exporter"]),
    ("ghostunnel", &["ghostunnel"]),
    // opentelemetry-collector-releases README.md; AWS's distribution.
    (
        "otel-collector",
        &[
            "opentelemetry-collector",
            "opentelemetry-collector-contrib",
            "opentelemetry-collector-k8s",
            "aws-otel-collector",
        ],
    ),
    ("fluent-bit", &["fluent-bit", "aws-for-fluent-bit"]),
    ("graphite-exporter", &["graphite-exporter"]),
    ("vector", &["timberio/vector"]),
    ("alloy", &["grafana/alloy"]),
    ("pgbouncer", &["pgbouncer"]),
    // datadog-agent pkg/clusteragent/admission/mutate/agent_sidecar.
    ("datadog-agent", &["datadog/agent", "datadoghq/agent"]),
    ("spiffe-helper", &["spiffe-helper"]),
    // gcs-fuse-csi-driver Makefile.
    ("gcsfuse", &["gcs-fuse-csi-driver-sidecar-mounter"]),
];

/// The row whose program this image is, as `image:` of a container names it: with or without registry, port, folders of
/// a mirror, tag and digest.
#[must_use]
pub fn find_by_image(image: &str) -> Option<&'static Preset> {
    let path = path_of(image);
    let (name, _) = IMAGES.iter().find(|(_, tails)| tails.iter().any(|tail| ends_in(path, tail)))?;
    find(name)
}

/// The path of an image in its registry.
fn path_of(image: &str) -> &str {
    let named = image.split_once('@').map_or(image, |(named, _digest)| named);
    let path = match named.split_once('/') {
        // The rule of the container runtimes: what looks like no host is a folder of the default registry.
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => named,
    };
    // The registry's port went with the registry: a colon that is left begins the tag.
    path.split_once(':').map_or(path, |(path, _tag)| path)
}

/// By whole parts: `my-proxyv2` and `istio/proxyv2-debugger` are something else.
fn ends_in(path: &str, tail: &str) -> bool {
    path.strip_suffix(tail).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PRESETS;
    use alloc::{format, string::String};
    use proptest::prelude::*;

    fn found(image: &str) -> Option<&'static str> {
        find_by_image(image).map(|preset| preset.name)
    }

    #[test]
    fn an_image_is_found_with_registry_port_folders_tag_and_digest() {
        const SHA: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (image, preset) in [
            ("istio/proxyv2", "istio"),
            ("istio/proxyv2:1.30.5-distroless", "istio"),
            ("registry.example:5000/hub/istio/proxyv2:1.30.5", "istio"),
            ("localhost/istio/proxyv2", "istio"),
            (&format!("registry.example/linkerd/proxy@{SHA}"), "linkerd"),
            (&format!("registry.example:443/linkerd/proxy:edge-26.5.2@{SHA}"), "linkerd"),
            ("cloud-sql-proxy", "cloud-sql-proxy"),
            ("localhost:5000/cloud-sql-proxy:2", "cloud-sql-proxy"),
            ("registry.example/cloud-sql-connectors/cloud-sql-proxy:2.27.0-alpine", "cloud-sql-proxy"),
            ("registry.example/hub/envoyproxy/envoy:distroless-v1.40.0", "envoy"),
            ("registry.example/datadog/agent:7", "datadog-agent"),
        ] {
            assert_eq!(found(image), Some(preset), "{image}");
        }
    }

    #[test]
    fn an_image_that_merely_contains_the_word_is_something_else() {
        for image in [
            "",
            ":",
            "@",
            "/",
            "registry.example/",
            "registry.example/:2",
            "proxy",
            "registry.example/proxy",
            "linkerd.example/proxy",
            "linkerd:5000/proxy",
            "my-linkerd/proxy",
            "linkerd/proxy-init:2",
            "linkerd/proxy/debug",
            "istio/pilot",
            "istio/proxyv2-debugger",
            "mycorp/proxyv2",
            "mycorp/pgbouncer-exporter",
            "mycorp/report:cloud-sql-proxy",
            "mycorp/report@cloud-sql-proxy",
            "cloud-sql-proxy.example/report",
            "cloud-sql-proxy:5000/report",
            "cloud-sql-proxy/report",
            "hashicorp/vault:1.21",
            "Istio/Proxyv2",
        ] {
            assert_eq!(found(image), None, "{image}");
        }
    }

    #[test]
    fn each_end_belongs_to_one_row() {
        for (name, tails) in IMAGES {
            assert!(find(name).is_some() && !tails.is_empty(), "{name}");
            assert_eq!(IMAGES.iter().filter(|(other, _)| other == name).count(), 1, "{name}");
            for tail in *tails {
                assert_eq!((path_of(tail), found(tail)), (*tail, Some(*name)));
            }
        }
        let without = PRESETS.iter().filter(|preset| IMAGES.iter().all(|(name, _)| *name != preset.name));
        assert!(without.map(|preset| preset.name).eq(["vault-agent", "openbao-agent"]));
    }

    /// The end of any row's image, and the row.
    fn any_end() -> impl Strategy<Value = (&'static str, &'static str)> {
        (0..IMAGES.len(), any::<prop::sample::Index>())
            .prop_map(|(row, tail)| (IMAGES[row].0, *tail.get(IMAGES[row].1)))
    }

    proptest! {
        #[test]
        fn nothing_that_stands_behind_image_makes_it_panic(image in ".*") {
            let _ = find_by_image(&image);
        }

        #[test]
        fn it_is_found_behind_any_registry_and_folder_with_any_tag(
            (name, tail) in any_end(),
            registry in "(|localhost/|[a-z]{1,8}(\\.[a-z]{2,5}){1,2}(:[0-9]{1,5})?/)",
            folders in "([a-z0-9]{1,6}([-_.][a-z0-9]{1,4})?/){0,3}",
            tag in "(|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,12})",
            digest in "(|@sha256:[0-9a-f]{64})",
        ) {
            // The first folder would be taken for a registry.
            prop_assume!(!registry.is_empty() || !folders.split('/').next().unwrap_or("").contains('.'));
            let image = format!("{registry}{folders}{tail}{tag}{digest}");
            prop_assert_eq!(found(&image), Some(name), "{}", image);
        }

        #[test]
        fn a_longer_word_is_something_else((_, tail) in any_end(), word in "[a-z]{1,5}", before: bool) {
            let image = if before { format!("mycorp/{word}x{tail}") } else { format!("mycorp/{tail}x{word}") };
            prop_assert_eq!(found(&image), None, "{}", image);
        }

        #[test]
        fn a_word_in_registry_tag_or_digest_is_not_looked_at((_, tail) in any_end(), place in 0..3) {
            let word: String = tail.replace('/', "-");
            let image = match place {
                0 => format!("{word}.example/mycorp/report:1"),
                1 => format!("mycorp/report:{word}"),
                _ => format!("mycorp/report@{word}"),
            };
            prop_assert_eq!(found(&image), None, "{}", image);
        }
    }
}
