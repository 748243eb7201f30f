//! What holds of every run, whatever happens in it.

use crate::scene::{MAIN, ms};
use crate::tale::Tale;
use crate::world::{World, a_job, a_world, an_event, some_settings};
use lastout_core::machine::{Action, Event, Job, Machine, Note, PhaseName};
use lastout_core::outcome::{Outcome, StopOn};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

fn a_tale() -> impl Strategy<Value = Tale> {
    a_world().prop_map(Tale::of)
}

impl std::fmt::Debug for Tale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let World { settings, .. } = &self.world;
        let brief =
            World { settings: Settings { sidecars: vec![], ..settings.clone() }, ..self.world.clone() };
        writeln!(f, "{} sidecars, {brief:#?}", settings.sidecars.len())?;
        self.story.iter().try_for_each(|entry| writeln!(f, "{entry:?}"))
    }
}

proptest! {
    #[test]
    fn a_run_exits_once_and_nothing_follows(tale in a_tale()) {
        let exits = tale.actions().filter(|(_, action)| matches!(action, Action::Exit(_))).count();
        prop_assert_eq!(exits, 1);
        for entry in &tale.story[tale.exit + 1..] {
            prop_assert!(entry.actions.is_empty() && entry.deadline.is_none() && entry.after == PhaseName::Exit);
        }
    }

    #[test]
    fn phases_never_go_back(tale in a_tale()) {
        prop_assert!(tale.story.iter().all(|entry| entry.before <= entry.after));
    }

    #[test]
    fn a_tick_at_its_time_gets_on_and_nothing_is_timed_while_main_runs_alone(tale in a_tale()) {
        for entry in &tale.story {
            let gets_on = entry.before != entry.after || entry.deadline.is_none_or(|at| at > entry.now);
            prop_assert!(entry.event != Event::Tick || gets_on || entry.after == PhaseName::Running);
        }
        let Settings { delays, grace, .. } = &tale.world.settings;
        if delays.is_empty() && grace.is_none() {
            let running = tale.story.iter().filter(|entry| entry.after == PhaseName::Running);
            prop_assert!(running.into_iter().all(|entry| entry.deadline.is_none()));
        }
    }

    #[test]
    fn main_is_started_once_at_most_and_nothing_is_sent_to_it_before_or_after_its_reap(tale in a_tale()) {
        let starts = tale.actions().filter(|(_, action)| **action == Action::Start).count();
        prop_assert!(starts <= 1);
        for (at, action) in tale.actions() {
            if let Action::Send(pid, _) | Action::HandTerminal(pid) = action {
                prop_assert_eq!(*pid, MAIN);
                prop_assert!(tale.lives(at) || tale.started == Some(at));
            }
            prop_assert!(*action != Action::TakeTerminal || tale.reaped == Some(at));
        }
        let taken = tale.actions().filter(|(_, action)| **action == Action::TakeTerminal).count();
        prop_assert_eq!(taken, usize::from(tale.reaped.is_some()));
    }

    #[test]
    fn what_comes_while_main_runs_or_was_kept_for_it_is_sent_once_and_at_its_time(tale in a_tale()) {
        let sent = |(at, action): (usize, &Action)| match action {
            Action::Send(_, signal) => Some((at, *signal)),
            _ => None,
        };
        prop_assert_eq!(tale.actions().filter_map(sent).collect::<Vec<_>>(), tale.due_sends());
        for entry in &tale.story {
            let killed = entry.actions.contains(&Action::Tell(Note::Killed));
            prop_assert!(!killed || entry.actions.last() == Some(&Action::Send(MAIN, Signal::KILL)));
        }
    }

    #[test]
    fn the_first_reap_of_main_decides_the_outcome(tale in a_tale()) {
        let Some(reaped) = tale.reaped else { return Ok(()) };
        let Event::Reaped(_, ended) = tale.story[reaped].event else { panic!("it is one") };
        let own = tale.world.settings.map_exit.apply(ended);
        let asked = |at: usize| matches!(tale.story[at].event, Event::MainsOut | Event::Signal(_));
        let may_be_asked = tale.world.job == Job::Guard && (0..reaped).any(asked);
        prop_assert!(tale.outcome == own || may_be_asked && tale.outcome == Outcome::Done);
        let out = (0..reaped).any(|at| tale.lives(at) && tale.story[at].event == Event::MainsOut);
        prop_assert!(!(out && tale.world.job == Job::Guard) || tale.outcome == Outcome::Done);
    }

    #[test]
    fn an_end_before_main_keeps_its_own_reason(tale in a_tale()) {
        if tale.reaped.is_some() {
            return Ok(());
        }
        let gate_ended = tale.story.iter().find(|entry| entry.actions.contains(&Action::CloseGate));
        let started = tale.actions().any(|(_, action)| *action == Action::Start);
        let ended = gate_ended.unwrap_or(&tale.story[tale.exit]).event;
        let expected: &[Outcome] = match (tale.world.job, started, ended) {
            (Job::GiveUp, ..) => &[Outcome::Internal],
            (Job::Stop, ..) => &[Outcome::Done, Outcome::NotStopped],
            (_, true, _) => &[tale.world.start.expect_err("main was not reaped")],
            (_, false, Event::NotStarted(outcome)) => &[outcome],
            (Job::Command | Job::Wait, false, Event::Signal(signal)) => &[Outcome::Signalled(signal)],
            (Job::Command | Job::Wait, false, Event::Tick) if !tale.world.settings.run_unready => {
                &[Outcome::WaitTimeout]
            }
            (_, false, _) => &[Outcome::Done],
        };
        prop_assert!(expected.contains(&tale.outcome), "{:?}", tale.outcome);
    }

    #[test]
    fn main_starts_only_behind_an_open_gate_and_never_after_a_signal_that_ends_the_waiting(tale in a_tale()) {
        let Some((start, _)) = tale.actions().find(|(_, action)| **action == Action::Start) else { return Ok(()) };
        let Settings { gate, sidecars, run_unready, wait_timeout, .. } = &tale.world.settings;
        if tale.world.job == Job::Guard || !gate || sidecars.is_empty() {
            return Ok(());
        }
        let before = &tale.story[..=start];
        let opened = (0..sidecars.len()).all(|sidecar| before.iter().any(|entry| entry.event == Event::Open(sidecar)));
        let probed = before.iter().position(|entry| entry.actions == [Action::LastProbe]);
        let late = *run_unready
            && wait_timeout.zip(probed).is_some_and(|(timeout, probed)| {
                tale.now(probed) >= timeout && tale.now(start) >= tale.now(probed) + ms(100)
            });
        prop_assert!(opened || late);
        for entry in before {
            let ends = matches!(entry.event, Event::Signal(Signal::HUP | Signal::QUIT)) || tale.is_stop(entry.event);
            prop_assert!(!ends, "{:?}", entry);
        }
        prop_assert_eq!(&tale.story[start].actions[0], &Action::CloseGate, "no thread is there at the spawn");
    }

    #[test]
    fn every_sidecar_is_asked_once_in_its_order_where_the_policy_covers_the_end_and_else_none(tale in a_tale()) {
        let asks = tale.asks();
        if !tale.covers() {
            prop_assert!(asks.is_empty());
            return Ok(());
        }
        let sidecars = &tale.world.settings.sidecars;
        let mut asked = vec![];
        for ask in &asks {
            let orders: Vec<u32> = ask.sidecars.iter().map(|index| sidecars[*index].order).collect();
            let step_by_step = tale.cut_off() != Some(ask.at);
            prop_assert!(!step_by_step || orders.windows(2).all(|pair| pair[0] == pair[1]), "all of a step at once");
            prop_assert!(asked.last().is_none_or(|last: &usize| sidecars[*last].order < orders[0]));
            asked.extend_from_slice(ask.sidecars);
        }
        // Cut off or not: those of later steps are asked as well, unless each was reported before its turn.
        if tale.cut_off().is_some_and(|cut| tale.all_reported(asks[0].at, cut)) {
            prop_assert_eq!(tale.cut_off(), Some(tale.exit));
            return Ok(());
        }
        asked.sort_unstable();
        prop_assert_eq!(asked, (0..sidecars.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_step_has_its_share_of_the_budget_and_the_whole_stop_ends_in_time(tale in a_tale()) {
        let cut = tale.cut_off().unwrap_or(usize::MAX);
        let asks: Vec<_> = tale.asks().into_iter().filter(|ask| ask.at < cut).collect();
        let Some(first) = asks.first() else { return Ok(()) };
        let mut orders: Vec<u32> = tale.world.settings.sidecars.iter().map(|spec| spec.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let end = tale.now(first.at) + tale.world.settings.stop_timeout;
        for (index, ask) in asks.iter().enumerate() {
            let now = tale.now(ask.at);
            let steps = u32::try_from(orders.len() - index).unwrap();
            prop_assert_eq!(ask.deadline, now + end.saturating_sub(now) / steps);
            let next = asks.get(index + 1).map_or(tale.exit.min(cut), |next| next.at);
            prop_assert!(tale.now(next) <= ask.deadline + ms(500), "a worker that does not report is left behind");
        }
    }

    #[test]
    fn leftovers_and_linger_last_as_long_as_they_should_and_no_longer_than_to_a_stop_signal(tale in a_tale()) {
        let Some(reaped) = tale.reaped else { return Ok(()) };
        let leaves = tale.asks().first().map_or(tale.exit, |ask| ask.at);
        prop_assert_eq!(leaves, tale.stop_is_due(reaped));
    }

    #[test]
    fn nothing_is_put_off_where_main_never_ran(tale in a_tale()) {
        let pauses = tale.story.iter().any(|entry| entry.after == PhaseName::Lingering);
        prop_assert!(!pauses || tale.reaped.is_some());
        let leftovers = tale.actions().find(|(_, action)| **action == Action::TermLeftovers);
        prop_assert!(leftovers.is_none_or(|(at, _)| tale.reaped == Some(at)));
    }

    #[test]
    fn an_ask_knows_whether_the_pod_may_be_going_and_hears_of_it_later(tale in a_tale()) {
        for ask in tale.asks() {
            prop_assert_eq!(ask.hurried, tale.is_hurried_before(ask.at + 1));
        }
        let Some(first) = tale.asks().first().map(|ask| ask.at) else { return Ok(()) };
        let hurries: Vec<usize> =
            tale.actions().filter(|(at, action)| *at > first && **action == Action::Hurry).map(|(at, _)| at).collect();
        let later = tale.hurried().filter(|at| (first + 1..=tale.exit).contains(at));
        prop_assert_eq!(hurries, Vec::from_iter(later));
    }

    #[test]
    fn the_second_stop_signal_since_mains_end_ends_the_stop(tale in a_tale()) {
        let (Some(reaped), Some(first)) = (tale.reaped, tale.asks().first().map(|ask| ask.at)) else { return Ok(()) };
        let stops = tale.presses().into_iter().filter(|at| (reaped + 1..=tale.exit).contains(at));
        // One that came while the group was being left or a pause was cut counts as the first, however often.
        let early = stops.clone().filter(|at| *at <= first).count().min(1);
        let cut = stops.filter(|at| *at > first).nth(1 - early);
        prop_assert_eq!(tale.cut_off(), cut);
        prop_assert!(cut.is_none_or(|cut| tale.now(tale.exit) <= tale.now(cut) + ms(300)));
    }

    #[test]
    fn a_stop_that_was_cut_off_ends_when_each_was_asked_or_after_300_ms_or_by_a_third_press(tale in a_tale()) {
        let Some(cut) = tale.cut_off() else { return Ok(()) };
        let asks = tale.asks();
        let presses = tale.presses();
        prop_assert!(presses.contains(&cut), "a press of its own");
        let until = tale.now(cut) + ms(300);
        for ask in asks.iter().filter(|ask| ask.at == cut) {
            prop_assert!(ask.deadline == until && ask.hurried && !ask.sidecars.is_empty());
        }
        let over = |at: &usize| {
            let late = tale.story[*at].event == Event::Tick && tale.now(*at) >= until;
            tale.all_reported(asks[0].at, at + 1) || late || *at > cut && presses.contains(at)
        };
        prop_assert_eq!((cut..tale.story.len()).find(over), Some(tale.exit));
        prop_assert!(asks.iter().all(|ask| ask.at <= cut), "nothing more is begun");
    }

    #[test]
    fn stop_signals_of_one_press_are_said_to_be_so_and_do_nothing_else(tale in a_tale()) {
        let presses = tale.presses();
        for (at, action) in tale.actions() {
            let Action::Tell(Note::SamePress(signal)) = action else { continue };
            let entry = &tale.story[at];
            // What was kept for a guard's sidecar is heard when that begins.
            if entry.event != Event::Started(MAIN) {
                prop_assert_eq!((entry.event, entry.actions.len()), (Event::Signal(*signal), 1));
                prop_assert!(!presses.contains(&at) && entry.before == entry.after);
            }
            prop_assert!(tale.world.job == Job::Guard || !tale.lives(at), "main gets every one");
        }
    }

    #[test]
    fn a_last_probe_is_taken_at_the_end_of_the_wait_and_100_ms_before_it_is_given_up(tale in a_tale()) {
        let probes: Vec<usize> =
            tale.actions().filter(|(_, action)| **action == Action::LastProbe).map(|(at, _)| at).collect();
        let timeout = tale.actions().find(|(_, action)| **action == Action::TellTimeout).map(|(at, _)| at);
        prop_assert!(probes.len() <= 1 && (timeout.is_none() || !probes.is_empty()));
        let Some(probe) = probes.first() else { return Ok(()) };
        prop_assert_eq!(&tale.story[*probe].actions, &[Action::LastProbe]);
        prop_assert_eq!(Some(tale.now(*probe)), tale.world.settings.wait_timeout);
        prop_assert!(timeout.is_none_or(|at| tale.now(at) == tale.now(*probe) + ms(100)));
    }

    #[test]
    fn stop_alone_succeeds_only_when_every_sidecar_was_reported_gone(tale in a_tale()) {
        if tale.world.job != Job::Stop {
            return Ok(());
        }
        let asks = tale.asks();
        let gone = asks.iter().enumerate().all(|(index, ask)| {
            let end = asks.get(index + 1).map_or(tale.exit, |next| next.at);
            let rest = &tale.story[ask.at + 1..=end];
            ask.sidecars.iter().all(|at| rest.iter().any(|entry| entry.event == Event::SidecarDone(*at, true)))
        });
        let last = asks.first().map_or(tale.exit, |ask| ask.at);
        let bad = |entry: &crate::world::Entry| matches!(entry.event, Event::SidecarDone(_, false));
        let none_bad = !tale.story[last..=tale.exit].iter().any(bad);
        let cut_off = tale.cut_off().is_some();
        let expected = if gone && none_bad && !cut_off { Outcome::Done } else { Outcome::NotStopped };
        prop_assert_eq!(tale.outcome, expected);
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
