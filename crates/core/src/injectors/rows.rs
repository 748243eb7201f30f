//! The injectors, one a row. Read in their sources in 2026.

use super::Place::{NamespaceAnnotation, NamespaceLabel, PodAnnotation, PodLabel};
use super::{Injector, On, Otherwise, Place, Switch};

/// What Go's `strconv.ParseBool` takes for true, and for false.
const TRUE: &[&str] = &["true", "True", "TRUE", "t", "T", "1"];
const FALSE: &[&str] = &["false", "False", "FALSE", "f", "F", "0"];

const fn switch(
    place: Place,
    key: &'static str,
    on: &'static [&'static str],
    off: &'static [&'static str],
) -> Switch {
    Switch { place, key, on: On::OneOf(on), off }
}

/// One that any value but these switches on.
const fn named(place: Place, key: &'static str, off: &'static [&'static str]) -> Switch {
    Switch { place, key, on: On::AnyOther, off }
}

/// All of them.
pub static INJECTORS: &[Injector] = &[
    Injector {
        name: "istio",
        preset: "istio",
        switches: &[
            // None of its webhooks selects a pod in such a namespace, whatever the pod says.
            switch(NamespaceLabel, "istio-injection", &[], &["disabled"]),
            // The label before the annotation of the same name. The annotation only opts out: no webhook selects by it.
            switch(PodLabel, "sidecar.istio.io/inject", &["true"], &["false"]),
            switch(PodAnnotation, "sidecar.istio.io/inject", &[], &["false"]),
            switch(NamespaceLabel, "istio-injection", &["enabled"], &[]),
            named(PodLabel, "istio.io/rev", &[]),
            named(NamespaceLabel, "istio.io/rev", &[]),
        ],
        // From 1.24.
        native: &[switch(PodAnnotation, "sidecar.istio.io/nativeSidecar", TRUE, FALSE)],
        otherwise: Otherwise::Depends(
            "its ENABLE_NATIVE_SIDECARS; by default (auto) native where every kubelet is 1.33 or later",
        ),
        skips_host_network: true,
        source: "istio pkg/kube/inject/inject.go, manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml",
    },
    Injector {
        name: "linkerd",
        preset: "linkerd",
        switches: &[
            switch(PodAnnotation, "linkerd.io/inject", &["enabled", "ingress"], &["disabled"]),
            switch(NamespaceAnnotation, "linkerd.io/inject", &["enabled", "ingress"], &["disabled"]),
        ],
        // The key had alpha, then beta in it; a pod without one has its namespace's.
        native: &[
            switch(PodAnnotation, "config.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
            switch(PodAnnotation, "config.beta.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
            switch(PodAnnotation, "config.alpha.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
            switch(NamespaceAnnotation, "config.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
            switch(NamespaceAnnotation, "config.beta.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
            switch(NamespaceAnnotation, "config.alpha.linkerd.io/proxy-enable-native-sidecar", TRUE, FALSE),
        ],
        otherwise: Otherwise::Depends("Helm proxy.nativeSidecar; by default native from 2.20 (edge-26.5.2)"),
        skips_host_network: true,
        source: "linkerd2 pkg/k8s/labels.go, pkg/inject",
    },
    Injector {
        name: "dapr",
        preset: "dapr",
        switches: &[switch(
            PodAnnotation,
            "dapr.io/enabled",
            &["true", "True", "TRUE", "t", "T", "1", "yes", "y", "on"],
            &["false", "False", "FALSE", "f", "F", "0", "no", "n", "off"],
        )],
        // From 1.18.
        native: &[switch(PodAnnotation, "dapr.io/enable-native-sidecar", TRUE, FALSE)],
        otherwise: Otherwise::Depends("Helm dapr_sidecar_injector.nativeSidecar; by default plain"),
        skips_host_network: false,
        source: "dapr pkg/injector/annotations/annotations.go",
    },
    Injector {
        name: "consul",
        preset: "consul-dataplane",
        switches: &[switch(PodAnnotation, "consul.hashicorp.com/connect-inject", TRUE, FALSE)],
        native: &[switch(
            PodAnnotation,
            "consul.hashicorp.com/enable-consul-dataplane-as-sidecar",
            TRUE,
            FALSE,
        )],
        otherwise: Otherwise::Depends(
            "Helm connectInject.dataplaneAsSidecarInitContainer.defaultEnabled; by default plain",
        ),
        skips_host_network: false,
        source: "consul-k8s control-plane/connect-inject/constants/annotations_and_labels.go",
    },
    Injector {
        name: "kuma",
        preset: "kuma",
        // Labels: as an annotation the same key is not read any more.
        switches: &[
            switch(
                PodLabel,
                "kuma.io/sidecar-injection",
                &["enabled", "true", "yes"],
                &["disabled", "false", "no"],
            ),
            switch(
                NamespaceLabel,
                "kuma.io/sidecar-injection",
                &["enabled", "true", "yes"],
                &["disabled", "false", "no"],
            ),
        ],
        native: &[],
        otherwise: Otherwise::Depends(
            "its version and that of Kubernetes; native from 1.29, always from Kuma 3.0",
        ),
        skips_host_network: false,
        source: "kuma pkg/plugins/runtime/k8s/metadata/annotations.go, pkg/plugins/runtime/k8s/webhooks/injector",
    },
    Injector {
        name: "vault",
        preset: "vault-agent",
        switches: &[
            // Only an init container then.
            switch(PodAnnotation, "vault.hashicorp.com/agent-pre-populate-only", &[], TRUE),
            switch(PodAnnotation, "vault.hashicorp.com/agent-inject", TRUE, FALSE),
        ],
        native: &[],
        otherwise: Otherwise::Plain,
        skips_host_network: false,
        source: "vault-k8s agent-inject/agent/annotations.go",
    },
    Injector {
        name: "openbao",
        preset: "openbao-agent",
        switches: &[
            switch(PodAnnotation, "openbao.openbao.org/agent-pre-populate-only", &[], TRUE),
            switch(PodAnnotation, "openbao.openbao.org/agent-inject", TRUE, FALSE),
        ],
        native: &[],
        otherwise: Otherwise::Plain,
        skips_host_network: false,
        source: "openbao-k8s agent-inject/agent/annotations.go",
    },
    Injector {
        name: "gcsfuse",
        preset: "gcsfuse",
        switches: &[switch(
            PodAnnotation,
            "gke-gcsfuse/volumes",
            &["true", "True", "TRUE"],
            &["false", "False", "FALSE"],
        )],
        native: &[],
        otherwise: Otherwise::Depends("the version of the nodes; native where every node is 1.29 or later"),
        skips_host_network: false,
        source: "gcs-fuse-csi-driver pkg/webhook/mutatingwebhook.go",
    },
    Injector {
        name: "otel-operator",
        preset: "otel-collector",
        // true, or the name of the collector that is to be added.
        switches: &[
            named(PodAnnotation, "sidecar.opentelemetry.io/inject", &["false", "False", "FALSE"]),
            named(NamespaceAnnotation, "sidecar.opentelemetry.io/inject", &["false", "False", "FALSE"]),
        ],
        native: &[],
        otherwise: Otherwise::Depends("the operator's settings; by default plain"),
        skips_host_network: false,
        source: "opentelemetry-operator README.md, internal/webhook/podmutation, pkg/sidecar/annotation.go",
    },
    Injector {
        name: "datadog",
        preset: "datadog-agent",
        // Its only provider, by the selector that it has by itself.
        switches: &[switch(PodLabel, "agent.datadoghq.com/sidecar", &["fargate"], &[])],
        native: &[],
        otherwise: Otherwise::Plain,
        skips_host_network: false,
        source: "datadog-agent pkg/clusteragent/admission/mutate/agent_sidecar",
    },
    Injector {
        name: "app-mesh",
        preset: "envoy",
        switches: &[
            switch(PodAnnotation, "appmesh.k8s.aws/sidecarInjectorWebhook", &["enabled"], &["disabled"]),
            switch(NamespaceLabel, "appmesh.k8s.aws/sidecarInjectorWebhook", &["enabled"], &["disabled"]),
        ],
        native: &[],
        otherwise: Otherwise::Plain,
        skips_host_network: false,
        source: "aws-app-mesh-controller-for-k8s pkg/inject/constants.go, pkg/inject/inject.go",
    },
];
