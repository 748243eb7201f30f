//! Reading and writing the two objects. A write is bound to the version that was seen: what happened meanwhile is not undone,
//! but read.

use super::names::Names;
use crate::cluster::api::within;
use crate::cluster::{error, watch};
use crate::exit::Error;
use json_patch::Patch as JsonPatch;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::Value;
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch as latest;

/// Who writes, in `managedFields`: an apply by anyone else leaves alone what it has not set.
const MANAGER: &str = "lastout-webhook";

/// Whoever waits longer for a write reads again what has become of it.
const ANSWER: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub(super) struct Objects {
    secrets: Api<DynamicObject>,
    configurations: Api<DynamicObject>,
    names: Names,
}

/// Why a write came to nothing.
pub(super) enum Refused {
    /// Somebody else may have been there before us; only what the object is now can tell.
    Late(Error),
    /// Anything else, in a line for the log.
    Told(Error),
}

impl Objects {
    pub(super) fn new(client: &Client, names: &Names) -> Self {
        let (secret, configuration) =
            (ApiResource::erase::<Secret>(&()), ApiResource::erase::<MutatingWebhookConfiguration>(&()));
        Self {
            secrets: Api::namespaced_with(client.clone(), &names.namespace, &secret),
            configurations: Api::all_with(client.clone(), &configuration),
            names: names.clone(),
        }
    }

    /// Keeps `seen` what the Secret is, for ever.
    pub(super) async fn follow_secret(self, seen: latest::Sender<Watched>) {
        let observer = Observer { what: self.secret(), seen: &seen };
        follow(&self.secrets, &self.names.secret, observer).await;
    }

    /// The same of the configuration.
    pub(super) async fn follow_configuration(self, seen: latest::Sender<Watched>) {
        let observer = Observer { what: self.configuration(), seen: &seen };
        follow(&self.configurations, &self.names.configuration, observer).await;
    }

    pub(super) async fn read_secret(&self) -> Result<Known, Error> {
        read(&self.secrets, &self.names.secret).await.map_err(|error| told("list", &self.secret(), &error))
    }

    pub(super) async fn read_configuration(&self) -> Result<Known, Error> {
        let read = read(&self.configurations, &self.names.configuration).await;
        read.map_err(|error| told("list", &self.configuration(), &error))
    }

    pub(super) async fn create_secret(&self, secret: Value) -> Result<Value, Refused> {
        let secret = dynamic(secret)?;
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        self.written("create", self.secret(), self.secrets.create(&params, &secret)).await
    }

    pub(super) async fn replace_secret(&self, secret: Value) -> Result<Value, Refused> {
        let secret = dynamic(secret)?;
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let write = self.secrets.replace(&self.names.secret, &params, &secret);
        self.written("update", self.secret(), write).await
    }

    pub(super) async fn patch_configuration(&self, patch: Value) -> Result<Value, Refused> {
        let patch: JsonPatch =
            serde_json::from_value(patch).map_err(|error| Refused::Told(Error(error.to_string())))?;
        let patch: Patch<()> = Patch::Json(patch);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let write = self.configurations.patch(&self.names.configuration, &params, &patch);
        self.written("patch", self.configuration(), write).await
    }

    async fn written(
        &self,
        verb: &str,
        what: String,
        write: impl Future<Output = kube::Result<DynamicObject>>,
    ) -> Result<Value, Refused> {
        let written = within(ANSWER, write).await.and_then(watch::value);
        written.map_err(|error| match told(verb, &what, &error) {
            // 409: another version, or it is there already; 404: it is gone; 422: the patch's test of the version failed, or
            // the object would be wrong.
            told if error::is_one_of(&error, &[404, 409, 422]) => Refused::Late(told),
            told => Refused::Told(told),
        })
    }

    fn secret(&self) -> String {
        format!("secret {} of namespace {}", self.names.secret, self.names.namespace)
    }

    fn configuration(&self) -> String {
        format!("mutatingwebhookconfiguration {}", self.names.configuration)
    }
}

/// An object, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Known {
    /// Not read yet.
    #[default]
    NotYet,
    /// There is none.
    Absent,
    Present(Value),
}

impl Known {
    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Self::NotYet | Self::Absent => None,
            Self::Present(object) => object.pointer("/metadata/resourceVersion").and_then(Value::as_str),
        }
    }
}

impl From<Option<Value>> for Known {
    fn from(object: Option<Value>) -> Self {
        object.map_or(Self::Absent, Self::Present)
    }
}

/// What a watch has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    pub(super) object: Known,
    /// What keeps us from reading it.
    pub(super) trouble: Option<String>,
}

struct Observer<'a> {
    what: String,
    seen: &'a latest::Sender<Watched>,
}

impl watch::Observer for Observer<'_> {
    fn fails(&mut self, error: &kube::Error) {
        let line = told("watch", &self.what, error).to_string();
        self.seen.send_if_modified(|seen| {
            let is_news = seen.trouble.as_ref() != Some(&line);
            seen.trouble = Some(line);
            is_news
        });
    }

    fn works(&mut self) {
        self.seen.send_if_modified(|seen| seen.trouble.take().is_some());
    }
}

/// What failed, and the way out where it is a right that is missing.
fn told(verb: &str, what: &str, error: &kube::Error) -> Error {
    let mut line = error::told(&format!("cannot {verb} {what}"), error).to_string();
    if error::is_forbidden(error) {
        line.push_str("; `kubectl lastout manifests` prints the Roles that the webhook needs");
    }
    Error(line)
}

async fn follow(objects: &Api<DynamicObject>, name: &str, mut observer: Observer<'_>) {
    let seen = observer.seen;
    watch::until(objects, name, &mut observer, |object| {
        seen.send_modify(|seen| seen.object = object.into());
        // Until nobody wants to know.
        seen.is_closed().then_some(())
    })
    .await;
}

async fn read(objects: &Api<DynamicObject>, name: &str) -> kube::Result<Known> {
    within(ANSWER, watch::list(objects, name)).await.map(|(object, _)| object.into())
}

fn dynamic(object: Value) -> Result<DynamicObject, Refused> {
    serde_json::from_value(object).map_err(|error| Refused::Told(Error(error.to_string())))
}
