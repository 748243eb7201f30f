//! Phases of the main job: the gate, main's end, leftovers, linger, and what a stop signal does in each.

use crate::fixtures::{MAIN, TestMachine, USR1, ask, exited, group, ms, settings};
use lastout_core::machine::{Action, Event, Job, Note, PhaseName, SidecarId};
use lastout_core::outcome::{Ended, Outcome, StopOn};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;

const TEN: u64 = 10_000;

#[test]
fn main_starts_when_all_sidecars_are_ready_in_any_order() {
    let mut machine = TestMachine::waiting(&settings(&[10, 90, 10]));
    for sidecar in [2, 0, 0] {
        assert_eq!(machine.on(Event::Open(SidecarId(sidecar))), []);
    }
    assert_eq!(machine.phase(), PhaseName::Waiting);
    assert_eq!(machine.on(Event::Open(SidecarId(1))), [Action::CloseGate, Action::Start]);
    assert_eq!(machine.on(Event::Started(MAIN)), []);
    assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Running, None), "idle means idle");
}

#[test]
fn without_sidecars_or_with_no_wait_main_starts_at_once() {
    TestMachine::running(&settings(&[]));
    TestMachine::running(&settings(&[10]));
    let mut machine = TestMachine::new(Job::Command, &settings(&[]), true);
    assert_eq!(machine.on(Event::Begin), [Action::Start]);
    assert_eq!(machine.on(Event::Begin), [], "a run begins once");
}

#[test]
fn the_gate_speaks_after_5_s_and_then_at_doubling_distances() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    for at in [5_000, 10_000, 20_000, 40_000, 80_000] {
        assert_eq!(machine.tick(), (ms(at), vec![Action::TellWaiting]));
    }
    assert_eq!(machine.deadline(), Some(ms(120_000)));
}

#[test]
fn a_wait_timeout_fails_with_124_and_stops_the_sidecars_or_runs_main_all_the_same() {
    let short = Settings { wait_timeout: Some(ms(400)), ..settings(&[10]) };
    let mut machine = TestMachine::waiting(&short);
    assert_eq!(machine.tick(), (ms(400), vec![Action::LastProbe]));
    assert_eq!(
        machine.tick(),
        (ms(500), vec![Action::CloseGate, Action::TellTimeout, ask(&[0], ms(500 + TEN), false)])
    );
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(Outcome::WaitTimeout)]);

    let mut machine = TestMachine::waiting(&Settings { run_unready: true, ..short });
    assert_eq!(machine.signal(USR1), [Action::Tell(Note::Kept(USR1))]);
    assert_eq!(machine.tick(), (ms(400), vec![Action::LastProbe]));
    assert_eq!(machine.tick(), (ms(500), vec![Action::CloseGate, Action::TellTimeout, Action::Start]));
    assert_eq!(machine.on(Event::Started(MAIN)), [Action::Send(MAIN, USR1)]);
}

#[test]
fn one_that_is_ready_at_the_last_probe_is_not_late() {
    let mut machine = TestMachine::waiting(&Settings { wait_timeout: Some(ms(400)), ..settings(&[10]) });
    assert_eq!(machine.tick(), (ms(400), vec![Action::LastProbe]));
    assert_eq!(machine.pass(ms(99)).on(Event::Open(SidecarId(0))), [Action::CloseGate, Action::Start]);
}

#[test]
fn no_wait_timeout_waits_for_ever() {
    let mut machine = TestMachine::waiting(&Settings { wait_timeout: None, ..settings(&[10]) });
    for _ in 0..12 {
        assert_eq!(machine.tick().1, [Action::TellWaiting]);
    }
}

