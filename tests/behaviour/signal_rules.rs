//! The options that change what becomes of a signal or an exit code: `--rewrite-signal`, `--delay-signal`,
//! `--grace`, `--map-exit`, `--parent-death-signal`.

use std::time::{Duration, Instant};
use support::{End, Fake, Launch, Reply, Running, eventually, facts, gate::probed, job, ms};

/// Main says each signal that comes; TERM ends it with 4.
fn teller(options: &[&str]) -> Running {
    let script =
        "for s in HUP INT QUIT USR1 USR2; do trap \"echo got $s\" $s; done; trap 'echo got TERM; exit 4' TERM
        echo up; while :; do sleep 0.01; done";
    let run = Launch::pid1().options(options).sh(script).start();
    run.says("up");
    run
}

fn said(run: &Running) -> String {
    String::from_utf8_lossy(&run.said()).replace("up\n", "")
}

#[test]
fn a_signal_is_rewritten_by_name_number_or_real_time_name() {
    only_ours!();
    for (rule, sent, got) in [
        ("USR1=USR2", 10, "USR2"),
        ("10=12", 10, "USR2"),
        ("SIGRTMIN+3=hup", 37, "HUP"),
        ("64=SIGINT", 64, "INT"),
    ] {
        let run = teller(&["--rewrite-signal", rule]);
        run.signal(sent);
        run.says(&format!("got {got}"));
        run.signal(15);
        assert_eq!(run.wait().code(), 4, "{rule}");
    }
}

#[test]
fn a_signal_that_no_program_can_hold_back_can_stand_for_another() {
    only_ours!();
    let run = teller(&["--rewrite-signal", "USR1=KILL"]);
    run.signal(10);
    assert_eq!(run.wait().code(), 137);
}

#[test]
fn a_rewritten_signal_is_not_rewritten_again_and_the_last_rule_wins() {
    only_ours!();
    let rules =
        ["--rewrite-signal", "HUP=INT", "--rewrite-signal", "INT=QUIT", "--rewrite-signal", "HUP=USR1"];
    let run = teller(&rules);
    run.signal(2);
    run.says("got QUIT");
    run.signal(1);
    run.says("got USR1");
    assert_eq!(said(&run), "got QUIT\ngot USR1\n");
}

#[test]
fn dropped_signals_never_reach_main() {
    only_ours!();
    for rule in ["INT=drop", "INT=0", "2=DROP"] {
        let run = teller(&["--rewrite-signal", rule]);
        run.signal(2);
        run.signal(10);
        run.says("got USR1");
        assert_eq!(said(&run), "got USR1\n", "{rule}");
    }
}

#[test]
fn rules_come_from_the_environment_too() {
    only_ours!();
    let run = Launch::pid1()
        .env("LASTOUT_REWRITE_SIGNAL=TERM=QUIT USR1=drop")
        .env("LASTOUT_MAP_EXIT=131=9")
        .sh("echo up; exec sleep 60")
        .start();
    run.says("up");
    run.signal(10);
    run.signal(15);
    assert_eq!(run.wait().code(), 9);
}

#[test]
fn a_delayed_signal_comes_later_and_others_at_once() {
    only_ours!();
    let run = teller(&["--delay-signal", "TERM=300ms", "--delay-signal", "USR2=100ms"]);
    let sent = Instant::now();
    run.signal(15);
    run.signal(12);
    run.signal(10);
    assert!(run.says("got USR1") - sent < ms(90));
    let usr2 = run.says("got USR2") - sent;
    assert!(usr2 >= ms(100) && usr2 < ms(280), "{usr2:?}");
    let term = run.says("got TERM") - sent;
    assert!(term >= ms(300) && term < ms(1500), "{term:?}");
    assert_eq!(run.wait().code(), 4);
}

#[test]
fn a_delayed_signal_is_rewritten_when_it_is_due() {
    only_ours!();
    let run = teller(&["--delay-signal", "INT=50ms", "--rewrite-signal", "INT=HUP"]);
    let sent = Instant::now();
    run.signal(2);
    assert!(run.says("got HUP") - sent >= ms(50));
}

#[test]
fn a_main_that_ends_while_its_signal_is_held_back_is_not_waited_for() {
    only_ours!();
    let mut run = Launch::pid1()
        .options(["--delay-signal", "TERM=10s"])
        .sh("echo up; read line; exit 5")
        .stdin()
        .start();
    run.says("up");
    run.signal(15);
    run.close_stdin();
    let end = run.wait();
    assert!(end.took() < ms(5000));
    end.silent(5);
}

/// What becomes of a main that ignores these signals once it got one.
fn stubborn(options: &[&str], signal: i32, within: Duration) -> Option<End> {
    let mut run = Launch::pid1()
        .options(options)
        .sh("trap '' TERM HUP QUIT INT; echo up; while :; do sleep 1; done")
        .start();
    run.says("up");
    run.signal(signal);
    run.end_within(within)
}

#[test]
fn grace_kills_main_after_a_stop_signal_and_says_so() {
    only_ours!();
    for signal in [15, 2] {
        let end = stubborn(&["--grace", "100ms"], signal, ms(5000)).unwrap();
        assert_eq!(end.code(), 137);
        assert!(end.stderr.contains("--grace"), "{}", end.stderr);
    }
}

