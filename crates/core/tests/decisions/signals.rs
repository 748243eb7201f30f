//! Signals before main and while it runs: kept, forwarded, rewritten, delayed, and the KILL after `--grace`.

use crate::fixtures::{MAIN, TestMachine, USR1, USR2, exited, ms, settings, signal};
use lastout_core::machine::{Action, Event, Job, Note, SidecarId};
use lastout_core::outcome::Outcome;
use lastout_core::settings::Settings;
use lastout_core::signal::Signal;

fn send(signal: Signal) -> Action {
    Action::Send(MAIN, signal)
}

#[test]
fn every_signal_is_forwarded_once_while_main_runs() {
    let mut machine = TestMachine::running(&settings(&[]));
    for number in (1..=64).filter(|n| ![9, 17, 19].contains(n)) {
        assert_eq!(machine.signal(signal(number)), [send(signal(number))]);
    }
}

/// The terminal has sent it to our whole group, and main is in that.
#[test]
fn a_signal_that_main_has_as_well_is_not_sent_again_but_counts() {
    let rules = Settings {
        grace: Some(ms(500)),
        rewrites: vec![(USR1, Some(USR2))],
        delays: vec![(USR2, ms(100))],
        ..settings(&[])
    };
    let mut machine = TestMachine::running(&rules);
    for came in [Signal::INT, USR1, USR2, Signal::TSTP, Signal::WINCH, Signal::CONT] {
        assert_eq!(machine.on(Event::GroupSignal(came)), [], "{came}");
    }
    assert_eq!(machine.deadline(), Some(ms(500)), "the grace of INT, no delay of USR2");
}

#[test]
fn at_the_gate_a_signal_of_the_terminal_is_as_any_other() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    assert!(machine.on(Event::GroupSignal(Signal::INT)).contains(&Action::CloseGate));
}

/// That the short way leads to the same place is checked in every simulation.
#[test]
fn the_short_way_is_open_to_all_that_need_no_time_and_change_nothing_here() {
    let rules = Settings {
        rewrites: vec![(signal(40), Some(USR1)), (signal(41), None)],
        delays: vec![(USR2, ms(100))],
        ..settings(&[])
    };
    let machine = TestMachine::running(&rules);
    for (came, sent) in [(USR1, Some(USR1)), (Signal::HUP, Some(Signal::HUP)), (signal(40), Some(USR1))] {
        assert_eq!(machine.passes(came), sent.map(|sent| (MAIN, sent)), "{came}");
    }
    for long in [Signal::TERM, Signal::CONT, USR2, signal(41)] {
        assert_eq!(machine.passes(long), None, "{long}");
    }
    assert_eq!(TestMachine::waiting(&settings(&[10])).passes(USR1), None);
}

#[test]
fn signals_at_the_gate_are_kept_for_main_in_their_order() {
    let real_time = signal(40);
    let mut machine = TestMachine::waiting(&settings(&[10]));
    for kept in [USR2, real_time, USR1, USR2, real_time] {
        assert_eq!(machine.signal(kept), [Action::Tell(Note::Kept(kept))]);
    }
    let _ = machine.on(Event::Open(SidecarId(0)));
    let sent = [USR2, real_time, USR1, real_time].map(send);
    assert_eq!(machine.on(Event::Started(MAIN)), sent, "standard ones merge, real-time ones queue");
}

#[test]
fn a_flood_of_real_time_signals_at_the_gate_is_bounded_and_puts_no_other_out() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    let flood = signal(64);
    for count in 0..10_000 {
        let note = if count < 256 { Note::Kept(flood) } else { Note::Dropped(flood) };
        assert_eq!(machine.signal(flood), [Action::Tell(note)]);
    }
    let _ = machine.signal(USR1);
    let _ = machine.on(Event::Open(SidecarId(0)));
    let sent = machine.on(Event::Started(MAIN));
    assert_eq!((sent.len(), sent.last()), (257, Some(&send(USR1))));
}

#[test]
fn ctrl_z_at_the_gate_stops_us_outside_pid_1_and_what_continues_us_is_not_for_main() {
    let mut machine = TestMachine::new(Job::Command, &settings(&[10]), false);
    let _ = machine.on(Event::Begin);
    for stop in [Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        assert_eq!(machine.signal(stop), [Action::StopSelf(stop)]);
    }
    assert_eq!(machine.signal(Signal::CONT), []);
    let _ = machine.on(Event::Open(SidecarId(0)));
    assert_eq!(machine.on(Event::Started(MAIN)), []);
}

