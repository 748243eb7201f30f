//! Sidecars that cannot be asked, or do not heed it: the fallback by signal.

use crate::fixtures::ms;
use crate::sidecar::{
    BEGIN, Fake, answer, brief, never_seen, open, play, status, still_there, terminating, terms,
};
use lastout_core::stop::{Port, Reply, Terms, Verdict};

#[test]
fn who_will_not_go_is_signalled_where_its_process_is_visible() {
    let stubborn = || Fake { processes: 1, dies_after: Some(ms(30)), ..Fake::up() };
    let with_process = "envoy:process=envoy";
    let trace = play(stubborn(), with_process, terms());
    assert_eq!((trace.verdict, trace.signalled), (Verdict::Gone, vec![BEGIN + ms(9_000)]), "the last second");
    assert!(trace.over >= BEGIN + ms(9_030) && trace.over <= BEGIN + ms(9_050));

    let trace = play(Fake { processes: 0, ..stubborn() }, with_process, terms());
    assert_eq!(brief(&trace), (still_there(true, &status(200)), ms(9_000), 1), "nobody to signal");
    let trace = play(Fake { dies_after: None, ..stubborn() }, with_process, terms());
    assert_eq!(brief(&trace), (still_there(true, &status(200)), ms(10_000), 1), "it ignores that, too");

    let declining = Fake { replies: vec![answer(404)], ..stubborn() };
    assert_eq!(
        play(declining, with_process, terms()).signalled,
        [BEGIN],
        "what is permanent is not waited for"
    );
    let off = Fake { quit: vec![], ..stubborn() }.with_ready(&open());
    let trace = play(off, "cloud-sql-proxy:process=cloud-sql-proxy", terms());
    assert_eq!((trace.verdict, trace.signalled), (Verdict::Gone, vec![BEGIN + ms(500)]));
    let failed = Fake { replies: vec![Reply::Impossible("no folder".into())], ..stubborn() };
    let text = "app:quit=file:/run/done,ready=none,process=app";
    let trace = play(failed, text, terms());
    assert_eq!((trace.verdict, trace.signalled), (Verdict::Gone, vec![BEGIN]), "its process has ended");
}

#[test]
fn the_fallback_takes_no_more_than_half_of_what_is_left() {
    let stubborn = || Fake { processes: 1, dies_after: Some(ms(30)), ..Fake::up() };
    let signalled = |fake: Fake, terms| play(fake, "envoy:process=envoy", terms).signalled[0] - BEGIN;
    assert_eq!(signalled(stubborn(), terminating()), ms(500));
    assert_eq!(signalled(stubborn(), Terms { deadline: BEGIN + ms(300), ..terms() }), ms(150));
    let terminating_at = Some(BEGIN + ms(100));
    assert_eq!(signalled(Fake { terminating_at, ..stubborn() }, terms()), ms(600));
    let leaving = Fake { processes: 1, ..Fake::leaving(400) };
    assert_eq!(
        play(leaving, "envoy:process=envoy", terminating()).signalled,
        [],
        "an accepted quit is proved first"
    );
}

#[test]
fn one_without_a_way_of_being_asked_is_complained_about_only_when_it_is_there() {
    let none = |text| brief(&play(Fake::up(), text, terms()));
    assert_eq!(none("app:quit=none,ready=tcp://127.0.0.1:8080"), (Verdict::NotNeeded, ms(0), 0));
    assert_eq!(none("envoy:quit=none"), (Verdict::NotNeeded, ms(0), 0), "as the user says");
    assert_eq!(none("gcsfuse"), (Verdict::NotNeeded, ms(0), 0), "its driver ends it");
    assert_eq!(none("pgbouncer"), (Verdict::NoWay, ms(0), 0));
    let gone = |text, terms| play(Fake::default(), text, terms).verdict;
    assert_eq!(gone("pgbouncer", terms()), Verdict::AlreadyGone);
    assert_eq!(gone("pgbouncer", never_seen()), Verdict::NoWay, "it may come yet");
    assert_eq!(gone("pgbouncer?", never_seen()), Verdict::Absent);
    assert_eq!(gone("pgbouncer", Terms { seen: false, ..terminating() }), Verdict::Absent);
}

#[test]
fn one_without_a_way_of_being_asked_is_signalled_at_once_where_its_process_is_visible() {
    let text = "pgbouncer:process=pgbouncer";
    let fake = |processes, dies_after| Fake { processes, dies_after, ..Fake::up() };
    let trace = play(fake(1, Some(ms(40))), text, terms());
    assert_eq!(brief(&trace), (Verdict::Gone, ms(40), 0));
    assert_eq!(trace.signalled, [BEGIN]);
    let trace = play(fake(1, None), text, terms());
    assert_eq!(brief(&trace), (still_there(true, "sent"), ms(10_000), 0));
    assert_eq!(brief(&play(fake(0, None), text, terms())), (Verdict::NoWay, ms(0), 0));
    assert_eq!(play(Fake::default(), text, terms()).verdict, Verdict::AlreadyGone);
}

#[test]
fn one_that_was_taken_as_missing_and_is_seen_after_its_signal_is_still_there() {
    let fake = Fake {
        quit: vec![(ms(0), Port::Silent)],
        processes: 1,
        dies_after: Some(ms(0)),
        back_after: Some(ms(0)),
        ..Fake::up()
    };
    let unseen = Terms { absent_at: BEGIN, ..never_seen() };
    let trace = play(fake, "envoy?:process=p", unseen);
    assert!(matches!(trace.verdict, Verdict::StillThere { asked: true, .. }), "{:?}", trace.verdict);
}
