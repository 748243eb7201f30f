//! Rules that change what becomes of a signal.

use super::{Init, Verdict, holds, no_option};
use std::time::Instant;
use support::{Launch, eventually, facts, ms};

/// Says each signal that comes.
const TELL: &str =
    "for s in TERM INT QUIT USR1; do trap \"echo got $s\" $s; done; echo up; while :; do sleep 0.01; done";

pub fn a_signal_can_be_rewritten(init: Init) -> Verdict {
    let options = match init {
        Init::Ours => ["--rewrite-signal", "TERM=QUIT"],
        Init::DumbInit => ["--rewrite", "15:3"],
        Init::Tini | Init::Catatonit => return no_option(),
    };
    let run = Launch::init(init).options(options).options(init.signal_main()).sh(TELL).start();
    run.says("up");
    run.signal(15);
    run.says("got QUIT");
    let said = String::from_utf8_lossy(&run.said()).into_owned();
    holds(!said.contains("TERM"), || said)
}

pub fn a_signal_can_be_dropped(init: Init) -> Verdict {
    let options = match init {
        Init::Ours => ["--rewrite-signal", "INT=drop"],
        Init::DumbInit => ["--rewrite", "2:0"],
        Init::Tini | Init::Catatonit => return no_option(),
    };
    let run = Launch::init(init).options(options).options(init.signal_main()).sh(TELL).start();
    run.says("up");
    run.signal(2);
    run.signal(10);
    run.says("got USR1");
    let said = String::from_utf8_lossy(&run.said()).into_owned();
    holds(!said.contains("INT"), || said)
}

pub fn a_signal_can_be_delayed(init: Init) -> Verdict {
    if init != Init::Ours {
        return no_option();
    }
    let run = Launch::init(init).options(["--delay-signal", "TERM=300ms"]).sh(TELL).start();
    run.says("up");
    let sent = Instant::now();
    run.signal(15);
    let took = run.says("got TERM") - sent;
    holds((300..1500).contains(&took.as_millis()), || format!("{took:?}"))
}

pub fn kill_follows_a_term_that_is_not_obeyed(init: Init) -> Verdict {
    if init != Init::Ours {
        return no_option();
    }
    let run = Launch::init(init)
        .options(["--grace", "200ms"])
        .sh("trap '' TERM; echo up; while :; do sleep 1; done")
        .start();
    run.says("up");
    let sent = Instant::now();
    run.signal(15);
    let end = run.wait();
    holds(end.code() == 137 && end.ended - sent >= ms(200), || format!("{}", end.code()))
}

pub fn it_can_follow_its_own_parent(init: Init) -> Verdict {
    let option = match init {
        Init::Ours => "--parent-death-signal",
        Init::Tini => "-p",
        Init::DumbInit | Init::Catatonit => return no_option(),
    };
    let program = init.program().unwrap();
    let name = if init == Init::Tini { "SIGTERM" } else { "TERM" };
    // PID 1 is a shell that outlives the init's parent.
    let script = format!(
        "sh -c '{} {option} {name} -- sh -c \"trap \\\"echo told; exit\\\" TERM; echo up; while :; do sleep 0.01; done\" & read line'; sleep 60",
        program.display()
    );
    let run = Launch::pid1_of(["sh", "-c", &script]).stdin().start();
    run.says("up");
    eventually("there is a parent", || !facts::children(run.pid()).is_empty());
    facts::kill(run.main(), 9);
    run.says("told");
    Ok(())
}
