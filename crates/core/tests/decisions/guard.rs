//! `lastout guard`: the sidecar lives as long as the mains do.

use crate::fixtures::{MAIN, TestMachine, USR1, USR2, ask, exited, ms, settings};
use lastout_core::machine::{Action, Event, Job, Note, PhaseName, SidecarId};
use lastout_core::outcome::{Ended, Outcome};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;

/// What is said and done about a stop signal that is not for the sidecar yet.
const HELD: [Action; 2] = [Action::Tell(Note::HeldBack(Signal::TERM)), Action::Terminating];

/// The same once the sidecar runs.
fn watched_and_held() -> Vec<Action> {
    [Action::WatchGroup].into_iter().chain(HELD).collect()
}

fn send(signal: Signal) -> Action {
    Action::Send(MAIN, signal)
}

/// A guard whose sidecar runs while the mains are in.
fn guarding(settings: &Settings) -> TestMachine {
    let mut machine =
        TestMachine::new(Job::Guard, &Settings { grace: Some(ms(500)), ..settings.clone() }, true);
    assert_eq!(machine.on(Event::Begin), [Action::LookAtGroup]);
    assert_eq!(machine.on(Event::MainsIn), [Action::Start]);
    assert_eq!(machine.on(Event::Started(MAIN)), [Action::WatchGroup]);
    machine
}

#[test]
fn the_sidecar_is_ended_by_the_first_stop_signal_when_the_mains_are_out() {
    let named = Settings { stop_signals: vec![USR2, Signal::TERM], ..settings(&[]) };
    let mut machine = guarding(&named);
    assert_eq!(machine.on(Event::MainsIn), []);
    assert_eq!(machine.on(Event::MainsOut), [send(USR2)]);
    assert_eq!(machine.on(Event::MainsOut), []);
    assert_eq!(machine.tick(), (ms(500), vec![Action::Tell(Note::Killed), send(Signal::KILL)]));
    let reaped = machine.on(Event::Reaped(MAIN, Ended::Killed(Signal::KILL)));
    assert_eq!(reaped, [Action::TakeTerminal, Action::Exit(Outcome::Done)], "the end was asked for");
}

#[test]
fn a_sidecar_that_ends_by_itself_gives_its_own_code() {
    assert_eq!(guarding(&settings(&[])).main_exits(3), [Action::Exit(exited(3))]);
}

#[test]
fn a_stop_signal_is_held_back_until_the_mains_are_out_and_others_pass() {
    let mut machine = guarding(&settings(&[]));
    assert_eq!(machine.signal(USR1), [send(USR1)]);
    assert_eq!(machine.signal(Signal::TERM), HELD);
    assert_eq!(machine.deadline(), None, "no grace runs yet");
    assert_eq!(machine.on(Event::MainsOut), [send(Signal::TERM)]);
    assert_eq!(machine.deadline(), Some(ms(500)));
    assert_eq!(machine.signal(Signal::TERM), [send(Signal::TERM)]);
}

#[test]
fn a_second_stop_signal_passes_at_once_and_asks_for_the_end() {
    let mut machine = guarding(&settings(&[]));
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.signal(Signal::INT), [Action::Tell(Note::Merged(Signal::INT))], "they merge");
    assert_eq!(machine.pass(ms(150)).signal(Signal::INT), [send(Signal::INT)]);
    assert_eq!(machine.deadline(), Some(ms(650)));
    assert_eq!(machine.pass(ms(200)).on(Event::MainsOut), []);
    assert_eq!(machine.deadline(), Some(ms(650)), "the grace goes on");
    assert_eq!(machine.main_exits(130), [Action::Exit(Outcome::Done)]);
}

#[test]
fn a_sidecar_whose_second_stop_signal_is_dropped_or_delayed_is_killed_when_the_mains_are_out() {
    let dropped = Settings { rewrites: vec![(Signal::TERM, None)], ..settings(&[]) };
    let delayed = Settings { delays: vec![(Signal::TERM, ms(3_600_000))], ..settings(&[]) };
    for rules in [dropped, delayed] {
        let mut machine = guarding(&rules);
        let _ = machine.signal(Signal::TERM);
        let _ = machine.pass(ms(150)).signal(Signal::TERM);
        assert_eq!(machine.on(Event::MainsOut), []);
        assert_eq!(machine.tick(), (ms(650), vec![Action::Tell(Note::Killed), send(Signal::KILL)]));
    }
}

