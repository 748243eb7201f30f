//! The interpreter: next event → machine → perform. The only file that sees both sides.

use crate::env_file;
use crate::events::{Events, Incoming};
use crate::group::{Mains, Membership, Watch};
use crate::log::{self, Log};
use crate::post::{Letter, News, Post};
use crate::processes;
use crate::report::{self, Facts};
use crate::sidecar::Workers;
use crate::spawn::{self, Command, NotStarted};
use crate::story::{Story, phase_name};
use crate::sys::{self, Clock, SignalMask};
use crate::terminal::Terminal;
use lastout_core::duration::Human;
use lastout_core::machine::{Action, Event, Job, Machine, Note, PhaseName, Pid};
use lastout_core::outcome::{Exit, Outcome};
use lastout_core::settings::{LogLevel, Settings};
use lastout_core::signal::Signal;
use lastout_core::stop::{Terms, Verdict};
use lastout_core::tell;
use std::borrow::Cow;
use std::ffi::CStr;
use std::time::Duration;

/// What a run begins with.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// The moment from which all durations count.
    pub start: Clock,
    /// Signals that were blocked when we began.
    pub mask: SignalMask,
    /// We are the init of a process namespace.
    pub pid1: bool,
    /// The program and its arguments.
    pub command: &'a [&'a CStr],
    /// The environment as we got it.
    pub env: &'a [&'a CStr],
    /// What is wrong with the settings: main is not started, the sidecars are stopped.
    pub problem: Option<String>,
    /// Our place in the group of mains.
    pub membership: Option<Membership>,
    /// The group of mains that we guard.
    pub watch: Option<Watch>,
}

/// Bytes of the stack of the thread that waits for the mains.
const WATCH_STACK: usize = 64 * 1024;

/// `lastout sleep`: until the time is over, or a stop signal ends it by 128+n.
pub fn sleep(time: Duration) -> Exit {
    let (mut events, _post) = Events::new(Clock::start(), false);
    loop {
        match events.next(Some(time)) {
            Incoming::Event(Event::Tick) => return Exit::Code(0),
            Incoming::Event(Event::Signal(signal)) if signal.ends_by_default() => {
                return Outcome::Signalled(signal).exit(true);
            }
            Incoming::Event(_) | Incoming::Letter(_) => {}
        }
    }
}

/// Runs the whole job and returns how it ended.
pub fn run(job: Job, settings: Settings, mut beginning: Beginning<'_>) -> Outcome {
    let (mut events, post) = Events::new(beginning.start, settings.report.is_some());
    let log = Log::new(settings.log_level, settings.log_json);
    let pid1 = beginning.pid1;
    if !pid1 {
        become_parent_of_orphans(&log);
        if let Some(signal) = settings.parent_death_signal {
            listen_for_parents_death(signal, &mut events, &log);
        }
    }
    let mut run = Run {
        machine: Machine::new(job, &settings, pid1),
        stories: settings.sidecars.iter().cloned().map(Story::new).collect(),
        membership: beginning.membership.take(),
        watch: beginning.watch.take(),
        watcher: None,
        phases: vec![(PhaseName::Waiting, Duration::ZERO)],
        settings,
        beginning,
        events,
        post,
        log,
        workers: None,
        terminal: None,
        main: None,
    };
    if let Some(problem) = &run.beginning.problem {
        run.say_error(problem);
    }
    let outcome = run.go();
    // Leaving the process frees it all at once.
    std::mem::forget(run);
    outcome
}

/// Outside PID 1 orphans would go past us to the init of the namespace.
fn become_parent_of_orphans(log: &Log) {
    if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
        log.debug(|| format!("cannot be a subreaper: {error}"));
    }
}

fn listen_for_parents_death(signal: Signal, events: &mut Events, log: &Log) {
    let parent = nix::unistd::getppid();
    if let Err(error) = sys::set_parent_death_signal(signal) {
        log.warn(&format!("--parent-death-signal: refused: {error}"));
    }
    // It may have died before the kernel knew of our wish.
    if nix::unistd::getppid() != parent {
        events.put_first(Event::Signal(signal));
    }
}

/// Only at a terminal is there a shell that sees it and continues us.
fn stop_self(signal: Signal) {
    if Terminal::open().is_some() {
        sys::stop_self(signal);
    }
}

