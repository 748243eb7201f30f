//! Signals after main's end, and the stop after a stop signal.

use std::time::Instant;
use support::{
    Fake, Launch, Reply, eventually, facts, ms,
    stop::{main_of, main_reaped},
    until_sent_in_time,
};

const OK: Reply = Reply::Answer(200, "bye");

/// Waits until it has been asked to quit.
fn asked_to_quit(fake: &Fake) {
    eventually("a quit request", || !fake.quits().is_empty());
}

#[test]
fn a_stop_signal_cuts_linger_short() {
    only_ours!();
    let fake = Fake::good();
    let run = main_of(&fake).options(["--linger", "10s"]).start();
    main_reaped(&run);
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let end = run.wait();
    assert_eq!((end.code(), fake.quits().len()), (3, 1), "{}", end.stderr);
    assert!(fake.quits()[0].at - sent < ms(250) && end.ended - sent < ms(1000));
}

#[test]
fn another_signal_does_not_cut_linger_short() {
    only_ours!();
    let fake = Fake::good();
    let mut run = main_of(&fake).options(["--linger", "10s"]).start();
    main_reaped(&run);
    for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT] {
        run.signal(signal);
    }
    assert!(run.end_within(ms(300)).is_none());
    assert_eq!(fake.quits().len(), 0);
}

#[test]
fn a_stop_signal_while_main_ran_means_no_linger_and_no_complaint() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(404, "off")]).stays().start();
    let run = Launch::pid1()
        .sidecar(&fake.spec("fake"))
        .options(["--linger", "10s"])
        .sh("trap 'exit 4' TERM; echo up; while :; do sleep 0.01; done")
        .start();
    run.says("up");
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let end = run.wait();
    end.silent(4);
    assert!(end.ended - sent < ms(1000));
}

#[test]
fn after_a_stop_signal_one_that_is_not_there_is_tried_once() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = Launch::pid1()
        .sidecar(&fake.spec("fake"))
        .options(["--no-wait"])
        .sh("trap 'exit 4' TERM; echo up; while :; do sleep 0.01; done")
        .start();
    run.says("up");
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let end = run.wait();
    end.silent(4);
    assert!(end.ended - sent < ms(500), "{:?}", end.ended - sent);
}

#[test]
fn term_while_stopping_leaves_one_second_and_mains_code_stands() {
    only_ours!();
    // A request that hangs may take its own second first.
    for (reply, limit) in [(OK, ms(1500)), (Reply::Silent, ms(2500))] {
        let fake = Fake::script().quit([reply]).stays().start();
        let run = main_of(&fake).start();
        asked_to_quit(&fake);
        let sent = Instant::now();
        run.signal(libc::SIGTERM);
        let end = run.wait();
        assert_eq!((end.code(), fake.quits().len()), (3, 1), "{}", end.stderr);
        assert!(end.stderr.lines().count() <= 1, "{}", end.stderr);
        assert!(end.ended - sent < limit, "{reply:?}: {:?}", end.ended - sent);
    }
}

#[test]
fn a_second_term_while_stopping_ends_it_at_once() {
    only_ours!();
    for reply in [OK, Reply::Silent] {
        let fake = Fake::script().quit([reply]).stays().start();
        let mut run = main_of(&fake).start();
        asked_to_quit(&fake);
        run.signal(libc::SIGTERM);
        // Two within 150 ms would merge.
        assert!(run.end_within(ms(200)).is_none(), "one is not enough");
        let sent = Instant::now();
        run.signal(libc::SIGTERM);
        let end = run.wait();
        assert_eq!(end.code(), 3);
        assert!(end.ended - sent < ms(250), "{reply:?}: {:?}", end.ended - sent);
    }
}

#[test]
fn two_signals_within_a_millisecond_merge_at_the_gate_and_in_the_stop() {
    only_ours!();
    for second in [libc::SIGTERM, libc::SIGINT] {
        for _ in 0..4 {
            // At the gate, beside one that accepts connections but is not ready. It stays long enough for the second.
            let not_ready = Fake::script().ready([Reply::Answer(503, "no")]);
            let fake = not_ready.leaves_after(ms(300)).start();
            let run = Launch::pid1().sidecar(&fake.spec("fake")).sh("exit 3").start();
            eventually("a probe", || !fake.asked().is_empty());
            run.signal_twice(libc::SIGTERM, second);
            let end = run.wait();
            // Of two that are pending at once the kernel gives the lower number first.
            assert!([143, 128 + second].contains(&end.code()), "{}", end.stderr);
            assert_eq!(fake.quits().len(), 1, "{}", end.stderr);
        }
        // In the stop it is given its second.
        until_sent_in_time(|| {
            let fake = Fake::script().quit([OK]).stays().start();
            let mut run = main_of(&fake).start();
            asked_to_quit(&fake);
            let in_time = run.signal_twice(libc::SIGTERM, second);
            if in_time {
                assert!(run.end_within(ms(500)).is_none(), "they merge");
            }
            assert_eq!(run.wait().code(), 3);
            in_time
        });
    }
}

#[test]
fn a_true_second_stop_signal_lets_those_not_yet_asked_get_their_one_request() {
    only_ours!();
    let stubborn = Fake::script().quit([OK]).stays().start();
    let later = [Fake::good(), Fake::good()];
    let mut run = Launch::pid1()
        .sidecar(&(stubborn.spec("first") + ",order=1"))
        .sidecar(&(later[0].spec("second") + ",order=2"))
        .sidecar(&(later[1].spec("third") + ",order=3"))
        .sh("exit 3")
        .start();
    asked_to_quit(&stubborn);
    run.signal(libc::SIGTERM);
    assert!(run.end_within(ms(200)).is_none(), "one is not enough");
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let end = run.wait();
    assert_eq!((end.code(), stubborn.quits().len()), (3, 1), "{}", end.stderr);
    assert_eq!([later[0].quits().len(), later[1].quits().len()], [1, 1], "{}", end.stderr);
    assert!(end.ended - sent < ms(700), "{:?}", end.ended - sent);
}

#[test]
fn outside_pid_1_the_sidecar_is_stopped_before_the_wrapper_dies_of_mains_signal() {
    only_ours!();
    use std::os::unix::process::ExitStatusExt as _;
    let fake = Fake::good();
    let end = Launch::process().sidecar(&fake.spec("fake")).sh("kill -TERM $$").run();
    assert_eq!((end.status.signal(), fake.quits().len()), (Some(libc::SIGTERM), 1), "{}", end.stderr);
}

#[test]
fn orphans_are_reaped_while_stopping() {
    only_ours!();
    let fake = Fake::script().quit([OK]).stays().start();
    let run = Launch::pid1().sidecar(&fake.spec("fake")).sh("sleep 0.3 & echo end; exit 3").start();
    asked_to_quit(&fake);
    assert_eq!(facts::children(run.pid()).len(), 1, "the orphan is the wrapper's");
    main_reaped(&run);
    assert!(facts::status_field(run.pid(), "State").is_some(), "while it still stops");
}
