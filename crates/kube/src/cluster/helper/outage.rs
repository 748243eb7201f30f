//! What keeps the helper from watching, told once for as long as it lasts: in the log, and in the termination message, where
//! `kubectl describe` shows it if the container ends.

use super::say;
use crate::cluster::error;
use crate::cluster::watch;
use crate::hang::last_words::{OUTAGE, OUTAGE_ENDS};

/// The kubelet reads it when the container has ended.
const TERMINATION_MESSAGE: &str = "/dev/termination-log";

#[derive(Default)]
pub(super) struct Outage {
    /// What was told last, and still holds.
    told: Option<String>,
}

impl watch::Observer for Outage {
    fn fails(&mut self, error: &kube::Error) {
        let mut line = error::told(OUTAGE, error).to_string();
        if error::is_forbidden(error) {
            line.push_str("; `kubectl lastout manifests --helper` prints the Role that it needs");
        }
        line.push_str("; it is tried again, and until then the sidecars run on");
        if self.told.as_ref() != Some(&line) {
            say(&line);
            // Outside of a pod there is no such file.
            let _ = std::fs::write(TERMINATION_MESSAGE, &line);
            self.told = Some(line);
        }
    }

    fn works(&mut self) {
        if self.told.take().is_some() {
            say(OUTAGE_ENDS);
            let _ = std::fs::write(TERMINATION_MESSAGE, "");
        }
    }
}
