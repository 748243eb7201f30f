//! The terminal where the wrapper does more than tini: at the gate, and when something else than the terminal
//! stops main. The rest is in `init_suite/terminal.rs`.

use std::{os::unix::process::ExitStatusExt as _, time::Duration};
use support::{
    Fake, Launch, Pty, binary, eventually, facts,
    pty::{PROMPT, shell},
};

fn state(pid: i32) -> char {
    facts::status_field(pid, "State").and_then(|s| s.chars().next()).unwrap_or('?')
}

#[test]
fn ctrl_c_at_the_gate_ends_the_waiting() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let pty = Pty::new();
    let run = Launch::pid1().terminal(&pty).sidecar(&fake.spec("fake")).sh("echo never").start();
    eventually("the wrapper probes", || facts::status_field(run.pid(), "Threads").is_some_and(|n| n != "1"));
    pty.types("\x03");
    assert_eq!(run.wait().code(), 130);
    assert!(!pty.screen().contains("never"));
}

#[test]
fn ctrl_z_at_the_gate_stops_the_job_and_fg_goes_on_waiting() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let (pty, run) = shell();
    pty.types(&format!(
        "{} --sidecar {} -- sh -c 'echo ma$((1))n; exit 6'\n",
        binary().display(),
        fake.spec("fake")
    ));
    eventually("the wrapper is there", || !facts::children(run.pid()).is_empty());
    let wrapper = run.main();
    eventually("the wrapper probes", || facts::status_field(wrapper, "Threads").is_some_and(|n| n != "1"));
    pty.types("\x1a");
    pty.shows("Stopped");
    pty.shows_times(PROMPT, 2);
    assert_eq!(state(wrapper), 'T');
    fake.open();
    pty.types("fg\n");
    pty.shows("ma1n");
    pty.shows_times(PROMPT, 3);
    pty.types("echo code $?.\n");
    pty.shows("code 6.");
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn pid_1_is_not_stopped_by_the_terminals_stop_signals() {
    only_ours!();
    let run = Launch::pid1()
        .sh("trap '' TSTP TTIN TTOU; trap 'echo usr' USR1; echo up; while :; do sleep 0.01; done")
        .start();
    run.says("up");
    for signal in [20, 21, 22] {
        run.signal(signal);
    }
    run.signal(10);
    run.says("usr");
    assert_eq!(state(run.pid()), 'S');
}

/// An operator freezes main and thaws it. Nobody would thaw the wrapper: there is no shell, be there a terminal
/// (whose session is the wrapper's own) or none.
#[test]
fn a_main_that_an_operator_stops_and_continues_does_not_leave_the_wrapper_stopped() {
    only_ours!();
    for signal in [libc::SIGSTOP, libc::SIGTSTP] {
        for pty in [None, Some(Pty::new())] {
            let launch = Launch::process().sh("trap 'exit 5' USR1; while :; do sleep 0.01; done");
            let run = if let Some(pty) = &pty { launch.terminal(pty) } else { launch }.start();
            let main = run.main();
            eventually("main catches USR1", || {
                let mask = facts::status_field(main, "SigCgt").unwrap_or_default();
                u64::from_str_radix(&mask, 16).is_ok_and(|mask| mask & 1 << (libc::SIGUSR1 - 1) != 0)
            });
            facts::kill(main, signal);
            eventually("main stops", || state(main) == 'T');
            eventually("the wrapper rests", || matches!(state(run.pid()), 'S' | 'T'));
            facts::kill(main, libc::SIGCONT);
            facts::kill(main, libc::SIGUSR1);
            assert_eq!(run.wait().code(), 5);
        }
    }
}

#[test]
fn a_hang_up_ends_an_idle_main_and_the_wrapper_with_it() {
    let pty = Pty::new();
    let mut run = Launch::process().terminal(&pty).sh("echo up; exec sleep 60").start();
    pty.shows("up");
    pty.hang_up();
    let end = run.end_within(Duration::from_secs(5)).expect("ends");
    assert!(end.status.signal() == Some(1) || end.status.code() == Some(129), "{:?}", end.status);
}

#[test]
fn the_shell_has_the_terminal_while_the_sidecars_are_being_stopped() {
    only_ours!();
    let fake = Fake::script().quit([support::Reply::Answer(200, "bye")]).stays().start();
    let pty = Pty::new();
    let run = Launch::pid1().terminal(&pty).sidecar(&fake.spec("fake")).sh("exit 3").start();
    eventually("the stop", || !fake.quits().is_empty());
    assert_eq!(pty.foreground(), run.pid());
    // So that Ctrl-C reaches the wrapper, and a second one ends the stop at once.
    pty.types("\x03");
    pty.types("\x03");
    assert_eq!(run.wait().code(), 3);
}
