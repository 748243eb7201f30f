//! A run of the machine in random surroundings: they answer what the machine asks for, let a random script of other
//! things happen, and deliver each tick at its time.

use crate::fixtures::{MAIN, group, settings, signal};
use lastout_core::machine::{Action, Event, Job, Machine, Note, PhaseName, SidecarId};
use lastout_core::outcome::{Ended, ExitMap, Outcome, StopOn};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub job: Job,
    pub pid1: bool,
    pub settings: Settings,
    /// What comes of [`Action::Start`].
    pub start: Result<(), Outcome>,
    /// Signals that come between a question of the machine and its answer.
    pub meanwhile: Vec<Signal>,
    /// We are the last one out of the group.
    pub last: bool,
    /// The mains of the group are in when the guard looks.
    pub mains_in: bool,
    /// What happens besides, each so long after the one before.
    pub script: Vec<(Duration, Event)>,
    /// How main ends, when the script does not end it.
    pub end: Ended,
}

/// One event and what the machine made of it.
#[derive(Clone, Debug)]
pub struct Step {
    pub now: Duration,
    pub before: PhaseName,
    pub event: Event,
    pub actions: Vec<Action>,
    pub after: PhaseName,
    pub deadline: Option<Duration>,
}

/// Ticks at one and the same moment; more of them make a machine that burns the processor.
const TICKS_AT_ONCE: usize = 8;

impl Simulation {
    /// The whole run, up to the exit and what of the script is left then.
    pub fn run(&self) -> Vec<Step> {
        let mut machine = Machine::new(self.job, &self.settings, self.pid1);
        let mut answers = VecDeque::from([Event::Begin]);
        let mut script = self.whole_script().into_iter().peekable();
        let (mut now, mut ticks, mut steps) = (Duration::ZERO, 0, vec![]);
        loop {
            let event = match (answers.pop_front(), machine.deadline(), script.peek()) {
                (Some(answer), ..) => answer,
                (None, Some(due), next) if next.is_none_or(|(at, _)| due <= *at) => {
                    ticks = if due > now { 0 } else { ticks + 1 };
                    assert!(ticks < TICKS_AT_ONCE, "ticks at {now:?} without end: {steps:#?}");
                    now = now.max(due);
                    Event::Tick
                }
                (None, _, Some((at, event))) => {
                    (now, ticks) = (*at, 0);
                    let event = *event;
                    let _ = script.next();
                    event
                }
                (None, ..) => return steps,
            };
            let before = machine.phase();
            let short = match event {
                Event::Signal(signal) => machine.passes(signal).map(|to| (to, format!("{machine:?}"))),
                _ => None,
            };
            // Sent by the terminal to our whole group, it means the same, and is not sent to main.
            let to_group = match event {
                Event::Signal(signal) => Some(machine.clone().on(now, Event::GroupSignal(signal))),
                _ => None,
            };
            let actions = machine.on(now, event);
            if let Some(to_group) = to_group {
                let but_sending: Vec<Action> =
                    actions.iter().filter(|action| !is_sending(action)).cloned().collect();
                let running = before == PhaseName::Running;
                assert_eq!(
                    &to_group,
                    if running { &but_sending } else { &actions },
                    "{event:?} in {before:?}"
                );
            }
            if let Some(((pid, sent), as_before)) = short {
                assert_eq!(
                    (&actions[..], format!("{machine:?}")),
                    (&[Action::Send(pid, sent)][..], as_before)
                );
            }
            for action in &actions {
                if let Some(answer) = self.answer(action) {
                    answers.extend(self.meanwhile.iter().map(|signal| Event::Signal(*signal)));
                    answers.push_back(answer);
                }
            }
            let (after, deadline) = (machine.phase(), machine.deadline());
            steps.push(Step { now, before, event, actions, after, deadline });
        }
    }

    fn answer(&self, action: &Action) -> Option<Event> {
        match action {
            Action::Start => Some(match self.start {
                Ok(()) => Event::Started(MAIN),
                Err(outcome) => Event::NotStarted(outcome),
            }),
            Action::LeaveGroup(_) => Some(Event::Left(self.last)),
            Action::LookAtGroup if self.mains_in => Some(Event::MainsIn),
            Action::LookAtGroup => Some(Event::MainsOut),
            Action::WatchGroup if !self.mains_in => Some(Event::MainsOut),
            _ => None,
        }
    }

    /// The script by the clock, with an end that every run has to come to.
    fn whole_script(&self) -> Vec<(Duration, Event)> {
        let mut at = Duration::ZERO;
        let mut script: Vec<_> =
            self.script.iter().map(|(gap, event)| (advance(&mut at, *gap), *event)).collect();
        let open = (0..self.settings.sidecars.len()).map(|index| Event::Open(SidecarId(index)));
        script.extend(open.chain([Event::MainsOut, Event::Reaped(MAIN, self.end)]).map(|event| (at, event)));
        script
    }
}

fn advance(at: &mut Duration, gap: Duration) -> Duration {
    *at += gap;
    *at
}

