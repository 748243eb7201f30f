//! `lastout`: runs a container's real entrypoint as PID 1 and, when it is over, turns the sidecars off.
//!
//! ```text
//! argv, environment ─ cli ─► raw values ─ core::settings ─► Settings
//!                                                              │
//!        signals, children, deadlines ─ events ─► run ⇄ core::machine
//!                                                  │
//!                sidecar (gate, stop) ◄────────────┼────────────► spawn ─► main
//!                                                  ▼
//!                                     outcome ─ leave ─► exit code
//! ```
//!
//! Around that road: `group` (locks shared by several mains), `env_file` (read just before the spawn), `diagnose` (why a
//! spawn failed), `terminal`, `processes` (others, as `/proc` shows them), `post` (how helper threads reach the loop),
//! `aside` (what a file system may hold up), `story` and `report` (what happened), `log`, `json`, `secrets`; the verbs
//! `install` and `presets`; and `sys`, below all of them.

#![cfg(target_os = "linux")]

mod aside;
mod cli;
mod diagnose;
mod env_file;
mod events;
mod group;
mod install;
mod json;
mod leave;
mod log;
mod post;
mod presets;
mod processes;
mod report;
mod run;
mod secrets;
mod sidecar;
mod spawn;
mod story;
mod sys;
mod terminal;

use cli::{Call, Work};
use group::{Membership, Watch};
use lastout_core::duration;
use lastout_core::machine::Job;
use lastout_core::outcome::{Exit, Outcome};
use lastout_core::settings::{LogLevel, PREFIX, Resolved, Settings, Verb, resolve};
use log::Log;
use run::Beginning;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use sys::Clock;

/// The whole program.
///
/// # Safety
/// `args` must be what the C library passes to `main`, and nothing else may have run before.
#[expect(unsafe_code, reason = "the arguments are a C list")]
pub unsafe fn start(args: *const *const c_char) -> c_int {
    // First of all, so that no signal is lost from here on.
    let mask = sys::block_all_signals();
    let start = Clock::start();
    occupy_closed_descriptors();
    // SAFETY: as this function's caller promises.
    let args = unsafe { sys::arguments(args) };
    let env = sys::environment();
    let words: Vec<&OsStr> = args.iter().skip(1).map(|arg| OsStr::from_bytes(arg.to_bytes())).collect();
    let exit = match cli::parse(&words, &env) {
        Call::Print(text) => print(&text),
        Call::Presets { json: false } => print(&presets::table()),
        Call::Presets { json: true } => print(&presets::json()),
        Call::Wrong(text) => wrong(&text),
        Call::Install(dest) => install(dest),
        Call::Sleep(time) => sleep(time),
        Call::Work(call) => {
            // Always the end of the arguments; as the C strings that they are.
            let command = args.len().saturating_sub(call.command.len());
            work(call, args.get(command..).unwrap_or_default(), (&words, &env), mask, start)
        }
    };
    leave::leave(exit)
}

/// What is opened later must not land on a closed 0, 1 or 2: a log line would go to a sidecar. Main finds them
/// closed, as we did: the place-holders are not inherited.
fn occupy_closed_descriptors() {
    for fd in 0..3 {
        if !sys::is_open(fd) {
            sys::occupy_lowest_descriptor();
        }
    }
}

#[inline(never)]
fn print(text: &str) -> Exit {
    // Whoever closed stdout does not want to read it.
    let _ = std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush());
    Exit::Code(0)
}

#[inline(never)]
fn wrong(text: &str) -> Exit {
    Log::new(LogLevel::Error, false).error(text);
    log::last_words(text);
    Exit::Code(Outcome::Internal.code())
}

// Not inlined, as its buffers would be part of the frame of every run.
#[inline(never)]
fn install(dest: &OsStr) -> Exit {
    match install::install(Path::new(dest)) {
        Ok(_) => Exit::Code(0),
        Err(text) => wrong(&text),
    }
}

