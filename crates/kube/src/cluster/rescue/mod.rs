//! Ends the sidecars of pods whose mains are over.
//!
//! ```text
//! words ─► targets (looked at: what is to be asked, or why nothing is) ─► the user's yes
//!    ─► each pod: looked at again ─► forward (port-forward, HTTP) or ephemeral (`lastout stop`) ─► end (pod, Job)
//! ```

pub(crate) mod end;
mod ephemeral;
mod forward;
mod pod;
mod stop;
pub(crate) mod target;

pub(crate) use pod::{Outcome, rescue};

use std::time::Duration;

/// How it is to be done.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Always by an ephemeral container.
    pub ephemeral: bool,
    /// lastout's own image, for that.
    pub image: String,
    /// For one pod.
    pub timeout: Duration,
    /// SPECs of the user's, in place of those of the table.
    pub sidecars: Vec<String>,
}
