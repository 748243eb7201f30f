//! `--leftovers`: what main leaves behind is told to end, and waited for; and what is not main's is left alone.

use support::{Launch, TempDir, binary, eventually, facts, ms};

/// A daemon: a session of its own, away from main's group; at TERM it takes `seconds` and writes the file.
fn daemon(dir: &TempDir, seconds: &str) -> String {
    let at = dir.path().display();
    format!(
        "setsid sh -c 'trap \"sleep {seconds}; echo done > {at}/done; exit\" TERM; echo up > {at}/up; while :; do sleep 0.01; done' 2>/dev/null &
         while [ ! -s {at}/up ]; do sleep 0.01; done; exit 9"
    )
}

#[test]
fn leftovers_are_told_and_waited_for() {
    only_ours!();
    for launch in [Launch::pid1, Launch::process] {
        let dir = TempDir::new();
        let end = launch().options(["--leftovers", "10s"]).sh(&daemon(&dir, "0.2")).run();
        end.silent(9);
        assert!(dir.at("done").exists(), "it was not waited for");
        assert!(end.took() < ms(8000), "nobody is left, and yet it is waited for");
    }
}

#[test]
fn leftovers_are_waited_for_no_longer_than_told() {
    only_ours!();
    let dir = TempDir::new();
    let end = Launch::pid1().options(["--leftovers", "300ms"]).sh(&daemon(&dir, "60")).run();
    end.silent(9);
    assert!(end.took() >= ms(300) && end.took() < ms(5000), "{:?}", end.took());
}

#[test]
fn without_it_leftovers_are_left_to_the_kernel() {
    let dir = TempDir::new();
    let end = Launch::pid1().sh(&daemon(&dir, "0")).run();
    assert_eq!(end.code(), 9);
    assert!(!dir.at("done").exists());
}

#[test]
fn a_stop_signal_cuts_leftovers_short() {
    only_ours!();
    let dir = TempDir::new();
    let run = Launch::pid1().options(["--leftovers", "15s"]).sh(&daemon(&dir, "60")).start();
    let main = run.main();
    eventually("main has ended", || !facts::children(run.pid()).contains(&main));
    run.signal(15);
    let end = run.wait();
    end.silent(9);
    assert!(end.took() < ms(10_000), "{:?}", end.took());
}

#[test]
fn a_stop_signal_while_main_ran_means_no_leftovers() {
    only_ours!();
    let dir = TempDir::new();
    let script =
        daemon(&dir, "60").replace("exit 9", "trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done");
    let run = Launch::pid1().options(["--leftovers", "15s"]).sh(&script).start();
    run.says("up");
    run.signal(15);
    let end = run.wait();
    end.silent(9);
    assert!(end.took() < ms(10_000), "{:?}", end.took());
}

/// A pod with a shared process namespace: somebody else is PID 1 and has processes of its own.
#[test]
fn in_a_shared_process_namespace_others_are_left_alone() {
    only_ours!();
    let (dir, wrapper) = (TempDir::new(), binary());
    let script = format!(
        "sleep 60 & setsid sleep 60 & {} --leftovers 5s --grace 5s --signal-group -- sh -c \"$1\"; echo code $?; read line",
        wrapper.display()
    );
    let mut run = Launch::pid1_of(["sh", "-c", &script, "sh", &daemon(&dir, "0")]).stdin().start();
    run.says("code 9");
    assert!(dir.at("done").exists(), "the orphan was the wrapper's, and was told");
    let alive = facts::children(run.pid())
        .into_iter()
        .filter(|&pid| facts::status_field(pid, "State").is_some_and(|s| s.starts_with('S')));
    assert_eq!(alive.count(), 2, "the others");
    run.close_stdin();
    run.wait();
}

#[test]
fn a_stopped_leftover_is_continued_so_that_it_sees_the_end() {
    only_ours!();
    let dir = TempDir::new();
    let script = daemon(&dir, "0").replace("exit 9", "kill -STOP $!; exit 9");
    let end = Launch::pid1().options(["--leftovers", "10s"]).sh(&script).run();
    end.silent(9);
    assert!(dir.at("done").exists(), "it was not continued");
    assert!(end.took() < ms(8000), "{:?}", end.took());
}

#[test]
fn without_proc_they_cannot_be_told_and_a_warning_says_so_instead_of_waiting() {
    only_ours!();
    let run = Launch::pid1().no_proc().options(["--leftovers", "20s"]).sh("sleep 60 & exit 3").start();
    let end = run.wait();
    end.one_line(3, &["warn", "--leftovers", "/proc"]);
    assert!(end.took() < ms(10_000), "{:?}", end.took());
}
