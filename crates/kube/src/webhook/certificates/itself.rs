//! Certificates by itself: sees to the Secret and to the `caBundle`, signs what is served, for as long as the process lives.
//!
//! ```text
//! watches ─► Seen ─► Rotation (pure) ─► Plan ─► leaf, Secret, caBundle
//!                        ▲                          │
//!                        └── what was written ──────┘
//! ```

use super::ca::Ca;
use super::lifetimes::Lifetimes;
use super::names::Names;
use super::objects::{Objects, Refused, Seen};
use super::pace::Pace;
use super::pem::Certificate;
use super::rotation::{Authority, Configuration, Leaf, Now, Plan, Rotation, Secret, SecretWrite};
use super::served::Served;
use super::{Certificates, Itself, State, bundle, publish, secret};
use crate::cluster::connect::connect_to_watch;
use crate::exit::Error;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::sync::watch;

const NOTHING: &str = "no certificate yet";

/// Begins. What fails is tried again until it works, and told meanwhile.
///
/// # Errors
/// When there is no way to an API server, or the lifetimes cannot be kept to.
pub(super) async fn start(itself: &Itself) -> Result<Certificates, Error> {
    let lifetimes =
        Lifetimes { certificate: itself.certificate_lifetime, authority: itself.authority_lifetime }
            .check()?;
    let connection = connect_to_watch(&itself.access).await?;
    let names = Names {
        namespace: itself.namespace.clone().unwrap_or(connection.namespace),
        secret: itself.secret.clone(),
        service: itself.service.clone(),
        configuration: itself.configuration.clone(),
    };
    let objects = Objects::new(&connection.client, &names);
    let (secrets, secret) = watch::channel(Seen::default());
    let (configurations, configuration) = watch::channel(Seen::default());
    tokio::spawn(objects.clone().follow_secret(secrets));
    tokio::spawn(objects.clone().follow_configuration(configurations));
    let served = Arc::new(Served::default());
    let (publish, state) = watch::channel(State { text: NOTHING.to_owned(), ..State::default() });
    let keeper = Keeper {
        rotation: Rotation::new(lifetimes),
        names,
        lifetimes,
        objects,
        secret: None,
        cas: Vec::new(),
        signer: None,
        configuration: None,
        served: served.clone(),
        state: publish,
        trouble: None,
        pace: Pace::new(lifetimes.settling()),
        began: Instant::now(),
    };
    tokio::spawn(keeper.run(secret, configuration));
    Ok(Certificates { resolver: served, state })
}

struct Keeper {
    rotation: Rotation,
    names: Names,
    lifetimes: Lifetimes,
    objects: Objects,
    /// The Secret as it was seen last, and the authorities in it.
    secret: Option<Value>,
    cas: Vec<Arc<Ca>>,
    /// Who has signed what is served; it may be gone from the Secret.
    signer: Option<Arc<Ca>>,
    /// The configuration as it was seen last, and the certificates in its bundles.
    configuration: Option<(Value, Vec<Certificate>)>,
    served: Arc<Served>,
    state: watch::Sender<State>,
    /// Of the last write.
    trouble: Option<String>,
    pace: Pace,
    began: Instant,
}