struct Run<'a> {
    machine: Machine,
    settings: Settings,
    beginning: Beginning<'a>,
    events: Events,
    post: Post,
    log: Log,
    stories: Vec<Story>,
    /// Phases and when they began.
    phases: Vec<(PhaseName, Duration)>,
    workers: Option<Workers>,
    /// Our place in the group of mains.
    membership: Option<Membership>,
    /// The group of mains that we guard.
    watch: Option<Watch>,
    /// The thread that waits for its mains is there.
    watcher: Option<sys::ThreadSignals>,
    /// The terminal, when it is main's.
    terminal: Option<Terminal>,
    /// Main's pid, when it began and when it ended.
    main: Option<(Pid, Duration, Option<Duration>)>,
}

impl Run<'_> {
    fn go(&mut self) -> Outcome {
        self.events.put_first(Event::Begin);
        loop {
            let event = match self.events.next(self.machine.deadline()) {
                Incoming::Event(event) => event,
                Incoming::Letter(letter) => match self.open(letter) {
                    Some(event) => event,
                    None => continue,
                },
            };
            let now = self.events.now();
            if let (Event::Reaped(pid, _), Some((main, _, ended))) = (event, &mut self.main)
                && pid == *main
            {
                *ended = Some(now);
            }
            let actions = self.machine.on(now, event);
            self.note_phase(now);
            for action in actions {
                match action {
                    Action::Exit(outcome) => {
                        self.leave(outcome);
                        return outcome;
                    }
                    Action::Start => {
                        let event = self.start();
                        self.events.put_first(event);
                    }
                    Action::OpenGate => self.open_gate(),
                    Action::TellWaiting => self.tell_waiting(),
                    Action::TellTimeout => self.tell_timeout(),
                    Action::CloseGate => self.close_gate(),
                    Action::Send(pid, signal) => self.send(pid, signal),
                    Action::HandTerminal(pid) => self.hand_terminal(pid),
                    Action::StopSelf(signal) => stop_self(signal),
                    Action::TakeTerminal => self.take_terminal(),
                    Action::LeaveGroup(outcome) => {
                        let event = self.leave_group(outcome);
                        self.events.put_first(event);
                    }
                    Action::WatchGroup => {
                        let event = self.watch_group();
                        self.events.put_first(event);
                    }
                    Action::TermLeftovers => processes::signal_descendants(Signal::TERM),
                    Action::Ask { sidecars, deadline, hurried } => self.ask(&sidecars, deadline, hurried),
                    Action::Hurry => {
                        if let Some(workers) = &self.workers {
                            workers.hurry();
                        }
                        if let Some(watch) = &self.watch {
                            watch.hurry();
                        }
                    }
                    Action::Tell(note) => self.tell(note),
                }
            }
        }
    }

    fn open(&mut self, letter: Letter) -> Option<Event> {
        match letter {
            Letter::Sidecar(index, news) => self.take_in(index, news),
            Letter::MainsOut { stopped } => Some(self.mains_are_out(&stopped)),
            Letter::GroupTrouble(what) => {
                self.log.warn(&what);
                None
            }
        }
    }

    /// Keeps what a worker has found out; what the machine must know of it comes back as an event.
    fn take_in(&mut self, sidecar: usize, news: News) -> Option<Event> {
        let now = self.events.now();
        let story = self.stories.get_mut(sidecar)?;
        match news {
            News::Seen => story.seen = true,
            News::Said(words) => story.last = words,
            News::Open { absent } => {
                story.absent = absent;
                let name = &story.spec.name;
                if absent {
                    let text = format!("{name}: taken as absent after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                } else {
                    story.ready_at = Some(now);
                    let text = format!("{name}: ready after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                }
                return Some(Event::Open(sidecar));
            }
            News::Asked => story.asked_at = Some(now),
            News::Done { verdict, hurried } => {
                let took = now.saturating_sub(story.stop_at.unwrap_or(now));
                let (level, text) = tell::verdict(&story.spec, &verdict, hurried, took);
                self.log.about(level, &story.spec.name, &text);
                if level <= LogLevel::Warn {
                    log::last_words(&text);
                }
                let good = verdict.is_good();
                if let Some(membership) = &mut self.membership
                    && good
                    // That one may still come.
                    && verdict != Verdict::Absent
                {
                    membership.note_stopped(&story.spec.name);
                }
                story.done_at = Some(now);
                story.verdict = Some(verdict);
                story.told = Some(text);
                return Some(Event::SidecarDone(sidecar, good));
            }
        }
        None
    }

    fn note_phase(&mut self, now: Duration) {
        let phase = self.machine.phase();
        let Some(&(before, since)) = self.phases.last() else { return };
        if phase != before {
            self.log.info(|| format!("{} took {}", phase_name(before), Human(now.saturating_sub(since))));
            self.phases.push((phase, now));
        }
    }

    fn open_gate(&mut self) {
        let workers = Workers::new(self.post.clone(), self.beginning.start).and_then(|mut workers| {
            for (index, story) in self.stories.iter().enumerate() {
                workers.probe(index, &story.spec, self.settings.absent_after)?;
            }
            Ok(workers)
        });
        match workers {
            Ok(workers) => self.workers = Some(workers),
            // The gate then ends by its timeout, which tells the rest.
            Err(error) => self.log.error(&format!("cannot probe the sidecars: {error}")),
        }
    }

    fn close_gate(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.end();
        }
    }

    fn tell_waiting(&self) {
        for story in self.held_up_by() {
            let text = tell::still_waiting(&story.spec, &story.last);
            self.log.about(LogLevel::Warn, &story.spec.name, &text);
        }
    }

    /// One line, which quotes the last answer of each.
    fn tell_timeout(&self) {
        let who: Vec<String> =
            self.held_up_by().map(|story| tell::not_ready(&story.spec, &story.last, story.seen)).collect();
        let line = format!("--wait-timeout is over: {}", who.join("; "));
        match self.settings.run_unready {
            true => self.log.warn(&format!("{line}; the command is run all the same")),
            false => self.say_error(&line),
        }
    }

    /// The sidecars that hold up the gate.
    fn held_up_by(&self) -> impl Iterator<Item = &Story> {
        self.stories.iter().filter(|story| story.ready_at.is_none() && !story.absent)
    }

    /// Spawns main. From here on the machine has a process to care for, or the reason why not.
    fn start(&mut self) -> Event {
        let mut env: Vec<Cow<'_, CStr>> = self.beginning.env.iter().copied().map(Cow::Borrowed).collect();
        let spawned = env_file::apply(&self.settings.env_files, &mut env)
            .map_err(|why| NotStarted { outcome: Outcome::Internal, why })
            .and_then(|()| {
                self.terminal = Terminal::open_if_ours();
                let command = Command { words: self.beginning.command, env: &env, mask: self.beginning.mask };
                spawn::spawn(command, self.terminal.as_ref())
            });
        match spawned {
            Ok(pid) => {
                self.events.main_is(pid);
                self.main = Some((pid, self.events.now(), None));
                self.let_go();
                self.wait_for_mains();
                Event::Started(pid)
            }
            Err(failure) => {
                self.take_terminal();
                self.say_error(&failure.why);
                Event::NotStarted(failure.outcome)
            }
        }
    }

    fn leave_group(&mut self, outcome: Outcome) -> Event {
        let now = self.events.now();
        let last = match self.membership.as_mut().map(|membership| membership.leave(outcome, now)) {
            Some(Ok(last)) => last,
            Some(Err(what)) => {
                // Others may need the sidecars: a pod that hangs is seen, a connection that is cut is not.
                self.log.warn(&format!("{what}; the sidecars are left to the other mains"));
                false
            }
            // Not registered: then nobody counts on us.
            None => true,
        };
        self.log.info(|| if last { "the last main out" } else { "other mains are not out yet" }.to_owned());
        Event::Left(last)
    }

    fn watch_group(&mut self) -> Event {
        let Some(watch) = self.watch.clone() else { return Event::MainsOut };
        if self.beginning.command.is_empty() {
            self.wait_for_mains();
            return Event::MainsIn;
        }
        match watch.look(self.events.now()) {
            Ok(Mains::Out) => Event::MainsOut,
            Ok(Mains::In) => Event::MainsIn,
            Err(what) => {
                self.log.warn(&what);
                Event::MainsIn
            }
        }
    }

    /// One thread, blocked in the lock of a main. It begins after our own spawn, which wants to be alone.
    fn wait_for_mains(&mut self) {
        let Some(watch) = self.watch.clone() else { return };
        let (post, trouble, start) = (self.post.clone(), self.post.clone(), self.beginning.start);
        let work = move || {
            let stopped = watch.wait(|| start.elapsed(), |what| trouble.send(Letter::GroupTrouble(what)));
            post.send(Letter::MainsOut { stopped });
        };
        let signals = sys::ThreadSignals::new();
        match signals.spawn(WATCH_STACK, work) {
            Ok(_) => self.watcher = Some(signals),
            Err(error) => self.say_error(&format!("cannot watch the group: {error}")),
        }
    }

    fn mains_are_out(&mut self, stopped: &[String]) -> Event {
        for story in &mut self.stories {
            story.stopped = stopped.contains(&story.spec.name);
        }
        Event::MainsOut
    }

    /// Nothing stays busy because of us: neither a folder, nor what was open when we were executed.
    fn let_go(&self) {
        if let Err(error) = nix::unistd::chdir("/") {
            self.log.debug(|| format!("cannot leave the working directory: {error}"));
        }
        let member = self.membership.iter().map(Membership::fd);
        let kept: Vec<i32> = self.terminal.iter().map(Terminal::fd).chain(member).collect();
        if let Err(error) = sys::close_from(3, &kept) {
            self.log.debug(|| format!("cannot close inherited descriptors: {error}"));
        }
    }

    fn send(&self, pid: Pid, signal: Signal) {
        // What the terminal stopped with main was its whole group.
        let continues = signal == Signal::CONT && !self.beginning.pid1;
        let target = if self.settings.signal_group || continues { -pid } else { pid };
        match sys::kill(target, signal) {
            Ok(()) => self.log.debug(|| format!("sent {signal} to {target}")),
            // Gone already, or it runs as a user whom we may not signal: neither ends us.
            Err(error) => self.log.debug(|| format!("cannot send {signal} to {target}: {error}")),
        }
    }

    fn hand_terminal(&mut self, pid: Pid) {
        if let Some(terminal) = Terminal::open_if_ours() {
            terminal.give_to(pid);
            self.terminal = Some(terminal);
        }
    }

    fn take_terminal(&mut self) {
        if let (Some(terminal), Some((pid, ..))) = (self.terminal.take(), self.main) {
            terminal.take_back_from(pid);
        }
    }

    fn ask(&mut self, sidecars: &[usize], deadline: Duration, hurried: bool) {
        let now = self.events.now();
        if self.workers.is_none() {
            match Workers::new(self.post.clone(), self.beginning.start) {
                Ok(workers) => self.workers = Some(workers),
                Err(error) => self.log.error(&format!("cannot stop the sidecars: {error}")),
            }
        }
        for &index in sidecars {
            let Some(story) = self.stories.get_mut(index) else { continue };
            story.stop_at = Some(now);
            if story.stopped {
                // Even one that is still draining: asked twice, some panic.
                let news = News::Done { verdict: Verdict::AlreadyGone, hurried };
                self.post.send(Letter::Sidecar(index, news));
                continue;
            }
            let absent_at = story.spec.absent_after.unwrap_or(self.settings.absent_after);
            let terms = Terms { seen: story.seen, absent_at, deadline, hurried };
            let asked = self.workers.as_mut().map(|workers| workers.stop(index, &story.spec, terms));
            if let Some(Err(error)) = asked {
                self.log.error(&format!("{}: cannot be stopped: {error}", story.spec.name));
            }
        }
    }

    fn tell(&self, note: Note) {
        match note {
            Note::Kept(signal) => self.log.debug(|| format!("{signal} is kept for the command")),
            Note::Dropped(signal) => self.log.debug(|| format!("{signal} is dropped")),
            Note::HeldBack(signal) => {
                self.log.info(|| format!("{signal} is held back until the mains are out"))
            }
            Note::Delayed(signal, time) => {
                self.log.debug(|| format!("{signal} is held back for {}", Human(time)))
            }
            Note::Killed => self.log.warn("the command did not end within --grace and is killed"),
            Note::CutOff => self.log.warn("a second stop signal: leaving at once, whatever the sidecars do"),
        }
    }

    /// A failure of ours: in the log, and where `kubectl describe` shows it.
    fn say_error(&self, text: &str) {
        self.log.error(text);
        log::last_words(text);
    }

    fn leave(&mut self, outcome: Outcome) {
        let end = self.events.now();
        if let Some(report) = &self.settings.report {
            let facts = Facts {
                outcome,
                end,
                main: self.main,
                usage: self.events.usage(),
                phases: &self.phases,
                stories: &self.stories,
            };
            if let Err(error) = report::write(report, &facts) {
                self.log.warn(&format!("--report: cannot be written: {error}"));
            }
        }
    }
}
