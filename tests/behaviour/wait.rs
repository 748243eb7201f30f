//! The gate: main starts when every sidecar is ready, soon after, and never when told not to.

use std::time::Instant;
use support::{
    Fake, Launch, Reply, TempDir,
    gate::{gated, probed},
    median, ms, pause,
};

const NOT_YET: Reply = Reply::Answer(503, "INITIALIZING");
const READY: Reply = Reply::Answer(200, "LIVE");

#[test]
fn main_starts_when_the_sidecar_is_ready_and_not_before() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET, NOT_YET, NOT_YET, READY]).start();
    let run = gated(&fake).start();
    let up = run.says("up");
    assert_eq!(fake.probes().len(), 4);
    assert!(fake.probes()[3].at < up);
    run.wait().silent(3);
}

#[test]
fn an_optional_sidecar_that_nobody_answered_for_is_absent_when_the_wait_ends() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let spec = fake.spec("fake?");
    Launch::pid1().sidecar(&spec).options(["--wait-timeout", "300ms"]).sh("exit 3").run().silent(3);
    // Somebody is there: then it is waited for.
    let fake = Fake::script().ready([NOT_YET]).start();
    let spec = fake.spec("fake?");
    let end = Launch::pid1().sidecar(&spec).options(["--wait-timeout", "300ms"]).sh("exit 3").run();
    assert_eq!(end.code(), 124, "{}", end.stderr);
}

#[test]
fn a_frozen_container_that_thaws_after_the_wait_takes_one_last_look() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = gated(&fake).options(["--wait-timeout", "500ms"]).start();
    pause(ms(100));
    run.signal(libc::SIGSTOP);
    fake.open();
    pause(ms(800));
    run.signal(libc::SIGCONT);
    run.says("up");
    run.wait().silent(3);
}

#[test]
fn main_starts_soon_after_a_late_sidecar_is_ready() {
    only_ours!();
    let late: Vec<_> = [50, 300, 1000, 300, 50]
        .map(|delay| {
            let fake = Fake::script().start_closed();
            let run = gated(&fake).start();
            pause(ms(delay));
            fake.open();
            let open = Instant::now();
            let late = run.says("up") - open;
            run.wait().silent(3);
            late
        })
        .into();
    assert!(median(&late) <= ms(60), "ready to main: {late:?}");
    assert!(late.iter().all(|l| *l <= ms(250)), "ready to main: {late:?}");
}

#[test]
fn all_sidecars_must_be_ready_in_whatever_order() {
    only_ours!();
    for first in [0, 1] {
        let fakes = [Fake::script().start_closed(), Fake::script().start_closed()];
        let run = gated(&fakes[0]).sidecar(&fakes[1].spec("second")).start();
        fakes[first].open();
        probed(&fakes[first]);
        pause(ms(50));
        assert!(run.said().is_empty(), "main waits for the other one");
        fakes[1 - first].open();
        run.says("up");
        run.wait().silent(3);
    }
}

#[test]
fn wait_timeout_exits_124_quotes_the_last_answer_and_stops_the_sidecar() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let end = gated(&fake).options(["--wait-timeout", "300ms"]).run();
    end.one_line(124, &["fake", "503", "INITIALIZING"]);
    assert!(end.stdout.is_empty(), "main never starts");
    assert_eq!(fake.quits().len(), 1);
    assert!(end.took() >= ms(300) && end.took() < ms(1500), "{:?}", end.took());
}

#[test]
fn wait_timeout_with_nothing_listening_says_refused_and_that_it_never_appeared() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let end = gated(&fake).options(["--wait-timeout", "200ms", "--stop-timeout", "500ms"]).run();
    end.lines(124, &[&["fake", "refused"], &["fake", "never appeared"]]);
    assert!(end.took() < ms(2000), "{:?}", end.took());
}

#[test]
fn wait_timeout_with_a_known_sidecar_gives_its_hint() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let spec = format!("cloud-sql-proxy:port={},ready-port={}", fake.port(), fake.port());
    let options = ["--wait-timeout", "200ms", "--stop-timeout", "200ms"];
    let end = Launch::pid1().sidecar(&spec).options(options).sh("echo up").run();
    end.lines(
        124,
        &[&["cloud-sql-proxy", "refused", "--health-check"], &["cloud-sql-proxy", "never appeared"]],
    );
}

#[test]
fn under_stop_on_success_a_wait_timeout_leaves_the_sidecar_alone() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let end = gated(&fake).options(["--wait-timeout", "200ms", "--stop-on", "success"]).run();
    end.one_line(124, &["fake"]);
    assert_eq!(fake.quits().len(), 0);
}

#[test]
fn on_wait_timeout_run_starts_main_and_says_so() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let end = gated(&fake).options(["--wait-timeout", "200ms", "--on-wait-timeout", "run"]).run();
    end.one_line(3, &["fake", "503"]);
    assert_eq!(end.stdout, b"up\n");
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn no_wait_starts_main_at_once_and_stops_the_sidecar_all_the_same() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let end = gated(&fake).options(["--no-wait"]).run();
    end.silent(3);
    assert_eq!((fake.quits().len(), end.stdout.as_slice()), (1, &b"up\n"[..]));
}

