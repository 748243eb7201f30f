//! What main inherits when the wrapper has done more than start it: a gate with its threads and sockets, an
//! environment file, a terminal. What a bare start passes on is in `init_suite/inherits.rs`.

use support::{Fake, Launch, Pty, TempDir, binary, eventually, facts::field, init::which, skip};

/// Signals and descriptors, as main finds them.
const LOOK: &str = "cat /proc/self/status; for fd in /proc/$$/fd/*; do echo fd ${fd##*/}; done";

fn seen(launch: Launch) -> String {
    let end = launch.sh(LOOK).run();
    assert_eq!(end.code(), 0, "{}", end.stderr);
    let text = String::from_utf8(end.stdout).unwrap();
    let signals = ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Threads", "NoNewPrivs", "Umask"];
    let fields = signals.map(|name| format!("{name} {}\n", field(&text, name).unwrap_or_default())).concat();
    fields + &text.lines().filter(|l| l.starts_with("fd ")).map(|l| format!("{l}\n")).collect::<String>()
}

#[test]
fn after_a_gate_main_inherits_what_it_would_inherit_bare() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    let with =
        |l: Launch| l.blocked(10).blocked(33).blocked(40).ignored(13).ignored(1).opened(5, &file).umask(0o27);
    let bare = seen(with(Launch::bare()));
    for launch in [Launch::pid1, Launch::process] {
        let fake = Fake::good();
        assert_eq!(seen(with(launch()).sidecar(&fake.spec("fake"))), bare);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn closed_standard_descriptors_stay_closed_and_harmless_with_a_sidecar() {
    only_ours!();
    for closed in [&[0][..], &[2], &[0, 2], &[0, 1, 2]] {
        let dir = TempDir::new();
        let out = dir.at("out");
        let fake = Fake::good();
        let script = format!("cd /proc/$$/fd; exec 3>{}; echo * >&3; : <&3; exit 3", out.display());
        let with = |l: Launch| closed.iter().fold(l, |l, &fd| l.closed(fd)).sh(&script);
        // Everything is told, so that a line would land on whatever has taken the place of a closed stderr.
        let end = with(Launch::pid1()).sidecar(&fake.spec("fake")).options(["--log-level", "debug"]).run();
        let wrapped = std::fs::read_to_string(&out).unwrap();
        assert_eq!((end.code(), fake.quits().len()), (3, 1), "{closed:?}");
        with(Launch::bare()).run();
        assert_eq!(wrapped, std::fs::read_to_string(&out).unwrap(), "{closed:?}");
        assert!(fake.asked().iter().all(|asked| !asked.head.contains("lastout:")), "{closed:?}");
    }
}

#[test]
fn the_settings_of_the_wrapper_are_in_mains_environment_as_they_came() {
    only_ours!();
    let end = Launch::pid1()
        .env("LASTOUT_LINGER=0")
        .env("LASTOUT_LOG_LEVEL=")
        .command(["/bin/cat", "/proc/self/environ"])
        .run();
    let text = String::from_utf8(end.stdout).unwrap();
    assert!(text.ends_with("\0LASTOUT_LINGER=0\0LASTOUT_LOG_LEVEL=\0"), "{text:?}");
}

#[test]
fn every_variable_that_names_us_names_main_and_one_that_names_somebody_else_stays() {
    only_ours!();
    for name in ["LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"] {
        let with = |pid: u32| Launch::pid1().env(format!("{name}={pid}")).env("WATCHDOG_USEC=1000000");
        with(1).sh(&format!("[ \"${name}\" = $$ ]")).run().silent(0);
        with(77).sh(&format!("[ \"${name}\" = 77 ]")).run().silent(0);
    }
    let all =
        ["LISTEN_PID=1", "WATCHDOG_PID=1", "SYSTEMD_EXEC_PID=1"].iter().fold(Launch::pid1(), Launch::env);
    all.sh("[ $LISTEN_PID = $$ ] && [ $WATCHDOG_PID = $$ ] && [ $SYSTEMD_EXEC_PID = $$ ]").run().silent(0);
}

#[test]
fn the_pidfd_that_named_us_is_dropped_and_one_that_names_somebody_else_stays() {
    only_ours!();
    let with = |pid: u32| Launch::pid1().env(format!("LISTEN_PID={pid}")).env("LISTEN_PIDFDID=4711");
    with(1).sh("[ $LISTEN_PID = $$ ] && [ -z \"${LISTEN_PIDFDID+set}\" ]").run().silent(0);
    with(77).sh("[ $LISTEN_PID = 77 ] && [ $LISTEN_PIDFDID = 4711 ]").run().silent(0);
}

/// What the real `libsystemd` says in main, by Python: the watchdog's time in µs, and how many sockets there are.
const BY_LIBSYSTEMD: &str = "
import ctypes, sys
systemd = ctypes.CDLL('libsystemd.so.0')
time = ctypes.c_uint64(0)
enabled = systemd.sd_watchdog_enabled(0, ctypes.byref(time))
sys.exit(0 if (enabled, time.value, systemd.sd_listen_fds(0)) == (1, 4000000, 1) else 1)
";

#[test]
fn the_real_libsystemd_takes_main_as_the_one_that_is_named() {
    only_ours!();
    let load = "import ctypes; ctypes.CDLL('libsystemd.so.0')";
    if which("python3").is_none() || Launch::bare().command(["python3", "-c", load]).run().code() != 0 {
        return skip("no libsystemd, or no python3 to call it by");
    }
    let dir = TempDir::new();
    let socket = dir.file("socket", "", 0o644);
    let script = "export WATCHDOG_PID=$$ WATCHDOG_USEC=4000000 LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"";
    let wrapper = binary();
    let wrapper = ["sh", "-c", script, "sh", wrapper.to_str().unwrap(), "--"];
    let words = wrapper.into_iter().chain(["python3", "-c", BY_LIBSYSTEMD]);
    let end = Launch::pid1_of(words).opened(3, &socket).run();
    assert_eq!(end.code(), 0, "{}", end.stderr);
}

/// Its terminal (`tty_nr`), whether that is where stdin is, and whether its group is in front.
const AT_TERMINAL: &str = "read -r stat </proc/$$/stat; set -- ${stat##*) }; echo tty $5; [ $3 = $6 ] && echo in front; tty; ps_=$3; [ $ps_ = $$ ] && echo own group";

#[test]
fn main_has_the_controlling_terminal_and_the_foreground() {
    let look = |launch: Launch, pty: &Pty| {
        let run = launch.terminal(pty).sh(AT_TERMINAL).start();
        assert_eq!(run.wait().code(), 0);
        pty.shows("own group");
        pty.screen()
    };
    let bare = {
        let pty = Pty::new();
        let screen = look(Launch::bare(), &pty);
        assert!(screen.contains("in front") && screen.contains(&pty.path), "{screen}");
        screen.replace(&pty.path, "PATH")
    };
    let without_number = |screen: String| screen.split_once('\n').map(|(_, rest)| rest.to_owned());
    for launch in [Launch::pid1, Launch::process] {
        let pty = Pty::new();
        let screen = look(launch(), &pty).replace(&pty.path, "PATH");
        assert!(!screen.starts_with("tty 0\n"), "{screen}");
        assert_eq!(without_number(screen), without_number(bare.clone()));
    }
}

#[test]
fn after_the_spawn_the_wrapper_has_its_three_descriptors_and_no_folder() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    for launch in [Launch::pid1, Launch::process] {
        let fake = Fake::good();
        let with = [3, 4, 63, 200].into_iter().fold(launch(), |l, fd| l.opened(fd, &file)).cwd(dir.path());
        let run = with.sidecar(&fake.spec("fake")).sh("echo up; exec sleep 60").start();
        run.says("up");
        let links = |what: &str| std::fs::read_dir(format!("/proc/{}/{what}", run.pid())).unwrap().flatten();
        eventually("it lets go", || {
            let mut open: Vec<_> = links("fd").map(|l| l.file_name().into_string().unwrap()).collect();
            open.sort();
            open == ["0", "1", "2"]
        });
        eventually("it leaves", || {
            std::fs::read_link(format!("/proc/{}/cwd", run.pid())).unwrap().as_os_str() == "/"
        });
    }
}
