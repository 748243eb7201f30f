//! Istio's real pilot-agent with its real Envoy, on Istio's own ports in a network of their own. Slow to build, so
//! only with `LASTOUT_TEST_ALL=1`.

use std::time::Instant;
use support::{End, Launch, Running, http, ms, own_network, real, sidecar::Plan};

/// In a network of its own, if it is wanted and installed.
fn istio(held: bool, status_port: u16, test: impl FnOnce(Plan) + Send) {
    if support::Init::under_test() != support::Init::Ours || !real::all_wanted() {
        return;
    }
    own_network(|| real::istio(held, status_port).map(test));
}

fn stopped(spec: &str) -> End {
    support::stopped(Launch::pid1().sidecar(spec)).0
}

fn start() -> Running {
    Launch::pid1().sidecar("istio").sh("echo up; exit 3").start()
}

#[test]
fn by_its_name_alone_istio_is_waited_for_and_stopped_with_its_envoy() {
    istio(false, 15020, |plan| {
        let run = start();
        let istio = plan.start();
        run.says("up");
        run.wait().silent(3);
        assert!(http::refuses(15020));
        assert_eq!(istio.gone().0.code(), Some(0));
        assert!(http::refuses(15000) && http::refuses(15021), "its Envoy has gone as well");
    });
}

#[test]
fn the_kubelets_port_15021_may_be_waited_for_instead() {
    istio(false, 15020, |plan| {
        real::waited_for_and_stopped("istio:ready=http://127.0.0.1:15021/healthz/ready", plan);
    });
}

#[test]
fn main_starts_as_soon_as_a_proxy_that_is_held_back_gets_its_listeners() {
    istio(true, 15020, |plan| {
        let istio = plan.start();
        let run = start();
        support::eventually("15020 answers 503", || {
            http::status(15020, "GET", "/healthz/ready") == Some(503)
        });
        assert!(run.said().is_empty());
        istio.release();
        let ready = istio.answers(15020, "/healthz/ready");
        let late = run.says("up").saturating_duration_since(ready);
        assert!(late <= ms(60), "{late:?}");
        run.wait().silent(3);
        assert_eq!(istio.gone().0.code(), Some(0));
    });
}

#[test]
fn one_that_stays_unready_holds_main_back_and_is_stopped() {
    istio(true, 15020, |plan| {
        let istio = plan.start();
        support::eventually("15020 answers 503", || {
            http::status(15020, "GET", "/healthz/ready") == Some(503)
        });
        let end = Launch::pid1().sidecar("istio").options(["--wait-timeout", "300ms"]).sh("echo up").run();
        end.one_line(124, &["istio", "15020/healthz/ready", "503"]);
        assert!(end.stdout.is_empty());
        assert_eq!(istio.gone().0.code(), Some(0));
    });
}

#[test]
fn its_envoys_admin_port_ends_it_as_well() {
    istio(false, 15020, |plan| {
        let istio = plan.start();
        istio.ready();
        stopped("envoy:port=15000").silent(3);
        assert_eq!(istio.gone().0.code(), Some(0));
    });
}

#[test]
fn without_the_status_port_the_annotation_is_named_and_another_port_is_a_key() {
    istio(false, 15099, |plan| {
        let istio = plan.start();
        istio.answers(15099, "/healthz/ready");
        let options = ["--wait-timeout", "300ms", "--stop-timeout", "300ms"];
        let end = Launch::pid1().sidecar("istio").options(options).sh("echo up").run();
        end.lines(
            124,
            &[&["istio", "refused", "status.sidecar.istio.io/port"], &["istio", "never appeared"]],
        );
        assert!(istio.runs());
        stopped("istio:port=15099").silent(3);
        assert_eq!(istio.gone().0.code(), Some(0));
    });
}

#[test]
fn one_that_the_kubelet_is_ending_is_neither_waited_for_nor_complained_about() {
    istio(false, 15020, |plan| {
        let istio = plan.start();
        istio.ready();
        let mut run = Launch::pid1().sidecar("istio").sh("echo up; read line; exit 3").stdin().start();
        run.says("up");
        istio.signal_child(libc::SIGTERM);
        support::eventually("15020 refuses", || http::refuses(15020));
        run.close_stdin();
        let asked = Instant::now();
        let end = run.wait();
        end.silent(3);
        assert!(end.ended - asked < ms(500), "{:?}", end.ended - asked);
        assert!(istio.runs(), "it drains for 5 s");
        assert!(http::status(15021, "GET", "/healthz/ready").is_some());
        assert_eq!(istio.gone().0.code(), Some(0));
    });
}

#[test]
fn a_wrong_method_path_or_slash_is_quoted_and_it_lives() {
    istio(false, 15020, |plan| {
        let istio = plan.start();
        istio.ready();
        for (key, words) in [
            ("method=GET", &["405", "Method Not Allowed"][..]),
            ("quit=/quitquitquit/", &["404", "preset envoy"]),
            ("quit=/quit", &["404", "preset envoy"]),
        ] {
            stopped(&format!("istio:{key}")).one_line(3, words);
        }
        assert!(istio.runs() && http::status(15020, "GET", "/healthz/ready") == Some(200));
    });
}