pub fn a_simulation() -> impl Strategy<Value = Simulation> {
    let parts = (a_job(), any::<bool>(), some_settings(), option::weighted(0.2, an_outcome()));
    let more =
        (vec(a_signal(), 0..3), any::<bool>(), any::<bool>(), vec((a_gap(), an_event()), 0..40), an_end());
    (parts, more).prop_map(|((job, pid1, settings, failure), (meanwhile, last, mains_in, script, end))| {
        Simulation {
            job,
            pid1,
            settings,
            start: failure.map_or(Ok(()), Err),
            meanwhile,
            last,
            mains_in,
            script,
            end,
        }
    })
}

pub fn a_job() -> impl Strategy<Value = Job> {
    prop_oneof![
        8 => Just(Job::Command),
        1 => Just(Job::Wait),
        2 => Just(Job::Stop),
        3 => Just(Job::Guard),
        2 => Just(Job::GuardSidecars),
        1 => Just(Job::GiveUp),
    ]
}

pub fn a_signal() -> impl Strategy<Value = Signal> {
    let usual = [1, 2, 3, 10, 12, 15, 15, 18, 20, 28, 34, 64].map(signal);
    prop_oneof![4 => prop::sample::select(usual.to_vec()), 1 => (1..=64).prop_map(signal)]
}

fn a_gap() -> impl Strategy<Value = Duration> {
    prop_oneof![2 => Just(0), 3 => 1..100u64, 2 => 100..3_000u64].prop_map(Duration::from_millis)
}

fn an_end() -> impl Strategy<Value = Ended> {
    prop_oneof![
        3 => Just(Ended::Exited(0)),
        2 => (0..=255u8).prop_map(Ended::Exited),
        1 => a_signal().prop_map(Ended::Killed),
    ]
}

fn an_outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![Outcome::NotFound, Outcome::CannotExecute, Outcome::Internal])
}

/// About sending main a signal.
fn is_sending(action: &Action) -> bool {
    matches!(
        action,
        Action::Send(..) | Action::HandTerminal(_) | Action::Tell(Note::Delayed(..) | Note::Dropped(_))
    )
}

/// What may happen at any time; also what never should, such as an answer that nobody asked for.
pub fn an_event() -> impl Strategy<Value = Event> {
    let wild = vec![Event::Begin, Event::Started(5), Event::NotStarted(Outcome::NotFound), Event::Left(true)];
    prop_oneof![
        12 => a_signal().prop_map(Event::Signal),
        6 => (0..5usize).prop_map(|index| Event::Open(SidecarId(index))),
        3 => (0..5usize).prop_map(|index| Event::Asked(SidecarId(index))),
        6 => (0..5usize, any::<bool>()).prop_map(|(sidecar, good)| Event::SidecarDone(SidecarId(sidecar), good)),
        2 => an_end().prop_map(|end| Event::Reaped(MAIN, end)),
        1 => an_end().prop_map(|end| Event::Reaped(MAIN + 1, end)),
        1 => (MAIN..MAIN + 2).prop_map(|pid| Event::Stopped(pid, Signal::TSTP)),
        1 => Just(Event::Childless),
        1 => Just(Event::MainsIn),
        1 => Just(Event::MainsOut),
        1 => Just(Event::Tick),
        1 => prop::sample::select(wild),
    ]
}

pub fn some_settings() -> impl Strategy<Value = Settings> {
    let signals = (
        vec(prop::sample::select(vec![Signal::TERM, Signal::INT, Signal::USR2]), 1..3),
        vec((a_signal(), option::of(a_signal())), 0..3),
        vec((a_signal(), a_time()), 0..3),
        option::of(a_time()),
    );
    let times = (option::of(a_time()), (50..5_000u64).prop_map(Duration::from_millis), a_time(), a_time());
    let codes = vec((any::<u8>(), any::<u8>()), 0..3).prop_map(StopOn::Codes);
    let stop_on = prop_oneof![4 => Just(StopOn::Always), 2 => Just(StopOn::Success), 1 => Just(StopOn::Never), 1 => codes];
    let orders = vec(prop::sample::select(vec![10, 20, 90]), 0..5);
    let rest = (orders, stop_on, vec((any::<u8>(), any::<u8>()), 0..3), any::<[bool; 3]>());
    (signals, times, rest).prop_map(
        |(signals, times, (orders, stop_on, map_exit, [gate, run_unready, grouped]))| Settings {
            wait_timeout: times.0,
            run_unready,
            gate,
            stop_on,
            stop_timeout: times.1,
            linger: times.2,
            leftovers: times.3,
            stop_signals: signals.0,
            rewrites: signals.1,
            delays: signals.2,
            grace: signals.3,
            map_exit: ExitMap(map_exit),
            group: group().filter(|_| grouped),
            ..settings(&orders)
        },
    )
}

fn a_time() -> impl Strategy<Value = Duration> {
    prop_oneof![1 => Just(0), 2 => 1..2_000u64].prop_map(Duration::from_millis)
}