#[test]
fn wait_alone_is_over_with_0_when_the_gate_opens_and_asks_nobody_to_end() {
    let settings = settings(&[10]);
    let begin = || {
        let mut machine = TestMachine::new(Job::Wait, &settings, false);
        assert_eq!(machine.on(Event::Begin), [Action::OpenGate]);
        machine
    };
    assert_eq!(begin().on(Event::Open(SidecarId(0))), [Action::CloseGate, Action::Exit(Outcome::Done)]);
    let stopped = [Action::CloseGate, Action::Exit(Outcome::Signalled(Signal::TERM))];
    assert_eq!(begin().signal(Signal::TERM), stopped);
    let late = Settings { wait_timeout: Some(ms(1)), ..settings.clone() };
    let mut machine = TestMachine::new(Job::Wait, &late, false);
    assert_eq!(machine.on(Event::Begin), [Action::OpenGate]);
    assert_eq!(machine.tick().1, [Action::LastProbe]);
    assert_eq!(
        machine.tick().1,
        [Action::CloseGate, Action::TellTimeout, Action::Exit(Outcome::WaitTimeout)]
    );
}

#[test]
fn a_stop_signal_hup_or_quit_at_the_gate_ends_the_run_by_128_plus_n_and_main_is_never_started() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut machine = TestMachine::waiting(&settings(&[10]));
        assert_eq!(machine.signal(signal), [Action::CloseGate, ask(&[0], ms(TEN), true)], "{signal}");
        assert_eq!(machine.on(Event::Open(SidecarId(0))), []);
        assert_eq!(
            machine.on(Event::SidecarDone(SidecarId(0), true)),
            [Action::Exit(Outcome::Signalled(signal))]
        );

        let success = Settings { stop_on: StopOn::Success, ..settings(&[10]) };
        let exit = Action::Exit(Outcome::Signalled(signal));
        assert_eq!(TestMachine::waiting(&success).signal(signal), [Action::CloseGate, exit], "at once");
    }
}

#[test]
fn the_signal_that_ended_the_waiting_was_the_first_stop_signal() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    let _ = machine.signal(Signal::HUP);
    let _ = machine.on(Event::Asked(SidecarId(0)));
    let same = [Action::Tell(Note::Merged(Signal::TERM))];
    assert_eq!(machine.pass(ms(149)).signal(Signal::TERM), same);
    let cut = [Action::Tell(Note::CutOff), Action::Exit(Outcome::Signalled(Signal::HUP))];
    assert_eq!(machine.pass(ms(1)).signal(Signal::TERM), cut);
}

#[test]
fn sidecars_are_stopped_although_main_could_not_be_started() {
    for outcome in [Outcome::NotFound, Outcome::CannotExecute, Outcome::Internal] {
        let mut machine = TestMachine::new(Job::Command, &Settings { gate: false, ..settings(&[10]) }, true);
        assert_eq!(machine.on(Event::Begin), [Action::Start]);
        assert_eq!(machine.on(Event::NotStarted(outcome)), [ask(&[0], ms(TEN), false)]);
        assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), false)), [Action::Exit(outcome)]);
    }
}

#[test]
fn sidecars_are_stopped_although_the_gate_could_not_be_opened() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    let asked = machine.on(Event::NotStarted(Outcome::Internal));
    assert_eq!(asked, [Action::CloseGate, ask(&[0], ms(TEN), false)]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(Outcome::Internal)]);
}

#[test]
fn wrong_settings_stop_the_sidecars_if_the_policy_covers_125() {
    let mut machine = TestMachine::new(Job::GiveUp, &settings(&[10]), true);
    assert_eq!(machine.on(Event::Begin), [ask(&[0], ms(TEN), false)]);
    let success = Settings { stop_on: StopOn::Success, ..settings(&[10]) };
    let mut machine = TestMachine::new(Job::GiveUp, &success, true);
    assert_eq!(machine.on(Event::Begin), [Action::Exit(Outcome::Internal)]);
}

#[test]
fn the_first_reap_of_main_decides_and_an_orphan_decides_nothing() {
    let mut machine = TestMachine::running(&settings(&[10]));
    assert_eq!(machine.on(Event::Reaped(MAIN + 1, Ended::Exited(9))), []);
    assert_eq!(machine.main_exits(3), [ask(&[0], ms(TEN), false)]);
    assert_eq!(machine.on(Event::Reaped(MAIN, Ended::Exited(9))), [], "its pid is somebody else's by now");
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(exited(3))]);
    assert_eq!(machine.deadline(), None);
}