#[inline(never)]
fn sleep(time: &OsStr) -> Exit {
    match duration::parse_seconds_or(&time.to_string_lossy()) {
        Ok(time) => run::sleep(time),
        Err(why) => wrong(&format!("sleep: {why}")),
    }
}

fn work(
    mut call: Work<'_>,
    command: &[&CStr],
    (words, env): (&[&OsStr], &[&CStr]),
    mask: sys::SignalMask,
    start: Clock,
) -> Exit {
    let lookup = |name: &str| {
        let entry =
            env.iter().find_map(|entry| entry.to_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        entry.and_then(|value| String::from_utf8(value.to_vec()).ok())
    };
    let Resolved { mut settings, warnings, errors } =
        resolve(call.verb, std::mem::take(&mut call.values), &lookup);
    let cwd = || nix::unistd::getcwd().map(|path| path.into_os_string().into_vec()).ok();
    let lost = settings.make_paths_absolute(cwd).err();
    let mut texts = words
        .iter()
        .map(|word| word.as_bytes())
        .chain(env.iter().map(|entry| entry.to_bytes()).filter(|entry| entry.starts_with(PREFIX.as_bytes())));
    secrets::hide(&mut texts, &settings.sidecars);
    let log = Log::new(settings.log_level, settings.log_json);
    for warning in call.warnings.iter().chain(&warnings) {
        log.warn(warning);
    }
    let unusable = errors.into_iter().next().or(lost);
    let problem = call.problem.take().or_else(|| unusable.map(|error| error.to_string()));
    if matches!(call.verb, Verb::Wait | Verb::Stop) && settings.sidecars.is_empty() && problem.is_none() {
        log.warn("no sidecar is given: SPEC, --sidecar or LASTOUT_SIDECAR");
    }
    let problem = problem.or_else(|| wrong_guard(&call, &settings));
    let (membership, watch, problem) = join_group(call.verb, &mut settings, problem);
    let job = match (call.verb, &problem) {
        (Verb::Run, None) => Job::Command,
        (Verb::Guard, None) if call.command.is_empty() => Job::GuardSidecars,
        (Verb::Guard, None) => Job::Guard,
        (Verb::Wait, None) => Job::Wait,
        (Verb::Stop, None) => Job::Stop,
        (Verb::Run | Verb::Stop, Some(_)) => Job::GiveUp,
        (Verb::Wait | Verb::Guard, Some(text)) => return wrong(text),
    };
    let pid1 = std::process::id() == 1;
    let may_be_verb = call.may_be_verb;
    let beginning = Beginning { start, mask, pid1, command, env, may_be_verb, problem, membership, watch };
    run::run(job, settings, beginning).exit(pid1)
}

/// A guard either wraps its sidecar, or stops those it has no part in.
fn wrong_guard(call: &Work<'_>, settings: &Settings) -> Option<String> {
    let problem = match (call.verb, call.command.is_empty(), settings.sidecars.is_empty()) {
        (Verb::Guard, true, true) => "guard: nothing to guard: give a command to wrap, or --sidecar SPEC",
        (Verb::Guard, false, false) => "guard: either wraps a command or stops --sidecar SPEC, not both",
        _ => return None,
    };
    Some(problem.to_owned())
}

/// Takes our place in the group before anything of our own can fail: from here on the others count with us. Without
/// a place we are on our own, and a problem is enough to stop the sidecars: a typo fails the Job, it does not hang it.
fn join_group(
    verb: Verb,
    settings: &mut Settings,
    problem: Option<String>,
) -> (Option<Membership>, Option<Watch>, Option<String>) {
    let Some(group) = &settings.group else { return (None, None, problem) };
    let joined = match verb {
        Verb::Run => {
            Membership::register(group, &settings.stop_on).map(|membership| (Some(membership), None))
        }
        Verb::Guard => Watch::new(group).map(|watch| (None, Some(watch))),
        Verb::Wait | Verb::Stop => Ok((None, None)),
    };
    match joined {
        Ok((membership, watch)) => (membership, watch, problem),
        Err(what) => {
            settings.group = None;
            (None, None, problem.or(Some(what)))
        }
    }
}
