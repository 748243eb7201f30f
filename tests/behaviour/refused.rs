//! Kernels that refuse: gVisor, seccomp profiles, old Linux. Whatever call is refused, what matters still works.

use std::{fs, os::unix::process::ExitStatusExt as _};
use support::{Fake, Launch, TempDir, eventually, job};

/// All that the wrapper could do without. `execve`, `clone`, `wait4`, `rt_sigtimedwait`, `rt_sigprocmask`
/// and `kill` are not among them: without those there is no init.
const DISPENSABLE: &[(&str, i64)] = &[
    ("prctl", libc::SYS_prctl),
    ("close_range", libc::SYS_close_range),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("signalfd", libc::SYS_signalfd),
    ("signalfd4", libc::SYS_signalfd4),
    ("setpgid", libc::SYS_setpgid),
    ("chdir", libc::SYS_chdir),
    ("madvise", libc::SYS_madvise),
    ("fcntl", libc::SYS_fcntl),
    ("ioctl", libc::SYS_ioctl),
    ("getrandom", libc::SYS_getrandom),
    ("clone3", libc::SYS_clone3),
    ("eventfd2", libc::SYS_eventfd2),
    ("tgkill", libc::SYS_tgkill),
    ("sched_getaffinity", libc::SYS_sched_getaffinity),
    ("sigaltstack", libc::SYS_sigaltstack),
    ("rt_sigaction", libc::SYS_rt_sigaction),
    ("getdents64", libc::SYS_getdents64),
    ("tcgetpgrp", libc::SYS_getpgid),
];

/// Exit code and one signal each way.
#[track_caller]
fn works(with: impl Fn(Launch) -> Launch, what: &str) {
    for launch in [Launch::pid1, Launch::process] {
        let end = with(launch()).command(job(&["orphans", "20", "5"])).run();
        assert_eq!(end.code(), 7, "{what}: {}", end.stderr);
        let run = with(launch()).command(job(&["signals"])).start();
        run.says("ready");
        run.signal(10);
        run.says("got 10");
        run.signal(40);
        run.says("got 40");
    }
}

#[test]
fn one_refused_call_at_a_time_changes_nothing() {
    only_ours!();
    for errno in [libc::ENOSYS, libc::EPERM] {
        for &(name, call) in DISPENSABLE {
            works(|l| l.refused(call, errno), &format!("{name}, errno {errno}"));
        }
    }
}

#[test]
fn all_refused_at_once_change_nothing() {
    only_ours!();
    for errno in [libc::ENOSYS, libc::EPERM] {
        let all = |l: Launch| DISPENSABLE.iter().fold(l, |l, &(_, call)| l.refused(call, errno));
        works(all, &format!("errno {errno}"));
    }
}

const NAMED: [i64; 5] =
    [libc::SYS_prctl, libc::SYS_close_range, libc::SYS_pidfd_open, libc::SYS_signalfd, libc::SYS_signalfd4];

fn named(launch: Launch, errno: i32) -> Launch {
    NAMED.iter().fold(launch, |l, &call| l.refused(call, errno))
}

#[test]
fn a_sidecar_is_waited_for_and_stopped_all_the_same() {
    only_ours!();
    for errno in [libc::ENOSYS, libc::EPERM] {
        let fake = Fake::good();
        let end = named(Launch::pid1(), errno).sidecar(&fake.spec("fake")).sh("exit 3").run();
        end.silent(3);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn inherited_descriptors_are_closed_without_close_range() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    let run = named(Launch::pid1(), libc::ENOSYS)
        .opened(7, &file)
        .opened(300, &file)
        .sh("readlink /proc/$$/fd/300; echo up; exec sleep 60")
        .start();
    run.says("up");
    assert!(String::from_utf8_lossy(&run.said()).contains("held"), "main keeps its own");
    eventually("the wrapper lets go", || {
        let links = fs::read_dir(format!("/proc/{}/fd", run.pid())).unwrap().flatten();
        links.filter(|l| fs::read_link(l.path()).is_ok_and(|to| to == file)).count() == 0
    });
}

#[test]
fn outside_pid_1_the_wrapper_still_dies_of_mains_signal() {
    only_ours!();
    for signal in [9, 15, 11, 40] {
        let main = job(&["die", &signal.to_string()]);
        let end = named(Launch::process(), libc::EPERM).command(main).run();
        assert_eq!(end.status.signal(), Some(signal), "{:?} {}", end.status, end.stderr);
    }
}
