//! A kernel, a sandbox or a seccomp profile that refuses a system call.

use super::{Init, Verdict, holds};
use support::{Launch, job};

/// Exit code, signal, reaping and PID 1, with these calls refused.
fn works(init: Init, calls: &[i64], launch: fn(Init) -> Launch) -> Verdict {
    for errno in [libc::ENOSYS, libc::EPERM] {
        let with = |launch: Launch| calls.iter().fold(launch, |l, &call| l.refused(call, errno));
        let code = with(launch(init)).sh("(sleep 0.01 &); exit 3").run().code();
        holds(code == 3, || format!("3 → {code}"))?;
        let run = with(launch(init)).command(job(&["signals"])).start();
        run.says("ready");
        run.signal(10);
        run.says("got 10");
    }
    Ok(())
}

pub fn codes_and_signals_without_prctl(init: Init) -> Verdict {
    works(init, &[libc::SYS_prctl], Launch::init)
}

pub fn codes_and_signals_without_signalfd(init: Init) -> Verdict {
    works(init, &[libc::SYS_signalfd, libc::SYS_signalfd4], Launch::init)
}

pub fn codes_and_signals_without_close_range(init: Init) -> Verdict {
    works(init, &[libc::SYS_close_range], Launch::init)
}

pub fn codes_and_signals_without_pidfd_open(init: Init) -> Verdict {
    works(init, &[libc::SYS_pidfd_open, libc::SYS_clone3], Launch::init)
}

pub fn outside_pid_1_without_prctl(init: Init) -> Verdict {
    works(init, &[libc::SYS_prctl], Launch::init_as_process)
}
