//! Injectors of other projects: how a pod or its namespace says that a sidecar will be added when the pod is created.
//! For programs that read manifests, in which that sidecar is not there yet; the wrapper reads none of this.
//!
//! Not here, as nothing in the pod or the namespace says so: Cloud SQL's operator, whose `AuthProxyWorkload` names the
//! workloads it is for, and what an injector was installed to do without being asked (Istio's
//! `enableNamespacesByDefault`, Consul's `connectInject.default`, Datadog's own selectors).

mod rows;

pub use rows::INJECTORS;

use crate::presets::{self, Preset};

/// An injector.
#[derive(Debug, PartialEq, Eq)]
pub struct Injector {
    /// What people call it.
    pub name: &'static str,
    /// The row of the sidecar that it adds.
    pub preset: &'static str,
    /// What switches it on and off; the first that is set to one of its values decides.
    pub switches: &'static [Switch],
    /// What makes the sidecar that it adds a native one, or a plain one; decided in the same way.
    pub native: &'static [Switch],
    /// Which of the two it adds when nothing of that is set.
    pub otherwise: Otherwise,
    /// It passes pods with `hostNetwork: true` by.
    pub skips_host_network: bool,
    /// Where these facts were read.
    pub source: &'static str,
}

/// A label or an annotation, and what its values mean. No value, and one that is not named here, is as if it were not
/// set: the next switch is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Where it stands.
    pub place: Place,
    /// Its key.
    pub key: &'static str,
    /// The values that switch on.
    pub on: On,
    /// The values that switch off.
    pub off: &'static [&'static str],
}

/// Where a switch stands. A pod's are those of the pod template that it is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the pod's labels.
    PodLabel,
    /// Among the pod's annotations.
    PodAnnotation,
    /// Among the labels of its namespace.
    NamespaceLabel,
    /// Among the annotations of its namespace.
    NamespaceAnnotation,
}

/// The values that switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Each that does not switch off, such as the name of a revision.
    AnyOther,
}

/// What is added when no switch says whether the sidecar is to be a native one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// A plain sidecar.
    Plain,
    /// It depends on this, which is not in the pod.
    Depends(&'static str),
}

impl Injector {
    /// The row of the sidecar that it adds.
    #[must_use]
    pub fn adds(&self) -> Option<&'static Preset> {
        presets::find(self.preset)
    }

    /// Whether it will add its sidecar. `None`: nothing says so; by default none of them adds one then.
    ///
    /// `value_of` looks a key up; a namespace that is not known has no values.
    pub fn injects<'a>(&self, value_of: impl Fn(Place, &str) -> Option<&'a str>) -> Option<bool> {
        first(self.switches, value_of)
    }

    /// Whether the sidecar will be a native one, which needs no stop. `None`: nothing says so, see
    /// [`otherwise`](Self::otherwise).
    pub fn adds_native<'a>(&self, value_of: impl Fn(Place, &str) -> Option<&'a str>) -> Option<bool> {
        first(self.native, value_of)
    }
}

fn first<'a>(switches: &[Switch], value_of: impl Fn(Place, &str) -> Option<&'a str>) -> Option<bool> {
    switches.iter().find_map(|switch| switch.means(value_of(switch.place, switch.key)?))
}

