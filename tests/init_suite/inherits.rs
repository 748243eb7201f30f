//! What a command inherits: the same as when it is run bare.

use super::{Init, Verdict, holds};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
use support::{Launch, TempDir, facts::field};

/// Runs a command bare and under the init, as PID 1 and not, in the same surroundings.
fn same<S: AsRef<OsStr>>(
    init: Init,
    command: &[S],
    with: impl Fn(Launch) -> Launch,
    look: impl Fn(&[u8]) -> String,
) -> Verdict {
    let see = |launch: Launch| {
        let end = with(launch).command(command).run();
        if end.status.success() {
            Ok(look(&end.stdout))
        } else {
            Err(format!("exits {}", end.status.code().unwrap_or(-1)))
        }
    };
    let bare = see(Launch::bare())?;
    for (launch, how) in [(Launch::init(init), "PID 1"), (Launch::init_as_process(init), "process")] {
        let seen = see(launch)?;
        let differing = || {
            let lines = seen.lines().zip(bare.lines()).find(|(a, b)| a != b);
            format!("as {how}: {}", lines.map_or_else(String::new, |(a, b)| format!("{a} instead of {b}")))
        };
        holds(!bare.is_empty() && seen == bare, differing)?;
    }
    Ok(())
}

/// Some fields of `/proc/self/status`.
fn fields(names: &'static [&'static str]) -> impl Fn(&[u8]) -> String {
    move |status| {
        let status = String::from_utf8_lossy(status);
        names.iter().map(|name| format!("{name} {}\n", field(&status, name).unwrap_or_default())).collect()
    }
}

const SIGNALS: &[&str] = &["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"];
const STATUS: [&str; 2] = ["cat", "/proc/self/status"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn debug(bytes: &[u8]) -> String {
    format!("{:?}.", OsStr::from_bytes(bytes))
}

pub fn blocked_signals_stay_blocked(init: Init) -> Verdict {
    let blocked = [1, 10, 15, 17, 18, 20, 34, 35, 64];
    same(init, &STATUS, |l| blocked.into_iter().fold(l, Launch::blocked), fields(SIGNALS))
}

pub fn ignored_signals_stay_ignored(init: Init) -> Verdict {
    let ignored = [1, 2, 13, 20, 21, 22, 34, 40, 64];
    same(init, &STATUS, |l| ignored.into_iter().fold(l, Launch::ignored), fields(SIGNALS))
}

pub fn an_ignored_chld_stays_ignored_and_the_code_is_known(init: Init) -> Verdict {
    let with = |l: Launch| l.ignored(17).deadline(std::time::Duration::from_secs(3));
    same(init, &STATUS, with, fields(SIGNALS))?;
    let code = with(Launch::init(init)).sh("exit 3").run().code();
    holds(code == 3, || format!("3 → {code}"))
}

pub fn a_clean_signal_state_stays_clean(init: Init) -> Verdict {
    same(init, &STATUS, |l| l, fields(SIGNALS))
}

pub fn arguments_byte_for_byte(init: Init) -> Verdict {
    let words = [&b""[..], b"--", b"-x", b"-g", b"a b", b"\xff\xfe", b"\n", b"*", b"--help", b""];
    let mut command = ["sh", "-c", "cat /proc/$$/cmdline; :"].map(OsStr::new).to_vec();
    command.extend(words.iter().map(|w| OsStr::from_bytes(w)));
    same(init, &command, |l| l, debug)
}

pub fn environment_byte_for_byte(init: Init) -> Verdict {
    let odd = [
        &b"EMPTY="[..],
        b"WITH SPACE=1",
        b"bin=\xff\xfe\x80",
        b"\xffname=x",
        b"MULTI=a\nb",
        b"no-equals-sign",
        b"=odd",
        b"EMPTY=twice",
        b"",
        b"LAST=1",
    ];
    let with = |launch| odd.iter().fold(launch, |l: Launch, e| l.env(OsStr::from_bytes(e)));
    same(init, &["cat", "/proc/self/environ"], with, debug)?;
    same(init, &["/bin/cat", "/proc/self/environ"], Launch::no_env, debug)
}

pub fn working_directory_and_umask(init: Init) -> Verdict {
    let dir = TempDir::new();
    let with = |l: Launch| l.cwd(dir.path()).umask(0o27);
    same(init, &["sh", "-c", "readlink /proc/self/cwd; umask"], with, text)
}

pub fn resource_limits(init: Init) -> Verdict {
    let odd = [
        (libc::RLIMIT_NOFILE, 333, 777),
        (libc::RLIMIT_CORE, 0, 4096),
        (libc::RLIMIT_STACK, 1 << 20, 1 << 22),
        (libc::RLIMIT_FSIZE, 1 << 30, 1 << 31),
        (libc::RLIMIT_CPU, 1000, 2000),
        (libc::RLIMIT_SIGPENDING, 99, 999),
    ];
    let with = |launch| odd.iter().fold(launch, |l: Launch, &(what, soft, hard)| l.limit(what, soft, hard));
    same(init, &["cat", "/proc/self/limits"], with, text)
}

const DESCRIPTORS: [&str; 3] =
    ["sh", "-c", "ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p' | grep -v pipe; echo; : <&0"];

pub fn open_descriptors(init: Init) -> Verdict {
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    let with = |l: Launch| [3, 4, 5, 9, 31, 200].into_iter().fold(l, |l, fd| l.opened(fd, &file));
    same(init, &DESCRIPTORS, with, text)
}

pub fn standard_descriptors_that_are_closed_stay_closed(init: Init) -> Verdict {
    let dir = TempDir::new();
    for closed in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
        let out = dir.file("out", "", 0o644);
        // The list goes to a file: stdout may be one of those that are closed.
        let script = format!("cd /proc/$$/fd; exec 3>{}; echo * >&3; : <&3", out.display());
        let with = |l: Launch| closed.iter().fold(l, |l, &fd| l.closed(fd));
        let look = |_: &[u8]| std::fs::read_to_string(&out).unwrap_or_default();
        same(init, &["sh", "-c", &script], with, look).map_err(|why| format!("{closed:?}: {why}"))?;
    }
    Ok(())
}

pub fn identity_capabilities_and_scheduling(init: Init) -> Verdict {
    const NAMES: &[&str] = &[
        "Umask",
        "Uid",
        "Gid",
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Cpus_allowed",
        "Mems_allowed",
        "THP_enabled",
        "CoreDumping",
        "Threads",
        "TracerPid",
    ];
    same(init, &STATUS, |l| l, fields(NAMES))?;
    let more = "cd /proc/self; cat oom_score_adj personality coredump_filter timerslack_ns; nice";
    same(init, &["sh", "-c", more], |l| l, text)
}

pub fn listen_pid_names_the_command(init: Init) -> Verdict {
    // PID 1 is 1; main is another, and must find its own.
    let script = "[ \"$LISTEN_PID\" = $$ ] && [ \"$LISTEN_FDS\" = 1 ] && [ -r /proc/self/fd/3 ]";
    let dir = TempDir::new();
    let file = dir.file("socket", "", 0o644);
    let with = |pid| Launch::init(init).env(format!("LISTEN_PID={pid}")).env("LISTEN_FDS=1").opened(3, &file);
    let code = with(1).sh(script).run().code();
    holds(code == 0, || "names the init".to_owned())?;
    let code = with(77).sh("exec [ $LISTEN_PID = 77 ]").run().code();
    holds(code == 0, || "one that names somebody else is changed".to_owned())
}
