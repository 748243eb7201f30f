//! What has to be in a cluster before something of ours works there, as objects of the API: the webhook's bundle, and what
//! helpers may do. `kubectl lastout manifests` prints them; the chart (`charts/lastout`) is made of the same.
//!
//! They are the same bytes each time, and no field is in them that somebody else fills in: a `caBundle` that is not printed is
//! not taken away when they are applied again, neither by kubectl nor by Helm or Argo CD.

mod authority;
mod certificates;
mod configuration;
mod helper;
mod rbac;
mod rights;
mod server;

pub use authority::authorities;
pub use certificates::{Certificates, TLS_SECRET};
pub use helper::helper;
pub use server::AFTER_DRAIN;

use crate::cel::{Namespaces, labels};
use crate::webhook::certificates::names::{self, Names};
use serde_json::{Value, json};
use std::time::Duration;

/// The namespace where nothing else is said.
pub const NAMESPACE: &str = "lastout";
/// The Deployment, and what belongs to it.
const NAME: &str = names::SERVICE;

/// What the bundle is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the webhook runs.
    pub namespace: String,
    /// Whether that namespace is one of the objects: then it goes away with them, and all that is in it.
    pub creates_namespace: bool,
    /// The webhook's image.
    pub image: String,
    /// How many run.
    pub replicas: u32,
    /// The options of `kubectl-lastout webhook` that differ from its defaults.
    pub arguments: Vec<String>,
    /// How long it takes to end, at most, as the arguments say.
    pub drain: Duration,
    /// Which pods it is asked about.
    pub namespaces: Namespaces,
    /// Where its certificate comes from.
    pub certificates: Certificates,
}

impl Settings {
    fn names(&self) -> Names {
        Names::of_bundle(&self.namespace)
    }
}

/// The bundle, in an order in which all can be applied at once: the API server is told to ask when all else is there.
#[must_use]
pub fn webhook(settings: &Settings) -> Vec<Value> {
    let mut objects: Vec<Value> =
        settings.creates_namespace.then(|| namespace(settings)).into_iter().collect();
    objects.extend(rights::objects(settings));
    objects.extend(server::objects(settings));
    objects.extend(certificates::objects(settings));
    objects.push(configuration::object(settings));
    objects
}

fn namespace(settings: &Settings) -> Value {
    let Value::Object(mut all) = labels() else { return Value::Null };
    all.insert("pod-security.kubernetes.io/enforce".to_owned(), "restricted".into());
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": settings.namespace, "labels": all } })
}

/// Of an object in the webhook's namespace.
fn metadata(settings: &Settings, name: &str) -> Value {
    json!({ "name": name, "namespace": settings.namespace, "labels": labels() })
}

/// Of an object of the whole cluster.
fn global(name: &str) -> Value {
    json!({ "name": name, "labels": labels() })
}
