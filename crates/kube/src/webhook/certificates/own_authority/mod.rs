//! Certificates by an authority of our own: sees to the Secret and to the `caBundle`, signs what is served, for as long as the process lives.
//!
//! ```text
//! watches ─► Known ─► Rotation (pure) ─► Plan ─► leaf, Secret, caBundle
//!                        ▲                          │
//!                        └── what was written ──────┘
//! ```

mod writes;

use super::ca::Ca;
use super::lifetimes::Lifetimes;
use super::names::Names;
use super::objects::{Known, Objects, Watched};
use super::pem::Certificate;
use super::rotation::{Leaf, Now, Rotation, SeenConfiguration, SeenSecret};
use super::served::Served;
use super::write_limit::WriteLimit;
use super::{Certificates, OwnAuthority, State, bundle, publish, secret};
use crate::cluster::clock::Clock;
use crate::cluster::connect::connect;
use crate::cluster::watch::SILENCE;
use crate::exit::Error;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::sync::watch;

const NOTHING: &str = "no certificate yet";

/// Begins. What fails is tried again until it works, and told meanwhile.
///
/// # Errors
/// When there is no way to an API server, or the lifetimes cannot be kept to.
pub(super) async fn start(own: &OwnAuthority) -> Result<Certificates, Error> {
    let lifetimes =
        Lifetimes { certificate: own.certificate_lifetime, authority: own.authority_lifetime }.check()?;
    let connection = connect(&own.access, SILENCE).await?;
    let names = Names {
        namespace: own.namespace.clone().unwrap_or(connection.namespace),
        secret: own.secret.clone(),
        service: own.service.clone(),
        configuration: own.configuration.clone(),
    };
    let objects = Objects::new(&connection.client, &names);
    let (secret_sender, secret) = watch::channel(Watched::default());
    let (configuration_sender, configuration) = watch::channel(Watched::default());
    tokio::spawn(objects.clone().follow_secret(secret_sender));
    tokio::spawn(objects.clone().follow_configuration(configuration_sender));
    let served = Arc::new(Served::default());
    let (state_sender, state) = watch::channel(State { text: NOTHING.to_owned(), ..State::default() });
    let keeper = Keeper {
        rotation: Rotation::new(lifetimes),
        names,
        lifetimes,
        objects,
        clock: connection.clock,
        secret: Known::NotYet,
        cas: Vec::new(),
        signer: None,
        configuration: Known::NotYet,
        certificates: Vec::new(),
        served: served.clone(),
        state: state_sender,
        sign_trouble: None,
        write_trouble: None,
        limit: WriteLimit::new(lifetimes),
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
    clock: Clock,
    /// The Secret as it was seen last, and the authorities in it.
    secret: Known,
    cas: Vec<Arc<Ca>>,
    /// Who has signed what is served; it may be gone from the Secret.
    signer: Option<Arc<Ca>>,
    /// The configuration as it was seen last, and the certificates in its bundles.
    configuration: Known,
    certificates: Vec<Certificate>,
    served: Arc<Served>,
    state: watch::Sender<State>,
    /// Why nothing could be signed, the last time.
    sign_trouble: Option<String>,
    /// Why what is to be written was not, the last time.
    write_trouble: Option<String>,
    limit: WriteLimit,
    began: Instant,
}

impl Keeper {
    /// Ends only where a watch has ended, by a fault of ours: whoever has the state's receiver is told by that.
    async fn run(
        mut self,
        mut secrets: watch::Receiver<Watched>,
        mut configurations: watch::Receiver<Watched>,
    ) {
        loop {
            let plan = self.rotation.plan(self.now());
            if let Some(leaf) = plan.sign {
                self.sign(leaf);
            }
            let is_due = plan.secret.is_some() || plan.bundle.is_some();
            if !is_due {
                // Another replica may have done it.
                self.write_trouble = None;
            }
            self.publish(&secrets, &configurations);
            let wait = match self.limit.wait() {
                None if is_due => {
                    self.write(plan).await;
                    continue;
                }
                None => plan.wait,
                Some(pause) => plan.wait.min(pause),
            };
            tokio::select! {
                changed = secrets.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let object = secrets.borrow_and_update().object.clone();
                    self.saw_secret(object);
                }
                changed = configurations.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let object = configurations.borrow_and_update().object.clone();
                    self.saw_configuration(object);
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn now(&self) -> Now {
        let (wall, is_sure) = self.clock.now();
        Now { wall, is_sure, steady: self.began.elapsed() }
    }

    fn saw_secret(&mut self, object: Known) {
        let (cas, seen) = match &object {
            Known::NotYet => return,
            Known::Absent => (Vec::new(), SeenSecret::Absent),
            Known::Present(object) => {
                let cas = secret::read(object);
                let seen = secret::seen(object, &cas);
                (cas, seen)
            }
        };
        self.cas = cas.into_iter().map(Arc::new).collect();
        self.secret = object;
        self.rotation.saw_secret(seen, self.now());
    }

    fn saw_configuration(&mut self, object: Known) {
        let (seen, certificates) = match &object {
            Known::NotYet => return,
            Known::Absent => (SeenConfiguration::Absent, Vec::new()),
            Known::Present(object) => bundle::read(object, &self.names),
        };
        (self.configuration, self.certificates) = (object, certificates);
        self.rotation.saw_configuration(seen, self.now());
    }

    fn sign(&mut self, leaf: Leaf) {
        let ca = self.cas.iter().chain(&self.signer).find(|ca| ca.certificate.facts == leaf.by).cloned();
        let Some(ca) = ca else { return };
        match ca.sign(&self.names, &leaf) {
            Ok(pair) => {
                self.sign_trouble = None;
                self.served.replace(pair);
                self.signer = Some(ca);
                self.rotation.signed(leaf);
            }
            // It is planned again within a minute, or as soon as something is seen.
            Err(error) => self.sign_trouble = Some(error.to_string()),
        }
    }

    fn publish(&self, secrets: &watch::Receiver<Watched>, configurations: &watch::Receiver<Watched>) {
        let of_watch = |seen: &watch::Receiver<Watched>| seen.borrow().trouble.clone();
        let trouble = of_watch(secrets)
            .or_else(|| of_watch(configurations))
            .or_else(|| self.sign_trouble.clone())
            .or_else(|| self.write_trouble.clone());
        let now = self.now();
        let (serving, is_called) = (self.rotation.serving(), self.rotation.is_called());
        let (is_trusted, is_valid) = (self.rotation.is_trusted(), self.rotation.is_valid(now));
        let was_ready = self.state.borrow().is_ready;
        let Names { configuration, service, namespace, .. } = &self.names;
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
        if serving.is_some() && !is_valid {
            text.push_str("; it has expired");
        }
        if let Some(trouble) = &trouble {
            text.push_str(&format!("; {trouble}; it is tried again"));
        }
        let skew = self.clock.skew();
        if let Some(skew) = skew {
            text.push_str(&format!("; {skew}, whose time is taken"));
        }
        let is_wrong = serving.is_some() && (!is_valid || !is_trusted && (was_ready || !is_called));
        let new = State {
            // Of a caBundle that was overwritten, no: a replica that is not ready is out of the Service for longer than it takes
            // to put it back. `is_trusted` says that it is wrong.
            is_ready: was_ready && is_valid || self.rotation.is_ready(now),
            text,
            is_troubled: trouble.is_some() || skew.is_some() || is_wrong,
            is_trusted: Some(is_trusted && is_valid),
            not_after: serving.map(|leaf| SystemTime::UNIX_EPOCH + leaf.until),
        };
        publish(&self.state, new);
    }
}
