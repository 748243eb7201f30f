//! Main's process group where it cannot have one of its own: no usable `/dev/tty`, or others in the wrapper's.

use std::fs;
use support::{
    DevTty, Launch, Pty, TempDir, binary, eventually, facts, job, ms, pause,
    pty::{PROMPT, shell},
};

#[test]
fn as_pid_1_without_a_usable_dev_tty_the_terminal_is_handed_over_by_the_standard_descriptors() {
    for state in DevTty::ALL {
        let pty = Pty::new();
        let run = Launch::pid1()
            .terminal(&pty)
            .dev_tty(state)
            .sh("echo up; read line; echo got $line; exit 4")
            .start();
        pty.shows("up");
        assert_eq!(pty.foreground(), run.main(), "{state:?}");
        pty.types("hello\n");
        pty.shows("got hello");
        assert_eq!(run.wait().code(), 4);
    }
}

/// What the command of `job count` has got.
struct Counted(std::path::PathBuf);

impl Counted {
    fn times(&self, signal: i32) -> usize {
        fs::read_to_string(&self.0).unwrap_or_default().matches(&format!("got {signal}\n")).count()
    }

    fn is_ready(&self) {
        eventually("the command is there", || {
            fs::read_to_string(&self.0).is_ok_and(|text| text.contains("ready"))
        });
    }

    /// Once; one that the wrapper forwards as well would come a moment later.
    #[track_caller]
    fn once(&self, signal: i32) {
        eventually("the signal comes", || self.times(signal) > 0);
        pause(ms(20));
        assert_eq!(self.times(signal), 1, "signal {signal}");
    }
}

/// The kernel lets nobody hand the terminal over: `ioctl` knows no terminal here.
#[test]
fn as_pid_1_with_a_terminal_that_cannot_be_handed_over_main_stays_in_our_group_and_reads() {
    only_ours!();
    let pty = Pty::new();
    let launch = Launch::pid1().terminal(&pty).dev_tty(DevTty::Absent).refused(libc::SYS_ioctl, libc::ENOTTY);
    let run = launch.sh("echo up; read line; echo got $line; exit 4").start();
    pty.shows("up");
    assert_eq!(facts::group(run.main()), facts::group(run.pid()));
    pty.types("hello\n");
    pty.shows("got hello");
    assert_eq!(run.wait().code(), 4);
}

#[test]
fn in_our_group_the_terminals_signals_and_those_for_the_wrapper_reach_main_once() {
    only_ours!();
    for options in [
        vec![],
        vec!["--signal-group"],
        vec!["--delay-signal", "INT=1ms"],
        vec!["--rewrite-signal", "INT=TERM"],
    ] {
        let (pty, dir) = (Pty::new(), TempDir::new());
        let counted = Counted(dir.at("signals"));
        let launch =
            Launch::pid1().terminal(&pty).dev_tty(DevTty::Absent).refused(libc::SYS_ioctl, libc::ENOTTY);
        let run = launch.options(&options).command(job(&["count", counted.0.to_str().unwrap()])).start();
        counted.is_ready();
        pty.types("\x03");
        counted.once(libc::SIGINT);
        pty.types("\x1c");
        counted.once(libc::SIGQUIT);
        pty.resize(33, 77);
        counted.once(libc::SIGWINCH);
        run.signal(libc::SIGUSR1);
        counted.once(libc::SIGUSR1);
        run.signal(libc::SIGTERM);
        let end = run.wait();
        assert_eq!(end.code(), 0, "{options:?}");
        assert_eq!(counted.times(libc::SIGTERM), 1);
        assert_eq!(pty.screen().contains("--signal-group"), options.contains(&"--signal-group"), "a warning");
    }
}

/// The terminal hangs up: that is for the leader of the session, which the wrapper is.
#[test]
fn in_our_group_a_hang_up_reaches_main_once() {
    only_ours!();
    let (pty, dir) = (Pty::new(), TempDir::new());
    let counted = Counted(dir.at("signals"));
    let launch = Launch::pid1().terminal(&pty).dev_tty(DevTty::Absent).refused(libc::SYS_ioctl, libc::ENOTTY);
    let run = launch.command(job(&["count", counted.0.to_str().unwrap()])).start();
    counted.is_ready();
    pty.hang_up();
    counted.once(libc::SIGHUP);
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait().code(), 0);
}

