//! The stop of all sidecars: in steps by order, each with its share of the budget; stops.

use crate::fixtures::{TestMachine, ask, exited, ms, settings};
use lastout_core::machine::{Action, Event, Job, Note, PhaseName, SidecarId};
use lastout_core::outcome::{Outcome, StopOn};
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;

#[test]
fn steps_go_by_order_low_first_and_all_of_a_step_at_once() {
    let mut machine = TestMachine::running(&settings(&[90, 10, 30, 10]));
    assert_eq!(machine.main_exits(0), [ask(&[1, 3], ms(3_333) + ms(1) / 3, false)]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(3), true)), []);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(3), true)), [], "said twice");
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [], "not its turn");
    let left = machine.pass(ms(1_000)).on(Event::SidecarDone(SidecarId(1), true));
    assert_eq!(left, [ask(&[2], ms(1_000 + 4_500), false)], "what is left, divided by the steps left");
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(2), false)), [ask(&[0], ms(10_000), false)]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(exited(0))]);
}

#[test]
fn a_worker_that_never_reports_holds_up_nothing_for_long_and_the_next_step_is_asked_all_the_same() {
    let mut machine = TestMachine::running(&Settings { stop_timeout: ms(1_000), ..settings(&[10, 90]) });
    assert_eq!(machine.main_exits(0), [ask(&[0], ms(500), false)]);
    assert_eq!(machine.tick(), (ms(1_000), vec![ask(&[1], ms(1_000), false)]));
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [], "too late to matter");
    assert_eq!(machine.phase(), PhaseName::Stopping);
    assert_eq!(machine.tick(), (ms(1_500), vec![Action::Exit(exited(0))]));
}

#[test]
fn what_the_sidecars_do_takes_nothing_from_mains_own_code() {
    let mut machine = TestMachine::running(&settings(&[10]));
    let _ = machine.main_exits(3);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), false)), [Action::Exit(exited(3))]);
}

#[test]
fn after_main_nobody_is_asked_when_the_policy_does_not_cover_it() {
    for (stop_on, code, asked) in [
        (StopOn::Success, 0, true),
        (StopOn::Success, 1, false),
        (StopOn::Never, 0, false),
        (StopOn::Codes(vec![(3, 5)]), 4, true),
        (StopOn::Codes(vec![(3, 5)]), 0, false),
    ] {
        let actions = TestMachine::running(&Settings { stop_on, ..settings(&[10]) }).main_exits(code);
        assert_eq!(matches!(actions[..], [Action::Ask { .. }]), asked, "{actions:?}");
    }
}

#[test]
fn a_stop_signal_shortens_the_stop_once_and_the_second_ends_it_by_mains_own_code() {
    let mut machine = TestMachine::running(&settings(&[10, 90]));
    let _ = machine.main_exits(3);
    assert_eq!(machine.signal(Signal::HUP), [Action::Tell(Note::Dropped(Signal::HUP))]);
    assert_eq!(machine.signal(Signal::TERM), [Action::Terminating]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [ask(&[1], ms(10_000), true)]);
    assert_eq!(machine.on(Event::Asked(SidecarId(1))), []);
    let cut = [Action::Tell(Note::CutOff), Action::Exit(exited(3))];
    assert_eq!(machine.pass(ms(150)).signal(Signal::INT), cut);
    assert_eq!(machine.signal(Signal::INT), []);
}

#[test]
fn stop_signals_within_150_ms_merge_of_whatever_number() {
    let mut machine = TestMachine::running(&settings(&[10]));
    let _ = machine.main_exits(3);
    assert_eq!(machine.signal(Signal::TERM), [Action::Terminating]);
    assert_eq!(machine.signal(Signal::TERM), [Action::Tell(Note::Merged(Signal::TERM))]);
    assert_eq!(machine.pass(ms(149)).signal(Signal::INT), [Action::Tell(Note::Merged(Signal::INT))]);
    assert_eq!(machine.pass(ms(1)).signal(Signal::INT)[0], Action::Tell(Note::CutOff));
}

