//! The stop of one sidecar, rule by rule.

use crate::fixtures::{ms, spec};
use crate::sidecar::{
    ACCEPTS, BEGIN, END, Fake, ONE_PORT, REFUSES, StopTrace, TWO_PORTS, answer, brief, never_seen, open,
    play, status, still_there, terminating, terms,
};
use lastout_core::stop::{Next, Port, Reply, Sight, Stop, Terms, Verdict};
use std::time::Duration;

#[test]
fn it_is_asked_once_and_gone_when_its_port_refuses() {
    let trace = play(Fake::leaving(40), ONE_PORT, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::Gone, 1));
    assert!(trace.over >= BEGIN + ms(40) && trace.over < BEGIN + ms(41), "{:?}", trace.over);
}

#[test]
fn gone_needs_the_ready_port_to_refuse_too() {
    let fake = Fake::up().with_ready(&[(ms(0), ACCEPTS), (BEGIN + ms(300), REFUSES)]);
    let fake = Fake { quit: vec![(ms(0), ACCEPTS), (BEGIN + ms(5), REFUSES)], ..fake };
    let trace = play(fake, TWO_PORTS, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::Gone, 1));
    assert!(trace.over >= BEGIN + ms(300) && trace.over <= BEGIN + ms(302));
}

#[test]
fn looks_are_dense_while_the_end_is_near_and_rare_later() {
    let trace = play(Fake::up(), ONE_PORT, terms());
    let looks = |from: u64, to: u64| {
        let range = BEGIN + ms(from)..BEGIN + ms(to);
        trace.looked.iter().filter(|(at, ..)| range.contains(at)).count()
    };
    assert_eq!((looks(0, 50), looks(50, 1_000), looks(1_000, 3_000)), (167, 475, 200));
    assert_eq!(looks(3_000, 10_000), 140);
}

#[test]
fn one_that_stays_is_still_there_at_the_deadline_with_its_last_words() {
    let trace = play(Fake::up(), ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(true, &status(200)), ms(10_000), 1));
    let quiet = Reply::Answer { status: 200, accepted: true, quote: String::new() };
    let trace = play(Fake::replying([quiet]), ONE_PORT, terms());
    assert_eq!(trace.verdict, still_there(true, "answered 200"));
}

#[test]
fn a_silent_port_proves_nothing_and_one_last_look_is_taken_at_the_deadline() {
    // Its queue is full, so looks hang; it has gone when the last one is taken.
    let silent = vec![(ms(0), ACCEPTS), (BEGIN + ms(10), Port::Silent), (END, REFUSES)];
    let trace = play(Fake { quit: silent, ..Fake::up() }, ONE_PORT, terms());
    assert_eq!(brief(&trace), (Verdict::Gone, ms(10_000), 1));
    // Silence after a refusal is no second life.
    let quit = vec![(ms(0), ACCEPTS), (BEGIN + ms(5), REFUSES), (BEGIN + ms(20), Port::Silent)];
    let fake = Fake { quit, ..Fake::up() }.with_ready(&[(ms(0), ACCEPTS), (BEGIN + ms(300), REFUSES)]);
    let trace = play(fake, TWO_PORTS, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (still_there(true, &status(200)), 1));
    // A look that began before the deadline and was answered after it is followed by one more.
    let mut stop = Stop::new(&spec(ONE_PORT), terms(), BEGIN);
    stop.replied(BEGIN, answer(200));
    stop.looked(END + ms(5), Port::Silent, None);
    assert_eq!(stop.next(END + ms(5)), Next::LookAtPorts, "a frozen container has thawed");
    stop.looked(END + ms(6), REFUSES, None);
    assert_eq!(stop.next(END + ms(6)), Next::Done(Verdict::Gone));
}