impl Switch {
    /// On, off, or nothing.
    #[must_use]
    pub fn means(&self, value: &str) -> Option<bool> {
        match self.on {
            _ if value.is_empty() => None,
            _ if self.off.contains(&value) => Some(false),
            On::OneOf(values) => values.contains(&value).then_some(true),
            On::AnyOther => Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Place::{NamespaceAnnotation, NamespaceLabel, PodAnnotation, PodLabel};
    use alloc::format;
    use proptest::prelude::*;

    fn injector(name: &str) -> &'static Injector {
        INJECTORS.iter().find(|injector| injector.name == name).unwrap()
    }

    /// `value_of` for what is set here.
    fn set<'a>(values: &'a [(Place, &'a str, &'a str)]) -> impl Fn(Place, &str) -> Option<&'a str> {
        move |place, key| {
            values.iter().find(|(at, name, _)| (*at, *name) == (place, key)).map(|found| found.2)
        }
    }

    fn injects(name: &str, values: &[(Place, &str, &str)]) -> Option<bool> {
        injector(name).injects(set(values))
    }

    #[test]
    fn every_injector_adds_a_known_sidecar_and_says_where_that_was_read() {
        for injector in INJECTORS {
            let name = injector.name;
            assert_eq!(INJECTORS.iter().filter(|other| other.name == name).count(), 1, "{name}");
            assert!(injector.adds().is_some(), "{name}: {}", injector.preset);
            assert!(!injector.switches.is_empty() && !injector.source.is_empty(), "{name}");
            for switch in injector.switches.iter().chain(injector.native) {
                let values = match switch.on {
                    On::OneOf(values) => values,
                    On::AnyOther => &["anything"],
                };
                assert!(!values.is_empty() || !switch.off.is_empty(), "{name}: {switch:?}");
                assert!(values.iter().all(|value| switch.means(value) == Some(true)), "{name}: {switch:?}");
                assert!(
                    switch.off.iter().all(|value| switch.means(value) == Some(false)),
                    "{name}: {switch:?}"
                );
                assert_eq!(switch.means(""), None, "{name}: {switch:?}");
            }
        }
    }

    #[test]
    fn nothing_said_is_nothing_known() {
        for injector in INJECTORS {
            assert_eq!((injector.injects(set(&[])), injector.adds_native(set(&[]))), (None, None));
        }
    }

    #[test]
    fn a_pod_says_it_for_itself_against_its_namespace() {
        for (name, place, key, on, off, of_namespace) in [
            ("linkerd", PodAnnotation, "linkerd.io/inject", "enabled", "disabled", NamespaceAnnotation),
            ("kuma", PodLabel, "kuma.io/sidecar-injection", "enabled", "disabled", NamespaceLabel),
            (
                "otel-operator",
                PodAnnotation,
                "sidecar.opentelemetry.io/inject",
                "true",
                "false",
                NamespaceAnnotation,
            ),
            (
                "app-mesh",
                PodAnnotation,
                "appmesh.k8s.aws/sidecarInjectorWebhook",
                "enabled",
                "disabled",
                NamespaceLabel,
            ),
        ] {
            assert_eq!(injects(name, &[(of_namespace, key, on)]), Some(true), "{name}");
            assert_eq!(injects(name, &[(of_namespace, key, off), (place, key, on)]), Some(true), "{name}");
            assert_eq!(injects(name, &[(of_namespace, key, on), (place, key, off)]), Some(false), "{name}");
        }
    }

    /// By the selectors of Istio's four webhooks.
    #[test]
    fn istio_goes_by_labels_and_a_disabled_namespace_wins() {
        const INJECT: &str = "sidecar.istio.io/inject";
        let enabled = (NamespaceLabel, "istio-injection", "enabled");
        let disabled = (NamespaceLabel, "istio-injection", "disabled");
        for (values, injected) in [
            (&[enabled][..], Some(true)),
            (&[enabled, (PodLabel, INJECT, "false")], Some(false)),
            (&[enabled, (PodAnnotation, INJECT, "false")], Some(false)),
            (&[enabled, (PodAnnotation, INJECT, "false"), (PodLabel, INJECT, "true")], Some(true)),
            (&[disabled, (PodLabel, INJECT, "true")], Some(false)),
            (&[(PodLabel, INJECT, "true")], Some(true)),
            // No webhook selects by an annotation.
            (&[(PodAnnotation, INJECT, "true")], None),
            (&[(PodLabel, INJECT, "True")], None),
            (&[(NamespaceLabel, "istio.io/rev", "1-30")], Some(true)),
            (&[(PodLabel, "istio.io/rev", "1-30")], Some(true)),
            (&[(PodLabel, "istio.io/rev", "1-30"), (PodLabel, INJECT, "false")], Some(false)),
        ] {
            assert_eq!(injects("istio", values), injected, "{values:?}");
        }
    }

    #[test]
    fn an_agent_that_only_fills_a_volume_first_is_no_sidecar() {
        for (name, prefix) in [("vault", "vault.hashicorp.com"), ("openbao", "openbao.openbao.org")] {
            let (inject, only) =
                (format!("{prefix}/agent-inject"), format!("{prefix}/agent-pre-populate-only"));
            let on = (PodAnnotation, inject.as_str(), "true");
            assert_eq!(injects(name, &[on]), Some(true));
            assert_eq!(injects(name, &[on, (PodAnnotation, &only, "true")]), Some(false));
            assert_eq!(injects(name, &[on, (PodAnnotation, &only, "false")]), Some(true));
        }
    }

    #[test]
    fn an_annotation_makes_the_added_sidecar_a_native_one() {
        for (name, key) in [
            ("istio", "sidecar.istio.io/nativeSidecar"),
            ("linkerd", "config.linkerd.io/proxy-enable-native-sidecar"),
            ("linkerd", "config.beta.linkerd.io/proxy-enable-native-sidecar"),
            ("dapr", "dapr.io/enable-native-sidecar"),
            ("consul", "consul.hashicorp.com/enable-consul-dataplane-as-sidecar"),
        ] {
            let native = |value| injector(name).adds_native(set(&[(PodAnnotation, key, value)]));
            assert_eq!((native("true"), native("false"), native("maybe")), (Some(true), Some(false), None));
            assert_ne!(injector(name).otherwise, Otherwise::Plain, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_values_are_judged_without_a_panic(value in ".*", index: prop::sample::Index) {
            let injector = index.get(INJECTORS);
            let _ = (injector.injects(|_, _| Some(&value)), injector.adds_native(|_, _| Some(&value)));
        }
    }
}
