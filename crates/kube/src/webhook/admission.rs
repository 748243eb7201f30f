//! A review → what becomes of the pod: the same as `inject` makes of it.

use super::answer;
use super::review::Review;
use crate::decide::{
    Class, Context, Decision, Facts, Known, Options, PREFIX, Reason, decide_on, is_stable, late,
};
use crate::patch::patch;
use crate::pod::Pod;
use json_patch::Patch;
use serde_json::Value;

/// Of a pod with more nothing is changed: no node runs one, and it would keep others waiting.
const MOST_CONTAINERS: usize = 1_000;

/// Bytes of an annotation of ours. One of the 256 KiB that an API server takes can hold 130 000 words, each of which becomes a
/// SPEC: more memory than a replica has.
const LONGEST_ANNOTATION: usize = 16 * 1024;

/// What is wished, and known, for all pods of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// What is wished.
    pub options: Options,
    /// What is known.
    pub known: Known,
}

/// What has become of a pod.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Why it is changed or left alone.
    pub reason: Reason,
    /// What that is about.
    pub about: String,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// RFC 6902; `None`: it stays as it is.
    pub patch: Option<Patch>,
}

impl Admission {
    /// Of a pod that stays as it is.
    #[must_use]
    pub fn unchanged(reason: Reason, about: impl Into<String>) -> Self {
        Self { reason, about: about.into(), warnings: Vec::new(), patch: None }
    }

    /// Decides. A fault of ours leaves the pod as it is; the review is without it then.
    #[must_use]
    pub fn of(review: &mut Review, wishes: &Wishes) -> Self {
        let pod = match review.pod() {
            Ok(pod) => Pod(pod),
            Err(what) => return Self::unchanged(Reason::NotSelected, what),
        };
        if pod.containers().len() > MOST_CONTAINERS {
            let about = format!("it has more than {MOST_CONTAINERS} containers");
            return Self::unchanged(Reason::NotSelected, about);
        }
        if let Some(about) = long_annotation(pod) {
            let warnings = vec![format!("lastout leaves this pod alone: {about}")];
            return Self { warnings, ..Self::unchanged(Reason::NotSelected, about) };
        }
        let options = &wishes.options;
        let context = Context::new(&wishes.known).in_admission();
        let mut decision = decide_on(&Facts::of(pod, context, options), context, options);
        if decision.reason == Reason::Already {
            // Perhaps another injector had its turn after ours, and we are asked again.
            decision = late(pod, context, options).unwrap_or(decision);
        }
        let Decision { reason, about, changes, warnings, .. } = decision;
        if changes.is_empty() {
            return Self { reason, about, warnings, patch: None };
        }
        // As `decide` does it, without carrying the changes out once more.
        let mismatch = match patch(review.take_pod(), &changes) {
            Ok(patched) if is_stable(Pod(&patched.object), context, options) => {
                return Self { reason, about, warnings, patch: Some(patched.patch) };
            }
            Ok(_) => "it would be changed again the next time".to_owned(),
            Err(fault) => fault.to_string(),
        };
        Self { warnings, ..Self::unchanged(Reason::PatchMismatch, mismatch) }
    }

    /// What is done, in one word for reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.reason.class() {
            Class::Native => "native",
            Class::Stopped if self.reason == Reason::InjectedHelper => "helper",
            Class::Stopped => "wrap",
            Class::There | Class::Needless | Class::Elsewhere | Class::Unclear | Class::Impossible => {
                "unchanged"
            }
        }
    }

    /// The body that says it.
    #[must_use]
    pub fn answer(&self, review: &Review) -> Vec<u8> {
        answer::body(review.uid(), self)
    }
}

/// That an annotation of ours is too long to be read.
fn long_annotation(pod: Pod<'_>) -> Option<String> {
    let is_long = |value: &Value| value.as_str().is_some_and(|text| text.len() > LONGEST_ANNOTATION);
    let mut ours = pod.annotations().filter(|(key, _)| key.starts_with(PREFIX));
    let (key, _) = ours.find(|(_, value)| is_long(value))?;
    Some(format!("its annotation {key} has more than {LONGEST_ANNOTATION} bytes"))
}
