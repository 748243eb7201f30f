//! What is started, and in which surroundings.

use super::{
    init::{Init, which},
    mounts::DevTty,
    pty::Pty,
    reexec::LAUNCHER,
    running::{End, Running, number},
    stream::Stream,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// After this long a test kills what it started and fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is to be started, and in which surroundings.
pub struct Launch {
    surroundings: Vec<OsString>,
    program: Vec<OsString>,
    options: Vec<OsString>,
    command: Vec<OsString>,
    env: Vec<OsString>,
    cwd: Option<OsString>,
    stdin: bool,
    stderr_broken: bool,
    deadline: Duration,
}

impl Launch {
    /// The program under test as PID 1 of a PID namespace of its own.
    pub fn pid1() -> Self {
        Self::new(Some(Init::under_test()), true)
    }

    /// The program under test as an ordinary process (not PID 1 of its namespace).
    pub fn process() -> Self {
        Self::new(Some(Init::under_test()), false)
    }

    /// One of the inits, whatever is under test; it must be installed.
    pub fn init(init: Init) -> Self {
        Self::new(Some(init), true)
    }

    /// One of the inits as an ordinary process, whatever is under test; it must be installed.
    pub fn init_as_process(init: Init) -> Self {
        Self::new(Some(init), false)
    }

    /// The command alone, with no wrapper: what things look like bare.
    pub fn bare() -> Self {
        Self::new(None, false)
    }

    /// A command as PID 1, for one that becomes the wrapper.
    pub fn pid1_of<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::new(None, true).command(words)
    }

    fn new(init: Option<Init>, pid1: bool) -> Self {
        let program = init.map(|i| i.program().unwrap_or_else(|| panic!("{i:?} is not installed")));
        Self {
            surroundings: if pid1 { vec!["pid1".into()] } else { vec![] },
            program: program.into_iter().map(Into::into).collect(),
            options: vec![],
            command: vec![],
            env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()],
            cwd: None,
            stdin: false,
            stderr_broken: false,
            deadline: DEADLINE,
        }
    }

    /// Runs another copy of the wrapper.
    pub fn program(mut self, path: &Path) -> Self {
        self.program = vec![path.into()];
        self
    }

    /// Options and everything else before the command.
    pub fn options<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.options.extend(words.into_iter().map(|w| w.as_ref().to_owned()));
        self
    }

    /// `--sidecar SPEC`.
    pub fn sidecar(self, spec: &str) -> Self {
        self.options(["--sidecar", spec])
    }

    /// The main program; a `--` goes before it.
    pub fn command<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.command = words.into_iter().map(|w| w.as_ref().to_owned()).collect();
        self
    }

    /// `sh -c SCRIPT` as the main program.
    pub fn sh(self, script: &str) -> Self {
        self.command(["sh", "-c", script])
    }

    /// `NAME=value`, or any other bytes that execve takes. Nothing of the test's own environment is passed.
    pub fn env(mut self, entry: impl AsRef<OsStr>) -> Self {
        self.env.push(entry.as_ref().to_owned());
        self
    }

    /// Without even `PATH`.
    pub fn no_env(mut self) -> Self {
        self.env.clear();
        self
    }

    pub fn cwd(mut self, dir: &Path) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// Starts with this signal blocked.
    pub fn blocked(self, signal: i32) -> Self {
        self.surroundings(format!("blocked={signal}"))
    }

    /// Starts with this signal ignored.
    pub fn ignored(self, signal: i32) -> Self {
        self.surroundings(format!("ignored={signal}"))
    }

    /// Starts with this descriptor closed.
    pub fn closed(self, fd: i32) -> Self {
        self.surroundings(format!("closed={fd}"))
    }

    /// Starts with this descriptor open on a file, for reading.
    pub fn opened(self, fd: i32, file: &Path) -> Self {
        self.surroundings(format!("opened={fd}:{}", file.display()))
    }

    /// Sees this folder mounted `noexec`.
    pub fn noexec(self, dir: &Path) -> Self {
        self.surroundings(format!("noexec={}", dir.display()))
    }

    /// Sees this folder mounted read-only.
    pub fn readonly(self, dir: &Path) -> Self {
        self.surroundings(format!("readonly={}", dir.display()))
    }

    /// Sees this file as `/dev/termination-log`.
    pub fn termination_log(self, file: &Path) -> Self {
        self.surroundings(format!("termination-log={}", file.display()))
    }

    /// Sees no network but a loopback of its own.
    pub fn own_network(self) -> Self {
        self.surroundings("own-network")
    }

    /// May dump core (as far as the hard limit allows).
    pub fn may_dump_core(self) -> Self {
        self.surroundings("core")
    }

    pub fn umask(self, mask: u32) -> Self {
        self.surroundings(format!("umask={mask}"))
    }

    /// As the leader of a session on this terminal, which is stdin, stdout and stderr.
    pub fn terminal(self, pty: &Pty) -> Self {
        self.surroundings(format!("terminal={}", pty.path))
    }

    /// Without `/proc`.
    pub fn no_proc(self) -> Self {
        self.surroundings("no-proc")
    }

    /// Without a usable `/dev/tty`.
    pub fn dev_tty(self, state: DevTty) -> Self {
        self.surroundings(format!("dev-tty={}", state.name()))
    }

    /// With this soft and hard limit of a resource (`RLIMIT_…`).
    pub fn limit(self, resource: u32, soft: u64, hard: u64) -> Self {
        self.surroundings(format!("limit={resource}:{soft}:{hard}"))
    }

    /// On a kernel that answers this system call with this errno, for all that is started.
    pub fn refused(self, call: i64, errno: i32) -> Self {
        self.surroundings(format!("refused={call}:{errno}"))
    }

    /// As this user and group; takes root.
    pub fn uid(self, uid: u32) -> Self {
        self.surroundings(format!("uid={uid}"))
    }

    /// With a pipe as stdin, which the test closes.
    pub fn stdin(mut self) -> Self {
        self.stdin = true;
        self
    }

    /// With a stderr whose reader is gone.
    pub fn broken_stderr(mut self) -> Self {
        self.stderr_broken = true;
        self
    }

    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    fn surroundings(mut self, word: impl Into<OsString>) -> Self {
        self.surroundings.push(word.into());
        self
    }

    /// Starts it and waits for its end.
    pub fn run(self) -> End {
        self.start().wait()
    }

    /// Starts it: on return the program has been executed.
    pub fn start(self) -> Running {
        let (status, writer) = std::io::pipe().unwrap();
        let fd = writer.as_raw_fd();
        let mut command = Command::new(env::current_exe().unwrap());
        command.env_clear().arg(LAUNCHER).arg(format!("status={fd}")).args(&self.surroundings);
        let words = self.words();
        let found = which(&words[0].to_string_lossy()).map_or_else(|| words[0].clone(), Into::into);
        command.arg(concat("exec=", &found)).args(self.env.iter().map(|e| concat("env=", e)));
        command.arg("--").args(words);
        command.stdin(if self.stdin { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped());
        command.stderr(if self.stderr_broken { std::io::pipe().unwrap().1.into() } else { Stdio::piped() });
        if let Some(dir) = &self.cwd {
            command.current_dir(dir);
        }
        // SAFETY: one async-signal-safe call; only this child inherits the descriptor.
        unsafe {
            command.pre_exec(move || match libc::fcntl(fd, libc::F_SETFD, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let began = Instant::now();
        let mut outer = command.spawn().unwrap();
        drop(writer);
        let stdout = outer.stdout.take().map_or_else(Stream::none, Stream::read);
        let mut stderr = outer.stderr.take().map_or_else(Stream::none, Stream::read);
        let deadline = began + self.deadline;
        let next = || number(&status, deadline);
        let (Some(init), Some(pid), Some(errno)) = (next(), next(), next()) else {
            let _ = outer.kill();
            panic!("not started: {}", String::from_utf8_lossy(&stderr.all()));
        };
        assert_eq!(errno, 0, "cannot execute {:?}", self.program);
        let stdin = outer.stdin.take();
        Running { outer, init, pid, status, stdin, stdout, stderr, began, deadline, over: false }
    }

    fn words(&self) -> Vec<OsString> {
        let mut words = self.program.clone();
        words.extend(self.options.iter().cloned());
        if !self.program.is_empty() && !self.command.is_empty() {
            words.push("--".into());
        }
        words.extend(self.command.iter().cloned());
        words
    }
}

fn concat(prefix: &str, rest: &OsStr) -> OsString {
    let mut word = OsString::from(prefix);
    word.push(rest);
    word
}