#[test]
fn a_silent_ready_port_beside_a_refusing_quit_port_is_neither_life_nor_an_end() {
    let beside = |ready: &[(Duration, Port)]| Fake { quit: vec![], ..Fake::up() }.with_ready(ready);
    let silent = [(ms(0), Port::Silent)];
    assert_eq!(play(beside(&silent), TWO_PORTS, terms()).verdict, still_there(false, ""), "it was seen");
    assert_eq!(play(beside(&silent), TWO_PORTS, never_seen()).verdict, Verdict::NeverAppeared);
    assert_eq!(play(beside(&silent), "cloud-sql-proxy?", never_seen()).verdict, Verdict::Absent);
    let kuma = play(beside(&silent), "kuma", terms());
    assert_eq!((kuma.verdict, kuma.over), (Verdict::NotNeeded, END), "and not at once");
    // Its queue was full, and then it had gone.
    let gone = [(ms(0), Port::Silent), (BEGIN + ms(900), REFUSES)];
    assert_eq!(play(beside(&gone), TWO_PORTS, terms()).verdict, Verdict::AlreadyGone);
}

#[test]
fn a_look_after_the_fallbacks_signal_that_hung_over_the_deadline_is_followed_by_one_more() {
    let mut stop = Stop::new(&spec("pgbouncer:process=pgbouncer"), terms(), BEGIN);
    stop.signalled(BEGIN, 1);
    stop.looked(END + ms(5), Port::Silent, None);
    assert_eq!(stop.next(END + ms(5)), Next::LookAtPorts);
    stop.looked(END + ms(6), REFUSES, None);
    assert_eq!(stop.next(END + ms(6)), Next::Done(Verdict::Gone));
}

#[test]
fn an_accepted_request_is_enough_for_one_whose_drain_does_not_matter() {
    for preset in ["linkerd", "consul-dataplane"] {
        assert_eq!(brief(&play(Fake::up(), preset, terms())), (Verdict::Accepted, ms(0), 1), "{preset}");
    }
}

#[test]
fn a_request_that_was_written_counts_as_asked_whatever_becomes_of_the_answer() {
    let lost = || Fake::replying([Reply::Lost("the connection was reset".into())]);
    let trace = play(Fake { leaves_after: Some(ms(5)), ..lost() }, ONE_PORT, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::Gone, 1));
    let trace = play(lost(), ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(true, "the connection was reset"), ms(10_000), 1));
    assert_eq!(play(lost(), "linkerd", terms()).verdict, still_there(true, "the connection was reset"));
}

#[test]
fn answers_that_may_change_are_asked_for_again_at_least_200_ms_apart() {
    for busy in [408, 429, 500, 502, 503, 599] {
        let fake =
            Fake { leaves_after: Some(ms(1)), ..Fake::replying([answer(busy), answer(busy), answer(200)]) };
        let trace = play(fake, ONE_PORT, terms());
        let asked: Vec<_> = trace.asked.iter().map(|(at, _)| *at - BEGIN).collect();
        assert_eq!((trace.verdict, asked), (Verdict::Gone, vec![ms(0), ms(200), ms(400)]), "{busy}");
    }
    let trace = play(Fake::replying([answer(503)]), ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(false, &status(503)), ms(9_800), 50));
}

#[test]
fn any_other_answer_is_permanent() {
    for no in [301, 400, 401, 403, 404, 405, 407, 409, 428, 430, 499, 600] {
        let trace = play(Fake::replying([answer(no)]), ONE_PORT, terms());
        let declined = Verdict::Declined { status: no, quote: "words".into() };
        assert_eq!(brief(&trace), (declined, ms(0), 1));
    }
}

