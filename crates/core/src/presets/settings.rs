//! What a pod's manifest shows of known sidecars beside what they need: another port, and from which version on they can be
//! asked to quit. The wrapper never reads it, so it is not linked into it.

/// Where a manifest says that a sidecar listens on another port than its row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortSetting {
    /// An argument of its container: a port, or an address that ends in one.
    Flag(&'static str),
    /// A variable of its container.
    Env(&'static str),
    /// An annotation of the pod, which its injector reads.
    Annotation(&'static str),
}

/// A row's name, what sets a port, and the key of a SPEC that says the same.
pub static PORTS: &[(&str, PortSetting, &str)] = &[
    // istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml, statusPort.
    ("istio", PortSetting::Annotation("status.sidecar.istio.io/port"), "port"),
    // linkerd2 pkg/k8s/labels.go, ProxyAdminPortAnnotation.
    ("linkerd", PortSetting::Annotation("config.linkerd.io/admin-port"), "port"),
    // cloud-sql-proxy cmd/root.go: health checks on http-port, the quit on admin-port; alloydb-auth-proxy has the same code.
    ("cloud-sql-proxy", PortSetting::Flag("--admin-port"), "port"),
    ("cloud-sql-proxy", PortSetting::Env("CSQL_PROXY_ADMIN_PORT"), "port"),
    ("cloud-sql-proxy", PortSetting::Flag("--http-port"), "ready-port"),
    ("cloud-sql-proxy", PortSetting::Env("CSQL_PROXY_HTTP_PORT"), "ready-port"),
    ("alloydb-auth-proxy", PortSetting::Flag("--admin-port"), "port"),
    ("alloydb-auth-proxy", PortSetting::Env("ALLOYDB_PROXY_ADMIN_PORT"), "port"),
    ("alloydb-auth-proxy", PortSetting::Flag("--http-port"), "ready-port"),
    ("alloydb-auth-proxy", PortSetting::Env("ALLOYDB_PROXY_HTTP_PORT"), "ready-port"),
    // prometheus and pushgateway main.go.
    ("prometheus", PortSetting::Flag("--web.listen-address"), "port"),
    ("pushgateway", PortSetting::Flag("--web.listen-address"), "port"),
    // statsd_exporter main.go, ghostunnel main.go.
    ("statsd-exporter", PortSetting::Flag("--web.listen-address"), "port"),
    ("ghostunnel", PortSetting::Flag("--status"), "port"),
    // vault-k8s agent-inject/agent/annotations.go.
    ("vault-agent", PortSetting::Annotation("vault.hashicorp.com/agent-cache-listener-port"), "port"),
];

/// A row's name, the version from which it can be asked to quit, and the image that was only ever older.
pub static QUITS_FROM: &[(&str, [u32; 3], Option<&str>)] = &[
    // cloud-sql-proxy CHANGELOG.md; gce-proxy is version 1.
    ("cloud-sql-proxy", [2, 1, 0], Some("cloudsql-docker/gce-proxy")),
    // alloydb-auth-proxy CHANGELOG.md.
    ("alloydb-auth-proxy", [1, 2, 0], None),
    // consul-dataplane CHANGELOG.md.
    ("consul-dataplane", [1, 2, 0], None),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::find;
    use crate::spec::Spec;
    use alloc::format;

    #[test]
    fn every_row_is_there_can_quit_and_takes_the_key() {
        for (row, _, key) in PORTS {
            assert!(Spec::parse(&format!("{row}:{key}=1"), &|_| None).is_ok(), "{row} {key}");
        }
        for row in PORTS.iter().map(|row| row.0).chain(QUITS_FROM.iter().map(|row| row.0)) {
            assert!(find(row).is_some_and(|preset| preset.quit.is_some()), "{row}");
        }
    }

    /// The prose of a row is what people read.
    #[test]
    fn the_prose_of_a_row_says_from_which_version_on() {
        for (row, [major, minor, patch], _) in QUITS_FROM {
            let enable = find(row).map_or("", |preset| preset.enable);
            let said =
                [format!("{major}.{minor}.{patch} or later"), format!("{row} {major}.{minor} or later")];
            assert!(said.iter().any(|said| enable.contains(said.as_str())), "{row}: {enable}");
        }
    }
}
