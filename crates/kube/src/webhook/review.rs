//! What an API server asks: an `AdmissionReview` of `admission.k8s.io/v1`.

use super::values;
use serde_json::Value;
use std::fmt;

/// Its version: the only one that API servers from 1.22 on speak.
pub(super) const VERSION: &str = "admission.k8s.io/v1";
/// Its kind.
pub(super) const KIND: &str = "AdmissionReview";

/// A review that can be answered: it has a uid.
#[derive(Debug)]
pub struct Review {
    uid: String,
    /// Without its uid and its object.
    request: Value,
    object: Value,
}

/// A body that is no review. Nobody could make anything of an answer.
#[derive(Debug)]
pub enum Unread {
    /// It is no JSON, or too much of it.
    Json(serde_json::Error),
    /// It is another object, or another version.
    Other {
        /// What it says it is.
        version: String,
        /// The same.
        kind: String,
    },
    /// There is no request in it, or one without a uid.
    NoRequest,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the body cannot be read: {error}"),
            Self::Other { version, kind } => write!(
                f,
                "the body is {kind:.100?} of version {version:.100?}: send {KIND:?} of {VERSION:?}, and name v1 in admissionReviewVersions"
            ),
            Self::NoRequest => f.write_str("the review has no request with a uid"),
        }
    }
}

impl std::error::Error for Unread {}

impl Review {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no review that can be answered.
    pub fn read(body: &[u8]) -> Result<Self, Unread> {
        let mut root = values::read(body).map_err(Unread::Json)?;
        let (version, kind) = (text(&root, &["apiVersion"]), text(&root, &["kind"]));
        if version != VERSION || kind != KIND {
            return Err(Unread::Other { version: version.to_owned(), kind: kind.to_owned() });
        }
        let mut request = root.get_mut("request").map(Value::take).unwrap_or_default();
        let object = request.get_mut("object").map(Value::take).unwrap_or_default();
        match request.get_mut("uid").map(Value::take) {
            Some(Value::String(uid)) if !uid.is_empty() => Ok(Self { uid, request, object }),
            _ => Err(Unread::NoRequest),
        }
    }

    /// What the answer is recognised by.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The pod that is to be created; else what else is asked, in words.
    ///
    /// # Errors
    /// When it is something else.
    pub fn pod(&self) -> Result<&Value, String> {
        let kind = |key: &str| text(&self.request, &["kind", key]);
        let operation = text(&self.request, &["operation"]);
        let subresource = text(&self.request, &["subResource"]);
        let is_pod = (kind("group"), kind("version"), kind("kind")) == ("", "v1", "Pod");
        if !is_pod || operation != "CREATE" || !subresource.is_empty() {
            let of = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
            return Err(format!("{operation} of {}{of}, and no pod that is created", kind("kind")));
        }
        if self.object.is_object() { Ok(&self.object) } else { Err("the review has no object".to_owned()) }
    }

    /// The same, to be kept; the review is without it then.
    pub fn take_pod(&mut self) -> Value {
        self.object.take()
    }

    /// The namespace that it is created in: the pod itself need not name it.
    #[must_use]
    pub fn namespace(&self) -> &str {
        text(&self.request, &["namespace"])
    }

    /// The pod's name; `report-*` where the API server will make one.
    #[must_use]
    pub fn name(&self) -> String {
        let of = |key| text(&self.object, &["metadata", key]);
        let (name, generated) = (of("name"), of("generateName"));
        match (name, generated) {
            ("", "") => text(&self.request, &["name"]).to_owned(),
            ("", generated) => format!("{generated}*"),
            (name, _) => name.to_owned(),
        }
    }

    /// Who made it: `Job/report`; of several the one that controls it. Empty where there is none.
    #[must_use]
    pub fn owner(&self) -> String {
        let owners = self.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let owners = owners.map(Vec::as_slice).unwrap_or_default();
        let controls = |owner: &&Value| owner.get("controller") == Some(&Value::Bool(true));
        let owner = owners.iter().find(controls).or(owners.first());
        owner
            .map(|owner| format!("{}/{}", text(owner, &["kind"]), text(owner, &["name"])))
            .unwrap_or_default()
    }

    /// Nothing will come of it.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.request.get("dryRun").and_then(Value::as_bool).unwrap_or(false)
    }
}

fn text<'a>(value: &'a Value, keys: &[&str]) -> &'a str {
    keys.iter().try_fold(value, |part, key| part.get(key)).and_then(Value::as_str).unwrap_or_default()
}