#[test]
fn a_quit_port_that_refuses_beside_a_ready_one_is_not_switched_on() {
    let off = || Fake { quit: vec![], ..Fake::up() }.with_ready(&open());
    for terms in [terms(), never_seen(), terminating()] {
        let trace = play(off(), TWO_PORTS, terms);
        assert_eq!(brief(&trace), (Verdict::NotSwitchedOn, ms(500), 1));
    }
    let soon = Fake { quit: vec![(BEGIN + ms(490), ACCEPTS)], leaves_after: Some(ms(1)), ..off() };
    let trace = play(soon, TWO_PORTS, never_seen());
    assert_eq!(trace.verdict, Verdict::Gone, "it was about to open");
    let leaving = off().with_ready(&[(ms(0), ACCEPTS), (BEGIN + ms(490), REFUSES)]);
    assert_eq!(play(leaving, TWO_PORTS, never_seen()).verdict, Verdict::AlreadyGone, "it was about to close");
    let short = Terms { deadline: BEGIN + ms(30), ..terms() };
    assert_eq!(brief(&play(off(), TWO_PORTS, short)), (Verdict::NotSwitchedOn, ms(30), 1));
    assert_eq!(brief(&play(off(), "kuma", terms())), (Verdict::NotNeeded, ms(0), 1), "as it should be");
}

#[test]
fn one_that_has_answered_is_never_taken_as_not_switched_on() {
    let fake =
        Fake { quit: vec![(ms(0), ACCEPTS), (BEGIN + ms(100), REFUSES)], ..Fake::replying([answer(503)]) };
    let going = fake.clone().with_ready(&[(ms(0), ACCEPTS), (BEGIN + ms(900), REFUSES)]);
    let trace = play(going, TWO_PORTS, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::AlreadyGone, 2));
    let trace = play(fake.with_ready(&open()), TWO_PORTS, terms());
    assert_eq!(brief(&trace), (still_there(false, &status(503)), ms(10_000), 2));
}

#[test]
fn one_that_has_answered_was_seen() {
    let busy = Fake::replying([answer(503)]);
    let fake = Fake { quit: vec![(ms(0), ACCEPTS), (BEGIN + ms(100), REFUSES)], ..busy };
    assert_eq!(brief(&play(fake, ONE_PORT, never_seen())), (Verdict::AlreadyGone, ms(200), 2));
}

#[test]
fn one_that_was_seen_and_refuses_is_already_gone() {
    assert_eq!(brief(&play(Fake::default(), ONE_PORT, terms())), (Verdict::AlreadyGone, ms(0), 1));
    let fake = Fake::default().with_ready(&[]);
    assert_eq!(brief(&play(fake, TWO_PORTS, terms())), (Verdict::AlreadyGone, ms(0), 1));
}

#[test]
fn one_that_was_never_seen_is_tried_until_the_deadline() {
    let trace = play(Fake::default(), ONE_PORT, never_seen());
    assert_eq!(brief(&trace), (Verdict::NeverAppeared, ms(10_000), 1));
    assert!(trace.looked.windows(2).all(|pair| pair[1].0 - pair[0].0 <= ms(20)));
    let late = Fake { quit: vec![(BEGIN + ms(9_000), ACCEPTS)], ..Fake::leaving(5) };
    let trace = play(late, ONE_PORT, never_seen());
    assert_eq!(trace.verdict, Verdict::Gone);
    assert_eq!(trace.asked[1].0, BEGIN + ms(9_000));
    let too_late = Fake { quit: vec![(END, ACCEPTS)], ..Fake::leaving(5) };
    let trace = play(too_late, ONE_PORT, never_seen());
    assert_eq!(brief(&trace), (still_there(false, ""), ms(10_000), 1), "but it is there");
}

#[test]
fn a_port_that_takes_looks_but_no_requests_is_asked_at_a_distance() {
    let trace = play(Fake::replying([Reply::Refused]), ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(false, ""), ms(10_000), 501));
}

