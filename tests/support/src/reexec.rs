//! A test program runs itself again, with a first argument of ours: as the launcher of the program under test, or as
//! one of the jobs. Both want a process with no thread and nothing that std's start sets up, so they run before `main`.

use super::{jobs, launcher::Launcher};
use std::{fs, sync::OnceLock};

/// First argument: the rest is for the `Launcher`.
pub(crate) const LAUNCHER: &str = "@launcher";
/// First argument: the rest is a job of `jobs`.
pub(crate) const JOB: &str = "@job";

/// The wrapper that cargo built for this test program.
pub(crate) static BUILT: OnceLock<&str> = OnceLock::new();

/// Each test program says this once. Here, in the library, the linker would leave the function out, as nothing
/// refers to it; and cargo tells the path of the wrapper to the test programs only.
#[macro_export]
macro_rules! test_program {
    () => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static BEFORE_MAIN: extern "C" fn() = {
            extern "C" fn before_main() {
                $crate::reexec::before_main(env!("CARGO_BIN_EXE_lastout"));
            }
            before_main
        };
    };
}

/// Ends the process here if it is the launcher or a job.
pub fn before_main(built: &'static str) {
    let _ = BUILT.set(built);
    let Ok(line) = fs::read("/proc/self/cmdline") else { return };
    let mut words = line.split(|&b| b == 0).map(<[u8]>::to_vec).skip(1).collect::<Vec<_>>();
    words.pop();
    let code = match words.first().map(Vec::as_slice) {
        Some(word) if word == LAUNCHER.as_bytes() => Launcher::parse(&words[1..]).run(),
        Some(word) if word == JOB.as_bytes() => jobs::run(&words[1..]),
        _ => return,
    };
    // SAFETY: ends the process without std's or libc's exit handlers.
    unsafe { libc::_exit(code) }
}
