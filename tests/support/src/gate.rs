//! The gate: main held back until the sidecar is ready.

use super::{Fake, Launch, eventually};

/// Says `up` as soon as it runs, and exits with 3.
pub fn gated(fake: &Fake) -> Launch {
    Launch::pid1().sidecar(&fake.spec("fake")).sh("echo up; exit 3")
}

/// The gate has a question pending or an answer.
pub fn probed(fake: &Fake) {
    eventually("a probe", || !fake.probes().is_empty());
}