#[test]
fn an_optional_one_that_was_never_seen_is_absent_from_its_time_on() {
    let absent = |at: Duration, deadline: Duration| {
        let terms = Terms { absent_at: at, deadline, ..never_seen() };
        brief(&play(Fake::default(), "envoy?", terms))
    };
    assert_eq!(absent(ms(3_000), END), (Verdict::Absent, ms(0), 1));
    assert_eq!(absent(BEGIN + ms(1_000), END), (Verdict::Absent, ms(1_000), 1));
    assert_eq!(absent(END + ms(1), END), (Verdict::Absent, ms(10_000), 1));
    let late = Fake { quit: vec![(BEGIN + ms(500), ACCEPTS)], ..Fake::leaving(5) };
    let terms = Terms { absent_at: BEGIN + ms(1_000), ..never_seen() };
    assert_eq!(play(late, "envoy?", terms).verdict, Verdict::Gone, "a late one is stopped, too");
}

#[test]
fn what_failed_before_a_byte_was_written_is_tried_again() {
    let timeout = || Reply::Unsent("connecting took too long".into());
    let fake = Fake { leaves_after: Some(ms(0)), ..Fake::replying([timeout(), timeout(), answer(200)]) };
    assert_eq!(brief(&play(fake, ONE_PORT, terms())), (Verdict::Gone, ms(100), 3));
    let trace = play(Fake::replying([timeout()]), ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(false, "connecting took too long"), ms(9_950), 200));
}

#[test]
fn after_a_stop_signal_there_is_one_try_and_a_second_of_proof() {
    let fakes = [
        (Fake::up(), still_there(true, &status(200)), 1_000),
        (Fake::replying([answer(503)]), still_there(false, &status(503)), 0),
        (Fake::replying([Reply::Unsent("late".into())]), still_there(false, "late"), 0),
        (Fake::replying([Reply::Lost("reset".into())]), still_there(true, "reset"), 1_000),
    ];
    for (fake, verdict, after) in fakes {
        assert_eq!(brief(&play(fake, ONE_PORT, terminating())), (verdict, ms(after), 1));
    }
    let unseen = Terms { seen: false, ..terminating() };
    assert_eq!(brief(&play(Fake::default(), ONE_PORT, unseen)), (Verdict::Absent, ms(0), 1));
    let short = Terms { deadline: BEGIN + ms(300), ..terminating() };
    assert_eq!(play(Fake::up(), ONE_PORT, short).over, BEGIN + ms(300), "never more than there was");
}

#[test]
fn a_stop_signal_in_the_midst_leaves_one_try_and_a_second() {
    let terminating_at = Some(BEGIN + ms(2_050));
    let trace = play(Fake { terminating_at, ..Fake::up() }, ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(true, &status(200)), ms(3_050), 1));
    let trace = play(Fake { terminating_at, ..Fake::default() }, ONE_PORT, never_seen());
    assert_eq!(trace.verdict, Verdict::Absent);
    assert!(trace.over <= BEGIN + ms(2_070));
    let trace = play(Fake { terminating_at, ..Fake::replying([answer(503)]) }, ONE_PORT, terms());
    assert_eq!(brief(&trace), (still_there(false, &status(503)), ms(2_200), 12));
}

#[test]
fn a_second_stop_signal_gives_no_second_second() {
    let mut stop = Stop::new(&spec(ONE_PORT), terminating(), BEGIN);
    assert_eq!(stop.left(BEGIN), ms(1_000));
    stop.terminating_from(BEGIN + ms(900));
    assert_eq!((stop.left(BEGIN + ms(900)), stop.is_terminating()), (ms(100), true));
    assert_eq!(stop.left(END), ms(50), "a request has always a moment");
    assert!(!Stop::new(&spec(ONE_PORT), terms(), BEGIN).is_terminating());
}

#[test]
fn a_new_life_is_asked_once_more_and_then_only_told_of() {
    let flapping = |opens: &[u64]| {
        let mut quit = open();
        for at in opens {
            quit.extend([(BEGIN + ms(at - 20), REFUSES), (BEGIN + ms(*at), ACCEPTS)]);
        }
        Fake { quit, ..Fake::up() }.with_ready(&open())
    };
    let trace = play(flapping(&[100]), TWO_PORTS, terms());
    assert_eq!(brief(&trace), (still_there(true, &status(200)), ms(10_000), 2));
    let trace = play(flapping(&[100, 200, 300]), TWO_PORTS, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::CameBack, 2));
    assert!(trace.over < BEGIN + ms(210));
    let trace = play(flapping(&[100]), TWO_PORTS, terminating());
    assert_eq!(
        (trace.verdict, trace.asked.len()),
        (Verdict::CameBack, 1),
        "not even once while the pod terminates"
    );
}