#[test]
fn a_stop_signal_that_comes_before_the_sidecar_runs_is_held_back_alike() {
    let begin = || {
        let mut machine = TestMachine::new(Job::Guard, &settings(&[]), true);
        let _ = machine.on(Event::Begin);
        machine
    };
    let mut fork_window = begin();
    let _ = fork_window.on(Event::MainsIn);
    assert_eq!(fork_window.signal(Signal::TERM), [Action::Tell(Note::Kept(Signal::TERM))]);
    let mut before = begin();
    assert_eq!(before.signal(Signal::TERM), HELD);
    assert_eq!(before.on(Event::MainsIn), [Action::Start]);
    for mut machine in [fork_window, before] {
        assert_eq!(machine.on(Event::Started(MAIN)), watched_and_held());
        assert_eq!(machine.pass(ms(150)).signal(Signal::TERM), [send(Signal::TERM)]);
    }
}

#[test]
fn a_stop_signal_that_was_kept_counts_from_when_it_came_and_not_when_the_sidecar_hears_it() {
    let mut machine = TestMachine::new(Job::Guard, &settings(&[]), true);
    let _ = machine.on(Event::Begin);
    assert_eq!(machine.signal(Signal::TERM), HELD);
    assert_eq!(machine.pass(ms(1_000)).on(Event::MainsIn), [Action::Start]);
    assert_eq!(machine.on(Event::Started(MAIN)), watched_and_held());
    assert_eq!(machine.pass(ms(100)).signal(Signal::TERM), [send(Signal::TERM)], "a second one");
}

#[test]
fn a_sidecar_is_not_started_when_the_mains_are_out_already() {
    let mut machine = TestMachine::new(Job::Guard, &settings(&[]), true);
    let _ = machine.on(Event::Begin);
    assert_eq!(machine.on(Event::MainsOut), [Action::Exit(Outcome::Done)]);
}

#[test]
fn a_guard_that_cannot_watch_the_mains_stops_nothing_that_they_may_need() {
    for job in [Job::Guard, Job::GuardSidecars] {
        let mut machine = TestMachine::new(job, &settings(&[10]), true);
        let _ = machine.on(Event::Begin);
        let failed = machine.on(Event::NotStarted(Outcome::Internal));
        assert_eq!(failed, [Action::Exit(Outcome::Internal)]);
    }
}

#[test]
fn after_a_held_stop_signal_nobody_waits_for_leftovers() {
    let leftovers = Settings { leftovers: ms(300), ..settings(&[]) };
    assert_eq!(guarding(&leftovers).main_exits(0), [Action::TermLeftovers]);
    let mut machine = guarding(&leftovers);
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.main_exits(0), [Action::Exit(exited(0))]);
}

#[test]
fn a_guard_without_a_command_stops_the_sidecars_when_the_mains_are_out() {
    let begin = || {
        let mut machine = TestMachine::new(Job::GuardSidecars, &settings(&[10]), true);
        assert_eq!(machine.on(Event::Begin), [Action::WatchGroup]);
        assert_eq!(machine.on(Event::MainsIn), []);
        assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Waiting, None));
        machine
    };
    let mut machine = begin();
    assert_eq!(machine.signal(USR1), [Action::Tell(Note::Dropped(USR1))]);
    assert_eq!(machine.on(Event::MainsOut), [ask(&[0], ms(10_000), false)]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), false)), [Action::Exit(Outcome::Done)]);

    let mut machine = begin();
    assert_eq!(machine.signal(Signal::TERM), HELD);
    assert_eq!(machine.on(Event::MainsOut), [ask(&[0], ms(10_000), true)], "the pod is going");

    let mut machine = begin();
    let _ = machine.signal(Signal::TERM);
    let meant = machine.pass(ms(150)).signal(Signal::TERM);
    assert_eq!(meant, [ask(&[0], ms(10_150), true)], "a second one is meant");
    let _ = machine.on(Event::Asked(SidecarId(0)));
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM).last(), Some(&Action::Exit(Outcome::Done)));
}

#[test]
fn a_guard_keeps_its_sidecar_on_a_double_term_until_the_mains_are_out() {
    for apart in [0, 149] {
        let mut machine = guarding(&settings(&[]));
        assert_eq!(machine.signal(Signal::TERM), HELD);
        let same = [Action::Tell(Note::Merged(Signal::TERM))];
        assert_eq!(machine.pass(ms(apart)).signal(Signal::TERM), same, "{apart} ms");
        assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Running, None), "no grace runs yet");
        assert_eq!(machine.on(Event::MainsOut), [send(Signal::TERM)]);
        assert_eq!(machine.signal(Signal::TERM), [send(Signal::TERM)], "from here on it gets each");
    }
}

#[test]
fn a_guard_that_only_watches_keeps_the_sidecars_on_a_double_term_as_well() {
    for job in [Job::Guard, Job::GuardSidecars] {
        let mut machine = TestMachine::new(job, &settings(&[10]), true);
        let _ = machine.on(Event::Begin);
        assert_eq!(machine.signal(Signal::TERM), HELD);
        assert_eq!(machine.signal(Signal::INT), [Action::Tell(Note::Merged(Signal::INT))]);
        assert_eq!(machine.phase(), PhaseName::Waiting);
    }
}