#[test]
fn in_a_pipeline_the_others_keep_the_terminal() {
    only_ours!();
    let (pty, _run) = shell();
    let ours = binary();
    for line in [
        format!(
            "{} -- sh -c 'echo page; exec sleep 60' | sh -c 'read page; echo u$((1))p; read key </dev/tty; echo key $key'",
            ours.display()
        ),
        format!(
            "sh -c 'echo u$((1))p >&2; read key </dev/tty; echo key $key >&2' | {} -- sleep 60",
            ours.display()
        ),
    ] {
        let (ups, keys) = (pty.screen().matches("u1p").count(), pty.screen().matches("key x").count());
        let prompts = pty.screen().matches(PROMPT).count();
        pty.types(&format!("{line}\n"));
        pty.shows_times("u1p", ups + 1);
        pty.types("x\n");
        pty.shows_times("key x", keys + 1);
        pty.types("\x03");
        pty.shows_times(PROMPT, prompts + 1);
    }
    pty.types("echo code $?.\n");
    pty.shows("code 130.");
}

#[test]
fn in_a_pipeline_ctrl_c_arrives_once_and_ctrl_z_stops_all_of_it() {
    only_ours!();
    let (pty, run) = shell();
    let dir = TempDir::new();
    let counted = Counted(dir.at("signals"));
    let words = job(&["count", counted.0.to_str().unwrap()]);
    let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
    pty.types(&format!("{} -- {} | (trap '' INT; cat; echo end)\n", binary().display(), words.join(" ")));
    counted.is_ready();
    pty.types("\x03");
    counted.once(libc::SIGINT);
    let wrapper = facts::children(run.pid()).into_iter().find(|pid| !facts::children(*pid).is_empty());
    let wrapper = wrapper.unwrap();
    facts::kill(wrapper, libc::SIGTERM);
    pty.shows("end");
    assert_eq!(counted.times(libc::SIGTERM), 1);

    pty.shows_times(PROMPT, 2);
    pty.types(&format!(
        "set -o pipefail; {} -- sh -c 'echo u$((2))p; read line </dev/tty; echo got $line; exit 3' | cat\n",
        binary().display()
    ));
    pty.shows("u2p");
    pty.types("\x1a");
    pty.shows("Stopped");
    pty.shows_times(PROMPT, 3);
    pty.types("fg\n");
    pty.shows("cat\n");
    pty.types("hello\n");
    pty.shows("got hello");
    pty.shows_times(PROMPT, 4);
    pty.types("echo code $?.\n");
    pty.shows("code 3.");
}

/// A script's shell has no job control: all that it starts is in its group.
#[test]
fn a_script_that_reads_beside_us_keeps_the_terminal() {
    only_ours!();
    let (pty, _run) = shell();
    let dir = TempDir::new();
    let (up, read) = (dir.at("up"), dir.at("read"));
    let reader = format!(
        "until [ -e {up} ]; do sleep 0.01; done; echo u$((1))p; read line; echo got $line; touch {read}",
        up = up.display(),
        read = read.display()
    );
    let main = format!("touch {}; until [ -e {} ]; do sleep 0.01; done", up.display(), read.display());
    let script = format!("({reader}) </dev/tty & {} -- sh -c '{main}'; wait", binary().display());
    let script = dir.file("script", script, 0o644);
    pty.types(&format!("bash {}\n", script.display()));
    pty.shows("u1p");
    pty.types("hello\n");
    pty.shows("got hello");
}

/// bash gives the terminal to the job, and sends no CONT to one that runs.
#[test]
fn a_running_background_job_that_is_brought_to_the_foreground_gets_the_terminal() {
    only_ours!();
    let (pty, _run) = shell();
    let dir = TempDir::new();
    let (up, go) = (dir.at("up"), dir.at("go"));
    let main = format!(
        "touch {}; until [ -e {} ]; do sleep 0.01; done; read line; echo got $line; exit 5",
        up.display(),
        go.display()
    );
    pty.types(&format!("{} -- sh -c '{main}' &\n", binary().display()));
    eventually("main is there", || up.exists());
    pty.types("fg\n");
    pty.shows("lastout -- sh -c");
    eventually("it is in front", || pty.foreground() != 0);
    fs::write(&go, "").unwrap();
    pty.types("hello\n");
    pty.shows("got hello");
    pty.types("echo code $?.\n");
    pty.shows("code 5.");
}

#[test]
fn ctrl_c_after_fg_reaches_all_of_a_job_that_ran_in_the_background() {
    only_ours!();
    let (pty, _run) = shell();
    let dir = TempDir::new();
    let counted = [Counted(dir.at("first")), Counted(dir.at("second"))];
    let words = |counted: &Counted| {
        let words = job(&["count", counted.0.to_str().unwrap()]);
        words.iter().map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let main = format!("{} & {}; kill $!", words(&counted[0]), words(&counted[1]));
    pty.types(&format!("{} -- bash -c '{main}' &\n", binary().display()));
    counted.iter().for_each(Counted::is_ready);
    pty.types("fg\n");
    pty.shows("lastout -- bash -c");
    pty.types("\x03");
    for counted in &counted {
        counted.once(libc::SIGINT);
    }
}
