//! Processes, as `/proc` shows them.

use crate::sys;
use lastout_core::machine::Pid;
use lastout_core::signal::Signal;
use std::{fs, io};

/// Sends every visible process of this name the signal; returns how many got it.
pub fn signal(name: &str, signal: Signal) -> usize {
    named(name).filter(|&pid| sys::kill(pid, signal).is_ok()).count()
}

/// The visible processes of this name that have not ended.
pub fn running(name: &str) -> Vec<Pid> {
    named(name).filter(|pid| !is_zombie(*pid)).collect()
}

/// This process has this name and has not ended.
pub fn is_running(pid: Pid, name: &str) -> bool {
    is_named(pid, name) && !is_zombie(pid)
}

/// The name is that of the executable (`argv[0]` or the kernel's short one), never a pid: in a shared process namespace
/// pids say nothing. Neither we nor the namespace's init are meant.
fn named(name: &str) -> impl Iterator<Item = Pid> {
    let own = std::process::id().cast_signed();
    all().into_iter().filter(move |&pid| pid != own && pid != 1 && is_named(pid, name))
}

/// Sends every descendant of ours TERM, leaves of the tree included, and CONT: a stopped one would not see the end.
///
/// # Errors
/// Without `/proc`.
pub fn end_descendants() -> io::Result<()> {
    // Hidden or not mounted, it is empty: we are not even there ourselves.
    fs::metadata("/proc/self/stat")?;
    let parents: Vec<(Pid, Pid)> =
        all().into_iter().filter_map(|pid| Some((pid, field(pid, PPID)?))).collect();
    let mut family = vec![std::process::id().cast_signed()];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
        next += 1;
    }
    for &pid in family.iter().skip(1) {
        // It may have gone meanwhile, or be somebody else's user.
        let _ = sys::kill(pid, Signal::TERM);
        let _ = sys::kill(pid, Signal::CONT);
    }
    Ok(())
}

fn all() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Another process than ours is in this process group.
pub fn share_group(group: Pid) -> bool {
    let own = std::process::id().cast_signed();
    all().into_iter().any(|pid| pid != own && field(pid, PGRP) == Some(group))
}

/// We have a controlling terminal.
pub fn have_terminal() -> bool {
    field(std::process::id().cast_signed(), TTY_NR).is_some_and(|device| device != 0)
}

/// Fields of `proc_pid_stat(5)` behind the command name: their place there, less 3.
const PPID: usize = 1;
const PGRP: usize = 2;
const TTY_NR: usize = 4;

fn is_zombie(pid: Pid) -> bool {
    stat(pid).is_some_and(|stat| stat.starts_with(" Z"))
}

/// Such a field.
fn field(pid: Pid, index: usize) -> Option<i32> {
    stat(pid)?.split_ascii_whitespace().nth(index)?.parse().ok()
}

/// What follows the command name, which may itself hold parentheses and blanks.
fn stat(pid: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')').map(|(_, rest)| rest.to_owned())
}

fn is_named(pid: Pid, name: &str) -> bool {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if comm.trim_end() == name {
        return true;
    }
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
    first.rsplit(|byte| *byte == b'/').next() == Some(name.as_bytes())
}
