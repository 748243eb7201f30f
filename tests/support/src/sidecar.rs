//! A real sidecar on loopback: Envoy, or what `real` plans.

use super::{Port, TempDir, facts, http, skip};
use std::{
    env, fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

/// How long a real sidecar may take to start or to go, on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

type Ending = Arc<(Mutex<Option<(ExitStatus, Instant)>>, Condvar)>;

/// One that runs. Dropped, it is killed.
pub struct Sidecar {
    /// Where it is asked whether it is ready, and where to quit.
    pub ready_port: u16,
    pub port: u16,
    pub(super) ready_path: &'static str,
    pub(super) quit_path: &'static str,
    pub(super) pid: i32,
    ending: Ending,
    pub(super) dir: TempDir,
}

/// One that can be started: the program is installed, its ports are chosen.
pub struct Plan {
    pub(super) command: Command,
    pub ready_port: u16,
    pub port: u16,
    pub(super) ready_path: &'static str,
    pub(super) quit_path: &'static str,
    pub(super) dir: TempDir,
}

impl Sidecar {
    /// Envoy with a static configuration: its admin port and one listener that answers by itself. `None`
    /// (and a line) when it is not installed.
    pub fn envoy() -> Option<Plan> {
        Self::envoy_on(Port::free(), Port::free())
    }

    /// The same, on these ports.
    pub fn envoy_on(admin: u16, data: u16) -> Option<Plan> {
        let plan = Plan::new("envoy", (admin, "/ready"), (admin, "/quitquitquit"))?;
        Some(plan.configured(&envoy_config(admin, data)))
    }

    /// Asks it to quit, as `curl -X POST` would; the status.
    pub fn quit(&self) -> Option<u16> {
        self.asked_by("POST")
    }

    /// The same by another method.
    pub fn asked_by(&self, method: &str) -> Option<u16> {
        http::status(self.port, method, self.quit_path)
    }

    /// Polls until it is ready; when its first good answer came.
    pub fn ready(&self) -> Instant {
        let asked = super::until(LIMIT, || {
            http::status(self.ready_port, "GET", self.ready_path)
                .filter(|status| matches!(status, 200 | 204))
                .map(|_| Instant::now())
        });
        asked.unwrap_or_else(|| panic!("not ready: {}", self.log()))
    }

    /// Waits until its process is gone; how it ended, and when.
    pub fn gone(&self) -> (ExitStatus, Instant) {
        let ending = self.ending.0.lock().unwrap();
        let (ending, _) = self.ending.1.wait_timeout_while(ending, LIMIT, |e| e.is_none()).unwrap();
        ending.unwrap_or_else(|| panic!("still there: {}", self.log()))
    }

    pub fn runs(&self) -> bool {
        self.ending.0.lock().unwrap().is_none()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.at("log")).unwrap_or_default()
    }
}

impl Plan {
    pub(super) fn new(
        name: &str,
        (ready_port, ready): (u16, &'static str),
        (port, quit): (u16, &'static str),
    ) -> Option<Self> {
        let command = Command::new(installed(name)?);
        Some(Self { command, ready_port, port, ready_path: ready, quit_path: quit, dir: TempDir::new() })
    }

    pub(super) fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Envoy with this configuration.
    pub(super) fn configured(self, yaml: &str) -> Self {
        let config = self.dir.file("envoy.yaml", yaml, 0o644);
        let config = config.to_str().unwrap().to_owned();
        self.args(["-c", &config, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"])
    }

    pub fn start(mut self) -> Sidecar {
        let log = fs::File::create(self.dir.at("log")).unwrap();
        self.command.current_dir(self.dir.path()).stdin(Stdio::null());
        self.command.stdout(log.try_clone().unwrap()).stderr(log);
        // SAFETY: one async-signal-safe call. The signal comes when the thread that starts it ends, which
        // is the test's own.
        unsafe {
            self.command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let pid = self.command.spawn().unwrap().id().cast_signed();
        let ending = Ending::default();
        let theirs = Arc::clone(&ending);
        std::thread::spawn(move || watch(pid, &theirs));
        let Self { ready_port, port, ready_path, quit_path, dir, .. } = self;
        Sidecar { ready_port, port, ready_path, quit_path, pid, ending, dir }
    }
}

/// Waits for the end of a child, takes the time, and reaps it with the lock held: as long as there is no
/// ending the pid is the child's.
fn watch(pid: i32, ending: &Ending) {
    // SAFETY: `info` is room for the answer; the child is left as it is.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid.cast_unsigned(), &raw mut info, libc::WEXITED | libc::WNOWAIT);
    }
    let now = Instant::now();
    let mut status = 0;
    let mut ended = ending.0.lock().unwrap();
    // SAFETY: reaps our own child.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    *ended = Some((ExitStatus::from_raw(status), now));
    ending.1.notify_all();
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let ending = self.ending.0.lock().unwrap();
        if ending.is_none() {
            facts::kill(self.pid, libc::SIGKILL);
        }
    }
}

pub(super) fn installed(name: &str) -> Option<PathBuf> {
    let path = folder().join(name);
    if path.exists() {
        return Some(path);
    }
    let why = format!("{name} is not installed (make test installs it)");
    assert!(env::var("LASTOUT_REQUIRE_SIDECARS").as_deref() != Ok("1"), "{why}: {}", path.display());
    skip(&why);
    None
}

/// `LASTOUT_SIDECARS`, else `sidecars` in the project's cache.
fn folder() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap_or_default().join(".cache");
    let cache =
        || set("LASTOUT_CACHE").unwrap_or_else(|| set("XDG_CACHE_HOME").unwrap_or_else(home).join("lastout"));
    set("LASTOUT_SIDECARS").unwrap_or_else(|| cache().join("sidecars"))
}

/// The configuration of the demo, on these ports.
pub(super) fn envoy_config(admin: u16, data: u16) -> String {
    const DEMO: &str = include_str!("../../../demo/envoy.yaml");
    let port = |n: u16| format!("port_value: {n} ");
    assert!([9901, 10_000].into_iter().all(|n| DEMO.matches(&port(n)).count() == 1), "{DEMO}");
    DEMO.replace(&port(9901), &port(admin)).replace(&port(10_000), &port(data))
}
