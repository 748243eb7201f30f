//! What a run of the machine must have come to: the facts that the properties judge it by, worked out from its
//! events alone.

use crate::fixtures::MAIN;
use crate::simulation::{Simulation, Step};
use lastout_core::machine::{Action, Event, Job, Note, SidecarId};
use lastout_core::outcome::Outcome;
use lastout_core::signal::Signal;
use std::time::Duration;

/// A simulation and what happened in it. Moments are indices of steps.
pub struct Trace {
    pub simulation: Simulation,
    pub steps: Vec<Step>,
    /// Main began.
    pub started: Option<usize>,
    /// Main was reaped, for the first time.
    pub reaped: Option<usize>,
    /// We left, and how.
    pub exit: usize,
    pub outcome: Outcome,
}

/// One step of the stop.
pub struct Ask<'a> {
    pub at: usize,
    pub sidecars: &'a [SidecarId],
    pub deadline: Duration,
    pub terminating: bool,
}

impl Trace {
    pub fn of(simulation: Simulation) -> Self {
        let steps = simulation.run();
        let asked_to_start = steps.iter().position(|step| step.actions.contains(&Action::Start));
        let after = |begin: Option<usize>, wanted: &dyn Fn(Event) -> bool| {
            let begin = begin? + 1;
            steps[begin..].iter().position(|step| wanted(step.event)).map(|index| begin + index)
        };
        let answered =
            after(asked_to_start, &|event| matches!(event, Event::Started(MAIN) | Event::NotStarted(_)));
        let started = answered.filter(|index| steps[*index].event == Event::Started(MAIN));
        let reaped = after(started, &|event| matches!(event, Event::Reaped(MAIN, _)));
        let exit = steps.iter().position(|step| matches!(step.actions.last(), Some(Action::Exit(_))));
        let exit = exit.unwrap_or_else(|| panic!("every run ends: {simulation:#?} {steps:#?}"));
        let Some(Action::Exit(outcome)) = steps[exit].actions.last().cloned() else { panic!("just seen") };
        Self { simulation, steps, started, reaped, exit, outcome }
    }

    pub fn now(&self, index: usize) -> Duration {
        self.steps[index].now
    }

    /// Main lives when this happens.
    pub fn lives(&self, index: usize) -> bool {
        self.started.is_some_and(|started| started < index) && self.reaped.is_none_or(|reaped| index < reaped)
    }

    pub fn is_stop(&self, event: Event) -> bool {
        matches!(event, Event::Signal(signal) if self.simulation.settings.stop_signals.contains(&signal))
    }

    /// The pod may be going: the first stop signal, or what ended the gate.
    pub fn terminating(&self) -> Option<usize> {
        self.steps.iter().position(|step| self.is_wish(step))
    }

    /// A stop signal, or another one that ended the gate.
    fn is_wish(&self, step: &Step) -> bool {
        let ended_gate = matches!(step.event, Event::Signal(Signal::HUP | Signal::QUIT))
            && step.actions.contains(&Action::CloseGate);
        self.is_stop(step.event) || ended_gate
    }

    pub fn is_terminating_before(&self, index: usize) -> bool {
        self.terminating().is_some_and(|terminating| terminating < index)
    }

    /// The stop signals that count: those within 150 ms of one merge with it.
    pub fn stop_signals(&self) -> Vec<usize> {
        let mut stops: Vec<usize> = vec![];
        for at in (0..self.steps.len()).filter(|at| self.is_wish(&self.steps[*at])) {
            let window = Duration::from_millis(150);
            if stops.last().is_none_or(|first| self.now(at) >= self.now(*first) + window) {
                stops.push(at);
            }
        }
        stops
    }

    /// When a second stop signal cut the stop off.
    pub fn cut_off(&self) -> Option<usize> {
        self.actions().find(|(_, action)| **action == Action::Tell(Note::CutOff)).map(|(at, _)| at)
    }

    /// Each of our sidecars was reported as asked or done in between, both ends left out.
    pub fn all_reported(&self, after: usize, before: usize) -> bool {
        let steps = &self.steps[after + 1..before.max(after + 1)];
        (0..self.simulation.settings.sidecars.len()).all(|sidecar| {
            steps.iter().any(|step| match step.event {
                Event::Asked(SidecarId(index)) | Event::SidecarDone(SidecarId(index), _) => index == sidecar,
                _ => false,
            })
        })
    }

    /// All actions and when they were wanted.
    pub fn actions(&self) -> impl Iterator<Item = (usize, &Action)> {
        self.steps
            .iter()
            .enumerate()
            .flat_map(|(index, step)| step.actions.iter().map(move |action| (index, action)))
    }

