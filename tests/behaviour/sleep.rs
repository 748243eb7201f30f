//! `lastout sleep`: for `preStop` in images without one.

use std::time::Instant;
use support::{Launch, eventually, facts, ms, pause};

fn sleeps(launch: fn() -> Launch, time: &str) -> Launch {
    launch().options(["sleep", time])
}

#[test]
fn it_sleeps_as_long_as_told_and_exits_0() {
    only_ours!();
    for (time, at_least) in [("300ms", 300), ("0.2", 200), ("0", 0), ("100ms", 100)] {
        for launch in [Launch::pid1, Launch::process] {
            let end = sleeps(launch, time).run();
            end.silent(0);
            assert!(
                end.took() >= ms(at_least) && end.took() < ms(at_least + 2000),
                "{time}: {:?}",
                end.took()
            );
        }
    }
}

#[test]
fn a_bare_number_is_seconds() {
    only_ours!();
    let end = sleeps(Launch::pid1, "1").run();
    end.silent(0);
    assert!(end.took() >= ms(1000) && end.took() < ms(4000), "{:?}", end.took());
}

#[test]
fn a_signal_that_ends_programs_ends_it_by_128_plus_n() {
    only_ours!();
    for launch in [Launch::pid1, Launch::process] {
        for signal in [15, 2, 1, 3, 10, 64] {
            let run = sleeps(launch, "60").start();
            eventually("it sleeps", || {
                facts::status_field(run.pid(), "State").is_some_and(|s| s.starts_with('S'))
            });
            let sent = Instant::now();
            run.signal(signal);
            let end = run.wait();
            end.silent(128 + signal);
            assert!(end.ended - sent < ms(500));
        }
    }
}

#[test]
fn a_harmless_signal_does_not_shorten_it() {
    only_ours!();
    let run = sleeps(Launch::pid1, "300ms").start();
    pause(ms(20));
    for signal in [17, 18, 23, 28] {
        run.signal(signal);
    }
    let end = run.wait();
    end.silent(0);
    assert!(end.took() >= ms(300), "{:?}", end.took());
}

#[test]
fn it_reaps_what_it_inherits() {
    only_ours!();
    let wrapper = support::binary();
    let words = ["sh", "-c", "sleep 0.05 & exec \"$0\" sleep 60", wrapper.to_str().unwrap()];
    let run = Launch::pid1_of(words).start();
    eventually("the wrapper is there", || {
        facts::status_field(run.pid(), "Name").as_deref() == Some("lastout")
    });
    pause(ms(60));
    eventually("no zombie", || facts::children(run.pid()).is_empty());
}

#[test]
fn a_time_that_is_none_exits_125_with_one_line() {
    only_ours!();
    for time in ["soon", "1x", "NaN", "inf", "1e3", ""] {
        sleeps(Launch::pid1, time).run().one_line(125, &["sleep", time]);
    }
}
