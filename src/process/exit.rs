//! The way out of the process.

use crate::sys;
use lastout_core::outcome::{Exit, Outcome};
use lastout_core::signal::Signal;

/// Leaves as the outcome says.
pub fn exit(exit: Exit) -> ! {
    match exit {
        Exit::Code(code) => sys::exit(code),
        Exit::Die(signal) => die(signal),
    }
}

/// Dies of the signal that ended main, so that our parent sees the truth; by 128+n where it cannot be had.
fn die(signal: Signal) -> ! {
    // Main has left its core already; ours would say nothing and take its place.
    let _ = nix::sys::prctl::set_dumpable(false);
    // signal-hook knows the default action of the classic ones, but neither 16, 30 nor a real-time one, and it
    // says of 29 that it has acted when it has not.
    let _ = signal_hook::low_level::emulate_default_handler(signal.number().into());
    sys::die_of(signal);
    sys::exit(Outcome::Signalled(signal).code())
}