#[test]
fn one_that_is_gone_is_watched_while_others_are_still_stopped() {
    let mut fake = Fake { back_after: Some(ms(500)), ..Fake::leaving(10) };
    let begun = Stop::new(&spec(ONE_PORT), terms(), BEGIN);
    let first = fake.go_on(begun, BEGIN, 1);
    assert_eq!(first.verdict, Verdict::Gone);
    let mut stop = first.stop;
    stop.watch(first.over);
    assert_eq!(stop.next(first.over), Next::Pause(ms(50)));
    let second = fake.go_on(stop, first.over, 1);
    assert_eq!((second.verdict, second.asked.len()), (Verdict::Gone, 1), "the new life was asked, too");
    let mut stop = second.stop;
    stop.watch(second.over);
    assert_eq!(stop.next(second.over), Next::Pause(ms(50)), "a third one is seen …");
    stop.looked(second.over + ms(50), Port::Accepts, None);
    assert_eq!(stop.next(second.over + ms(50)), Next::Done(Verdict::CameBack), "… and only told of");

    let while_terminating = play(Fake::leaving(10), ONE_PORT, terminating());
    let mut stop = while_terminating.stop;
    stop.watch(while_terminating.over);
    assert_eq!(
        stop.next(while_terminating.over),
        Next::Done(Verdict::Gone),
        "nobody restarts it in a pod that goes"
    );

    let already = play(Fake::default(), ONE_PORT, terms());
    let mut stop = already.stop;
    stop.watch(already.over);
    assert_eq!(stop.next(already.over), Next::Done(Verdict::AlreadyGone));
}

/// Its ports say whether it is there, the proof says whether it has finished.
#[test]
fn a_proof_that_is_not_at_the_ports_takes_the_place_of_their_refusal_and_of_nothing_else() {
    let text = "app:port=1,quit=/q,gone=file:/sent";
    let given = |at: u64| vec![(BEGIN + ms(at), Sight::Given)];
    let trace = play(Fake { proof: given(700), ..Fake::up() }, text, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::Gone, 1));
    assert!(trace.over >= BEGIN + ms(700) && trace.over < BEGIN + ms(800), "{:?}", trace.over);
    let trace = play(Fake { proof: given(0), ..Fake::up() }, text, terms());
    assert_eq!(brief(&trace), (Verdict::Gone, ms(0), 1));
    let missing = play(Fake::leaving(50), "app:port=1,quit=/q,gone=no-file:/spool", terms());
    assert_eq!(brief(&missing).0, Verdict::Gone, "the scripted sidecar proves its end when it leaves");
    let silent = play(Fake::up(), text, terms());
    assert_eq!(brief(&silent), (still_there(true, &status(200)), ms(10_000), 1));
    // One that was never there is not there, whatever else is missing.
    let nobody = |text: &str, terms| play(Fake::default(), text, terms).verdict;
    assert_eq!(nobody("app?:port=1,quit=/q,gone=file:/sent", never_seen()), Verdict::Absent);
    assert_eq!(nobody(text, never_seen()), Verdict::NeverAppeared);
    // One that is ending by itself is waited for.
    let trace = play(Fake { proof: given(300), ..Fake::default() }, text, terms());
    assert_eq!((trace.verdict, trace.over >= BEGIN + ms(300)), (Verdict::Gone, true));
    // A refusal beside a ready port that accepts is told as ever.
    let off = Fake { proof: given(0), ..Fake::default() }.with_ready(&open());
    let text = "cloud-sql-proxy:gone=file:/sent";
    assert_eq!(play(off, text, terms()).verdict, Verdict::NotSwitchedOn);
}

