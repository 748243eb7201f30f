//! A whole `lastout stop` without a thread, a socket or a clock: the machine and the stops are driven by a list of events, as
//! a helper with an event loop of its own would drive them.

use crate::fixtures::{ms, spec};
use crate::sidecar::{Fake, answer};
use lastout_core::machine::{Action, Event, Job, Machine, SidecarId};
use lastout_core::outcome::Outcome;
use lastout_core::settings::{Settings, Verb};
use lastout_core::stop::{Stop, Terms};
use std::time::Duration;

/// Drives the stop of these sidecars to its end: the outcome, and who was asked when.
fn stopped(sidecars: Vec<(&str, Fake)>) -> (Outcome, Vec<(usize, Duration)>) {
    let specs: Vec<_> = sidecars.iter().map(|(text, _)| spec(text)).collect();
    let mut fakes: Vec<_> = sidecars.into_iter().map(|(_, fake)| fake).collect();
    let settings = Settings { sidecars: specs.clone(), ..Settings::defaults(Verb::Stop) };
    let mut machine = Machine::new(Job::Stop, &settings, false);
    let mut events = vec![(ms(0), Event::Begin)];
    let mut asked = vec![];
    while !events.is_empty() {
        // The earliest one; of one moment the one that was put in first.
        let next = (0..events.len()).min_by_key(|&index| (events[index].0, index)).unwrap();
        let (now, event) = events.remove(next);
        for action in machine.on(now, event) {
            match action {
                Action::Ask { sidecars, deadline, terminating } => {
                    for SidecarId(index) in sidecars {
                        let terms =
                            Terms { seen: true, presumed: true, absent_at: ms(0), deadline, terminating };
                        let trace = fakes[index].go_on(Stop::new(&specs[index], terms, now), now, 1);
                        for (at, _) in trace.asked {
                            asked.push((index, at));
                            events.push((at, Event::Asked(SidecarId(index))));
                        }
                        events.push((
                            trace.over,
                            Event::SidecarDone(SidecarId(index), trace.verdict.is_good()),
                        ));
                    }
                }
                Action::Exit(outcome) => return (outcome, asked),
                _ => {}
            }
        }
    }
    panic!("a stop without end: {machine:?}");
}

#[test]
fn a_stop_is_driven_by_events_alone_step_by_step() {
    let (outcome, asked) = stopped(vec![
        ("mesh:port=1,quit=/q,order=90", Fake::leaving(20)),
        ("logs:port=2,quit=/q", Fake::leaving(300)),
        (
            "files:quit=file:/done,gone=file:/sent",
            Fake {
                proof: vec![(ms(500), lastout_core::stop::Sight::Given)],
                replies: vec![lastout_core::stop::Reply::Created],
                ..Fake::up()
            },
        ),
    ]);
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(asked.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 0]);
    assert!(asked[2].1 >= ms(500), "the mesh is asked when the others have finished: {asked:?}");
}

#[test]
fn one_that_declines_or_never_goes_is_the_outcome_of_a_stop_that_is_driven_so() {
    for stubborn in [Fake::replying([answer(404)]), Fake::up()] {
        let (outcome, asked) =
            stopped(vec![("a:port=1,quit=/q", stubborn), ("b:port=2,quit=/q", Fake::leaving(5))]);
        assert_eq!((outcome, asked.len()), (Outcome::NotStopped, 2));
    }
    assert_eq!(stopped(vec![("gone:port=1,quit=/q", Fake::default())]).0, Outcome::Done);
}
