//! Scripted sidecars for the stop of one: what its ports do and what it answers, on the test's clock; and what holds
//! of every stop, whatever the sidecar does.

use crate::scene::{ms, spec};
use lastout_core::stop::{Next, Port, Reply, Stop, Terms, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;

/// A sidecar as the stop sees it. Ports refuse until they are opened.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    /// From when on the quit port does what.
    pub quit: Vec<(Duration, Port)>,
    /// The same for the ready port, where it is another one.
    pub ready: Option<Vec<(Duration, Port)>>,
    /// The replies to requests while the quit port accepts, one after the other; the last one again and again.
    pub replies: Vec<Reply>,
    /// So long after it was asked its ports close.
    pub leaves_after: Option<Duration>,
    /// So long after that they open again.
    pub back_after: Option<Duration>,
    /// How long it takes to reply, at most as long as it may.
    pub replies_after: Duration,
    /// Processes that get the signal, and how long after that the ports close.
    pub processes: usize,
    pub dies_after: Option<Duration>,
    /// When a stop signal comes.
    pub hurry_at: Option<Duration>,
}

/// What came of it.
#[derive(Debug)]
pub struct Story {
    pub verdict: Verdict,
    pub over: Duration,
    pub asked: Vec<(Duration, Reply)>,
    pub looked: Vec<(Duration, Port, Option<Port>)>,
    pub signalled: Vec<Duration>,
    pub stop: Stop,
}

pub const ACCEPTS: Port = Port::Accepts;
pub const REFUSES: Port = Port::Refuses;

pub fn answer(status: u16) -> Reply {
    Reply::Answer { status, accepted: (200..300).contains(&status), quote: String::from("words") }
}

impl Fake {
    /// Both ports are one, it accepts, and it answers 200.
    pub fn up() -> Self {
        Self { quit: vec![(ms(0), ACCEPTS)], replies: vec![answer(200)], ..Self::default() }
    }

    /// It leaves so long after an accepted request.
    pub fn leaving(after: u64) -> Self {
        Self { leaves_after: Some(ms(after)), ..Self::up() }
    }

    pub fn replying(replies: impl Into<Vec<Reply>>) -> Self {
        Self { replies: replies.into(), ..Self::up() }
    }

    pub fn with_ready(self, ready: &[(Duration, Port)]) -> Self {
        Self { ready: Some(ready.to_vec()), ..self }
    }

    /// Plays the stop from `begin` to its verdict.
    pub fn play(mut self, text: &str, terms: Terms, begin: Duration) -> Story {
        let stop = Stop::new(&spec(text), terms, begin);
        self.go_on(stop, begin, 1)
    }

    /// Plays on until the next verdict; `asked`: how many requests it may take before it must be over.
    pub fn go_on(&mut self, mut stop: Stop, mut now: Duration, patience: u64) -> Story {
        let (mut asked, mut looked, mut signalled) = (vec![], vec![], vec![]);
        for _ in 0..100_000 * patience {
            let hurry = self.hurry_at.take_if(|at| *at <= now);
            if hurry.is_some() {
                stop.hurry(now);
            }
            match stop.next(now) {
                Next::Pause(time) => {
                    assert!(!time.is_zero(), "a pause of no length burns the processor");
                    let woken = self.hurry_at.filter(|at| *at < now + time);
                    now = woken.unwrap_or(now + time);
                }
                Next::Ask => {
                    let (reply, took) = self.reply(now, stop.left(now));
                    asked.push((now, reply.clone()));
                    now += took;
                    stop.replied(now, reply);
                }
                Next::Look => {
                    let quit = self.port(now, &self.quit);
                    let ready = self.ready.as_ref().map(|ready| self.port(now, ready));
                    looked.push((now, quit, ready));
                    stop.looked(now, quit, ready);
                }
                Next::Signal => {
                    signalled.push(now);
                    if let (Some(after), true) = (self.dies_after, self.processes > 0) {
                        self.close(now + after);
                    }
                    stop.signalled(now, self.processes);
                }
                Next::Done(verdict) => return Story { verdict, over: now, asked, looked, signalled, stop },
            }
        }
        panic!("a stop without end: {stop:?} {asked:?}");
    }

