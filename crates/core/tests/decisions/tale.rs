//! What a story of the machine must have come to: the facts that the properties judge it by, worked out from its
//! events alone.

use crate::scene::MAIN;
use crate::world::{Entry, World};
use lastout_core::machine::{Action, Event, Job, Note};
use lastout_core::outcome::Outcome;
use lastout_core::signal::Signal;
use std::time::Duration;

/// A world and what happened in it. Moments are indices of entries.
pub struct Tale {
    pub world: World,
    pub story: Vec<Entry>,
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
    pub sidecars: &'a [usize],
    pub deadline: Duration,
    pub hurried: bool,
}

impl Tale {
    pub fn of(world: World) -> Self {
        let story = world.play();
        let asked_to_start = story.iter().position(|entry| entry.actions.contains(&Action::Start));
        let after = |begin: Option<usize>, wanted: &dyn Fn(Event) -> bool| {
            let begin = begin? + 1;
            story[begin..].iter().position(|entry| wanted(entry.event)).map(|index| begin + index)
        };
        let answered =
            after(asked_to_start, &|event| matches!(event, Event::Started(MAIN) | Event::NotStarted(_)));
        let started = answered.filter(|index| story[*index].event == Event::Started(MAIN));
        let reaped = after(started, &|event| matches!(event, Event::Reaped(MAIN, _)));
        let exit = story.iter().position(|entry| matches!(entry.actions.last(), Some(Action::Exit(_))));
        let exit = exit.unwrap_or_else(|| panic!("every run ends: {world:#?} {story:#?}"));
        let Some(Action::Exit(outcome)) = story[exit].actions.last().cloned() else { panic!("just seen") };
        Self { world, story, started, reaped, exit, outcome }
    }

    pub fn now(&self, index: usize) -> Duration {
        self.story[index].now
    }

    /// Main lives when this happens.
    pub fn lives(&self, index: usize) -> bool {
        self.started.is_some_and(|started| started < index) && self.reaped.is_none_or(|reaped| index < reaped)
    }

    pub fn is_stop(&self, event: Event) -> bool {
        matches!(event, Event::Signal(signal) if self.world.settings.stop_signals.contains(&signal))
    }

    /// The pod may be going: the first stop signal, or what ended the gate.
    pub fn hurried(&self) -> Option<usize> {
        self.story.iter().position(|entry| self.is_wish(entry))
    }

    /// A stop signal, or another one that ended the gate.
    fn is_wish(&self, entry: &Entry) -> bool {
        let ended_gate = matches!(entry.event, Event::Signal(Signal::HUP | Signal::QUIT))
            && entry.actions.contains(&Action::CloseGate);
        self.is_stop(entry.event) || ended_gate
    }

    pub fn is_hurried_before(&self, index: usize) -> bool {
        self.hurried().is_some_and(|hurried| hurried < index)
    }

    /// The first stop signal of each press: those within 150 ms of it belong to it.
    pub fn presses(&self) -> Vec<usize> {
        let mut presses: Vec<usize> = vec![];
        for at in (0..self.story.len()).filter(|at| self.is_wish(&self.story[*at])) {
            let window = Duration::from_millis(150);
            if presses.last().is_none_or(|first| self.now(at) >= self.now(*first) + window) {
                presses.push(at);
            }
        }
        presses
    }

    /// When a second press cut the stop off.
    pub fn cut_off(&self) -> Option<usize> {
        self.actions().find(|(_, action)| **action == Action::Tell(Note::CutOff)).map(|(at, _)| at)
    }

    /// Each of our sidecars was reported as asked or done in between, both ends left out.
    pub fn all_reported(&self, after: usize, before: usize) -> bool {
        let entries = &self.story[after + 1..before.max(after + 1)];
        (0..self.world.settings.sidecars.len()).all(|sidecar| {
            entries.iter().any(|entry| match entry.event {
                Event::Asked(index) | Event::SidecarDone(index, _) => index == sidecar,
                _ => false,
            })
        })
    }

    /// All actions and when they were wanted.
    pub fn actions(&self) -> impl Iterator<Item = (usize, &Action)> {
        self.story
            .iter()
            .enumerate()
            .flat_map(|(index, entry)| entry.actions.iter().map(move |action| (index, action)))
    }

