//! Where a process, a program or room in a pipe cannot be had, or not at once.

use std::{
    fs::File,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};
use support::{Fake, Launch, Reply, TempDir, binary, facts, ms, pause, skip};

/// As a user who may have no process more: `pids.max`, `ulimit -u`.
fn no_more_processes(dir: &TempDir) -> Launch {
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copy = dir.file("lastout", std::fs::read(binary()).unwrap(), 0o755);
    // Nobody else may be this user: with a process of theirs the kernel would refuse even the `execve` (EAGAIN).
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let uid = 1_000_000 + std::process::id() * 8 + NEXT.fetch_add(1, Relaxed);
    Launch::pid1().program(&copy).uid(uid).limit(libc::RLIMIT_NPROC, 0, 0)
}

#[test]
fn without_a_process_for_main_it_is_125_with_one_line_that_names_the_limit() {
    only_ours!();
    if !facts::is_root() {
        return skip("not root: cannot become a user without processes");
    }
    let dir = TempDir::new();
    no_more_processes(&dir).sh("exit 3").run().one_line(125, &["process", "pids.max", "ulimit"]);
}

#[test]
fn without_a_process_or_a_thread_it_ends_in_time_and_says_that_the_sidecar_stays() {
    only_ours!();
    if !facts::is_root() {
        return skip("not root: cannot become a user without processes");
    }
    let (dir, fake) = (TempDir::new(), Fake::good());
    let options = ["--no-wait", "--stop-timeout", "1s"];
    let end = no_more_processes(&dir).sidecar(&fake.spec("fake")).options(options).sh("exit 3").run();
    assert_eq!(end.code(), 125, "{}", end.stderr);
    assert!(end.took() < Duration::from_secs(5), "{:?}", end.took());
    if fake.quits().is_empty() {
        assert!(end.stderr.contains("sidecar") || end.stderr.contains("fake"), "{}", end.stderr);
    }
}

#[test]
fn a_program_that_is_still_being_written_is_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let program = dir.file("job", std::fs::read("/bin/true").unwrap(), 0o755);
    let writer = File::options().append(true).open(&program).unwrap();
    let began = Instant::now();
    let run = Launch::pid1().command([&program]).start();
    pause(ms(80));
    drop(writer);
    let end = run.wait();
    end.silent(0);
    assert!(end.ended - began >= ms(80));
}

#[test]
fn a_program_that_stays_open_for_writing_is_126_with_one_line() {
    only_ours!();
    let dir = TempDir::new();
    let program = dir.file("job", std::fs::read("/bin/true").unwrap(), 0o755);
    let _writer = File::options().append(true).open(&program).unwrap();
    Launch::pid1().command([&program]).run().one_line(126, &["job", "busy|written|open"]);
}

#[test]
fn a_stderr_that_nobody_reads_holds_nothing_up() {
    only_ours!();
    let dir = TempDir::new();
    let fifo = dir.fifo("full");
    // A pipe holds 64 KiB.
    let script = format!(
        "exec 3<>{}; head -c 65536 /dev/zero >&3; exec \"$0\" --log-level debug -- sh -c 'exit 3' 2>&3",
        fifo.display()
    );
    let wrapper = binary();
    let end = Launch::pid1_of(["sh", "-c", &script, wrapper.to_str().unwrap()]).run();
    assert_eq!(end.code(), 3);
    assert!(end.took() < Duration::from_secs(5), "{:?}", end.took());
}

/// A kernel that makes no thread: each sidecar is stopped in its turn, from the moment of its turn on.
#[test]
fn without_a_thread_a_hung_sidecar_takes_no_time_from_the_one_behind_it() {
    only_ours!();
    let (hung, good) = (Fake::script().quit([Reply::Silent]).stays().start(), Fake::good());
    let specs = [hung.spec("hung"), good.spec("good")];
    let launch = Launch::pid1().refused(libc::SYS_clone, libc::EAGAIN);
    let end = launch.options(["stop", "--stop-timeout", "300ms"]).options(specs).run();
    assert_eq!(end.code(), 1, "{}", end.stderr);
    assert_eq!(good.quits().len(), 1, "{}", end.stderr);
    assert!(end.stderr.contains("no thread to be had") && end.stderr.contains("pids.max"), "{}", end.stderr);
    assert!(end.stderr.contains("hung: is still there") && !end.stderr.contains("good: "), "{}", end.stderr);
}

/// As in a process name space whose init has gone, or was never made (`unshare --pid` without `--fork`).
#[test]
fn a_refused_process_is_told_in_the_kernels_words_and_no_limit_is_blamed() {
    only_ours!();
    let end = Launch::pid1().refused(libc::SYS_clone, libc::ENOMEM).sh("exit 3").run();
    end.one_line(125, &["sh", "annot allocate memory|ut of memory", "unshare --pid without --fork", "?"]);
    assert!(!end.stderr.contains("pids.max"), "{}", end.stderr);
}

#[test]
fn a_refused_thread_is_told_as_what_it_is_where_no_init_is_in_the_process_namespace() {
    only_ours!();
    if !facts::is_root() {
        return skip("not root: cannot unshare a process namespace");
    }
    let wrapper = binary();
    let words =
        ["unshare", "--pid", wrapper.to_str().unwrap(), "--sidecar", "x:ready=tcp://127.0.0.1:9", "true"];
    let end = Launch::bare().command(words).run();
    assert_eq!(end.code(), 125, "{}", end.stderr);
    assert!(end.stderr.contains("unshare --pid without --fork"), "{}", end.stderr);
    assert!(!end.stderr.contains("pids.max"), "{}", end.stderr);
}
