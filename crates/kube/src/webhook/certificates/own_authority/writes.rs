//! What is planned is written, and what the objects are afterwards is seen.

use super::super::ca::Ca;
use super::super::objects::{Known, Refused};
use super::super::rotation::{Authority, Plan, SecretWrite};
use super::super::{bundle, secret};
use super::Keeper;
use crate::exit::Error;
use serde_json::Value;

impl Keeper {
    pub(super) async fn write(&mut self, plan: Plan) {
        // The Secret first: what goes into caBundle has to be in it.
        if let Some(write) = plan.secret {
            let now = match self.write_secret(write).await {
                Ok(object) => self.succeeded(object),
                Err(refused) => {
                    let read = self.objects.read_secret().await;
                    let before = self.secret.version().map(str::to_owned);
                    self.refused(refused, before.as_deref(), read)
                }
            };
            self.saw_secret(now);
        } else if let Some(wanted) = plan.bundle {
            let now = match self.write_bundle(&wanted).await {
                Ok(object) => self.succeeded(object),
                Err(refused) => {
                    let read = self.objects.read_configuration().await;
                    let before = self.configuration.version().map(str::to_owned);
                    self.refused(refused, before.as_deref(), read)
                }
            };
            self.saw_configuration(now);
        }
    }

    fn succeeded(&mut self, object: Value) -> Known {
        self.limit.succeeded();
        self.write_trouble = None;
        Known::Present(object)
    }

    /// What the object is, as it was read again. That it is another one than before says that somebody else was there before us.
    fn refused(&mut self, refused: Refused, before: Option<&str>, read: Result<Known, Error>) -> Known {
        match (refused, read) {
            (Refused::Late(_), Ok(now)) if now.version() != before => {
                self.limit.succeeded();
                self.write_trouble = None;
                now
            }
            (Refused::Late(error) | Refused::Told(error), read) => {
                self.limit.failed();
                self.write_trouble = Some(error.to_string());
                read.unwrap_or_default()
            }
        }
    }

    async fn write_secret(&self, write: SecretWrite) -> Result<Value, Refused> {
        let make = || Ca::make(&self.names, self.lifetimes, self.now().wall).map_err(Refused::Told);
        match (write, &self.secret) {
            (SecretWrite::Create, _) => {
                self.objects.create_secret(secret::create(&self.names, &make()?)).await
            }
            (SecretWrite::Update { keep, add }, Known::Present(object)) => {
                let mut cas = secret::read(object);
                cas.retain(|ca| keep.contains(&ca.certificate.facts));
                if add {
                    cas.push(make()?);
                }
                self.objects.replace_secret(secret::update(object, &mut cas)).await
            }
            // A plan is carried out before anything else is seen; the plan is pure, and cannot carry the object.
            (SecretWrite::Update { .. }, Known::NotYet | Known::Absent) => {
                Err(Refused::Late(Error("the secret is gone".to_owned())))
            }
        }
    }

    async fn write_bundle(&self, wanted: &[Authority]) -> Result<Value, Refused> {
        let Known::Present(object) = &self.configuration else {
            return Err(Refused::Late(Error("the configuration is gone".to_owned())));
        };
        let of_cas = self.cas.iter().chain(&self.signer).map(|ca| &ca.certificate);
        let certificates = bundle::choose(of_cas.chain(&self.certificates).cloned(), wanted);
        self.objects.patch_configuration(bundle::patch(object, &self.names, &certificates)).await
    }
}