#[test]
fn one_whose_end_is_proved_elsewhere_is_back_only_when_its_port_has_refused_in_between() {
    let fake = Fake { proof: vec![(BEGIN, Sight::Given)], ..Fake::up() };
    let StopTrace { mut stop, over, .. } = play(fake, "app:port=1,quit=/q,gone=file:/sent", terms());
    stop.watch(over);
    let mut now = over;
    for (port, next) in [
        (ACCEPTS, Next::Pause(ms(50))),
        (Port::Silent, Next::Pause(ms(50))),
        (REFUSES, Next::Pause(ms(50))),
        (ACCEPTS, Next::Ask),
    ] {
        now += ms(50);
        assert_eq!(stop.next(now), Next::LookAtPorts);
        stop.looked(now, port, None);
        assert_eq!(stop.next(now), next, "{port:?}");
    }
}

/// A port that neither accepts nor refuses is no proof of life.
#[test]
fn one_that_was_never_seen_and_never_answers_is_absent_where_it_may_be_and_else_never_appeared() {
    let silent = || Fake { quit: vec![(ms(0), Port::Silent)], replies: vec![answer(200)], ..Fake::default() };
    let presumed = Terms { presumed: true, absent_at: BEGIN + ms(1_000), ..terms() };
    let unseen = Terms { absent_at: BEGIN + ms(1_000), ..never_seen() };
    for terms in [presumed, unseen] {
        let trace = play(silent(), "app?:port=1,quit=/q", terms);
        assert_eq!(trace.verdict, Verdict::Absent, "{terms:?}");
        assert!(trace.over < BEGIN + ms(1_200), "{:?}", trace.over);
        assert_eq!(play(silent(), "app:port=1,quit=/q", terms).verdict, Verdict::NeverAppeared, "{terms:?}");
    }
    assert_eq!(
        play(silent(), "app:port=1,quit=/q", terms()).verdict,
        still_there(false, "connecting took too long")
    );
    // What is found gone is what `lastout stop` wants.
    assert_eq!(play(Fake::default(), "app:port=1,quit=/q", presumed).verdict, Verdict::AlreadyGone);
}

#[test]
fn an_optional_process_that_is_not_there_is_absent() {
    let nobody = Fake { proof: vec![(ms(0), Sight::Impossible)], ..Fake::default() };
    assert_eq!(play(nobody, "app?:process=app", never_seen()).verdict, Verdict::Absent);
}

#[test]
fn a_process_that_was_never_visible_proves_nothing() {
    let proof = vec![(ms(0), Sight::Impossible)];
    let created = || Fake { proof: proof.clone(), ..Fake::replying([Reply::Created]) };
    let text = "app:quit=file:/run/done,gone=process:app";
    assert_eq!(brief(&play(created(), text, terms())), (Verdict::Accepted, ms(0), 1));
    let signalled = Fake { processes: 1, dies_after: Some(ms(300)), ..Fake::default() };
    assert_eq!(brief(&play(signalled, "app:process=app", terms())), (Verdict::Gone, ms(300), 0));
    let nobody = Fake { proof: proof.clone(), ..Fake::default() };
    assert_eq!(play(nobody, "app:process=app", terms()).verdict, Verdict::NoWay);
}

#[test]
fn a_done_file_is_created_once_and_proved_by_the_ready_port_where_there_is_one() {
    let created = || Fake::replying([Reply::Created]);
    let text = "app:quit=file:/run/done,ready=tcp://127.0.0.1:8080";
    let trace = play(Fake { leaves_after: Some(ms(700)), ..created() }, text, terms());
    assert_eq!((trace.verdict, trace.asked.len()), (Verdict::Gone, 1));
    assert!(trace.over >= BEGIN + ms(700));
    assert_eq!(play(created(), text, terms()).verdict, still_there(true, "the file is there"));
    let blind = "app:quit=file:/run/done,ready=none";
    assert_eq!(brief(&play(created(), blind, terms())), (Verdict::Accepted, ms(0), 1));
    assert_eq!(play(created(), "linkerd:quit=file:/run/done", terms()).verdict, Verdict::Accepted);
    let failed = Fake::replying([Reply::Impossible("no such folder".into())]);
    let impossible = Verdict::Impossible("no such folder".into());
    assert_eq!(brief(&play(failed, blind, terms())), (impossible, ms(0), 1));
}

