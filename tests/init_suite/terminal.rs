//! A real terminal: the init as PID 1 with it (`docker run -it`), and as a job of an interactive shell.

use super::{Init, Verdict, holds};
use std::{os::unix::process::ExitStatusExt as _, path::Path, time::Duration};
use support::{
    Launch, Pty, Running, TempDir, eventually, job, ms, pause,
    pty::{BASH, PROMPT, shell},
    until,
};

pub fn the_command_is_in_the_foreground(init: Init) -> Verdict {
    let pty = Pty::new();
    let run = Launch::init(init).terminal(&pty).command(job(&["foreground"])).start();
    let code = run.wait().code();
    pty.shows("group in front\n");
    holds(code == 9 && pty.screen().contains("own group"), || pty.screen())
}

/// Something happens to the terminal; how often the command gets that signal.
fn once(init: Init, signal: i32, happens: impl FnOnce(Pty) -> Option<Pty>) -> Verdict {
    let (pty, dir) = (Pty::new(), TempDir::new());
    let file = dir.at("signals");
    let mut run = Launch::init(init).terminal(&pty).command(job(&["count", file.to_str().unwrap()])).start();
    let seen = || std::fs::read_to_string(&file).unwrap_or_default();
    eventually("the command is there", || seen().contains("ready"));
    // Also that the init has come to rest, else a signal of the kernel's might be early.
    eventually("the command is in front", || pty.foreground() == run.main());
    let _kept = happens(pty);
    eventually("a signal comes", || seen().contains(&format!("got {signal}\n")));
    // One that the init forwards as well would come before this one.
    pause(ms(20));
    run.signal(15);
    holds(run.end_within(Duration::from_secs(5)).is_some(), || "no end".to_owned())?;
    let times = seen().matches(&format!("got {signal}\n")).count();
    holds(times == 1, || format!("{times} times"))
}

pub fn ctrl_c_arrives_once(init: Init) -> Verdict {
    once(init, 2, |pty| {
        pty.types("\x03");
        Some(pty)
    })
}

pub fn ctrl_backslash_arrives_once(init: Init) -> Verdict {
    once(init, 3, |pty| {
        pty.types("\x1c");
        Some(pty)
    })
}

pub fn a_resize_arrives_once(init: Init) -> Verdict {
    once(init, 28, |pty| {
        pty.resize(33, 77);
        Some(pty)
    })
}

pub fn a_hang_up_arrives_once(init: Init) -> Verdict {
    once(init, 1, |pty| {
        pty.hang_up();
        None
    })
}

/// Ctrl-C for a command that does nothing about it.
fn interrupted(launch: Launch) -> std::process::ExitStatus {
    let pty = Pty::new();
    let run = launch.terminal(&pty).sh("echo up; exec sleep 60").start();
    pty.shows("up");
    pty.types("\x03");
    run.wait().status
}

pub fn ctrl_c_exits_130(init: Init) -> Verdict {
    let code = interrupted(Launch::init(init)).code();
    holds(code == Some(130), || format!("{code:?}"))
}

pub fn outside_pid_1_ctrl_c_is_death_by_int(init: Init) -> Verdict {
    let status = interrupted(Launch::init_as_process(init));
    holds(status.signal() == Some(libc::SIGINT), || format!("exits {}", status.code().unwrap_or(-1)))
}

pub fn an_interactive_shell_is_at_home(init: Init) -> Verdict {
    let pty = Pty::new();
    let run = Launch::init(init).terminal(&pty).env(format!("PS1={PROMPT}")).command(BASH).start();
    pty.shows(PROMPT);
    holds(!pty.screen().contains("no job control"), || pty.screen())?;
    pty.types("sh -c 'echo up; exec sleep 60'\n");
    pty.shows("up");
    pty.types("\x03");
    pty.shows_times(PROMPT, 2);
    pty.types("echo $?.\n");
    pty.shows("130.");
    pty.types("sh -c 'echo down; exec sleep 60'\n");
    pty.shows("down");
    pty.types("\x1a");
    pty.shows("Stopped");
    pty.types("kill %1; fg\n");
    pty.shows_times(PROMPT, 5);
    pty.types("exit 6\n");
    let code = run.wait().code();
    holds(code == 6, || format!("{code}"))
}

/// An interactive shell at a terminal, and a person who types.
struct Shell {
    pty: Pty,
    /// Lives as long as this does.
    _run: Running,
}

impl Shell {
    fn new() -> Self {
        let (pty, run) = shell();
        Self { pty, _run: run }
    }

