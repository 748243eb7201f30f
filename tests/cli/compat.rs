//! `--compat`: the variables of scuttle and linkerd-await, with their documented meaning, so that one word changes in
//! a Dockerfile.

use support::{
    End, Fake, Launch, Reply, Standin,
    http::standin::{Row, beside, row},
    ms, own_network, stopped,
};

const LIVE: Row = row(15_000, "GET", "/ready", 200, "LIVE\n");
const INITIALIZING: Row = row(15_000, "GET", "/ready", 503, "INITIALIZING\n");
const QUIT: Row = row(15_020, "POST", "/quitquitquit", 200, "OK").goes(10);
const ISTIO: [Row; 2] = [LIVE, QUIT];
const ADMIN: &str = "ENVOY_ADMIN_API=http://127.0.0.1:15000";
const AGENT: &str = "ISTIO_QUIT_API=http://127.0.0.1:15020";

/// As in a Dockerfile of scuttle's.
fn scuttle(env: &[&str]) -> Launch {
    let launch = Launch::pid1().env("LASTOUT_COMPAT=scuttle").env("SCUTTLE_LOGGING=false");
    env.iter().fold(launch, Launch::env)
}

fn ends(launch: Launch, code: i32) -> End {
    launch.sh(&format!("echo up; exit {code}")).run()
}

#[test]
fn scuttle_waits_for_envoy_and_quits_istio() {
    only_ours!();
    for env in [&[ADMIN, AGENT][..], &[ADMIN]] {
        own_network(|| {
            let standin = Standin::held(&ISTIO, &[INITIALIZING]);
            let run = scuttle(env).sh("echo up; exit 3").start();
            support::eventually("a probe", || standin.asked().len() > 1);
            assert!(run.said().is_empty());
            standin.release();
            run.says("up");
            run.wait().silent(3);
            assert_eq!(standin.asked_for("/quitquitquit"), ["POST 15020"]);
        });
    }
}

#[test]
fn without_envoy_admin_api_scuttle_is_a_plain_init() {
    only_ours!();
    beside(&ISTIO, |standin| {
        ends(scuttle(&[AGENT]), 3).silent(3);
        assert!(standin.asked().is_empty());
    });
}

#[test]
fn start_without_envoy_starts_at_once_and_quits_all_the_same() {
    only_ours!();
    beside(&[INITIALIZING, QUIT], |standin| {
        let end = ends(scuttle(&[ADMIN, AGENT, "START_WITHOUT_ENVOY=true"]), 3);
        assert_eq!((end.code(), standin.asked_for("/quitquitquit").len()), (3, 1), "{}", end.stderr);
    });
}

#[test]
fn wait_for_envoy_timeout_runs_the_command_all_the_same() {
    only_ours!();
    beside(&[INITIALIZING, QUIT], |standin| {
        let end = ends(scuttle(&[ADMIN, AGENT, "WAIT_FOR_ENVOY_TIMEOUT=200ms"]), 3);
        assert_eq!((end.code(), end.stdout.as_slice()), (3, &b"up\n"[..]));
        assert!(end.stderr.contains("503") && end.took() >= ms(200), "{}", end.stderr);
        assert_eq!(standin.asked_for("/quitquitquit").len(), 1);
    });
}

#[test]
fn quit_without_envoy_timeout_never_starts_it_and_wins() {
    only_ours!();
    beside(&[INITIALIZING, QUIT], |standin| {
        let end = ends(
            scuttle(&[ADMIN, AGENT, "QUIT_WITHOUT_ENVOY_TIMEOUT=200ms", "WAIT_FOR_ENVOY_TIMEOUT=10ms"]),
            3,
        );
        assert_eq!((end.code(), end.stdout.as_slice()), (124, &b""[..]), "{}", end.stderr);
        assert_eq!(standin.asked_for("/quitquitquit").len(), 1, "unlike scuttle, which leaves it running");
    });
}

#[test]
fn never_kill_istio_and_its_variant_on_failure() {
    only_ours!();
    for (variable, code, quits) in [
        ("NEVER_KILL_ISTIO=true", 0, 0),
        ("NEVER_KILL_ISTIO=false", 0, 1),
        ("NEVER_KILL_ISTIO_ON_FAILURE=true", 3, 0),
        ("NEVER_KILL_ISTIO_ON_FAILURE=true", 0, 1),
        ("NEVER_KILL_ISTIO_ON_FAILURE=false", 3, 1),
    ] {
        beside(&ISTIO, |standin| {
            ends(scuttle(&[ADMIN, AGENT, variable]), code).silent(code);
            assert_eq!(standin.asked_for("/quitquitquit").len(), quits, "{variable} {code}");
        });
    }
}