impl Keeper {
    async fn run(mut self, mut secrets: watch::Receiver<Seen>, mut configurations: watch::Receiver<Seen>) {
        loop {
            let plan = self.rotation.plan(self.now());
            if let Some(leaf) = plan.sign {
                self.sign(leaf);
            }
            self.publish(&secrets, &configurations);
            let wait = match self.pace.wait() {
                None if plan.secret.is_some() || plan.bundle.is_some() => {
                    self.write(plan).await;
                    continue;
                }
                None => plan.wait,
                Some(pause) => plan.wait.min(pause),
            };
            tokio::select! {
                Ok(()) = secrets.changed() => {
                    let seen = secrets.borrow_and_update().object.clone();
                    if let Some(object) = seen {
                        self.saw_secret(object);
                    }
                }
                Ok(()) = configurations.changed() => {
                    let seen = configurations.borrow_and_update().object.clone();
                    if let Some(object) = seen {
                        self.saw_configuration(object);
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { wall, steady: self.began.elapsed() }
    }

    fn saw_secret(&mut self, object: Option<Value>) {
        let (cas, seen) = match &object {
            None => (Vec::new(), Secret::Absent),
            Some(object) => {
                let cas = secret::read(object);
                let seen = secret::seen(object, &cas);
                (cas, seen)
            }
        };
        self.cas = cas.into_iter().map(Arc::new).collect();
        self.secret = object;
        self.rotation.saw_secret(seen, self.now());
    }

    fn saw_configuration(&mut self, object: Option<Value>) {
        let (configuration, seen) = match object {
            None => (None, Configuration::Absent),
            Some(object) => {
                let (seen, certificates) = bundle::read(&object, &self.names);
                (Some((object, certificates)), seen)
            }
        };
        self.configuration = configuration;
        self.rotation.saw_configuration(seen, self.now());
    }

    fn sign(&mut self, leaf: Leaf) {
        let ca = self.cas.iter().chain(&self.signer).find(|ca| ca.certificate.facts == leaf.by).cloned();
        let Some(ca) = ca else { return };
        match ca.sign(&self.names, &leaf) {
            Ok(pair) => {
                self.served.replace(pair);
                self.signer = Some(ca);
                self.rotation.signed(leaf);
            }
            // It is planned again within a minute, or as soon as something is seen.
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    async fn write(&mut self, plan: Plan) {
        // The Secret first: what goes into caBundle has to be in it.
        if let Some(write) = plan.secret {
            let seen = self.secret.as_ref().and_then(version);
            let written = self.write_secret(write).await;
            if let Some(object) = self.after(seen, written, Objects::read_secret).await {
                self.saw_secret(object);
            }
        } else if let Some(wanted) = plan.bundle {
            let seen = self.configuration.as_ref().and_then(|(object, _)| version(object));
            let written = self.write_bundle(&wanted).await;
            if let Some(object) = self.after(seen, written, Objects::read_configuration).await {
                self.saw_configuration(object);
            }
        }
    }

    /// What the object is after a write: as it was written, or as it is read again.
    async fn after(
        &mut self,
        seen: Option<String>,
        written: Result<Value, Refused>,
        read: impl AsyncFnOnce(&Objects) -> Result<Option<Value>, Error>,
    ) -> Option<Option<Value>> {
        self.pace.wrote();
        self.trouble = None;
        let mut late = None;
        match written {
            Ok(object) => return Some(Some(object)),
            Err(Refused::Late(error)) => late = Some(error),
            Err(Refused::Told(error)) => self.fails(&error),
        }
        match read(&self.objects).await {
            Ok(object) => {
                let is_same = object.as_ref().and_then(version) == seen && object.is_some();
                if let Some(error) = late.filter(|_| is_same) {
                    self.fails(&error);
                }
                Some(object)
            }
            Err(error) => {
                self.fails(&error);
                None
            }
        }
    }

    fn fails(&mut self, error: &Error) {
        self.pace.failed();
        self.trouble.get_or_insert(error.to_string());
    }

    async fn write_secret(&self, write: SecretWrite) -> Result<Value, Refused> {
        let make = || Ca::make(&self.names, self.lifetimes, self.now().wall).map_err(Refused::Told);
        match (write, &self.secret) {
            (SecretWrite::Create, _) => {
                self.objects.create_secret(secret::create(&self.names, &make()?)).await
            }
            (SecretWrite::Update { keep, add }, Some(object)) => {
                let mut cas = secret::read(object);
                cas.retain(|ca| keep.contains(&ca.certificate.facts));
                if add {
                    cas.push(make()?);
                }
                self.objects.replace_secret(secret::update(object, &mut cas)).await
            }
            // A plan is carried out before anything else is seen.
            (SecretWrite::Update { .. }, None) => Err(Refused::Late(Error("it is gone".to_owned()))),
        }
    }

    async fn write_bundle(&self, wanted: &[Authority]) -> Result<Value, Refused> {
        let Some((object, certificates)) = &self.configuration else {
            return Err(Refused::Late(Error("it is gone".to_owned())));
        };
        let of_cas = self.cas.iter().chain(&self.signer).map(|ca| &ca.certificate);
        let certificates = bundle::choose(of_cas.chain(certificates).cloned(), wanted);
        self.objects.patch_configuration(bundle::patch(object, &self.names, &certificates)).await
    }

    fn publish(&self, secrets: &watch::Receiver<Seen>, configurations: &watch::Receiver<Seen>) {
        let of_watch = |seen: &watch::Receiver<Seen>| seen.borrow().trouble.clone();
        let trouble = of_watch(secrets).or_else(|| of_watch(configurations)).or_else(|| self.trouble.clone());
        let (serving, is_trusted) = (self.rotation.serving(), self.rotation.is_trusted());
        let was_ready = self.state.borrow().is_ready;
        let Names { configuration, service, namespace, .. } = &self.names;
        let is_called = self.rotation.is_called();
        let mut text = match (serving, is_trusted) {
            (None, _) => NOTHING.to_owned(),
            (Some(_), true) => format!(
                "certificate signed, and its authority is in caBundle of mutatingwebhookconfiguration {configuration}"
            ),
            (Some(_), false) if is_called => format!(
                "certificate signed, but its authority is not in caBundle of mutatingwebhookconfiguration {configuration}"
            ),
            (Some(_), false) => format!(
                "certificate signed, but there is no mutatingwebhookconfiguration {configuration} that calls service {service} \
                 of namespace {namespace}: `kubectl lastout manifests` prints it"
            ),
        };
        if let Some(trouble) = &trouble {
            text.push_str(&format!("; {trouble}; it is tried again"));
        }
        let new = State {
            // Once is enough: a replica that is not ready because its caBundle was overwritten would be out of the Service
            // for longer than it takes to put it back.
            is_ready: was_ready || self.rotation.is_ready(self.now()),
            text,
            is_troubled: trouble.is_some() || serving.is_some() && !is_trusted && (was_ready || !is_called),
            not_after: serving.map(|leaf| SystemTime::UNIX_EPOCH + leaf.until),
        };
        publish(&self.state, new);
    }
}

fn version(object: &Value) -> Option<String> {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned)
}