#[test]
fn as_pid_1_what_stops_and_what_continues_are_kept_for_main_alike() {
    let mut machine = TestMachine::waiting(&settings(&[10]));
    for kept in [Signal::TSTP, Signal::CONT] {
        assert_eq!(machine.signal(kept), [Action::Tell(Note::Kept(kept))]);
    }
    let _ = machine.on(Event::Open(SidecarId(0)));
    assert_eq!(machine.on(Event::Started(MAIN)), [send(Signal::TSTP), send(Signal::CONT)]);
}

#[test]
fn a_stop_signal_in_the_fork_window_reaches_main() {
    let mut machine = TestMachine::new(Job::Command, &settings(&[]), true);
    let _ = machine.on(Event::Begin);
    for kept in [Signal::TERM, Signal::HUP, Signal::TERM] {
        assert_eq!(machine.signal(kept), [Action::Tell(Note::Kept(kept))]);
    }
    assert_eq!(machine.on(Event::Started(MAIN)), [send(Signal::TERM), send(Signal::HUP)]);

    let mut machine = TestMachine::new(Job::Command, &Settings { gate: false, ..settings(&[10]) }, true);
    let _ = machine.on(Event::Begin);
    let _ = machine.signal(Signal::TERM);
    let asked = machine.on(Event::NotStarted(Outcome::NotFound));
    assert!(matches!(asked[..], [Action::Ask { terminating: true, .. }]), "{asked:?}");
    let cut = [Action::Tell(Note::CutOff), Action::Exit(Outcome::NotFound)];
    let _ = machine.on(Event::Asked(SidecarId(0)));
    assert_eq!(machine.pass(ms(150)).signal(Signal::TERM), cut, "or it was the first one");
}

#[test]
fn a_signal_is_rewritten_or_dropped_by_the_last_rule_for_it() {
    let rewrites = vec![(USR1, Some(USR2)), (USR1, Some(Signal::PIPE)), (USR2, None), (Signal::HUP, None)];
    let mut machine = TestMachine::running(&Settings { rewrites, ..settings(&[]) });
    assert_eq!(machine.signal(USR1), [send(Signal::PIPE)]);
    assert_eq!(machine.signal(USR2), [Action::Tell(Note::Dropped(USR2))]);
    assert_eq!(machine.signal(Signal::HUP), [Action::Tell(Note::Dropped(Signal::HUP))]);
}

#[test]
fn a_delayed_signal_is_forwarded_once_at_its_time_and_rewritten_then() {
    let delays = vec![(USR1, ms(1)), (USR1, ms(300)), (USR2, ms(0)), (Signal::TERM, ms(100))];
    let rewrites = vec![(Signal::TERM, Some(Signal::QUIT))];
    let mut machine = TestMachine::running(&Settings { delays, rewrites, ..settings(&[]) });
    assert_eq!(machine.signal(USR1), [Action::Tell(Note::Delayed(USR1, ms(300)))], "the last rule wins");
    assert_eq!(machine.signal(USR2), [send(USR2)], "0 is no delay");
    let delayed = [Action::Tell(Note::Delayed(Signal::TERM, ms(100)))];
    assert_eq!(machine.signal(Signal::TERM), delayed);
    assert_eq!(machine.pass(ms(50)).signal(Signal::TERM), delayed);
    assert_eq!(machine.tick(), (ms(100), vec![send(Signal::QUIT)]));
    assert_eq!(machine.on(Event::Tick), []);
    assert_eq!(machine.tick(), (ms(150), vec![send(Signal::QUIT)]), "each has its own time");
    assert_eq!(machine.tick(), (ms(300), vec![send(USR1)]));
    assert_eq!(machine.deadline(), None);
}

#[test]
fn a_flood_of_delayed_signals_is_bounded_and_none_is_lost() {
    let mut machine = TestMachine::running(&Settings { delays: vec![(USR1, ms(100))], ..settings(&[]) });
    let at_once = (0..300).filter(|_| machine.signal(USR1) == [send(USR1)]).count();
    assert_eq!((at_once, machine.tick().1.len()), (300 - 256, 256));
}