#[test]
fn a_first_probe_that_hangs_costs_one_request_timeout() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Silent, READY]).start();
    let run = gated(&fake).start();
    let up = run.says("up") - run.began;
    assert!(up >= ms(900) && up < ms(2000), "the default is 1 s: {up:?}");
    run.wait().silent(3);
}

#[test]
fn the_timeout_of_a_spec_bounds_one_request() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Silent, READY]).start();
    let run = Launch::pid1().sidecar(&(fake.spec("fake") + ",timeout=200ms")).sh("echo up; exit 3").start();
    let up = run.says("up") - run.began;
    assert!(up >= ms(180) && up < ms(900), "{up:?}");
    run.wait().silent(3);
}

#[test]
fn an_answer_dripped_past_the_timeout_is_not_ready() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Drip(ms(20)), READY]).start();
    let run = Launch::pid1().sidecar(&(fake.spec("fake") + ",timeout=200ms")).sh("echo up; exit 3").start();
    run.says("up");
    assert_eq!(fake.probes().len(), 2);
    run.wait().silent(3);
}

#[test]
fn odd_ends_of_a_connection_are_not_ready() {
    only_ours!();
    let odd = [Reply::Reset, Reply::Close, Reply::Answer(404, "no"), Reply::Redirect("/quit"), READY];
    let fake = Fake::script().resets_at_accept(2).ready(odd).start();
    let run = gated(&fake).start();
    run.says("up");
    run.wait().silent(3);
    assert_eq!(fake.probes().len(), odd.len());
    assert!(fake.probes().iter().all(|p| p.path == "/ready"), "a redirect is not followed");
}

#[test]
fn a_probe_is_a_plain_get_past_any_proxy() {
    only_ours!();
    let (fake, proxy) = (Fake::good(), Fake::good());
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let mut launch = gated(&fake);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        launch = launch.env(format!("{name}={url}"));
    }
    launch.run().silent(3);
    assert_eq!(proxy.connections(), 0);
    let head = fake.probes()[0].head.to_lowercase();
    assert!(head.starts_with("get /ready http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: ") && head.contains("\r\nconnection: close\r\n"), "{head}");
}

#[test]
fn probes_come_quickly_but_not_without_pause() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    gated(&fake).options(["--wait-timeout", "2s"]).run();
    let times: Vec<_> = fake.probes().iter().map(|p| p.at).collect();
    let gaps: Vec<_> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(times.len() < 400, "{} probes in 2 s", times.len());
    assert!(median(&gaps[gaps.len() - 10..]) <= ms(65), "at most 50 ms apart: {gaps:?}");
}

#[test]
fn after_five_seconds_the_wait_is_told_once_with_the_last_answer() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let run = gated(&fake).start();
    let (line, at) = run.tells("still waiting for fake");
    assert!(line.contains("503") && line.contains("INITIALIZING"), "{line}");
    let after = at - run.began;
    assert!(after >= ms(4900) && after < ms(6000), "{after:?}");
    assert_eq!(run.told().lines().count(), 1);
    run.signal(libc::SIGTERM);
    run.wait();
}

#[test]
fn an_optional_sidecar_that_accepts_nothing_is_absent_after_a_while() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = Launch::pid1()
        .sidecar(&fake.spec("fake?"))
        .options(["--absent-after", "300ms"])
        .sh("echo up; exit 3")
        .start();
    let up = run.says("up") - run.began;
    assert!(up >= ms(290) && up < ms(800), "{up:?}");
    run.wait().silent(3);
}

#[test]
fn an_optional_sidecar_that_accepts_is_waited_for() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET; 40].into_iter().chain([READY]).collect::<Vec<_>>()).start();
    let run = Launch::pid1()
        .sidecar(&fake.spec("fake?"))
        .options(["--absent-after", "100ms"])
        .sh("echo up; exit 3")
        .start();
    run.says("up");
    assert_eq!(fake.probes().len(), 41);
    run.wait().silent(3);
}

#[test]
fn an_optional_sidecar_that_comes_after_its_absence_is_stopped() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let mut run = Launch::pid1()
        .sidecar(&fake.spec("fake?"))
        .options(["--absent-after", "100ms"])
        .sh("echo up; read line; exit 3")
        .stdin()
        .start();
    run.says("up");
    fake.open();
    run.close_stdin();
    run.wait().silent(3);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_wait_of_zero_lasts_for_ever() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let mut run = gated(&fake).options(["--wait-timeout", "0"]).start();
    assert!(run.end_within(ms(300)).is_none());
    fake.open();
    run.wait().silent(3);
}

#[test]
fn no_descriptor_of_the_gate_reaches_main() {
    only_ours!();
    let dir = TempDir::new();
    let fake = Fake::good();
    let end = Launch::pid1().sidecar(&fake.spec("fake")).cwd(dir.path()).sh("ls /proc/self/fd").run();
    // 3 is the folder that `ls` reads.
    assert_eq!(String::from_utf8_lossy(&end.stdout), "0\n1\n2\n3\n");
}