#[test]
fn a_second_stop_signal_asks_those_not_yet_asked_and_leaves_when_their_requests_are_out() {
    let pressed_twice = || {
        let mut machine = TestMachine::running(&settings(&[10, 20, 90]));
        let _ = machine.main_exits(3);
        let _ = machine.on(Event::Asked(SidecarId(0)));
        let _ = machine.signal(Signal::TERM);
        let actions = machine.pass(ms(150)).signal(Signal::TERM);
        assert_eq!(actions, [Action::Tell(Note::CutOff), ask(&[1, 2], ms(450), true)]);
        assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), []);
        machine
    };
    let mut machine = pressed_twice();
    assert_eq!(machine.on(Event::Asked(SidecarId(2))), []);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(1), false)), [Action::Exit(exited(3))]);
    assert_eq!(pressed_twice().tick(), (ms(450), vec![Action::Exit(exited(3))]), "or after 300 ms");
    let mut machine = pressed_twice();
    assert_eq!(machine.signal(Signal::INT), [Action::Tell(Note::Merged(Signal::INT))]);
    assert_eq!(machine.pass(ms(150)).signal(Signal::INT), [Action::Exit(exited(3))], "or by a third one");
}

#[test]
fn a_pause_that_was_cut_short_was_cut_by_the_first_stop_signal_and_one_that_was_not_by_none() {
    for settings in
        [Settings { leftovers: ms(300), ..settings(&[10]) }, Settings { linger: ms(300), ..settings(&[10]) }]
    {
        let pausing = || {
            let mut machine = TestMachine::running(&settings);
            let _ = machine.main_exits(3);
            machine
        };
        let mut cut = pausing();
        assert!(matches!(cut.signal(Signal::TERM)[..], [Action::Ask { terminating: true, .. }]));
        let _ = cut.on(Event::Asked(SidecarId(0)));
        assert_eq!(cut.pass(ms(150)).signal(Signal::TERM).last(), Some(&Action::Exit(exited(3))));
        let mut whole = pausing();
        assert!(matches!(whole.tick().1[..], [Action::Ask { terminating: false, .. }]));
        assert_eq!(whole.signal(Signal::TERM), [Action::Terminating]);
    }
    let mut childless = TestMachine::running(&Settings { leftovers: ms(300), ..settings(&[10]) });
    let _ = childless.main_exits(3);
    let _ = childless.on(Event::Childless);
    assert_eq!(childless.signal(Signal::TERM), [Action::Terminating]);
}

#[test]
fn a_stop_signal_that_main_got_is_not_counted() {
    let mut machine = TestMachine::running(&settings(&[10]));
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.main_exits(0), [ask(&[0], ms(10_000), true)]);
    let _ = machine.on(Event::Asked(SidecarId(0)));
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM), [], "terminating already");
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM).last(), Some(&Action::Exit(exited(0))));
}

#[test]
fn stop_alone_is_0_when_all_are_gone_and_1_when_one_is_not_or_is_not_known_to_be() {
    let begin = || {
        let mut machine = TestMachine::new(Job::Stop, &settings(&[10, 10]), false);
        assert_eq!(machine.on(Event::Begin), [ask(&[0, 1], ms(10_000), false)]);
        assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), []);
        machine
    };
    assert_eq!(begin().on(Event::SidecarDone(SidecarId(1), true)), [Action::Exit(Outcome::Done)]);
    assert_eq!(begin().on(Event::SidecarDone(SidecarId(1), false)), [Action::Exit(Outcome::NotStopped)]);
    assert_eq!(begin().tick(), (ms(10_500), vec![Action::Exit(Outcome::NotStopped)]));
    let mut machine = begin();
    let _ = machine.on(Event::Asked(SidecarId(1)));
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM).last(), Some(&Action::Exit(Outcome::NotStopped)));
}

#[test]
fn stop_alone_asks_whatever_the_policy_says_and_does_not_linger() {
    let settings = Settings { stop_on: StopOn::Never, linger: ms(700), ..settings(&[10]) };
    let mut machine = TestMachine::new(Job::Stop, &settings, false);
    assert_eq!(machine.on(Event::Begin), [ask(&[0], ms(10_000), false)]);
}

#[test]
fn two_terms_0_and_149_ms_apart_merge() {
    for apart in [0, 149] {
        let mut machine = TestMachine::running(&settings(&[10]));
        let _ = machine.main_exits(3);
        assert_eq!(machine.signal(Signal::TERM), [Action::Terminating]);
        let same = [Action::Tell(Note::Merged(Signal::TERM))];
        assert_eq!(machine.pass(ms(apart)).signal(Signal::TERM), same, "{apart} ms");
        assert_eq!(
            machine.on(Event::SidecarDone(SidecarId(0), true)),
            [Action::Exit(exited(3))],
            "the stop goes on"
        );
    }
}