#[test]
fn a_delay_ends_with_main() {
    let mut machine = TestMachine::running(&Settings { delays: vec![(USR1, ms(100))], ..settings(&[10]) });
    let _ = machine.signal(USR1);
    let _ = machine.main_exits(0);
    let _ = machine.pass(ms(200)).on(Event::Tick);
    assert_eq!(machine.on(Event::SidecarDone(SidecarId(0), true)), [Action::Exit(exited(0))]);
}

#[test]
fn main_is_killed_when_it_is_still_there_after_the_grace() {
    let grace = Some(ms(500));
    let mut machine = TestMachine::running(&Settings { grace, ..settings(&[]) });
    assert_eq!(machine.signal(USR1), [send(USR1)]);
    assert_eq!(machine.deadline(), None, "only a stop signal arms it");
    assert_eq!(machine.signal(Signal::TERM), [send(Signal::TERM)]);
    assert_eq!(machine.pass(ms(400)).signal(Signal::TERM), [send(Signal::TERM)]);
    let killed = vec![Action::Tell(Note::Killed), send(Signal::KILL)];
    assert_eq!(machine.tick(), (ms(500), killed), "the first one counts");
    assert_eq!(machine.deadline(), None, "once");
}

#[test]
fn the_grace_begins_when_the_stop_signal_is_forwarded_and_not_at_all_when_it_is_dropped() {
    let grace = Some(ms(500));
    let delays = vec![(Signal::TERM, ms(200))];
    let mut machine = TestMachine::running(&Settings { grace, delays, ..settings(&[]) });
    let _ = machine.signal(Signal::TERM);
    assert_eq!(machine.tick(), (ms(200), vec![send(Signal::TERM)]));
    assert_eq!(machine.deadline(), Some(ms(700)));

    let rewrites = vec![(Signal::TERM, None), (Signal::INT, Some(USR1)), (USR2, Some(Signal::TERM))];
    let mut machine = TestMachine::running(&Settings { grace, rewrites, ..settings(&[]) });
    let _ = machine.signal(Signal::TERM);
    let _ = machine.signal(USR2);
    assert_eq!(machine.deadline(), None, "what the user calls the end is what came, not what is sent");
    assert_eq!(machine.signal(Signal::INT), [send(USR1)]);
    assert_eq!(machine.deadline(), Some(ms(500)));
}

#[test]
fn only_the_signals_that_were_named_mean_the_end() {
    let named = Settings { stop_signals: vec![USR2], grace: Some(ms(500)), ..settings(&[10]) };
    let mut machine = TestMachine::running(&named);
    assert_eq!(machine.signal(Signal::TERM), [send(Signal::TERM)]);
    assert_eq!(machine.deadline(), None);
    let mut machine = TestMachine::waiting(&named);
    assert_eq!(machine.signal(Signal::TERM), [Action::Tell(Note::Kept(Signal::TERM))]);
    assert_eq!(machine.signal(USR2)[0], Action::CloseGate);
}

#[test]
fn outside_pid_1_job_control_is_passed_on() {
    let mut machine = TestMachine::running_outside(&settings(&[]));
    assert_eq!(machine.on(Event::Stopped(MAIN, Signal::TSTP)), [Action::StopSelf(Signal::TSTP)]);
    assert_eq!(machine.on(Event::Stopped(MAIN + 1, Signal::TSTP)), [], "a grandchild that was left to us");
    assert_eq!(machine.signal(Signal::CONT), [Action::HandTerminal(MAIN), send(Signal::CONT)]);
    assert_eq!(machine.signal(USR1), [send(USR1)]);

    let mut machine = TestMachine::running(&settings(&[]));
    assert_eq!(machine.on(Event::Stopped(MAIN, Signal::TSTP)), [], "nobody could continue PID 1");
    assert_eq!(machine.signal(Signal::CONT), [send(Signal::CONT)]);
}

#[test]
fn a_running_main_gets_stop_signals_that_merge_too() {
    let mut machine = TestMachine::running(&settings(&[10]));
    for stop in [Signal::TERM, Signal::TERM, Signal::INT] {
        assert_eq!(machine.signal(stop), [send(stop)]);
    }
    assert_eq!(machine.pass(ms(149)).signal(Signal::TERM), [send(Signal::TERM)]);
}
