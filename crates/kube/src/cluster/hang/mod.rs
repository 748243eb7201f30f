//! One pod as the API server has it → whether it hangs, since when, and why. Pure.
//!
//! ```text
//! pod ─► life (what the kubelet says) ─► before the mains, beside them, after them ─► Trouble
//!    └─► decide, the rules of `check` ─► why ──────────────────────────────────────────┘
//! ```

mod after;
mod before;
mod beside;
pub(crate) mod life;
pub(crate) mod reason;
mod subject;
#[cfg(test)]
mod tests;
pub(crate) mod told;

pub use reason::Why;
pub(crate) use subject::Subject;

use crate::decide::Options;
use serde_json::Value;

/// A pod whose mains are over has so long until its sidecars count as running on. The kubelet tells of an end within a second
/// or two, and lastout stops its sidecars before it ends itself.
const AFTER: i64 = 10;
/// So long a native sidecar may take to succeed in its startup probe, and a second main after the first one.
const LONG: i64 = 60;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// The mains are over, and it does not end.
    Hangs,
    /// The mains never start, or never come to their end.
    Stuck,
    /// It will hang when the mains are over.
    WillHang,
    /// It takes long to end, and will end.
    Slow,
}

impl Standing {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 4] = [Self::Hangs, Self::Stuck, Self::WillHang, Self::Slow];

    /// As reports name it.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::Hangs => "hangs",
            Self::Stuck => "stuck",
            Self::WillHang => "will-hang",
            Self::Slow => "slow",
        }
    }

    /// It does not end by itself.
    pub(crate) fn is_a_hang(self) -> bool {
        match self {
            Self::Hangs | Self::Stuck => true,
            Self::WillHang | Self::Slow => false,
        }
    }
}

/// What is wrong with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) standing: Standing,
    /// Seconds since the epoch.
    pub(crate) since: Option<i64>,
    /// The containers that it is about, sidecars mostly.
    pub(crate) containers: Vec<String>,
    pub(crate) why: Why,
    /// In one sentence.
    pub(crate) message: String,
    /// What to write in the manifest, so that it does not come again, where that is known.
    pub(crate) prevent: Option<String>,
    /// `rescue` can end it, as far as the pod shows.
    pub(crate) can_be_rescued: bool,
    /// The main in whose log lastout says more.
    pub(crate) ask: Option<String>,
}

impl Trouble {
    fn new(standing: Standing, why: Why, since: Option<i64>, message: String) -> Self {
        Self {
            standing,
            since,
            containers: Vec::new(),
            why,
            message,
            prevent: None,
            can_be_rescued: false,
            ask: None,
        }
    }

    fn of(mut self, containers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.containers = containers.into_iter().map(Into::into).collect();
        self
    }

    fn prevented_by(mut self, text: impl Into<String>) -> Self {
        self.prevent = Some(text.into());
        self
    }

    /// What lastout itself has said wins over what the manifest shows.
    pub(crate) fn explain(&mut self, told: told::Told) {
        self.can_be_rescued &= !matches!(told.why, Why::NotSwitchedOn | Why::Declined | Why::NoWay);
        self.why = told.why;
        self.message = told.words;
        self.ask = None;
    }
}

/// Judges a pod. `now` in seconds since the epoch. `None`: it is over, or nothing is wrong with it.
#[must_use]
pub(crate) fn judge(object: &Value, now: i64) -> Option<Trouble> {
    if object.get("metadata").is_none() || life::has_ended(object) {
        return None;
    }
    // No image is named: nothing is changed here.
    let options = Options::default();
    let subject = Subject::new(object, now, &options);
    if subject.facts.mains.is_empty() || subject.facts.runs_for_ever() {
        return None;
    }
    before::look(&subject).or_else(|| after::look(&subject)).or_else(|| beside::look(&subject))
}