    /// Types this and waits until that is shown, or says no.
    fn sees(&self, keys: &str, text: &str) -> Verdict {
        self.after(keys, |new| new.contains(text), text)
    }

    /// The same, and the shell is back at its prompt: only then it takes every key.
    fn ends(&self, keys: &str, text: &str) -> Verdict {
        let back = |new: &str| new.rsplit_once(text).is_some_and(|(_, rest)| rest.contains(PROMPT));
        self.after(keys, back, text)
    }

    fn after(&self, keys: &str, is_so: impl Fn(&str) -> bool, text: &str) -> Verdict {
        let before = self.pty.screen().len();
        self.pty.types(keys);
        let new = || self.pty.screen().get(before..).unwrap_or_default().to_owned();
        let seen = until(Duration::from_secs(3), || is_so(&new()).then_some(()));
        holds(seen.is_some(), || format!("never shows {text:?}\nbut {}", new().trim()))
    }
}

/// The words that run a script under the init.
fn under(init: Init, script: &str) -> String {
    let program = init.program().unwrap();
    let program: &Path = &program;
    format!("{} -- sh -c '{script}'", program.display())
}

pub fn ctrl_c_breaks_the_loop_that_called_it(init: Init) -> Verdict {
    let shell = Shell::new();
    // A shell goes on with the loop after a command that exits, and leaves it when the command dies of INT.
    let inner = under(init, "echo u$((1))p; exec sleep 60");
    shell.pty.types(&format!("for n in 1 2; do {inner}; done\n"));
    shell.pty.shows("u1p");
    shell.sees("\x03", PROMPT).map_err(|_| "the loop goes on".to_owned())?;
    shell.ends("echo code $?.\n", "code 130.")
}

pub fn ctrl_z_stops_the_job_and_fg_continues_all_of_it(init: Init) -> Verdict {
    let shell = Shell::new();
    // Two processes in the command's group: both must stop and both go on. The inner one speaks, since a shell
    // that has just called vfork cannot be stopped.
    let script = "sh -c \"echo u1p; read line; echo got \\$line; exit 4\"; exit $?";
    shell.pty.types(&format!("{}\n", under(init, script)));
    shell.pty.shows("u1p\n");
    shell.ends("\x1a", "Stopped")?;
    shell.sees("fg\n", "sh -c")?;
    shell.ends("hello\n", "got hello")?;
    shell.ends("echo code $?.\n", "code 4.")
}

pub fn a_stopped_job_goes_on_in_the_background(init: Init) -> Verdict {
    let shell = Shell::new();
    let dir = TempDir::new();
    let fifo = dir.fifo("fifo");
    shell.pty.types(&format!(
        "{}\n",
        under(init, &format!("echo up; read line <{}; echo went on", fifo.display()))
    ));
    shell.pty.shows("up");
    shell.ends("\x1a", "Stopped")?;
    shell.ends("bg\n", "&")?;
    std::fs::write(&fifo, "go\n").unwrap();
    shell.pty.shows("went on");
    shell.ends("wait; echo all over $?.\n", "all over 0.")
}

pub fn a_background_job_that_reads_is_stopped(init: Init) -> Verdict {
    let shell = Shell::new();
    shell.ends(&format!("{} &\n", under(init, "read line; echo got $line")), "[1]")?;
    shell.ends("while ! jobs | grep Stop; do sleep 0.02; done\n", "Stopped")?;
    shell.sees("fg\n", "sh -c")?;
    shell.ends("hello\n", "got hello")
}

pub fn a_background_job_takes_no_terminal(init: Init) -> Verdict {
    let shell = Shell::new();
    let front = shell.pty.foreground();
    shell.pty.types(&format!("{} &\n", under(init, "echo up; sleep 60")));
    shell.pty.shows("up");
    let now = shell.pty.foreground();
    holds(front == now, || "takes it".to_owned())?;
    shell.ends("echo still\" here\"\n", "still here")
}

pub fn the_foreground_is_given_back(init: Init) -> Verdict {
    let shell = Shell::new();
    // A script has no job control: nobody but the init can give the foreground back to it.
    let dir = TempDir::new();
    let script = format!("{}\necho over; read line; echo got $line", under(init, "exit 3"));
    let script = dir.file("script", script, 0o644);
    shell.pty.types(&format!("bash {}\n", script.display()));
    shell.pty.shows("over\n");
    shell.ends("hello\n", "got hello")
}
