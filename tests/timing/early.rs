//! The early window: a TERM that comes right after PID 1 was executed. The kernel throws a signal away that PID 1
//! has neither blocked nor caught, so the window is what a program does before it blocks: the kernel's work of
//! loading it, the C library's start. Ours is compared with the peers', in the same run.

use std::time::Duration;
use support::{
    Launch,
    init::which,
    job,
    jobs::timed_term::{self, Since},
    skip, thorough,
};

/// Microseconds of the steps.
const STEP: u32 = 20;

/// How many instants of 0–6 ms after the exec lost a TERM, per turn, in µs of loss.
fn window(program: &std::path::Path, end: u32, turns: u32) -> u32 {
    let mut command = job(&timed_term::words(Since::Exec, (0, STEP, end / STEP + 1), turns));
    command.push(program.into());
    command.extend(["--", "/bin/sleep", "60"].map(Into::into));
    let end = Launch::bare().command(command).deadline(Duration::from_secs(300)).run();
    let said = String::from_utf8_lossy(&end.stdout).into_owned();
    let lost = said.lines().find_map(|l| l.strip_prefix("lost ")?.split(' ').next()?.parse::<u32>().ok());
    lost.unwrap_or_else(|| panic!("{said} {}", end.stderr)) * STEP / turns
}

/// 0–2 ms in one turn; 0–6 ms in five with `LASTOUT_TEST_ALL`.
#[test]
fn the_early_window_is_no_larger_than_the_best_peers() {
    only_ours!();
    let (end, turns, tries) = if thorough() { (6000, 5, 3) } else { (2000, 1, 3) };
    let names = ["tini", "tini-static", "dumb-init", "catatonit"];
    let peers: Vec<_> = names.into_iter().filter_map(|name| Some((name, which(name)?))).collect();
    if peers.is_empty() {
        return skip("no peer is installed: the early window is compared with nothing");
    }
    let mut told = vec![];
    for _ in 0..tries {
        let ours = window(&support::binary(), end, turns);
        let theirs: Vec<_> = peers.iter().map(|(name, path)| (*name, window(path, end, turns))).collect();
        told.push(format!("lastout {ours}, {theirs:?}"));
        eprintln!("early window, µs: {}", told.last().unwrap());
        // One step, and a tenth, are what the measurement itself varies by.
        if theirs.iter().all(|(_, theirs)| ours * 10 <= theirs * 11 + 10 * STEP) {
            return;
        }
    }
    panic!("µs of loss: {told:?}");
}