#[test]
fn what_keeps_the_pod_from_ending_is_no_good_verdict() {
    let good = [Verdict::Gone, Verdict::AlreadyGone, Verdict::Accepted, Verdict::NotNeeded, Verdict::Absent];
    assert!(good.iter().all(Verdict::is_good));
    let bad = [
        Verdict::NotSwitchedOn,
        Verdict::Declined { status: 404, quote: String::new() },
        Verdict::Impossible(String::new()),
        Verdict::NoWay,
        Verdict::NeverAppeared,
        still_there(true, ""),
        Verdict::CameBack,
    ];
    assert!(!bad.iter().any(Verdict::is_good));
}

#[test]
fn nobody_asks_again_whom_a_yes_was_heard_from_or_who_is_gone() {
    let settled =
        [Verdict::Gone, Verdict::AlreadyGone, Verdict::Accepted, Verdict::NotNeeded, Verdict::CameBack];
    assert!(settled.iter().chain([&still_there(true, "")]).all(Verdict::is_final));
    let open = [
        Verdict::Absent,
        Verdict::NotSwitchedOn,
        Verdict::Declined { status: 404, quote: String::new() },
        Verdict::Impossible(String::new()),
        Verdict::NoWay,
        Verdict::NeverAppeared,
        still_there(false, ""),
    ];
    assert!(!open.iter().any(Verdict::is_final));
}

#[test]
fn silence_of_one_that_is_gone_is_no_second_life_and_of_one_never_seen_no_life() {
    let mut stop = Stop::new(&spec(ONE_PORT), terms(), BEGIN);
    stop.replied(BEGIN, answer(200));
    stop.looked(BEGIN + ms(5), REFUSES, None);
    stop.watch(BEGIN + ms(5));
    stop.looked(BEGIN + ms(55), Port::Silent, None);
    assert_eq!(stop.next(BEGIN + ms(55)), Next::Pause(ms(50)), "still watched");
    stop.looked(BEGIN + ms(105), ACCEPTS, None);
    assert_eq!(stop.next(BEGIN + ms(105)), Next::Ask, "this is one");

    let silent_for = |port| vec![(BEGIN + ms(10), port), (BEGIN + ms(40), REFUSES)];
    let fake = |port| Fake { quit: silent_for(port), ..Fake::replying([Reply::Unsent("late".into())]) };
    assert_eq!(play(fake(Port::Silent), ONE_PORT, never_seen()).verdict, Verdict::NeverAppeared);
    assert_eq!(play(fake(ACCEPTS), ONE_PORT, never_seen()).verdict, Verdict::AlreadyGone, "it was seen");
}

#[test]
fn one_last_look_that_begins_at_or_after_the_deadline_comes_before_still_there_and_no_second() {
    for begun_late in [Port::Silent, ACCEPTS] {
        let mut stop = Stop::new(&spec(ONE_PORT), terms(), BEGIN);
        stop.replied(BEGIN, answer(200));
        stop.looked(END + ms(5), Port::Silent, None);
        assert_eq!(stop.next(END + ms(5)), Next::LookAtPorts);
        stop.looked(END + ms(25), begun_late, None);
        assert_eq!(stop.next(END + ms(25)), Next::Done(still_there(true, &status(200))));
    }
    let trace = play(Fake::up(), ONE_PORT, terms());
    assert_eq!(trace.looked.iter().filter(|(at, ..)| *at >= END).count(), 1, "one that is due then is it");
}