#[test]
fn term_and_int_at_once_merge_in_whatever_order() {
    for [first, second] in [[Signal::TERM, Signal::INT], [Signal::INT, Signal::TERM]] {
        let mut machine = TestMachine::running(&settings(&[10]));
        let _ = machine.main_exits(3);
        assert_eq!(machine.signal(first), [Action::Terminating]);
        assert_eq!(machine.signal(second), [Action::Tell(Note::Merged(second))]);
        assert_eq!(machine.phase(), PhaseName::Stopping);
    }
}

#[test]
fn two_terms_150_ms_apart_are_two_whatever_came_in_between() {
    for between in [None, Some(ms(149))] {
        let mut machine = TestMachine::running(&settings(&[10]));
        let _ = machine.main_exits(3);
        let _ = machine.on(Event::Asked(SidecarId(0)));
        let _ = machine.signal(Signal::TERM);
        if let Some(time) = between {
            let _ = machine.pass(time).signal(Signal::TERM);
        }
        let cut = [Action::Tell(Note::CutOff), Action::Exit(exited(3))];
        let rest = ms(150) - between.unwrap_or_default();
        assert_eq!(machine.pass(rest).signal(Signal::TERM), cut, "the first of those that merge counts");
    }
}

#[test]
fn a_stop_signal_that_came_while_main_ran_or_the_group_was_left_merges_with_those_in_the_stop() {
    let mut machine = TestMachine::running(&settings(&[10]));
    assert_eq!(machine.signal(Signal::TERM), [Action::Send(crate::fixtures::MAIN, Signal::TERM)]);
    let _ = machine.pass(ms(100)).main_exits(3);
    let same = [Action::Tell(Note::Merged(Signal::TERM))];
    assert_eq!(machine.pass(ms(49)).signal(Signal::TERM), same);
    assert_eq!(machine.pass(ms(1)).signal(Signal::TERM), [], "the first one since main's end");

    let mut machine = TestMachine::running(&Settings { group: crate::fixtures::group(), ..settings(&[10]) });
    let _ = machine.main_exits(3);
    assert_eq!((machine.signal(Signal::TERM), machine.phase()), (vec![], PhaseName::Leaving));
    assert_eq!(machine.signal(Signal::TERM), same);
    assert_eq!(machine.on(Event::Left(true)), [ask(&[0], ms(10_000), true)]);
    assert_eq!(machine.pass(ms(149)).signal(Signal::TERM), same);
    let cut = machine.pass(ms(1)).signal(Signal::TERM);
    assert_eq!(cut, [Action::Tell(Note::CutOff)], "its request is not out yet");
    assert_eq!(machine.on(Event::Asked(SidecarId(0))), [Action::Exit(exited(3))]);
}

#[test]
fn a_second_stop_signal_waits_for_requests_of_the_step_that_is_asked_already_and_asks_nobody_twice() {
    let mut machine = TestMachine::running(&settings(&[10, 10]));
    let _ = machine.main_exits(3);
    let _ = machine.on(Event::Asked(SidecarId(1)));
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM), [Action::Tell(Note::CutOff)]);
    assert_eq!((machine.phase(), machine.deadline()), (PhaseName::Stopping, Some(ms(450))));
    assert_eq!(machine.on(Event::Tick), [], "not yet");
    assert_eq!(machine.signal(Signal::HUP), [Action::Tell(Note::Dropped(Signal::HUP))]);
    assert_eq!(machine.on(Event::Asked(SidecarId(1))), [], "said twice");
    assert_eq!(machine.on(Event::Asked(SidecarId(0))), [Action::Exit(exited(3))]);
}

#[test]
fn a_stop_alone_that_was_cut_off_is_1_although_all_went_in_time() {
    let mut machine = TestMachine::new(Job::Stop, &settings(&[10, 90]), false);
    let _ = machine.on(Event::Begin);
    let _ = machine.signal(Signal::TERM);
    let cut = machine.pass(ms(150)).signal(Signal::TERM);
    assert_eq!(cut, [Action::Tell(Note::CutOff), ask(&[1], ms(450), true)]);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(1), true)), []);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(Outcome::NotStopped)]);
}
