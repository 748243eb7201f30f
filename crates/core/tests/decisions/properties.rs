//! What holds of every run, whatever happens in it.

use crate::fixtures::{MAIN, ms};
use crate::simulation::{Simulation, a_job, a_simulation, an_event, some_settings};
use crate::trace::Trace;
use lastout_core::machine::{Action, Event, Job, Machine, Note, PhaseName, SidecarId};
use lastout_core::outcome::{Outcome, StopOn};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

fn a_trace() -> impl Strategy<Value = Trace> {
    a_simulation().prop_map(Trace::of)
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Simulation { settings, .. } = &self.simulation;
        let brief = Simulation {
            settings: Settings { sidecars: vec![], ..settings.clone() },
            ..self.simulation.clone()
        };
        writeln!(f, "{} sidecars, {brief:#?}", settings.sidecars.len())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step:?}"))
    }
}

proptest! {
    #[test]
    fn a_run_exits_once_and_nothing_follows(trace in a_trace()) {
        let exits = trace.actions().filter(|(_, action)| matches!(action, Action::Exit(_))).count();
        prop_assert_eq!(exits, 1);
        for step in &trace.steps[trace.exit + 1..] {
            prop_assert!(step.actions.is_empty() && step.deadline.is_none() && step.after == PhaseName::Exit);
        }
    }

    #[test]
    fn phases_never_go_back(trace in a_trace()) {
        prop_assert!(trace.steps.iter().all(|step| step.before <= step.after));
    }

    #[test]
    fn a_tick_at_its_time_gets_on_and_nothing_is_timed_while_main_runs_alone(trace in a_trace()) {
        for step in &trace.steps {
            let gets_on = step.before != step.after || step.deadline.is_none_or(|at| at > step.now);
            prop_assert!(step.event != Event::Tick || gets_on || step.after == PhaseName::Running);
        }
        let Settings { delays, grace, .. } = &trace.simulation.settings;
        if delays.is_empty() && grace.is_none() {
            let running = trace.steps.iter().filter(|step| step.after == PhaseName::Running);
            prop_assert!(running.into_iter().all(|step| step.deadline.is_none()));
        }
    }

    #[test]
    fn main_is_started_once_at_most_and_nothing_is_sent_to_it_before_or_after_its_reap(trace in a_trace()) {
        let starts = trace.actions().filter(|(_, action)| **action == Action::Start).count();
        prop_assert!(starts <= 1);
        for (at, action) in trace.actions() {
            if let Action::Send(pid, _) | Action::HandTerminal(pid) = action {
                prop_assert_eq!(*pid, MAIN);
                prop_assert!(trace.lives(at) || trace.started == Some(at));
            }
            prop_assert!(*action != Action::TakeTerminal || trace.reaped == Some(at));
        }
        let taken = trace.actions().filter(|(_, action)| **action == Action::TakeTerminal).count();
        prop_assert_eq!(taken, usize::from(trace.reaped.is_some()));
    }

    #[test]
    fn what_comes_while_main_runs_or_was_kept_for_it_is_sent_once_and_at_its_time(trace in a_trace()) {
        let sent = |(at, action): (usize, &Action)| match action {
            Action::Send(_, signal) => Some((at, *signal)),
            _ => None,
        };
        prop_assert_eq!(trace.actions().filter_map(sent).collect::<Vec<_>>(), trace.due_sends());
        for step in &trace.steps {
            let killed = step.actions.contains(&Action::Tell(Note::Killed));
            prop_assert!(!killed || step.actions.last() == Some(&Action::Send(MAIN, Signal::KILL)));
        }
    }

    #[test]
    fn the_first_reap_of_main_decides_the_outcome(trace in a_trace()) {
        let Some(reaped) = trace.reaped else { return Ok(()) };
        let Event::Reaped(_, ended) = trace.steps[reaped].event else { panic!("it is one") };
        let own = trace.simulation.settings.map_exit.apply(ended);
        let asked = |at: usize| matches!(trace.steps[at].event, Event::MainsOut | Event::Signal(_));
        let may_be_asked = trace.simulation.job == Job::Guard && (0..reaped).any(asked);
        prop_assert!(trace.outcome == own || may_be_asked && trace.outcome == Outcome::Done);
        let out = (0..reaped).any(|at| trace.lives(at) && trace.steps[at].event == Event::MainsOut);
        prop_assert!(!(out && trace.simulation.job == Job::Guard) || trace.outcome == Outcome::Done);
    }

    #[test]
    fn an_end_before_main_keeps_its_own_reason(trace in a_trace()) {
        if trace.reaped.is_some() {
            return Ok(());
        }
        let gate_ended = trace.steps.iter().find(|step| step.actions.contains(&Action::CloseGate));
        let started = trace.actions().any(|(_, action)| *action == Action::Start);
        let ended = gate_ended.unwrap_or(&trace.steps[trace.exit]).event;
        let expected: &[Outcome] = match (trace.simulation.job, started, ended) {
            (Job::GiveUp, ..) => &[Outcome::Internal],
            (Job::Stop, ..) => &[Outcome::Done, Outcome::NotStopped],
            (_, true, _) => &[trace.simulation.start.expect_err("main was not reaped")],
            (_, false, Event::NotStarted(outcome)) => &[outcome],
            (Job::Command | Job::Wait, false, Event::Signal(signal)) => &[Outcome::Signalled(signal)],
            (Job::Command | Job::Wait, false, Event::Tick) if !trace.simulation.settings.run_unready => {
                &[Outcome::WaitTimeout]
            }
            (_, false, _) => &[Outcome::Done],
        };
        prop_assert!(expected.contains(&trace.outcome), "{:?}", trace.outcome);
    }

    #[test]
    fn main_starts_only_behind_an_open_gate_and_never_after_a_signal_that_ends_the_waiting(trace in a_trace()) {
        let Some((start, _)) = trace.actions().find(|(_, action)| **action == Action::Start) else { return Ok(()) };
        let Settings { gate, sidecars, run_unready, wait_timeout, .. } = &trace.simulation.settings;
        if trace.simulation.job == Job::Guard || !gate || sidecars.is_empty() {
            return Ok(());
        }
        let before = &trace.steps[..=start];
        let opened = (0..sidecars.len()).all(|sidecar| before.iter().any(|step| step.event == Event::Open(SidecarId(sidecar))));
        let probed = before.iter().position(|step| step.actions == [Action::LastProbe]);
        let late = *run_unready
            && wait_timeout.zip(probed).is_some_and(|(timeout, probed)| {
                trace.now(probed) >= timeout && trace.now(start) >= trace.now(probed) + ms(100)
            });
        prop_assert!(opened || late);
        for step in before {
            let ends = matches!(step.event, Event::Signal(Signal::HUP | Signal::QUIT)) || trace.is_stop(step.event);
            prop_assert!(!ends, "{:?}", step);
        }
        prop_assert_eq!(&trace.steps[start].actions[0], &Action::CloseGate, "no thread is there at the spawn");
    }

    #[test]
    fn every_sidecar_is_asked_once_in_its_order_where_the_policy_covers_the_end_and_else_none(trace in a_trace()) {
        let asks = trace.asks();
        if !trace.covers() {
            prop_assert!(asks.is_empty());
            return Ok(());
        }
        let sidecars = &trace.simulation.settings.sidecars;
        let mut asked = vec![];
        for ask in &asks {
            let orders: Vec<u32> = ask.sidecars.iter().map(|index| sidecars[index.0].order).collect();
            let step_by_step = trace.cut_off() != Some(ask.at);
            prop_assert!(!step_by_step || orders.windows(2).all(|pair| pair[0] == pair[1]), "all of a step at once");
            prop_assert!(asked.last().is_none_or(|last: &SidecarId| sidecars[last.0].order < orders[0]));
            asked.extend_from_slice(ask.sidecars);
        }
        // Cut off or not: those of later steps are asked as well, unless each was reported before its turn.
        if trace.cut_off().is_some_and(|cut| trace.all_reported(asks[0].at, cut)) {
            prop_assert_eq!(trace.cut_off(), Some(trace.exit));
            return Ok(());
        }
        asked.sort_unstable();
        prop_assert_eq!(asked, (0..sidecars.len()).map(SidecarId).collect::<Vec<_>>());
    }

    #[test]
    fn a_step_has_its_share_of_the_budget_and_the_whole_stop_ends_in_time(trace in a_trace()) {
        let cut = trace.cut_off().unwrap_or(usize::MAX);
        let asks: Vec<_> = trace.asks().into_iter().filter(|ask| ask.at < cut).collect();
        let Some(first) = asks.first() else { return Ok(()) };
        let mut orders: Vec<u32> = trace.simulation.settings.sidecars.iter().map(|spec| spec.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let end = trace.now(first.at) + trace.simulation.settings.stop_timeout;
        for (index, ask) in asks.iter().enumerate() {
            let now = trace.now(ask.at);
            let steps = u32::try_from(orders.len() - index).unwrap();
            prop_assert_eq!(ask.deadline, now + end.saturating_sub(now) / steps);
            let next = asks.get(index + 1).map_or(trace.exit.min(cut), |next| next.at);
            prop_assert!(trace.now(next) <= ask.deadline + ms(500), "a worker that does not report is left behind");
        }
    }

    #[test]
    fn leftovers_and_linger_last_as_long_as_they_should_and_no_longer_than_to_a_stop_signal(trace in a_trace()) {
        let Some(reaped) = trace.reaped else { return Ok(()) };
        let leaves = trace.asks().first().map_or(trace.exit, |ask| ask.at);
        prop_assert_eq!(leaves, trace.stop_is_due(reaped));
    }

    #[test]
    fn nothing_is_put_off_where_main_never_ran(trace in a_trace()) {
        let pauses = trace.steps.iter().any(|step| step.after == PhaseName::Lingering);
        prop_assert!(!pauses || trace.reaped.is_some());
        let leftovers = trace.actions().find(|(_, action)| **action == Action::TermLeftovers);
        prop_assert!(leftovers.is_none_or(|(at, _)| trace.reaped == Some(at)));
    }

    #[test]
    fn an_ask_knows_whether_the_pod_may_be_going_and_hears_of_it_later(trace in a_trace()) {
        for ask in trace.asks() {
            prop_assert_eq!(ask.terminating, trace.is_terminating_before(ask.at + 1));
        }
        let Some(first) = trace.asks().first().map(|ask| ask.at) else { return Ok(()) };
        let told: Vec<usize> =
            trace.actions().filter(|(at, action)| *at > first && **action == Action::Terminating).map(|(at, _)| at).collect();
        let later = trace.terminating().filter(|at| (first + 1..=trace.exit).contains(at));
        prop_assert_eq!(told, Vec::from_iter(later));
    }

    #[test]
    fn the_second_stop_signal_since_mains_end_ends_the_stop(trace in a_trace()) {
        let (Some(reaped), Some(first)) = (trace.reaped, trace.asks().first().map(|ask| ask.at)) else { return Ok(()) };
        let stops = trace.stop_signals().into_iter().filter(|at| (reaped + 1..=trace.exit).contains(at));
        // One that came while the group was being left or a pause was cut counts as the first, however often.
        let early = stops.clone().filter(|at| *at <= first).count().min(1);
        let cut = stops.filter(|at| *at > first).nth(1 - early);
        prop_assert_eq!(trace.cut_off(), cut);
        prop_assert!(cut.is_none_or(|cut| trace.now(trace.exit) <= trace.now(cut) + ms(300)));
    }

    #[test]
    fn a_stop_that_was_cut_off_ends_when_each_was_asked_or_after_300_ms_or_by_a_third_stop_signal(trace in a_trace()) {
        let Some(cut) = trace.cut_off() else { return Ok(()) };
        let asks = trace.asks();
        let stops = trace.stop_signals();
        prop_assert!(stops.contains(&cut), "one that counts");
        let until = trace.now(cut) + ms(300);
        for ask in asks.iter().filter(|ask| ask.at == cut) {
            prop_assert!(ask.deadline == until && ask.terminating && !ask.sidecars.is_empty());
        }
        let over = |at: &usize| {
            let late = trace.steps[*at].event == Event::Tick && trace.now(*at) >= until;
            trace.all_reported(asks[0].at, at + 1) || late || *at > cut && stops.contains(at)
        };
        prop_assert_eq!((cut..trace.steps.len()).find(over), Some(trace.exit));
        prop_assert!(asks.iter().all(|ask| ask.at <= cut), "nothing more is begun");
    }

    #[test]
    fn stop_signals_that_merge_are_said_to_and_do_nothing_else(trace in a_trace()) {
        let stops = trace.stop_signals();
        for (at, action) in trace.actions() {
            let Action::Tell(Note::Merged(signal)) = action else { continue };
            let step = &trace.steps[at];
            // What was kept for a guard's sidecar is heard when that begins.
            if step.event != Event::Started(MAIN) {
                prop_assert_eq!((step.event, step.actions.len()), (Event::Signal(*signal), 1));
                prop_assert!(!stops.contains(&at) && step.before == step.after);
            }
            prop_assert!(trace.simulation.job == Job::Guard || !trace.lives(at), "main gets every one");
        }
    }

    #[test]
    fn a_last_probe_is_taken_at_the_end_of_the_wait_and_100_ms_before_it_is_given_up(trace in a_trace()) {
        let probes: Vec<usize> =
            trace.actions().filter(|(_, action)| **action == Action::LastProbe).map(|(at, _)| at).collect();
        let timeout = trace.actions().find(|(_, action)| **action == Action::TellTimeout).map(|(at, _)| at);
        prop_assert!(probes.len() <= 1 && (timeout.is_none() || !probes.is_empty()));
        let Some(probe) = probes.first() else { return Ok(()) };
        prop_assert_eq!(&trace.steps[*probe].actions, &[Action::LastProbe]);
        prop_assert_eq!(Some(trace.now(*probe)), trace.simulation.settings.wait_timeout);
        prop_assert!(timeout.is_none_or(|at| trace.now(at) == trace.now(*probe) + ms(100)));
    }

    #[test]
    fn stop_alone_succeeds_only_when_every_sidecar_was_reported_gone(trace in a_trace()) {
        if trace.simulation.job != Job::Stop {
            return Ok(());
        }
        let asks = trace.asks();
        let gone = asks.iter().enumerate().all(|(index, ask)| {
            let end = asks.get(index + 1).map_or(trace.exit, |next| next.at);
            let rest = &trace.steps[ask.at + 1..=end];
            ask.sidecars.iter().all(|at| rest.iter().any(|step| step.event == Event::SidecarDone(*at, true)))
        });
        let last = asks.first().map_or(trace.exit, |ask| ask.at);
        let bad = |step: &crate::simulation::Step| matches!(step.event, Event::SidecarDone(SidecarId(_), false));
        let none_bad = !trace.steps[last..=trace.exit].iter().any(bad);
        let cut_off = trace.cut_off().is_some();
        let expected = if gone && none_bad && !cut_off { Outcome::Done } else { Outcome::NotStopped };
        prop_assert_eq!(trace.outcome, expected);
    }

    #[test]
    fn any_event_at_any_time_is_answered(
        job in a_job(),
        pid1: bool,
        settings in some_settings(),
        events in vec((0..100_000u64, an_event()), 0..200),
        years: bool,
    ) {
        let far = Duration::from_secs(10 * 365 * 24 * 3600);
        let mut settings = Settings { stop_on: StopOn::Always, ..settings };
        if years {
            settings = Settings { wait_timeout: Some(far), stop_timeout: far, linger: far, grace: Some(far), ..settings };
        }
        let mut machine = Machine::new(job, &settings, pid1);
        let (mut now, mut phase, mut exits) = (Duration::ZERO, machine.phase(), 0);
        for (gap, event) in events {
            now += ms(gap);
            let actions = machine.on(now, event);
            exits += actions.iter().filter(|action| matches!(action, Action::Exit(_))).count();
            prop_assert!(exits == 0 || machine.phase() == PhaseName::Exit && machine.deadline().is_none());
            prop_assert!(exits <= 1 && phase <= machine.phase());
            phase = machine.phase();
        }
    }
}
