//! Exit codes: main's own, 128+n for a signal, death by that signal outside PID 1, and 125–127 with a line
//! that says what to do.

use std::{os::unix::process::ExitStatusExt as _, path::Path};
use support::{End, Fake, Init, Launch, TempDir, binary, elf, eventually, facts, job};

/// Those that end a process which does nothing about them, as `signal(7)` has it; 32 and 33 belong to the C
/// library.
fn terminating_signals() -> impl Iterator<Item = i32> {
    let harmless = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stopping = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    (1..=31).filter(move |n| !harmless.contains(n) && !stopping.contains(n)).chain(34..=64)
}

/// Runs a check for each value, on two threads.
fn in_parallel(values: impl Iterator<Item = i32>, check: impl Fn(i32) + Sync) {
    let (even, odd): (Vec<i32>, Vec<i32>) = values.partition(|n| n % 2 == 0);
    std::thread::scope(|scope| {
        for half in [&even, &odd] {
            scope.spawn(|| half.iter().for_each(|&n| check(n)));
        }
    });
}

#[test]
fn every_exit_code_of_main_comes_through() {
    in_parallel(0..=255, |n| {
        assert_eq!(Launch::pid1().sh(&format!("exit {n}")).run().code(), n);
    });
}

#[test]
fn every_exit_code_of_main_comes_through_outside_pid_1() {
    in_parallel((0..=255).step_by(5), |n| {
        assert_eq!(Launch::process().sh(&format!("exit {n}")).run().code(), n);
    });
}

#[test]
fn child_killed_by_signal_exits_128_plus_n() {
    in_parallel(terminating_signals(), |n| {
        let end = Launch::pid1().command(job(&["die", &n.to_string()])).run();
        assert_eq!(end.code(), 128 + n, "signal {n}: {}", end.stderr);
    });
}

#[test]
fn outside_pid_1_the_wrapper_dies_of_the_signal_that_killed_its_child() {
    only_ours!();
    in_parallel(terminating_signals(), |n| {
        let end = Launch::process().command(job(&["die", &n.to_string()])).may_dump_core().run();
        assert_eq!(end.status.signal(), Some(n), "{:?} {}", end.status, end.stderr);
        assert!(!end.status.core_dumped(), "signal {n}: main's core is enough");
        assert_eq!(end.stderr, "");
    });
}

#[test]
fn a_stopped_main_has_not_ended() {
    let mut run = Launch::pid1().sh("echo up; read line; exit 5").stdin().start();
    run.says("up");
    let main = run.main();
    facts::kill(main, libc::SIGSTOP);
    eventually("main stops", || facts::status_field(main, "State").is_some_and(|s| s.starts_with('T')));
    facts::kill(main, libc::SIGCONT);
    run.close_stdin();
    assert_eq!(run.wait().code(), 5);
}

/// Runs a command that cannot be started; the sidecar must be stopped all the same.
fn fails(command: &[&Path], with: impl Fn(Launch) -> Launch) -> End {
    let launch = with(Launch::pid1().command(command));
    if Init::under_test() != Init::Ours {
        return launch.run();
    }
    let fake = Fake::good();
    let end = launch.sidecar(&fake.spec("fake")).run();
    assert_eq!(fake.quits().len(), 1, "the sidecar is stopped when main cannot start: {}", end.stderr);
    end
}

/// The code for every init; the line for ours.
#[track_caller]
fn explains(end: &End, code: i32, words: &[&str]) {
    assert_eq!(end.code(), code, "{}", end.stderr);
    if Init::under_test() == Init::Ours {
        end.one_line(code, words);
    }
}

#[test]
fn a_command_that_is_not_in_path_exits_127() {
    let end = fails(&[Path::new("no-such-command")], |l| l);
    explains(&end, 127, &["no-such-command", "not found|PATH"]);
}

#[test]
fn a_command_path_that_is_not_there_exits_127() {
    let dir = TempDir::new();
    let path = dir.at("gone");
    explains(&fails(&[&path], |l| l), 127, &[path.to_str().unwrap()]);
}

#[test]
fn a_script_without_its_interpreter_exits_127_and_names_the_interpreter() {
    let dir = TempDir::new();
    let script = dir.file("job.sh", "#!/no/such/interpreter -x\necho hi\n", 0o755);
    explains(&fails(&[&script], |l| l), 127, &["job.sh", "/no/such/interpreter", "interpreter"]);
}

