//! Mains of a group as ordinary processes, cheap enough for a thousand rounds, and what stands in their folder.
//! Where the container matters (PID 1, namespaces, users) each has one of its own instead.

use super::{Fake, Launch, Reply, Running, TempDir, binary, facts, ms, until};
use std::{
    fs::{self, File},
    io::{PipeReader, PipeWriter, Read as _, Write as _},
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// After this long a member that is still there has hung.
const LIMIT: Duration = Duration::from_secs(30);

/// A group's folder and how many mains it has.
pub struct Group {
    dir: PathBuf,
    size: usize,
    _temp: Option<TempDir>,
}

impl Group {
    pub fn new(size: usize) -> Self {
        let temp = TempDir::new();
        Self { dir: temp.path().to_owned(), size, _temp: Some(temp) }
    }

    pub fn at(dir: &Path, size: usize) -> Self {
        Self { dir: dir.to_owned(), size, _temp: None }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `--group DIR --group-size N`.
    pub fn options(&self) -> Vec<String> {
        let dir = self.dir.to_str().unwrap().to_owned();
        vec!["--group".into(), dir, "--group-size".into(), self.size.to_string()]
    }

    /// The same, with a name.
    pub fn options_of(&self, name: &str) -> Vec<String> {
        let mut options = self.options();
        options.extend(["--group-name".into(), name.into()]);
        options
    }

    /// Starts a member whose main is `command`.
    pub fn member(&self, name: &str, options: &[&str], command: &[&str]) -> Member {
        Member::start(self.options_of(name), options, command, Stdio::null())
    }

    /// Starts a member whose main lasts until `stdin` has ended.
    pub fn member_until(&self, name: &str, options: &[&str], stdin: PipeReader) -> Member {
        Member::start(self.options_of(name), options, &["cat"], stdin.into())
    }

    /// A main in a container of its own that says `up` and stays.
    pub fn container(&self, name: &str, policy: &str, spec: &str) -> Running {
        let run = Launch::pid1()
            .options(self.options_of(name))
            .options(["--no-wait", "--stop-on", policy, "--sidecar", spec])
            .sh("echo up; exec sleep 60")
            .start();
        run.says("up");
        run
    }

    /// A guard in a container of its own.
    pub fn guard(&self) -> Launch {
        Launch::pid1().options(["guard"]).options(self.options())
    }

    /// The file of a member.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("lastout-member-{name}"))
    }

    /// The record of a member, if it has one.
    pub fn record(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Waits until a member's record says this.
    #[track_caller]
    pub fn says(&self, name: &str, word: &str) {
        let found = until(LIMIT, || self.record(name).contains(word).then_some(()));
        assert!(found.is_some(), "no {word:?} in the record of {name}: {:?}", self.record(name));
    }

    /// The group's lock, held by the test as a member that has been frozen would hold it.
    pub fn lock(&self) -> File {
        let file = File::open(self.dir.join("lastout-group")).unwrap();
        // SAFETY: a descriptor of ours.
        assert_eq!(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) }, 0);
        file
    }
}

/// A member that runs. Dropped, it is killed.
pub struct Member {
    child: Child,
    over: Option<ExitStatus>,
}

impl Member {
    fn start(options: Vec<String>, more: &[&str], command: &[&str], stdin: Stdio) -> Self {
        let mut child = Command::new(binary());
        child.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        child.args(options).args(more).arg("--").args(command);
        Self::spawn(child.stdin(stdin))
    }

    /// Starts any command as a member: what it tells is kept, and it goes when the test goes.
    pub fn spawn(command: &mut Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        // SAFETY: one async-signal-safe call.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        Self { child: command.spawn().unwrap(), over: None }
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Kills the wrapper and its main, in this order.
    pub fn kill(&self) {
        let main = facts::children(self.pid());
        facts::kill(self.pid(), libc::SIGKILL);
        main.into_iter().for_each(|pid| _ = facts::kill(pid, libc::SIGKILL));
    }

    /// Its end, if it has come.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.over.is_none() {
            self.over = self.child.try_wait().unwrap();
        }
        self.over
    }

    /// Waits for the end; fails the test when it does not come. The status and what was told.
    #[track_caller]
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = until(LIMIT, || self.ended()).expect("a member hangs");
        let mut told = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut told).unwrap();
        }
        (status, told)
    }

    /// The exit code is this, and nothing was told.
    #[track_caller]
    pub fn silent(self, code: i32) {
        let (status, told) = self.wait();
        assert_eq!((status.code(), told.as_str()), (Some(code), ""));
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

/// Counts every quit: it accepts them all and stays, and a linkerd's acceptance is its end.
pub fn counter() -> (Fake, String) {
    let fake = Fake::script().quit([Reply::Answer(200, "")]).stays().start();
    let spec = format!("linkerd:port={}", fake.port());
    (fake, spec)
}

/// What the kernel does to a container as a whole when it runs out of memory on cgroup v2 (`memory.oom.group`):
/// SIGKILL to every process in it. Emulated by killing the init of its PID namespace, after which the kernel kills
/// the rest.
pub fn kill_the_whole_container(run: Running) {
    run.signal(libc::SIGKILL);
    assert!(run.wait().status.code().is_none(), "killed");
}

/// A pipe whose writer, dropped, ends a main.
pub fn leash() -> (PipeReader, PipeWriter) {
    std::io::pipe().unwrap()
}

/// Random numbers; the seed of those with which a test failed is told.
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    /// Another seed each run; `LASTOUT_TEST_SEED` repeats one.
    pub fn new() -> Self {
        let given = std::env::var("LASTOUT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed = given.unwrap_or(u64::try_from(time.as_nanos() & 0xFFFF_FFFF).unwrap());
        Self { seed, state: seed | 1 }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 20).unwrap() % limit
    }

    /// The numbers below `count` in any order.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "LASTOUT_TEST_SEED={}", self.seed);
        }
    }
}

/// Wake-ups of all threads of a process.
pub fn wake_ups(pid: i32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let status = |task: fs::DirEntry| fs::read_to_string(task.path().join("status")).unwrap_or_default();
    let count =
        |text: String| facts::field(&text, "voluntary_ctxt_switches").unwrap().parse::<u64>().unwrap();
    tasks.map(|task| count(status(task))).sum()
}

/// Waits until a guard that has nobody to block on has looked at the group a few times more.
#[track_caller]
pub fn looks_again(pid: i32) {
    let before = wake_ups(pid);
    super::eventually("the guard looks again", || wake_ups(pid) > before + 5);
}

/// Waits until all threads of a process have come to rest.
#[track_caller]
pub fn at_rest(pid: i32) {
    let mut since = (wake_ups(pid), Instant::now());
    super::eventually("it comes to rest", || {
        let now = wake_ups(pid);
        if now != since.0 {
            since = (now, Instant::now());
        }
        since.1.elapsed() > ms(60)
    });
}
