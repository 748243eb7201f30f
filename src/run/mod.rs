//! The interpreter: next event → machine → perform. The only room that sees both sides.

mod command;
mod group;
mod sidecars;

use crate::events::{Events, Incoming};
use crate::group::{Membership, Watch};
use crate::output::log::{self, Log};
use crate::process::procfs;
pub use crate::process::spawn::MeantVerb;
use crate::process::terminal::ProcessGroup;
use crate::record::report::{self, Facts};
use crate::record::status::{MainRun, SidecarStatus, phase_name};
use crate::sidecar::Workers;
use crate::sys::{self, Clock, SignalMask};
use crate::threads::channel::{Message, MessageSender};
use lastout_core::duration::Human;
use lastout_core::machine::{Action, Event, Job, Machine, Note, PhaseName};
use lastout_core::outcome::Outcome;
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;
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
    /// A verb may have been meant, should there be no such program as the command.
    pub meant: Option<MeantVerb>,
    /// What is wrong with the settings: main is not started, the sidecars are stopped.
    pub problem: Option<String>,
    /// Our place in the group of mains.
    pub membership: Option<Membership>,
    /// The group of mains that we guard.
    pub watch: Option<Watch>,
}

/// Runs the whole job and returns how it ended.
pub fn run(job: Job, settings: Settings, mut beginning: Beginning<'_>) -> Outcome {
    let (mut events, messages) = Events::new(beginning.start, settings.report.is_some());
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
        // What `lastout stop` finds gone is what it wants, and no reason to wait.
        statuses: settings
            .sidecars
            .iter()
            .cloned()
            .map(|spec| SidecarStatus::new(spec, job == Job::Stop))
            .collect(),
        membership: beginning.membership.take(),
        watch: beginning.watch.take(),
        watcher: None,
        phases: vec![(PhaseName::Waiting, Duration::ZERO)],
        settings,
        beginning,
        events,
        messages,
        log,
        workers: None,
        main_group: ProcessGroup::Own(None),
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
        log.warn(&format!("--parent-death-signal {signal}: the kernel refuses it here: {error}"));
    }
    // It may have died before the kernel knew of our wish.
    if nix::unistd::getppid() != parent {
        events.put_first(Event::Signal(signal));
    }
}

struct Run<'a> {
    machine: Machine,
    settings: Settings,
    beginning: Beginning<'a>,
    events: Events,
    messages: MessageSender,
    log: Log,
    statuses: Vec<SidecarStatus>,
    /// Phases and when they began.
    phases: Vec<(PhaseName, Duration)>,
    workers: Option<Workers>,
    /// Our place in the group of mains.
    membership: Option<Membership>,
    /// The group of mains that we guard.
    watch: Option<Watch>,
    /// The thread that waits for its mains is there.
    watcher: Option<sys::ThreadSignals>,
    /// Main's process group, and the terminal when it is main's.
    main_group: ProcessGroup,
    main: Option<MainRun>,
}

impl Run<'_> {
    fn go(&mut self) -> Outcome {
        self.events.put_first(Event::Begin);
        loop {
            let event = match self.events.next(self.machine.deadline()) {
                Incoming::Event(Event::Signal(signal))
                    if let Some((main, sent)) = self.machine.passes(signal) =>
                {
                    self.send(main, sent);
                    continue;
                }
                Incoming::Event(event) => event,
                Incoming::Message(message) => match self.on_message(message) {
                    Some(event) => event,
                    None => continue,
                },
            };
            let now = self.events.now();
            if let (Event::Reaped(pid, _), Some(main)) = (event, &mut self.main)
                && pid == main.pid
            {
                main.ended = Some(now);
            }
            let actions = self.machine.on(now, event);
            self.note_phase(now);
            for action in actions {
                if let Action::Exit(outcome) = action {
                    self.note_unproved();
                    self.write_report(outcome);
                    return outcome;
                }
                if let Some(event) = self.perform(action) {
                    self.events.put_first(event);
                }
            }
        }
    }

    /// Does it; the event that answers it at once, if one does.
    fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Start => return Some(self.start()),
            Action::LeaveGroup(outcome) => return Some(self.leave_group(outcome)),
            Action::LookAtGroup => return Some(self.look_at_group()),
            Action::TermLeftovers => return self.term_leftovers(),
            Action::OpenGate => self.open_gate(),
            Action::LastProbe => self.expedite_workers(),
            Action::TellWaiting => self.tell_waiting(),
            Action::TellTimeout => self.tell_timeout(),
            Action::CloseGate => self.close_gate(),
            Action::Send(pid, signal) => self.send(pid, signal),
            Action::HandTerminal(pid) => {
                self.hand_terminal(pid);
            }
            Action::StopSelf(signal) => self.stop_self(signal),
            Action::TakeTerminal => self.take_terminal(),
            Action::WatchGroup => self.watch_group(),
            Action::Ask { sidecars, deadline, terminating } => self.ask(&sidecars, deadline, terminating),
            Action::Terminating => {
                self.expedite_workers();
                if let Some(watch) = &self.watch {
                    watch.pod_is_terminating();
                }
            }
            Action::Tell(note) => self.tell(note),
            // Whoever asks for the actions leaves by it.
            Action::Exit(_) => {}
        }
        None
    }

    fn expedite_workers(&self) {
        if let Some(workers) = &self.workers {
            workers.expedite();
        }
    }

    fn term_leftovers(&self) -> Option<Event> {
        let error = procfs::end_descendants().err()?;
        self.log.warn(&format!("--leftovers: cannot see them: /proc: {error}"));
        Some(Event::Childless)
    }

    fn on_message(&mut self, message: Message) -> Option<Event> {
        match message {
            Message::Sidecar(index, event) => self.take_in(index, event),
            Message::MainsOut { stopped } => Some(self.mains_are_out(&stopped)),
            Message::GroupTrouble(what) => {
                self.log.warn(&what);
                None
            }
        }
    }

    fn note_phase(&mut self, now: Duration) {
        let phase = self.machine.phase();
        let Some(&(before, since)) = self.phases.last() else { return };
        if phase != before {
            self.log.info(|| format!("{} took {}", phase_name(before), Human(now.saturating_sub(since))));
            self.phases.push((phase, now));
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
            Note::Merged(signal) => {
                self.log.debug(|| format!("{signal} belongs to the stop signal before it"))
            }
            Note::CutOff => self.log.warn("a second stop signal: leaving at once, whatever the sidecars do"),
        }
    }

    /// A failure of ours: in the log, and where `kubectl describe` shows it.
    fn say_error(&self, text: &str) {
        self.log.error(text);
        log::last_words(text);
    }

    fn write_report(&mut self, outcome: Outcome) {
        let end = self.events.now();
        if let Some(report) = &self.settings.report {
            let facts = Facts {
                outcome,
                end,
                main: self.main,
                usage: self.events.usage(),
                phases: &self.phases,
                statuses: &self.statuses,
            };
            if let Err(error) = report::write(report, &facts) {
                self.log.warn(&format!("--report {}: {error}", report.path()));
            }
        }
    }
}
