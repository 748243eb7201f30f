//! argv and environment → what is to be done, and the doing of it.

use crate::cli::{self, Call, Work};
use crate::group::{Membership, Watch};
use crate::output::{
    log::{self, Log},
    secrets,
};
use crate::process::exit;
use crate::run::{self, Beginning};
use crate::sys::{self, Clock};
use crate::verbs::{install, sleep};
use lastout_core::duration;
use lastout_core::machine::Job;
use lastout_core::outcome::{Exit, Outcome};
use lastout_core::presets;
use lastout_core::settings::{LogLevel, PREFIX, Resolved, Settings, Verb, resolve};
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

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
    let end = match cli::parse(&words, &env) {
        Call::Print(text) => print(&text),
        Call::Presets { json: false } => print(&presets::table()),
        Call::Presets { json: true } => print(&presets::json()),
        Call::Wrong(text) => wrong(&text),
        Call::Install(dest) => install(dest),
        Call::Sleep(time) => sleep(time),
        Call::Work(call) => {
            // Always the end of the arguments; as the C strings that they are.
            let command = args.len().saturating_sub(call.command.len());
            let given = Given { words: &words, env: &env };
            work(call, args.get(command..).unwrap_or_default(), given, mask, start)
        }
    };
    exit::exit(end)
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
        Ok(time) => sleep::sleep(time),
        Err(why) => wrong(&format!("sleep: {why}")),
    }
}

/// What the kernel gave us: the words behind our own name, and the environment.
#[derive(Clone, Copy)]
struct Given<'a> {
    words: &'a [&'a OsStr],
    env: &'a [&'a CStr],
}

impl Given<'_> {
    fn variable(self, name: &str) -> Option<String> {
        let value =
            |entry: &CStr| Some(entry.to_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec());
        self.env.iter().find_map(|entry| value(entry)).and_then(|value| String::from_utf8(value).ok())
    }

    /// All texts in which a secret of a SPEC may stand.
    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let ours = self
            .env
            .iter()
            .map(|entry| entry.to_bytes())
            .filter(|entry| entry.starts_with(PREFIX.as_bytes()));
        self.words.iter().map(|word| word.as_bytes()).chain(ours)
    }
}

/// Settings, then the job, then our place in the group, then the run. Of several problems the first is told.
fn work(
    mut call: Work<'_>,
    command: &[&CStr],
    given: Given<'_>,
    mask: sys::SignalMask,
    start: Clock,
) -> Exit {
    let Resolved { mut settings, warnings, errors } =
        resolve(call.verb, std::mem::take(&mut call.values), &|name| given.variable(name));
    let cwd = || nix::unistd::getcwd().map(|path| path.into_os_string().into_vec()).ok();
    let lost = settings.make_paths_absolute(cwd).err();
    secrets::hide(&mut given.texts(), &settings.sidecars);
    let log = Log::new(settings.log_level, settings.log_json);
    for warning in call.warnings.iter().chain(&warnings) {
        log.warn(warning);
    }
    let problem =
        call.problem.take().or_else(|| errors.into_iter().next().or(lost).map(|error| error.to_string()));
    if matches!(call.verb, Verb::Wait | Verb::Stop) && settings.sidecars.is_empty() && problem.is_none() {
        log.warn("no sidecar is given: SPEC, --sidecar or LASTOUT_SIDECAR");
    }
    let (job, problem) = match (job_of(&call, &settings), problem) {
        (Ok(job), problem) => (job, problem),
        (Err(wrong), problem) => (Job::GiveUp, problem.or_else(|| Some(wrong.to_owned()))),
    };
    let (membership, watch, problem) = join_group(call.verb, &mut settings, problem);
    let job = match (call.verb, &problem) {
        (_, None) => job,
        (Verb::Run | Verb::Stop, Some(_)) => Job::GiveUp,
        (Verb::Wait | Verb::Guard, Some(text)) => return wrong(text),
    };
    let pid1 = std::process::id() == 1;
    let meant: Option<run::MeantVerb> = if call.may_be_verb { Some(cli::misspelt) } else { None };
    let beginning =
        Beginning { start, mask, pid1, command, env: given.env, meant, problem, membership, watch };
    run::run(job, settings, beginning).exit(pid1)
}

/// What the call asks for; a guard either wraps its sidecar, or stops those it has no part in.
fn job_of(call: &Work<'_>, settings: &Settings) -> Result<Job, &'static str> {
    match (call.verb, call.command.is_empty(), settings.sidecars.is_empty()) {
        (Verb::Run, ..) => Ok(Job::Command),
        (Verb::Wait, ..) => Ok(Job::Wait),
        (Verb::Stop, ..) => Ok(Job::Stop),
        (Verb::Guard, false, true) => Ok(Job::Guard),
        (Verb::Guard, true, false) => Ok(Job::GuardSidecars),
        (Verb::Guard, true, true) => {
            Err("guard: nothing to guard: give a command to wrap, or --sidecar SPEC")
        }
        (Verb::Guard, false, false) => Err("guard: either wraps a command or stops --sidecar SPEC, not both"),
    }
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