#[test]
fn generic_quit_endpoints_are_asked_before_istio_whatever_they_answer() {
    only_ours!();
    let generic =
        [row(8081, "POST", "/quit", 200, "").goes(30), row(8082, "POST", "/stop", 500, "going").goes(30)];
    own_network(|| {
        let (istio, others) = (Standin::start(&ISTIO), generic.map(|row| Standin::start(&[row])));
        let list = "GENERIC_QUIT_ENDPOINTS=http://127.0.0.1:8081/quit, http://localhost:8082/stop";
        ends(scuttle(&[ADMIN, AGENT, list]), 3).silent(3);
        let last =
            others.iter().map(|other| other.asked().iter().find(|a| a.method == "POST").unwrap().at).max();
        let quit = istio.asked().into_iter().find(|asked| asked.method == "POST").unwrap();
        assert!(quit.at >= last.unwrap() + ms(30));
        assert_eq!(others[1].asked_for("/stop"), ["POST 8082"], "once");
    });
}

#[test]
fn generic_quit_only_leaves_envoy_alone() {
    only_ours!();
    own_network(|| {
        let (istio, other) =
            (Standin::start(&ISTIO), Standin::start(&[row(8081, "POST", "/quit", 200, "").goes(0)]));
        let list = "GENERIC_QUIT_ENDPOINTS=http://127.0.0.1:8081/quit";
        ends(scuttle(&[ADMIN, "GENERIC_QUIT_ONLY=true", list]), 3).silent(3);
        assert!(istio.asked().is_empty() && other.is_gone());
    });
}

#[test]
fn quit_request_timeout_bounds_one_request() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Silent]).leaves_after(ms(50)).start();
    let list = format!("GENERIC_QUIT_ENDPOINTS=http://127.0.0.1:{}/quit", fake.port());
    let (end, took) = stopped(scuttle(&[&list, "QUIT_REQUEST_TIMEOUT=200ms"]));
    end.silent(3);
    assert!(took < ms(900), "{took:?}");
}

#[test]
fn a_variable_that_cannot_be_read_is_named_with_125_and_istio_is_stopped() {
    only_ours!();
    for (variable, words) in [
        ("START_WITHOUT_ENVOY=yes", &["START_WITHOUT_ENVOY", "yes"][..]),
        ("WAIT_FOR_ENVOY_TIMEOUT=30", &["WAIT_FOR_ENVOY_TIMEOUT", "30s"]),
        ("GENERIC_QUIT_ENDPOINTS=http://10.0.0.1/", &["GENERIC_QUIT_ENDPOINTS", "loopback"]),
    ] {
        beside(&ISTIO, |standin| {
            ends(scuttle(&[ADMIN, AGENT, variable]), 3).one_line(125, words);
            assert!(standin.is_gone(), "{variable}");
        });
    }
}

#[test]
fn our_own_settings_win() {
    only_ours!();
    beside(&ISTIO, |standin| {
        let own =
            scuttle(&[ADMIN, AGENT, "NEVER_KILL_ISTIO_ON_FAILURE=true"]).options(["--stop-on", "always"]);
        ends(own, 3).silent(3);
        assert!(standin.is_gone());
    });
    beside(&ISTIO, |standin| {
        let fake = Fake::good();
        ends(scuttle(&[ADMIN, AGENT]).sidecar(&fake.spec("own")), 3).silent(3);
        assert!(standin.is_gone() && fake.quits().len() == 1, "another name is one more");
    });
    beside(&ISTIO, |standin| {
        let fake = Fake::good();
        ends(scuttle(&[ADMIN, AGENT]).sidecar(&fake.spec("istio")), 3).silent(3);
        assert!(standin.asked().is_empty() && fake.quits().len() == 1, "the same name is instead");
    });
}

#[test]
fn without_compat_nobody_reads_those_variables() {
    only_ours!();
    beside(&ISTIO, |standin| {
        let launch =
            Launch::pid1().env(ADMIN).env(AGENT).env("START_WITHOUT_ENVOY=yes").env("LINKERD_DISABLED=1");
        ends(launch, 3).silent(3);
        assert!(standin.asked().is_empty());
    });
}

const LINKERD: [Row; 2] =
    [row(4191, "GET", "/ready", 200, "ready\n"), row(4191, "POST", "/shutdown", 200, "shutdown\n").goes(0)];

#[test]
fn linkerd_await_waits_for_linkerd_and_shuts_it_down() {
    only_ours!();
    beside(&LINKERD, |standin| {
        ends(Launch::pid1().options(["--compat", "linkerd-await"]), 3).silent(3);
        assert_eq!(standin.asked_for("/shutdown"), ["POST 4191"]);
        assert_eq!(standin.asked_for("/ready"), ["GET 4191"]);
    });
}

#[test]
fn either_variable_whatever_its_value_switches_linkerd_await_off() {
    only_ours!();
    for (variable, off) in [
        ("LINKERD_AWAIT_DISABLED=true", true),
        ("LINKERD_AWAIT_DISABLED=The linter told me so", true),
        ("LINKERD_DISABLED=false", true),
        ("LINKERD_DISABLED=", false),
    ] {
        beside(&LINKERD, |standin| {
            ends(Launch::pid1().options(["--compat", "linkerd-await"]).env(variable), 3).silent(3);
            assert_eq!(standin.asked().is_empty(), off, "{variable}");
        });
    }
}
