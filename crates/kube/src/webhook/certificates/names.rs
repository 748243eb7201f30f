//! Which objects of a cluster the certificates are for, and kept in.

/// The Secret, where no other is named.
pub const SECRET: &str = "lastout-webhook-ca";
/// The Service; all else of the bundle has its name.
pub const SERVICE: &str = "lastout-webhook";
/// The MutatingWebhookConfiguration: behind those of all injectors, in the order of names.
pub const CONFIGURATION: &str = "zz-lastout";

/// The names of the bundle's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Where the Secret and the Service are.
    pub namespace: String,
    /// The Secret with the authorities.
    pub secret: String,
    /// The Service by which the API server calls.
    pub service: String,
    /// The MutatingWebhookConfiguration with the `caBundle`.
    pub configuration: String,
}

impl Names {
    /// As the bundle names them.
    #[must_use]
    pub fn of_bundle(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            secret: SECRET.to_owned(),
            service: SERVICE.to_owned(),
            configuration: CONFIGURATION.to_owned(),
        }
    }

    /// Whom the leaf certificate is for. The API server asks for `service.namespace.svc`; the others are for people and probes.
    #[must_use]
    pub fn hosts(&self) -> [String; 4] {
        let Self { namespace, service, .. } = self;
        [
            format!("{service}.{namespace}.svc"),
            format!("{service}.{namespace}.svc.cluster.local"),
            format!("{service}.{namespace}"),
            service.clone(),
        ]
    }
}