    pub fn asks(&self) -> Vec<Ask<'_>> {
        let ask = |(at, action)| match action {
            &Action::Ask { ref sidecars, deadline, hurried } => Some(Ask { at, sidecars, deadline, hurried }),
            _ => None,
        };
        self.actions().filter_map(ask).collect()
    }

    /// The sidecars are ours to stop after this end, and there are some.
    pub fn covers(&self) -> bool {
        let World { settings, last, job, .. } = &self.world;
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
        let World { settings, job, .. } = &self.world;
        let left = self.pause_from(end, settings.leftovers, true);
        let member = settings.group.is_some() && *job == Job::Command;
        let answer = self.story[left..].iter().position(|entry| matches!(entry.event, Event::Left(_)));
        let left = if member { left + answer.expect("the world answers") } else { left };
        if self.covers() { self.pause_from(left, settings.linger, false) } else { left }
    }

    /// What ends a pause that begins here: its time, or a stop signal, if none has come before.
    fn pause_from(&self, from: usize, pause: Duration, childless_counts: bool) -> usize {
        if pause.is_zero() || self.is_hurried_before(from + 1) {
            return from;
        }
        let end = self.now(from) + pause;
        let ends = |entry: &Entry| match entry.event {
            Event::Tick => entry.now >= end,
            Event::Childless => childless_counts,
            other => self.is_stop(other),
        };
        let at = from + 1 + self.story[from + 1..].iter().position(ends).expect("a pause ends");
        assert!(self.now(at) <= end, "a pause of {pause:?} lasted {:?}", self.now(at) - self.now(from));
        at
    }

    /// All that must have been sent to main, and when.
    pub fn due_sends(&self) -> Vec<(usize, Signal)> {
        let mut sends = Sends { tale: self, list: vec![], held: vec![], kill_at: None, guarding: None };
        sends.guarding = (self.world.job == Job::Guard).then_some(None);
        let Some(started) = self.started else { return vec![] };
        let mut kept = vec![];
        for index in 0..started {
            let Event::Signal(signal) = self.story[index].event else { continue };
            let starting = self.story[..index].iter().any(|entry| entry.actions.contains(&Action::Start));
            let is_kept = match self.world.job {
                Job::Guard if !starting => self.is_stop(Event::Signal(signal)) && kept.is_empty(),
                _ => starting || self.world.pid1 || !(signal.stops_job() || signal == Signal::CONT),
            };
            if is_kept && (signal.is_real_time() || !kept.contains(&signal)) {
                kept.push(signal);
            }
        }
        kept.into_iter().for_each(|signal| sends.came(started, signal));
        for index in (started + 1)..self.reaped.unwrap_or(self.story.len()) {
            match self.story[index].event {
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
    tale: &'a Tale,
    list: Vec<(usize, Signal)>,
    held: Vec<(Duration, Signal)>,
    kill_at: Option<Duration>,
    /// A guard while the mains are in, and the stop signal that waits for them.
    guarding: Option<Option<Signal>>,
}

impl Sends<'_> {
    fn came(&mut self, index: usize, signal: Signal) {
        if self.tale.is_stop(Event::Signal(signal)) {
            match self.guarding {
                Some(None) => return self.guarding = Some(Some(signal)),
                // Of the press that is held back already. What was kept came with the first of it.
                Some(Some(_)) if !self.tale.presses().contains(&index) => return,
                Some(Some(_)) => self.guarding = None,
                None => {}
            }
        }
        match self.tale.world.settings.delays.iter().rfind(|rule| rule.0 == signal) {
            Some((_, delay)) if !delay.is_zero() => self.held.push((self.tale.now(index) + *delay, signal)),
            _ => self.send(index, signal),
        }
    }

    fn mains_out(&mut self, index: usize) {
        if self.tale.world.job == Job::Guard {
            self.arm(index);
        }
        let Some(held) = self.guarding.take() else { return };
        self.send(index, held.unwrap_or(self.tale.world.settings.stop_signals[0]));
    }

    fn tick(&mut self, index: usize) {
        let now = self.tale.now(index);
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
        let rule = self.tale.world.settings.rewrites.iter().rfind(|rule| rule.0 == signal);
        let Some(sent) = rule.map_or(Some(signal), |rule| rule.1) else { return };
        if self.tale.is_stop(Event::Signal(signal)) {
            self.arm(index);
        }
        self.list.push((index, sent));
    }

    fn arm(&mut self, index: usize) {
        if let Some(grace) = self.tale.world.settings.grace {
            self.kill_at.get_or_insert(self.tale.now(index) + grace);
        }
    }
}
