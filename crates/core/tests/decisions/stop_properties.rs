//! What holds of every stop of one sidecar, whatever the sidecar does.

use crate::fixtures::{ms, spec};
use crate::sidecar::{ACCEPTS, Fake, REFUSES, StopTrace, answer, counts};
use lastout_core::stop::{Next, Port, Reply, Sight, Stop, Terms, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;

fn a_port() -> impl Strategy<Value = Vec<(Duration, Port)>> {
    let change = (0..3_000u64, prop::sample::select(vec![ACCEPTS, REFUSES, Port::Silent]));
    vec(change, 0..8).prop_map(|mut changes| {
        changes.sort_unstable_by_key(|(at, _)| *at);
        changes.into_iter().map(|(at, port)| (ms(at), port)).collect()
    })
}

fn a_proof() -> impl Strategy<Value = Vec<(Duration, Sight)>> {
    let given = vec((0..3_000u64, prop::sample::select(vec![Sight::Given, Sight::Missing])), 0..4);
    prop_oneof![
        1 => Just(vec![(ms(0), Sight::Impossible)]),
        4 => given.prop_map(|mut changes| {
            changes.sort_unstable_by_key(|(at, _)| *at);
            changes.into_iter().map(|(at, sight)| (ms(at), sight)).collect()
        }),
    ]
}

fn a_reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => prop::sample::select(vec![200, 204, 302, 404, 408, 429, 500, 503, 599]).prop_map(answer),
        1 => Just(Reply::Lost("reset".into())),
        1 => Just(Reply::Refused),
        1 => Just(Reply::Unsent("timeout".into())),
        1 => Just(Reply::Impossible("no folder".into())),
        1 => Just(Reply::Created),
    ]
}

fn a_fake() -> impl Strategy<Value = Fake> {
    let time = |up_to: u64| (0..up_to).prop_map(Duration::from_millis);
    let leaving = (option::of(time(500)), option::of(time(500)), option::of(time(500)));
    let rest = (0..3usize, option::of(time(3_000)), time(200), a_proof());
    (a_port(), option::of(a_port()), vec(a_reply(), 1..5), leaving, rest).prop_map(
        |(
            quit,
            ready,
            replies,
            (leaves_after, back_after, dies_after),
            (processes, terminating_at, replies_after, proof),
        )| Fake {
            quit,
            ready,
            proof,
            replies,
            leaves_after,
            back_after,
            replies_after,
            processes,
            dies_after,
            terminating_at,
        },
    )
}

fn a_spec() -> impl Strategy<Value = String> {
    let heads = ["envoy", "linkerd", "cloud-sql-proxy", "kuma", "pgbouncer", "gcsfuse", "vault-agent"];
    let tails = [
        "",
        ":process=p",
        ":quit=file:/done",
        ":quit=none",
        ":ready=none",
        ":quit=file:/done,ready=none",
        ":quit=file:/done,gone=file:/f",
        ":quit=file:/done,gone=process:p",
        ":gone=file:/f,quit=http://127.0.0.1:1/q",
    ];
    let heads = prop::sample::select(heads.to_vec());
    (heads, any::<bool>(), prop::sample::select(tails.to_vec())).prop_map(|(head, optional, tail)| {
        // What has no quit request has no port for it either.
        let tail = if head == "gcsfuse" || head == "pgbouncer" {
            tail.replace("quit=none", "process=p")
        } else {
            tail.into()
        };
        format!("{head}{}{tail}", if optional { "?" } else { "" })
    })
}

fn some_terms() -> impl Strategy<Value = Terms> {
    (any::<bool>(), 0..4_000u64, 0..3_000u64, prop::bool::weighted(0.3)).prop_map(
        |(seen, absent_at, deadline, terminating)| Terms {
            seen,
            presumed: false,
            absent_at: ms(absent_at),
            deadline: ms(deadline),
            terminating,
        },
    )
}