    /// The reply to a request, and how long it takes.
    fn reply(&mut self, now: Duration, left: Duration) -> (Reply, Duration) {
        if self.port(now, &self.quit) == REFUSES {
            return (Reply::Refused, Duration::ZERO);
        }
        let took = self.replies_after.min(left);
        let reply = if self.replies.len() > 1 { self.replies.remove(0) } else { self.replies[0].clone() };
        if let (Some(after), true) = (self.leaves_after, counts(&reply)) {
            self.close(now + took + after);
        }
        (reply, took)
    }

    fn close(&mut self, at: Duration) {
        let back_after = self.back_after.take();
        for port in [Some(&mut self.quit), self.ready.as_mut()].into_iter().flatten() {
            port.retain(|(since, _)| *since < at);
            port.push((at, REFUSES));
            port.extend(back_after.map(|after| (at + after, ACCEPTS)));
        }
    }

    fn port(&self, now: Duration, port: &[(Duration, Port)]) -> Port {
        port.iter().rfind(|(since, _)| *since <= now).map_or(REFUSES, |(_, port)| *port)
    }
}

fn a_port() -> impl Strategy<Value = Vec<(Duration, Port)>> {
    let change = (0..3_000u64, prop::sample::select(vec![ACCEPTS, REFUSES]));
    vec(change, 0..8).prop_map(|mut changes| {
        changes.sort_unstable_by_key(|(at, _)| *at);
        changes.into_iter().map(|(at, port)| (ms(at), port)).collect()
    })
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
    let rest = (0..3usize, option::of(time(3_000)), time(200));
    (a_port(), option::of(a_port()), vec(a_reply(), 1..5), leaving, rest).prop_map(
        |(
            quit,
            ready,
            replies,
            (leaves_after, back_after, dies_after),
            (processes, hurry_at, replies_after),
        )| Fake {
            quit,
            ready,
            replies,
            leaves_after,
            back_after,
            replies_after,
            processes,
            dies_after,
            hurry_at,
        },
    )
}

fn a_spec() -> impl Strategy<Value = String> {
    let heads = ["envoy", "linkerd", "cloud-sql-proxy", "kuma", "pgbouncer", "gcsfuse", "vault-agent"];
    let tails =
        ["", ":process=p", ":quit=file:/done", ":quit=none", ":ready=none", ":quit=file:/done,ready=none"];
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
        |(seen, absent_at, deadline, hurried)| Terms {
            seen,
            absent_at: ms(absent_at),
            deadline: ms(deadline),
            hurried,
        },
    )
}

fn counts(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer { accepted: true, .. } | Reply::Lost(_) | Reply::Created)
}

proptest! {
    #[test]
    fn a_stop_is_over_by_its_deadline_and_one_request(fake in a_fake(), text in a_spec(), terms in some_terms()) {
        let begin = ms(200);
        let story = fake.clone().play(&text, terms, begin);
        let mut deadline = terms.deadline.max(begin);
        if terms.hurried {
            deadline = deadline.min(begin + ms(1_000));
        }
        if let Some(at) = fake.hurry_at {
            deadline = deadline.min(at.max(begin) + ms(1_000) + fake.replies_after).max(begin);
        }
        // The request that ends the asking, and the one to a second life.
        prop_assert!(story.over <= deadline + 2 * ms(50), "{:?} {:?}", deadline, story);
    }

    #[test]
    fn an_accepted_quit_is_never_repeated_to_the_same_life(
        mut fake in a_fake(), text in a_spec(), terms in some_terms(),
    ) {
        let Story { mut stop, over, mut asked, mut looked, .. } =
            fake.go_on(Stop::new(&spec(&text), terms, ms(0)), ms(0), 1);
        stop.watch(over);
        let comes_back = fake.port(ms(60_000), &fake.quit) == ACCEPTS;
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
        let story = fake.play(&text, terms, ms(0));
        for pair in story.asked.windows(2) {
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
        let story = fake.play(&text, terms, ms(0));
        let Some((_, quit, ready)) = story.looked.last() else { return Ok(()) };
        let gone = *quit == REFUSES && ready.is_none_or(|ready| ready == REFUSES);
        let proved = matches!(story.verdict, Verdict::Gone | Verdict::AlreadyGone | Verdict::Absent);
        prop_assert!(!proved || gone, "{:?}", story);
    }
}
