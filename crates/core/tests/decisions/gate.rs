//! The gate of one sidecar: when it is probed again, and when it is taken as absent.

use crate::fixtures::{ms, spec};
use lastout_core::gate::{Gate, Next, Probe};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

/// Distances of probes that begin at this moment and all find this.
fn pauses(from: Duration, probe: Probe, count: usize) -> Vec<Duration> {
    let mut gate = Gate::new(&spec("envoy"), ms(3_000));
    let mut now = from;
    let pause = |_| match gate.probed(now, probe) {
        Next::Again(pause) => {
            now += pause;
            pause
        }
        other => panic!("{other:?}"),
    };
    (0..count).map(pause).collect()
}

#[test]
fn probes_begin_a_millisecond_apart_and_stay_dense_for_ten_seconds() {
    let doubling = [1, 2, 4, 8].map(ms);
    assert_eq!(pauses(ms(0), Probe::Nobody, 6), [&doubling[..], &[ms(10); 2]].concat());
    assert_eq!(pauses(ms(0), Probe::NotYet, 6), [&doubling[..], &[ms(12); 2]].concat());
    assert_eq!(*pauses(ms(9_000), Probe::NotYet, 60).last().unwrap(), ms(12));
    assert_eq!(*pauses(ms(10_000), Probe::NotYet, 60).last().unwrap(), ms(500), "each is a line in some log");
}

#[test]
fn the_tenth_second_is_the_first_of_the_wide_ones() {
    let tenth = |now: Duration| {
        let mut gate = Gate::new(&spec("envoy"), ms(0));
        let last = (0..10).map(|_| gate.probed(now, Probe::Nobody)).last();
        last.expect("ten probes")
    };
    assert_eq!(tenth(ms(9_999)), Next::Again(ms(10)));
    assert_eq!(tenth(ms(10_000)), Next::Again(ms(500)));
}

#[test]
fn an_optional_one_that_comes_late_within_its_time_is_waited_for() {
    let mut gate = Gate::new(&spec("envoy?"), ms(3_000));
    assert!(!gate.seen());
    assert!(matches!(gate.probed(ms(2_999), Probe::Nobody), Next::Again(pause) if pause == ms(1)));
    assert!(matches!(gate.probed(ms(2_999), Probe::NotYet), Next::Again(_)));
    assert!(gate.seen());
    assert!(matches!(gate.probed(ms(90_000), Probe::Nobody), Next::Again(_)), "it has only closed again");
    assert_eq!(gate.probed(ms(90_001), Probe::Ready), Next::Ready);
}

#[test]
fn one_that_is_ready_at_once_was_seen() {
    let mut gate = Gate::new(&spec("envoy?"), ms(0));
    assert_eq!(gate.probed(ms(0), Probe::Ready), Next::Ready);
    assert!(gate.seen());
}

proptest! {
    #[test]
    fn absence_is_decided_at_its_moment_and_never_for_one_that_was_seen_or_is_required(
        optional: bool,
        absent_after in 1..5_000u64,
        probes in vec(prop::sample::select(vec![Probe::Nobody, Probe::Nobody, Probe::NotYet]), 1..600),
    ) {
        let text = if optional { "envoy?" } else { "envoy" };
        let mut gate = Gate::new(&spec(text), ms(absent_after));
        let (mut now, mut seen) = (ms(0), false);
        for probe in probes {
            seen |= probe == Probe::NotYet;
            match gate.probed(now, probe) {
                Next::Again(pause) => {
                    prop_assert!(!pause.is_zero());
                    let bound = if now < ms(10_000) { ms(50) } else { ms(500) };
                    prop_assert!(pause <= bound);
                    now += pause;
                }
                Next::Absent => {
                    prop_assert!(optional && !seen);
                    prop_assert_eq!(now, ms(absent_after));
                    return Ok(());
                }
                Next::Ready => prop_assert!(false, "nobody said so"),
            }
            prop_assert_eq!(gate.seen(), seen);
        }
        prop_assert!(!optional || seen || now <= ms(absent_after));
    }
}

#[test]
fn at_the_end_of_the_wait_only_an_optional_one_that_nobody_answered_for_is_absent() {
    let ended = |text: &str, probe: Option<Probe>| {
        let mut gate = Gate::new(&spec(text), ms(3_000));
        let _ = probe.map(|probe| gate.probed(ms(1), probe));
        gate.ended()
    };
    assert_eq!(ended("envoy?", None), Some(Next::Absent));
    assert_eq!(ended("envoy?", Some(Probe::Nobody)), Some(Next::Absent));
    assert_eq!(ended("envoy?", Some(Probe::NotYet)), None);
    assert_eq!(ended("envoy", Some(Probe::Nobody)), None);
}