#[test]
fn linger_puts_the_stop_off_and_a_stop_signal_cuts_it_short() {
    let settings = Settings { linger: ms(700), ..settings(&[10]) };
    let mut machine = TestMachine::running(&settings);
    assert_eq!(machine.main_exits(0), []);
    assert_eq!(machine.phase(), PhaseName::Lingering);
    assert_eq!(machine.signal(Signal::HUP), [Action::Tell(Note::Dropped(Signal::HUP))]);
    assert_eq!(machine.tick(), (ms(700), vec![ask(&[0], ms(700 + TEN), false)]));

    let mut machine = TestMachine::running(&settings);
    let _ = machine.main_exits(0);
    assert_eq!(machine.pass(ms(5)).signal(Signal::INT), [ask(&[0], ms(5 + TEN), true)]);
    let cut = [Action::Tell(Note::CutOff), Action::Exit(exited(0))];
    let _ = machine.on(Event::Asked(SidecarId(0)));
    assert_eq!(machine.pass(ms(150)).signal(Signal::INT), cut, "the second one since main's end");
}

#[test]
fn nobody_lingers_where_nothing_is_stopped_or_main_never_ran_or_a_stop_signal_has_come() {
    let linger = |stop_on, orders: &[u32]| Settings { linger: ms(700), stop_on, ..settings(orders) };
    let exit = [Action::Exit(exited(1))];
    assert_eq!(TestMachine::running(&linger(StopOn::Success, &[10])).main_exits(1), exit);
    assert_eq!(TestMachine::running(&linger(StopOn::Never, &[10])).main_exits(1), exit);
    assert_eq!(TestMachine::running(&linger(StopOn::Always, &[])).main_exits(1), exit);

    let settings = linger(StopOn::Always, &[10]);
    let mut machine = TestMachine::new(Job::Command, &Settings { gate: false, ..settings.clone() }, true);
    let _ = machine.on(Event::Begin);
    assert_eq!(machine.on(Event::NotStarted(Outcome::NotFound)), [ask(&[0], ms(TEN), false)]);

    let mut machine = TestMachine::running(&settings);
    assert_eq!(machine.signal(Signal::TERM), [Action::Send(MAIN, Signal::TERM)]);
    assert_eq!(machine.main_exits(1), [ask(&[0], ms(TEN), true)]);
}

#[test]
fn leftovers_are_termed_and_waited_for_until_none_is_left() {
    let settings = Settings { leftovers: ms(300), linger: ms(700), ..settings(&[10]) };
    let mut machine = TestMachine::running(&settings);
    assert_eq!(machine.main_exits(0), [Action::TermLeftovers]);
    assert_eq!(machine.phase(), PhaseName::Leftovers);
    assert_eq!(machine.signal(USR1), [Action::Tell(Note::Dropped(USR1))]);
    assert_eq!(machine.pass(ms(100)).on(Event::Childless), []);
    assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Lingering, Some(ms(800))));

    let mut machine = TestMachine::running(&settings);
    let _ = machine.main_exits(0);
    assert_eq!(machine.tick(), (ms(300), vec![]));
    assert_eq!(machine.phase(), PhaseName::Lingering, "or until their time is over");

    let mut machine = TestMachine::running(&settings);
    let _ = machine.main_exits(0);
    assert_eq!(machine.signal(Signal::TERM), [ask(&[0], ms(TEN), true)], "or until a stop signal: no linger");

    let mut machine = TestMachine::running(&settings);
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.main_exits(0), [ask(&[0], ms(TEN), true)], "none after a stop signal");
}

#[test]
fn a_tick_before_its_time_changes_nothing() {
    let settings = Settings { leftovers: ms(300), linger: ms(700), ..settings(&[10]) };
    let mut machine = TestMachine::waiting(&settings);
    assert_eq!(machine.on(Event::Tick), []);
    let mut machine = TestMachine::running(&settings);
    assert_eq!(machine.on(Event::Tick), []);
    let _ = machine.main_exits(0);
    for phase in [PhaseName::Leftovers, PhaseName::Lingering] {
        assert_eq!((machine.on(Event::Tick), machine.phase()), (vec![], phase));
        let _ = machine.on(Event::Childless);
    }
    let _ = machine.tick();
    assert_eq!((machine.on(Event::Tick), machine.phase()), (vec![], PhaseName::Stopping));
}

