//! Sidecars that will not go, or are not there: bounded time, one line that says what happened, and main's
//! exit code stands.

use std::time::{Duration, Instant};
use support::{
    Fake, Launch, Reply, ms, pause,
    stop::{main_of, main_reaped, stopped},
};

const OK: Reply = Reply::Answer(200, "bye");

#[test]
fn a_quit_that_is_never_answered_is_not_repeated_and_told_at_the_deadline() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Silent]).stays().start();
    let (end, took) = stopped(main_of(&fake).options(["--stop-timeout", "1500ms"]));
    end.one_line(3, &["fake", "still there"]);
    assert_eq!(fake.quits().len(), 1);
    assert!(took >= ms(1400) && took < ms(2500), "{took:?}");
}

#[test]
fn a_quit_that_is_never_answered_but_obeyed_is_fine() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Silent]).leaves_after(ms(100)).start();
    let (end, took) = stopped(main_of(&fake));
    end.silent(3);
    assert!(took < ms(2000), "{took:?}");
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_500_is_tried_again_at_least_200_ms_later_until_it_works() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(500, "busy"), Reply::Answer(503, "busy"), OK]).start();
    let (end, took) = stopped(main_of(&fake));
    end.silent(3);
    let times: Vec<_> = fake.quits().iter().map(|q| q.at).collect();
    assert_eq!(times.len(), 3);
    assert!(times.windows(2).all(|w| w[1] - w[0] >= ms(195)), "{times:?}");
    assert!(took < ms(2000), "{took:?}");
}

#[test]
fn a_500_for_ever_is_told_at_the_deadline() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(500, "out of order")]).stays().start();
    let (end, took) = stopped(main_of(&fake).options(["--stop-timeout", "1s"]));
    end.one_line(3, &["fake", "500"]);
    let asked = fake.quits().len();
    assert!((2..=6).contains(&asked), "asked {asked} times in 1 s");
    assert!(took < ms(2000), "{took:?}");
}

#[test]
fn a_404_is_final_and_quoted() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(404, "shutdown endpoint is not enabled")]).stays().start();
    let (end, took) = stopped(main_of(&fake));
    end.one_line(3, &["fake", "404", "shutdown endpoint is not enabled"]);
    assert_eq!(fake.quits().len(), 1);
    assert!(took < ms(1000), "{took:?}");
}

#[test]
fn a_refusal_of_a_known_sidecar_names_what_to_switch_on() {
    only_ours!();
    let refusal = Reply::Answer(403, "request to path /quitquitquit not allowed");
    let fake = Fake::script().quit([refusal]).stays().start();
    let spec = format!("envoy:port={}", fake.port());
    let (end, took) = stopped(Launch::pid1().sidecar(&spec));
    end.one_line(3, &["envoy", "403", "not allowed", "allow_paths"]);
    assert_eq!(fake.quits()[0].path, "/quitquitquit");
    assert!(took < ms(1000), "{took:?}");
}

#[test]
fn a_redirect_is_a_refusal_and_not_followed() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Redirect("/elsewhere")]).stays().start();
    let (end, _) = stopped(main_of(&fake));
    end.one_line(3, &["fake", "302"]);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_reset_after_the_request_counts_as_asked() {
    only_ours!();
    for reply in [Reply::Reset, Reply::Close] {
        let fake = Fake::script().quit([reply]).leaves_after(ms(50)).start();
        stopped(main_of(&fake)).0.silent(3);
        assert_eq!(fake.quits().len(), 1, "{reply:?}");
    }
}

#[test]
fn a_reset_after_the_request_of_one_that_stays_is_told_at_the_deadline() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Reset]).stays().start();
    let (end, took) = stopped(main_of(&fake).options(["--stop-timeout", "700ms"]));
    end.one_line(3, &["fake", "still there"]);
    assert_eq!(fake.quits().len(), 1);
    assert!(took < ms(1500), "{took:?}");
}

#[test]
fn one_that_accepts_and_stays_is_asked_once_and_told_at_the_deadline() {
    only_ours!();
    let fake = Fake::script().quit([OK]).stays().start();
    let (end, took) = stopped(main_of(&fake).options(["--stop-timeout", "1s"]));
    end.one_line(3, &["fake", "still there", "1 s|1s"]);
    assert_eq!(fake.quits().len(), 1);
    assert!(took >= ms(900) && took < ms(2000), "{took:?}");
}