#[test]
fn a_program_without_its_loader_exits_127_and_names_the_loader() {
    let dir = TempDir::new();
    let program = dir.file("job", elf::with_interpreter("/lib/no-such-ld.so.1"), 0o755);
    explains(&fails(&[&program], |l| l), 127, &["job", "/lib/no-such-ld.so.1"]);
}

#[test]
fn a_32_bit_program_without_its_loader_names_the_loader_or_the_architecture() {
    only_ours!();
    let dir = TempDir::new();
    let program = dir.file("job", elf::of_32_bits("/lib/no-such-ld.so.1"), 0o755);
    let end = fails(&[&program], |l| l);
    // A kernel without the 32-bit calls does not read so far.
    match end.code() {
        127 => end.one_line(127, &["job", "/lib/no-such-ld.so.1"]),
        _ => end.one_line(126, &["job", "built for x86,"]),
    }
}

#[test]
fn a_script_that_the_kernel_does_not_know_as_one_says_what_is_wrong_with_its_beginning() {
    only_ours!(); // the others run it by sh
    let dir = TempDir::new();
    for (text, words) in [
        ("\u{feff}#!/bin/sh\nexit 0\n", ["byte order mark", "save it without"]),
        (
            "exit 0\n",
            [
                "does not begin with #!",
                "tini, dumb-init and catatonit run it by sh, the kernel does not; begin it with #!/bin/sh",
            ],
        ),
    ] {
        let script = dir.file("job.sh", text, 0o755);
        explains(&fails(&[&script], |l| l), 126, &words);
    }
}

#[test]
fn a_folder_as_command_exits_126() {
    let dir = TempDir::new();
    explains(&fails(&[dir.path()], |l| l), 126, &[dir.path().to_str().unwrap(), "folder|directory"]);
}

#[test]
fn a_file_without_x_bit_exits_126() {
    let dir = TempDir::new();
    let file = dir.file("job.sh", "#!/bin/sh\nexit 0\n", 0o644);
    explains(&fails(&[&file], |l| l), 126, &["job.sh", "not executable|chmod|x-bit|permission"]);
}

#[test]
fn a_file_without_x_bit_in_path_exits_126() {
    let dir = TempDir::new();
    dir.file("only-here", "#!/bin/sh\nexit 0\n", 0o644);
    let path = format!("PATH={}", dir.path().display());
    let end = fails(&[Path::new("only-here")], |l| l.no_env().env(&path));
    explains(&end, 126, &["only-here", "not executable|chmod|x-bit|permission"]);
}

#[test]
fn a_program_of_another_architecture_exits_126() {
    only_ours!(); // glibc's execvp hands such a file to the shell
    let dir = TempDir::new();
    for (content, machine) in [(elf::of_another_machine(), "number 36"), (elf::of_s390x(), "s390x")] {
        let program = dir.file("job", content, 0o755);
        explains(&fails(&[&program], |l| l), 126, &["job", machine, "architecture"]);
    }
}

#[test]
fn garbage_with_an_x_bit_exits_126() {
    only_ours!(); // glibc's execvp hands such a file to the shell
    let dir = TempDir::new();
    let file = dir.file("job", [0, 1, 2, 3, 0xff, 0xfe, b'\n', 0], 0o755);
    explains(&fails(&[&file], |l| l), 126, &["job", "format|neither|not a program"]);
}

#[test]
fn a_file_on_a_noexec_mount_exits_126_and_says_noexec() {
    let dir = TempDir::new();
    let file = dir.file("job.sh", "#!/bin/sh\nexit 0\n", 0o755);
    explains(&fails(&[&file], |l| l.noexec(dir.path())), 126, &["job.sh", "noexec"]);
}

#[test]
fn outside_pid_1_an_exec_failure_is_an_exit_code_all_the_same() {
    let end = Launch::process().command(["no-such-command"]).run();
    assert_eq!(end.code(), 127);
}

#[test]
fn the_wrapper_can_wrap_itself() {
    only_ours!();
    let inner = binary();
    let words = [inner.as_os_str(), "--".as_ref(), "sh".as_ref(), "-c".as_ref(), "kill -TERM $$".as_ref()];
    Launch::pid1().command(words).run().silent(143);
}