#[test]
fn only_the_last_main_out_of_the_group_stops_the_sidecars() {
    let settings = Settings { group: group(), linger: ms(700), ..settings(&[10]) };
    let mut machine = TestMachine::running(&settings);
    assert_eq!(machine.main_exits(3), [Action::LeaveGroup(exited(3))]);
    assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Leaving, None));
    assert_eq!(machine.on(Event::Left(false)), [Action::Exit(exited(3))], "the others leave at once");

    let mut machine = TestMachine::running(&settings);
    let _ = machine.main_exits(3);
    assert_eq!(machine.on(Event::Left(true)), []);
    assert_eq!(machine.phase(), PhaseName::Lingering);

    let mut machine = TestMachine::running(&settings);
    let _ = machine.main_exits(3);
    assert_eq!(machine.signal(USR1), [Action::Tell(Note::Dropped(USR1))]);
    assert_eq!(machine.signal(Signal::TERM), []);
    assert_eq!(machine.on(Event::Left(true)), [ask(&[0], ms(TEN), true)], "a stop signal in between");
    let _ = machine.on(Event::Asked(SidecarId(0)));
    assert_eq!(
        machine.pass(ms(150)).signal(Signal::TERM).last(),
        Some(&Action::Exit(exited(3))),
        "and it counted"
    );
}

#[test]
fn a_member_leaves_the_group_on_every_path_and_no_other_verb_does() {
    let settings = Settings { group: group(), ..settings(&[10]) };
    let mut machine = TestMachine::new(Job::GiveUp, &settings, true);
    assert_eq!(machine.on(Event::Begin), [Action::LeaveGroup(Outcome::Internal)]);
    let mut machine = TestMachine::waiting(&settings);
    let left = Action::LeaveGroup(Outcome::Signalled(Signal::TERM));
    assert_eq!(machine.signal(Signal::TERM), [Action::CloseGate, left]);
    let mut machine = TestMachine::new(Job::Stop, &settings, true);
    assert_eq!(machine.on(Event::Begin), [ask(&[0], ms(TEN), false)]);
}

#[test]
fn a_last_probe_that_finds_only_some_ready_changes_nothing_about_the_timeout() {
    let mut machine = TestMachine::waiting(&Settings { wait_timeout: Some(ms(400)), ..settings(&[10, 20]) });
    assert_eq!(machine.tick(), (ms(400), vec![Action::LastProbe]));
    assert_eq!(machine.on(Event::Tick), [], "100 ms are given to it");
    assert_eq!(machine.pass(ms(50)).on(Event::Open(SidecarId(0))), []);
    assert_eq!(machine.tick().1[..2], [Action::CloseGate, Action::TellTimeout]);
}

#[test]
fn the_last_probe_is_100_ms_from_when_it_began_and_once() {
    let mut machine = TestMachine::waiting(&Settings { wait_timeout: Some(ms(400)), ..settings(&[10]) });
    let _ = machine.pass(ms(400));
    assert_eq!(machine.on(Event::Tick), [Action::LastProbe]);
    assert_eq!(machine.deadline(), Some(ms(500)));
    let told = Settings { wait_timeout: Some(ms(5_000)), ..settings(&[10]) };
    let mut machine = TestMachine::waiting(&told);
    assert_eq!(machine.tick(), (ms(5_000), vec![Action::LastProbe]));
    assert_eq!(machine.tick(), (ms(5_000), vec![Action::TellWaiting]), "which is due as well");
    assert_eq!(machine.tick().1[..2], [Action::CloseGate, Action::TellTimeout]);
}

#[test]
fn a_stop_signal_during_the_last_probe_ends_the_waiting_as_ever() {
    let mut machine = TestMachine::waiting(&Settings { wait_timeout: Some(ms(400)), ..settings(&[10]) });
    let _ = machine.tick();
    assert_eq!(machine.signal(Signal::TERM), [Action::CloseGate, ask(&[0], ms(400 + TEN), true)]);
}
