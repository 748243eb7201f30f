//! How soon the next write may be.

use crate::cluster::patience::Patience;
use std::time::{Duration, Instant};

/// More writes in a row are a fight: a Secret and a `caBundle` is what is needed, with a conflict or two.
const IN_A_ROW: u32 = 6;

/// Writes follow one another at once as long as they are rare: who fights with us over a `caBundle` finds us slower each time.
pub(super) struct Pace {
    /// So long without a write, and there is no fight.
    quiet: Duration,
    last: Option<Instant>,
    in_a_row: u32,
    patience: Patience,
    not_before: Option<Instant>,
}

impl Pace {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, last: None, in_a_row: 0, patience: Patience::default(), not_before: None }
    }

    /// How long to wait with a write.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.not_before?.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    pub(super) fn wrote(&mut self) {
        let now = Instant::now();
        if self.last.is_none_or(|last| now.duration_since(last) > self.quiet) {
            self.in_a_row = 0;
            self.patience.reset();
        }
        self.last = Some(now);
        self.in_a_row += 1;
        if self.in_a_row > IN_A_ROW {
            self.failed();
        }
    }

    pub(super) fn failed(&mut self) {
        self.not_before = Some(Instant::now() + self.patience.pause());
    }
}