#[test]
fn grace_is_for_stop_signals_only() {
    only_ours!();
    assert!(stubborn(&["--grace", "50ms"], 1, ms(300)).is_none());
    let options = ["--grace", "50ms", "--stop-signal", "QUIT"];
    assert!(stubborn(&options, 15, ms(300)).is_none());
    assert_eq!(stubborn(&options, 3, ms(5000)).unwrap().code(), 137);
}

#[test]
fn a_second_stop_signal_does_not_prolong_grace() {
    only_ours!();
    let mut run = Launch::pid1()
        .options(["--grace", "300ms"])
        .sh("trap '' TERM; echo up; while :; do sleep 1; done")
        .start();
    run.says("up");
    let sent = Instant::now();
    let end = loop {
        // It may have ended just now.
        facts::kill(run.pid(), 15);
        match run.end_within(ms(50)) {
            Some(end) => break end,
            None => assert!(sent.elapsed() < ms(3000)),
        }
    };
    assert!(end.ended - sent >= ms(300));
    assert_eq!(end.code(), 137);
}

#[test]
fn a_main_that_obeys_is_not_killed_and_nothing_waits_for_grace() {
    only_ours!();
    let run = Launch::pid1()
        .options(["--grace", "10s"])
        .sh("trap 'exit 4' TERM; echo up; while :; do sleep 0.01; done")
        .start();
    run.says("up");
    run.signal(15);
    let end = run.wait();
    assert!(end.took() < ms(5000));
    end.silent(4);
}

#[test]
fn map_exit_turns_codes_and_deaths_into_codes() {
    only_ours!();
    let map = ["--map-exit", "143=0", "--map-exit", "3=7", "--map-exit", "7=8", "--map-exit", "192=1"];
    for (main, code) in [("exit 3", 7), ("exit 7", 8), ("exit 143", 0), ("exit 4", 4), ("kill -TERM $$", 0)] {
        Launch::pid1().options(map).sh(main).run().silent(code);
        // Outside PID 1 a mapped death is an exit.
        Launch::process().options(map).sh(main).run().silent(code);
    }
    assert_eq!(Launch::pid1().options(map).command(job(&["die", "64"])).run().code(), 1);
}

#[test]
fn map_exit_is_for_mains_own_end_only() {
    only_ours!();
    let map = |code: &str| Launch::pid1().options(["--map-exit", &format!("{code}=0")]);
    assert_eq!(map("127").command(["no-such-command"]).run().code(), 127);
    assert_eq!(map("126").command(["/etc"]).run().code(), 126);
    assert_eq!(map("125").options(["--linger", "soon"]).sh("exit 0").run().code(), 125);
    let fake = Fake::script().start_closed();
    let gate = |code| map(code).sidecar(&fake.spec("fake")).options(["--stop-timeout", "100ms"]).sh("exit 0");
    assert_eq!(gate("124").options(["--wait-timeout", "100ms"]).run().code(), 124);
    let fake = Fake::script().ready([Reply::Answer(503, "not yet")]).start();
    let run = map("143").sidecar(&fake.spec("fake")).sh("exit 0").start();
    probed(&fake);
    run.signal(15);
    assert_eq!(run.wait().code(), 143);
    // But a main that ends with such a code itself is mapped.
    assert_eq!(map("127").sh("exit 127").run().code(), 0);
}

#[test]
fn stop_on_judges_the_mapped_code() {
    only_ours!();
    for (map, quits) in [("143=0", 1), ("143=9", 0)] {
        let fake = Fake::good();
        let options = ["--map-exit", map, "--stop-on", "success"];
        let end = Launch::pid1().sidecar(&fake.spec("fake")).options(options).sh("kill -TERM $$").run();
        assert_eq!(fake.quits().len(), quits, "{map}: {}", end.stderr);
    }
}

#[test]
fn the_parent_death_signal_is_the_wrappers_own_and_reaches_main() {
    only_ours!();
    let wrapper = support::binary();
    // The shell that is PID 1 outlives the one that starts the wrapper.
    let script = format!(
        "sh -c '{} --parent-death-signal USR1 -- sh -c \"trap \\\"echo told; exit\\\" USR1; echo up; while :; do sleep 0.01; done\" & read line'; sleep 60",
        wrapper.display()
    );
    let run = Launch::pid1_of(["sh", "-c", &script]).stdin().start();
    run.says("up");
    facts::kill(run.main(), 9);
    run.says("told");
}

#[test]
fn after_mains_end_nobody_in_its_group_is_signalled() {
    only_ours!();
    // Main is gone: nobody is signalled any more, whoever is left in its group.
    let dir = support::TempDir::new();
    let file = dir.at("got");
    let script = format!(
        "(trap 'echo got > {}' USR1; echo up; while :; do sleep 0.01; done) & sleep 0.05; exit 3",
        file.display()
    );
    let fake = Fake::script().quit([support::Reply::Silent]).stays().start();
    let run = Launch::pid1()
        .options(["--signal-group", "--stop-timeout", "1s"])
        .sidecar(&fake.spec("fake"))
        .sh(&script)
        .start();
    run.says("up");
    eventually("main has ended", || !fake.quits().is_empty());
    run.signal(10);
    assert_eq!(run.wait().code(), 3);
    assert!(!file.exists(), "a signal after main's end reached its group");
}