proptest! {
    #[test]
    fn a_stop_is_over_by_its_deadline_and_one_request(fake in a_fake(), text in a_spec(), terms in some_terms()) {
        let begin = ms(200);
        let trace = fake.clone().play(&text, terms, begin);
        let mut deadline = terms.deadline.max(begin);
        if terms.terminating {
            deadline = deadline.min(begin + ms(1_000));
        }
        if let Some(at) = fake.terminating_at {
            deadline = deadline.min(at.max(begin) + ms(1_000) + fake.replies_after).max(begin);
        }
        // The request that ends the asking, and the one to a second life.
        prop_assert!(trace.over <= deadline + 2 * ms(50), "{:?} {:?}", deadline, trace);
    }

    #[test]
    fn an_accepted_quit_is_never_repeated_to_the_same_life(
        mut fake in a_fake(), text in a_spec(), terms in some_terms(),
    ) {
        let StopTrace { mut stop, over, mut asked, mut looked, .. } =
            fake.go_on(Stop::new(&spec(&text), terms, ms(0)), ms(0), 1);
        stop.watch(over);
        // Of one with another proof than its ports watching may go on: shown by example.
        let comes_back = fake.port(ms(60_000), &fake.quit) == ACCEPTS && !text.contains("gone=");
        if comes_back && !matches!(stop.next(over), Next::Done(_)) {
            let again = fake.go_on(stop, over, 4);
            asked.extend(again.asked);
            looked.extend(again.looked);
        }
        let accepted: Vec<usize> = (0..asked.len()).filter(|index| counts(&asked[*index].1)).collect();
        prop_assert!(accepted.len() <= 2, "{:?}", asked);
        for later in accepted.first().map_or(0, |first| first + 1)..asked.len() {
            let Some(last) = accepted.iter().rfind(|index| **index < later) else { break };
            let mut looks = looked.iter().filter(|(at, ..)| (asked[*last].0..=asked[later].0).contains(at));
            let went = looks.any(|(_, quit, _)| *quit == REFUSES);
            prop_assert!(went && looks.any(|(_, quit, _)| *quit == ACCEPTS), "{:?} {:?}", asked, looked);
        }
    }

    #[test]
    fn requests_that_may_be_repeated_are_repeated_at_a_distance(fake in a_fake(), text in a_spec(), terms in some_terms()) {
        let trace = fake.play(&text, terms, ms(0));
        for pair in trace.asked.windows(2) {
            let pause = pair[1].0 - pair[0].0;
            match &pair[0].1 {
                Reply::Answer { status: 408 | 429 | 500..=599, .. } => prop_assert!(pause >= ms(200)),
                Reply::Unsent(_) => prop_assert!(pause >= ms(50)),
                Reply::Answer { accepted: false, .. } | Reply::Impossible(_) => prop_assert!(false, "permanent"),
                _ => {}
            }
        }
    }

    #[test]
    fn a_good_verdict_is_never_given_to_one_that_was_seen_there_last(
        fake in a_fake(), text in a_spec(), terms in some_terms(),
    ) {
        let trace = fake.play(&text, terms, ms(0));
        if let Some((_, sight)) = trace.proofs.last() {
            let gone = matches!(trace.verdict, Verdict::Gone | Verdict::AlreadyGone);
            prop_assert!(!gone || *sight == Sight::Given, "{:?}", trace);
            return Ok(());
        }
        let Some((_, quit, ready)) = trace.looked.last() else { return Ok(()) };
        let gone = *quit == REFUSES && ready.is_none_or(|ready| ready == REFUSES);
        // One that never was there cannot be silent because it lives.
        let there = *quit == ACCEPTS || *ready == Some(ACCEPTS);
        match trace.verdict {
            Verdict::Gone | Verdict::AlreadyGone => prop_assert!(gone, "{:?}", trace),
            Verdict::Absent => prop_assert!(!there, "{:?}", trace),
            _ => {}
        }
    }

    #[test]
    fn one_look_at_least_begins_at_or_after_the_deadline_before_one_that_was_asked_is_still_there(
        fake in a_fake(), text in a_spec(), terms in some_terms(),
    ) {
        // Of one with a process asking ends sooner: shown by example.
        if text.contains("process=") {
            return Ok(());
        }
        let terminating_at = if terms.terminating { Some(ms(0)) } else { fake.terminating_at };
        let deadline = terminating_at.map_or(terms.deadline, |at| terms.deadline.min(at + ms(1_000)));
        let trace = fake.play(&text, terms, ms(0));
        let last = trace.looked.last().map(|(at, ..)| *at).max(trace.proofs.last().map(|(at, _)| *at));
        let asked = matches!(trace.verdict, Verdict::StillThere { asked: true, .. });
        prop_assert!(!asked || last.is_some_and(|at| at >= deadline), "{:?} {:?}", deadline, trace);
    }

    #[test]
    fn a_port_that_only_ever_was_silent_is_neither_gone_nor_back_nor_seen(
        replies in vec(a_reply(), 1..3), text in a_spec(), terms in some_terms(), two_ports: bool,
    ) {
        let silent = vec![(ms(0), Port::Silent)];
        let ready = two_ports.then(|| silent.clone());
        let trace = Fake { quit: silent, ready, replies, ..Fake::default() }.play(&text, terms, ms(0));
        let absent = trace.verdict == Verdict::Absent && terms.seen;
        let proved = absent || matches!(
            trace.verdict,
            Verdict::Gone | Verdict::AlreadyGone | Verdict::CameBack | Verdict::NotSwitchedOn
        );
        prop_assert!(!proved, "{:?}", trace);
    }
}