    pub fn asks(&self) -> Vec<Ask<'_>> {
        let ask = |(at, action)| match action {
            &Action::Ask { ref sidecars, deadline, terminating } => {
                Some(Ask { at, sidecars, deadline, terminating })
            }
            _ => None,
        };
        self.actions().filter_map(ask).collect()
    }

    /// The sidecars are ours to stop after this end, and there are some.
    pub fn covers(&self) -> bool {
        let Simulation { settings, last, job, .. } = &self.simulation;
        let last = settings.group.is_none() || *last;
        !settings.sidecars.is_empty()
            && match job {
                Job::Command | Job::GiveUp => last && settings.stop_on.covers(self.outcome),
                Job::Stop => true,
                // Who could not watch the mains does not know that they are out.
                Job::GuardSidecars => self.outcome == Outcome::Done,
                Job::Wait | Job::Guard => false,
            }
    }

    /// When the stop begins, or the run ends without one, after main's end: behind the leftovers, the group's answer and
    /// the linger.
    pub fn stop_is_due(&self, end: usize) -> usize {
        let Simulation { settings, job, .. } = &self.simulation;
        let left = self.pause_from(end, settings.leftovers, true);
        let member = settings.group.is_some() && *job == Job::Command;
        let answer = self.steps[left..].iter().position(|step| matches!(step.event, Event::Left(_)));
        let left = if member { left + answer.expect("the group answers") } else { left };
        if self.covers() { self.pause_from(left, settings.linger, false) } else { left }
    }

    /// What ends a pause that begins here: its time, or a stop signal, if none has come before.
    fn pause_from(&self, from: usize, pause: Duration, childless_counts: bool) -> usize {
        if pause.is_zero() || self.is_terminating_before(from + 1) {
            return from;
        }
        let end = self.now(from) + pause;
        let ends = |step: &Step| match step.event {
            Event::Tick => step.now >= end,
            Event::Childless => childless_counts,
            other => self.is_stop(other),
        };
        let at = from + 1 + self.steps[from + 1..].iter().position(ends).expect("a pause ends");
        assert!(self.now(at) <= end, "a pause of {pause:?} lasted {:?}", self.now(at) - self.now(from));
        at
    }

    /// All that must have been sent to main, and when.
    pub fn due_sends(&self) -> Vec<(usize, Signal)> {
        let mut sends = Sends { trace: self, list: vec![], held: vec![], kill_at: None, guarding: None };
        sends.guarding = (self.simulation.job == Job::Guard).then_some(None);
        let Some(started) = self.started else { return vec![] };
        let mut kept = vec![];
        for index in 0..started {
            let Event::Signal(signal) = self.steps[index].event else { continue };
            let starting = self.steps[..index].iter().any(|step| step.actions.contains(&Action::Start));
            let is_kept = match self.simulation.job {
                Job::Guard if !starting => self.is_stop(Event::Signal(signal)) && kept.is_empty(),
                _ => starting || self.simulation.pid1 || !(signal.stops_job() || signal == Signal::CONT),
            };
            if is_kept && (signal.is_real_time() || !kept.contains(&signal)) {
                kept.push(signal);
            }
        }
        kept.into_iter().for_each(|signal| sends.came(started, signal));
        for index in (started + 1)..self.reaped.unwrap_or(self.steps.len()) {
            match self.steps[index].event {
                Event::Signal(signal) => sends.came(index, signal),
                Event::MainsOut => sends.mains_out(index),
                Event::Tick => sends.tick(index),
                _ => {}
            }
        }
        sends.list
    }
}

/// The rules of signals, once more.
struct Sends<'a> {
    trace: &'a Trace,
    list: Vec<(usize, Signal)>,
    held: Vec<(Duration, Signal)>,
    kill_at: Option<Duration>,
    /// A guard while the mains are in, and the stop signal that waits for them.
    guarding: Option<Option<Signal>>,
}

impl Sends<'_> {
    fn came(&mut self, index: usize, signal: Signal) {
        if self.trace.is_stop(Event::Signal(signal)) {
            match self.guarding {
                Some(None) => return self.guarding = Some(Some(signal)),
                // It merges with the one that is held back already. What was kept came with the first of it.
                Some(Some(_)) if !self.trace.stop_signals().contains(&index) => return,
                Some(Some(_)) => self.guarding = None,
                None => {}
            }
        }
        match self.trace.simulation.settings.delays.iter().rfind(|rule| rule.0 == signal) {
            Some((_, delay)) if !delay.is_zero() => self.held.push((self.trace.now(index) + *delay, signal)),
            _ => self.send(index, signal),
        }
    }

    fn mains_out(&mut self, index: usize) {
        if self.trace.simulation.job == Job::Guard {
            self.arm(index);
        }
        let Some(held) = self.guarding.take() else { return };
        self.send(index, held.unwrap_or(self.trace.simulation.settings.stop_signals[0]));
    }

    fn tick(&mut self, index: usize) {
        let now = self.trace.now(index);
        let kill = self.kill_at.take_if(|at| *at <= now).is_some();
        let (due, held) = self.held.iter().partition(|(at, _)| *at <= now);
        self.held = held;
        let due: Vec<(Duration, Signal)> = due;
        due.into_iter().for_each(|(_, signal)| self.send(index, signal));
        if kill {
            self.list.push((index, Signal::KILL));
        }
    }

    fn send(&mut self, index: usize, signal: Signal) {
        let rule = self.trace.simulation.settings.rewrites.iter().rfind(|rule| rule.0 == signal);
        let Some(sent) = rule.map_or(Some(signal), |rule| rule.1) else { return };
        if self.trace.is_stop(Event::Signal(signal)) {
            self.arm(index);
        }
        self.list.push((index, sent));
    }

    fn arm(&mut self, index: usize) {
        if let Some(grace) = self.trace.simulation.settings.grace {
            self.kill_at.get_or_insert(self.trace.now(index) + grace);
        }
    }
}