#[test]
fn one_that_is_gone_already_is_fine() {
    only_ours!();
    let fake = Fake::good();
    let mut run = Launch::pid1().sidecar(&fake.spec("fake")).sh("echo up; read line; exit 3").stdin().start();
    run.says("up");
    fake.close();
    let closed = Instant::now();
    run.close_stdin();
    let end = run.wait();
    end.silent(3);
    assert!(end.ended - closed < ms(500), "{:?}", end.ended - closed);
    assert_eq!(fake.quits().len(), 0);
}

#[test]
fn one_that_never_appears_is_told_at_the_deadline() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let (end, took) = stopped(main_of(&fake).options(["--no-wait", "--stop-timeout", "1s"]));
    end.one_line(3, &["fake", "never appeared", "this pod will not end"]);
    assert!(took >= ms(900) && took < ms(2000), "{took:?}");
}

#[test]
fn an_optional_one_that_never_appears_is_not_told_and_not_waited_for() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let launch =
        Launch::pid1().sidecar(&fake.spec("fake?")).options(["--no-wait", "--absent-after", "300ms"]);
    let (end, took) = stopped(launch);
    end.silent(3);
    assert!(took < ms(1000), "{took:?}");
}

#[test]
fn one_that_appears_two_seconds_after_mains_end_is_stopped() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = main_of(&fake).options(["--no-wait"]).start();
    main_reaped(&run);
    pause(ms(2000));
    fake.open();
    let open = Instant::now();
    let end = run.wait();
    end.silent(3);
    assert_eq!(fake.quits().len(), 1);
    assert!(end.ended - open < ms(1000), "{:?}", end.ended - open);
}

#[test]
fn one_that_comes_back_once_after_the_quit_is_asked_once_more() {
    only_ours!();
    // The ready port is up all the while, so that the wrapper is still verifying.
    let fake = Fake::script().ready_port_lags(ms(100)).returns_after(ms(300), 1).start();
    let (end, took) = stopped(main_of(&fake));
    assert_eq!((end.code(), fake.quits().len()), (3, 2), "{}", end.stderr);
    assert!(end.stderr.lines().count() <= 1, "{}", end.stderr);
    assert!(end.ended >= fake.left_at().unwrap());
    assert!(took < ms(3000), "{took:?}");
}

#[test]
fn one_that_comes_back_again_is_only_told_of() {
    only_ours!();
    let fake = Fake::script().ready_port_lags(ms(100)).returns_after(ms(200), 9).start();
    let (end, took) = stopped(main_of(&fake).options(["--stop-timeout", "2s"]));
    end.one_line(3, &["fake", "again|back|still there"]);
    assert_eq!(fake.quits().len(), 2);
    assert!(took < ms(3000), "{took:?}");
}

#[test]
fn one_on_a_single_port_that_comes_back_does_not_hold_the_wrapper() {
    only_ours!();
    let fake = Fake::script().returns_after(ms(300), 1).start();
    let (end, took) = stopped(main_of(&fake));
    assert_eq!(end.code(), 3);
    assert!(end.stderr.lines().count() <= 1 && fake.quits().len() <= 2, "{}", end.stderr);
    assert!(took < ms(3000), "{took:?}");
}

#[test]
fn a_quit_that_is_not_switched_on_is_told_at_once() {
    only_ours!();
    let fake = Fake::script().ready_port_lags(Duration::ZERO).start();
    fake.close_quit_port();
    let (end, took) = stopped(main_of(&fake));
    end.one_line(3, &["fake", "not switched on|refuses|refused"]);
    assert!(took < ms(1000), "{took:?}");
}

#[test]
fn cloud_sql_proxy_without_quitquitquit_is_told_at_once_with_the_flag() {
    only_ours!();
    let fake = Fake::script().ready_port_lags(Duration::ZERO).start();
    fake.close_quit_port();
    let spec = format!("cloud-sql-proxy:port={},ready-port={}", fake.port(), fake.ready_port());
    let (end, took) = stopped(Launch::pid1().sidecar(&spec));
    end.one_line(3, &["cloud-sql-proxy", "--quitquitquit"]);
    assert_eq!(fake.probes()[0].path, "/startup");
    assert!(took < ms(1000), "{took:?}");
}
