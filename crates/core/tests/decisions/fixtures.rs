//! What the tests have in common: short words for signals, times, specs and settings, and a machine to try them on.

use lastout_core::machine::{Action, Event, Job, Machine, PhaseName, Pid, SidecarId};
use lastout_core::outcome::{Ended, Outcome};
use lastout_core::settings::{Group, Settings, Verb};
use lastout_core::signal::Signal;
use lastout_core::spec::Spec;
use std::time::Duration;

pub const MAIN: Pid = 77;
pub const USR1: Signal = Signal::USR1;
pub const USR2: Signal = Signal::USR2;

pub fn signal(number: i32) -> Signal {
    Signal::new(number).expect("1 to 64")
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn spec(text: &str) -> Spec {
    Spec::parse(text, &|_| None).unwrap_or_else(|why| panic!("{text}: {why}"))
}

pub fn exited(code: u8) -> Outcome {
    Outcome::Main(Ended::Exited(code))
}

/// Settings of the main job with one sidecar per order.
pub fn settings(orders: &[u32]) -> Settings {
    let mut settings = Settings::defaults(Verb::Run);
    let sidecar = |order| spec(&format!("x:ready=none,quit=http://127.0.0.1:9/quit,order={order}"));
    settings.sidecars = orders.iter().map(sidecar).collect();
    settings
}

pub fn group() -> Option<Group> {
    Some(Group { dir: b"/run/group".to_vec(), size: 2, name: Some("a".into()), wait: None })
}

/// A machine whose clock and events are the test's.
pub struct TestMachine {
    machine: Machine,
    now: Duration,
}

impl TestMachine {
    /// Before the first event.
    pub fn new(job: Job, settings: &Settings, pid1: bool) -> Self {
        Self { machine: Machine::new(job, settings, pid1), now: ms(0) }
    }

    /// A main job as PID 1 whose gate is already open, and whose main runs.
    pub fn running(settings: &Settings) -> Self {
        let mut machine = Self::new(Job::Command, &Settings { gate: false, ..settings.clone() }, true);
        assert_eq!(machine.on(Event::Begin), [Action::Start]);
        assert_eq!(machine.on(Event::Started(MAIN)), []);
        machine
    }

    /// The same, outside PID 1.
    pub fn running_outside(settings: &Settings) -> Self {
        let mut machine = Self::new(Job::Command, &Settings { gate: false, ..settings.clone() }, false);
        assert_eq!(machine.on(Event::Begin), [Action::Start]);
        assert_eq!(machine.on(Event::Started(MAIN)), []);
        machine
    }

    /// A main job as PID 1 whose gate is closed.
    pub fn waiting(settings: &Settings) -> Self {
        let mut machine = Self::new(Job::Command, settings, true);
        assert_eq!(machine.on(Event::Begin), [Action::OpenGate]);
        machine
    }

    /// Now.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        self.machine.on(self.now, event)
    }

    pub fn signal(&mut self, signal: Signal) -> Vec<Action> {
        self.on(Event::Signal(signal))
    }

    /// Main ends by this code; what follows `TakeTerminal`.
    pub fn main_exits(&mut self, code: u8) -> Vec<Action> {
        let mut actions = self.on(Event::Reaped(MAIN, Ended::Exited(code)));
        assert_eq!(actions.remove(0), Action::TakeTerminal);
        actions
    }

    /// Lets time pass, which nothing happens in.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        assert!(self.machine.deadline().is_none_or(|at| at >= self.now), "a deadline was passed over");
        self
    }

    /// Goes to the next deadline: the moment, and what is done then.
    pub fn tick(&mut self) -> (Duration, Vec<Action>) {
        self.now = self.machine.deadline().expect("something is timed");
        (self.now, self.on(Event::Tick))
    }

    pub fn passes(&self, signal: Signal) -> Option<(Pid, Signal)> {
        self.machine.passes(signal)
    }

    pub fn deadline(&self) -> Option<Duration> {
        self.machine.deadline()
    }

    pub fn phase(&self) -> PhaseName {
        self.machine.phase()
    }
}

/// The step of the stop: these sidecars, until then.
pub fn ask(sidecars: &[usize], deadline: Duration, terminating: bool) -> Action {
    Action::Ask { sidecars: sidecars.iter().copied().map(SidecarId).collect(), deadline, terminating }
}
