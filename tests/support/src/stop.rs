//! Mains that say `end` and exit with 3, for what comes after them.

use super::{End, Fake, Launch, Running, eventually, facts};
use std::time::Duration;

const END: &str = "echo end; exit 3";

/// Such a main beside this sidecar.
pub fn main_of(fake: &Fake) -> Launch {
    Launch::pid1().sidecar(&fake.spec("fake")).sh(END)
}

/// Runs such a main; the end, and how long the stop took.
pub fn stopped(launch: Launch) -> (End, Duration) {
    let run = launch.sh(END).start();
    let over = run.says("end");
    let end = run.wait();
    let took = end.ended - over;
    (end, took)
}

/// Waits until such a main is reaped.
pub fn main_reaped(run: &Running) {
    run.says("end");
    eventually("main is reaped", || facts::children(run.pid()).is_empty());
}
