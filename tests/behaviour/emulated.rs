//! Under an emulator of a processor, where `vfork` is `fork`: a foreign image on a developer's machine.

use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{Launch, TempDir, binary, elf, eventually, facts, init::which, ms, skip};

/// qemu-user for this machine's own processor: the wrapper runs in it, its main does not.
fn emulator() -> Option<PathBuf> {
    let name = format!("qemu-{}-static", std::env::consts::ARCH);
    which(&name).or_else(|| {
        skip(&format!("no {name} here (Debian: qemu-user-static)"));
        None
    })
}

fn emulated(emulator: &Path) -> Launch {
    Launch::pid1().program(emulator).options([binary()])
}

#[test]
fn what_cannot_be_executed_is_126_or_127_with_its_line_as_without_the_emulator() {
    only_ours!();
    let Some(emulator) = emulator() else { return };
    let dir = TempDir::new();
    let cases = [
        ("/no/such/program".into(), 127),
        ("no-such-program".into(), 127),
        (dir.file("no-x-bit", "#!/bin/sh\n", 0o644), 126),
        (dir.file("no-shell", "#!/no/such/shell\n", 0o755), 127),
        (dir.file("no-loader", elf::with_interpreter("/no/such/loader"), 0o755), 127),
        (dir.file("no-first-line", "echo hello\n", 0o755), 126),
        (dir.file("foreign", elf::of_another_machine(), 0o755), 126),
        (dir.path().to_owned(), 126),
    ];
    for (program, code) in cases {
        let report = dir.at("report");
        let run = |launch: Launch| {
            let end = launch.options(["--report".as_ref(), report.as_os_str()]).command([&program]).run();
            let told: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
            (end.code(), end.stderr, told["outcome"].to_string())
        };
        let native = run(Launch::pid1());
        assert_eq!(native.0, code, "{}: {native:?}", program.display());
        assert_eq!(run(emulated(&emulator)), native, "{}", program.display());
    }
}

#[test]
fn a_program_that_is_being_written_is_tried_again_before_it_is_126() {
    only_ours!();
    let Some(emulator) = emulator() else { return };
    let dir = TempDir::new();
    let program = dir.at("program");
    fs::copy("/bin/true", &program).unwrap();
    let _writing = fs::OpenOptions::new().append(true).open(&program).unwrap();
    let end = emulated(&emulator).command([&program]).run();
    end.one_line(126, &["program", "still being written"]);
    assert!(end.took() >= ms(150), "{:?}", end.took());
}

/// The command runs, in a group of its own, when the wrapper says that it has started.
#[test]
fn a_signal_that_comes_while_main_starts_finds_it() {
    only_ours!();
    let Some(emulator) = emulator() else { return };
    for _ in 0..20 {
        let run = emulated(&emulator).options(["--signal-group"]).command(["sleep", "60"]).start();
        eventually("the wrapper has a child", || !facts::children(run.pid()).is_empty());
        run.signal(libc::SIGTERM);
        let end = run.wait();
        assert_eq!(end.code(), 143, "{}", end.stderr);
    }
}
