//! How signals reach the command.

use super::{Init, Verdict, holds, thorough};
use std::{
    ffi::OsString,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use support::{
    Launch, TempDir, binary, facts, job,
    jobs::timed_term::{self, Since},
    ms, pause, until,
};

/// Neither a program nor a mask can hold back KILL and STOP; CHLD is the init's own.
const FAULTS: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];
const STOPS: [i32; 3] = [20, 21, 22];

fn common() -> impl Iterator<Item = i32> {
    (1..=31).filter(|n| ![9, 17, 19].contains(n) && !FAULTS.contains(n) && !STOPS.contains(n))
}

/// Sends each, waits until it has come before the next; each must come once.
fn arrive(init: Init, signals: impl Iterator<Item = i32>) -> Verdict {
    let run = Launch::init(init).options(init.signal_main()).command(job(&["signals"])).start();
    run.says("ready");
    let come = |word: &str| {
        let seen = || String::from_utf8_lossy(&run.said()).contains(word).then_some(());
        until(Duration::from_secs(1), seen).is_some()
    };
    let mut lost = vec![];
    let mut sent = 0;
    for n in signals {
        run.signal(n);
        if come(&format!("got {n}\n")) {
            sent += 1;
        } else {
            lost.push(n);
            if lost.len() > 3 {
                break; // Each costs a second.
            }
        }
    }
    holds(lost.is_empty(), || format!("not {lost:?}"))?;
    let got = String::from_utf8_lossy(&run.said()).lines().count() - 1;
    holds(got == sent, || format!("{sent} sent, {got} came"))
}

pub fn each_signal_reaches_the_command_once(init: Init) -> Verdict {
    arrive(init, common())
}

pub fn each_real_time_signal_reaches_the_command_once(init: Init) -> Verdict {
    arrive(init, 34..=64)
}

pub fn the_stop_signals_of_a_terminal_reach_the_command(init: Init) -> Verdict {
    arrive(init, STOPS.into_iter())
}

pub fn a_fault_signal_that_a_process_sent_is_forwarded(init: Init) -> Verdict {
    arrive(init, FAULTS.into_iter())
}

pub fn bursts_of_all_signals_lose_none(init: Init) -> Verdict {
    // What an init does not forward at all is told by the rows above. Not the stop signals: the kernel itself
    // throws a pending one away for a CONT, and the other way round.
    let signals: Vec<i32> = match init {
        Init::Ours => common().chain(FAULTS).chain(34..=64).collect(),
        Init::Tini | Init::DumbInit | Init::Catatonit => common().chain(34..=64).collect(),
    };
    let list = signals.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let command = job(&["bursts", "500", &list]);
    let run = Launch::init(init).options(init.signal_main()).command(command).start();
    for k in 0..500 {
        let word = format!("burst {k}\n");
        let ready = || run.said().ends_with(word.as_bytes()).then_some(());
        holds(until(Duration::from_secs(2), ready).is_some(), || format!("burst {k} was not complete"))?;
        signals.iter().for_each(|&n| run.signal(n));
    }
    run.says("twice 0");
    Ok(())
}

/// TERM at the moment at which the command's process appears, and up to half a millisecond later.
fn at_the_fork(init: Init, options: &[&str]) -> Verdict {
    let tries = if thorough() { 200 } else { 20 };
    let mut command = job(&timed_term::words(Since::Child, (0, 10, 50), tries));
    command.push(init.program().unwrap_or_else(binary).into());
    command.extend(options.iter().map(OsString::from));
    command.extend(["--", "/bin/sleep", "60"].map(OsString::from));
    let end = Launch::bare().command(command).deadline(Duration::from_secs(600)).run();
    let said = String::from_utf8_lossy(&end.stdout).into_owned();
    let lost = said.lines().last().unwrap_or(&end.stderr).to_owned();
    holds(lost.starts_with("lost 0 of"), || lost)
}

pub fn term_at_the_fork_is_never_lost(init: Init) -> Verdict {
    at_the_fork(init, init.signal_main())
}

pub fn term_at_the_fork_is_never_lost_with_the_group(init: Init) -> Verdict {
    at_the_fork(init, init.signal_group())
}

pub fn term_again_and_again_is_forwarded_each_time(init: Init) -> Verdict {
    let script = "n=0; trap 'n=$((n+1)); echo term $n; [ $n = 5 ] && exit 4' TERM; echo up; while :; do sleep 0.01; done";
    let run = Launch::init(init).options(init.signal_main()).sh(script).start();
    run.says("up");
    for n in 1..=5 {
        run.signal(15);
        run.says(&format!("term {n}"));
    }
    let code = run.wait().code();
    holds(code == 4, || format!("{code}"))
}

pub fn the_process_group_gets_it_on_request(init: Init) -> Verdict {
    let script = "trap : USR1; (trap 'echo child; exit' USR1; echo up; while :; do sleep 0.01; done) & wait; wait; exit 4";
    let run = Launch::init(init).options(init.signal_group()).sh(script).start();
    run.says("up");
    run.signal(10);
    run.says("child");
    let code = run.wait().code();
    holds(code == 4, || format!("{code}"))
}

/// An unprivileged init and a command that has become root by its set-uid bit.
pub fn a_command_that_may_not_be_signalled_is_no_failure(init: Init) -> Verdict {
    if !facts::is_root() {
        support::skip("not root: nothing here may not be signalled");
        return Ok(());
    }
    let dir = TempDir::new();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = dir.file("as-root", std::fs::read(std::env::current_exe().unwrap()).unwrap(), 0o4755);
    let copy = dir.file("init", std::fs::read(init.program().unwrap()).unwrap(), 0o755);
    let mut words = job(&["as-root"]);
    words[0] = program.into();
    let mut run = Launch::init(init)
        .program(&copy)
        .options(init.signal_main())
        .uid(65534)
        .command(words)
        .stdin()
        .start();
    run.says("up");
    run.signal(15);
    run.signal(10);
    let taken =
        || facts::status_field(run.pid(), "ShdPnd").is_none_or(|mask| mask.bytes().all(|b| b == b'0'));
    support::eventually("the init has taken the signals", taken);
    let early = run.end_within(ms(300));
    holds(early.is_none(), || format!("gives up with {}", early.map_or(-1, |e| e.code())))?;
    run.close_stdin();
    let code = run.wait().code();
    holds(code == 6, || format!("{code}"))
}

pub fn a_flood_of_signals_does_not_hide_the_end_of_the_command(init: Init) -> Verdict {
    let script = "trap '' HUP INT USR1; echo up; read line; exit 5";
    let mut run = Launch::init(init)
        .options(init.signal_main())
        .sh(script)
        .stdin()
        .deadline(Duration::from_secs(5))
        .start();
    run.says("up");
    let (pid, over) = (run.pid(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for n in [1, 10] {
            let over = &over;
            scope.spawn(move || while !over.load(Relaxed) && facts::kill(pid, n) {});
        }
        pause(ms(20));
        run.close_stdin();
        let end = run.end_within(Duration::from_secs(2));
        over.store(true, Relaxed);
        let code = end.map(|e| e.code());
        holds(code == Some(5), || format!("{code:?}"))
    })
}
