//! The real Cloud SQL proxy in its other shapes, and the real AlloyDB proxy, which is made of the same code:
//! young and old, with a port for debugging only, with a connection that is still open.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};
use support::{
    Launch, Sidecar,
    http::{self, peer::Peer, server::Step},
    ms, own_network, pause, real,
    sidecar::Plan,
    stopped,
};

const BOTH: [&str; 2] = ["--health-check", "--quitquitquit"];

/// Those that are installed and wanted: AlloyDB proxy is slow to build.
fn each(mut test: impl FnMut(&str)) {
    test("cloud-sql-proxy");
    if real::all_wanted() {
        test("alloydb-auth-proxy");
    }
}

fn spec(name: &str, plan: &Plan) -> String {
    format!("{name}:port={},ready-port={}", plan.port, plan.ready_port)
}

/// Runs a main that ends at once; how long the stop took.
fn stop(spec: &str) -> Duration {
    let (end, took) = stopped(Launch::pid1().sidecar(spec));
    end.silent(3);
    took
}

/// The spec of a proxy with these flags, which runs, a client of it, and the API that never answers it: so the
/// client's connection stays open.
fn with_a_client(name: &str, flags: &[&str]) -> Option<(String, Sidecar, (TcpStream, Peer))> {
    let api = Peer::start(vec![Step::Hold]);
    let option = if name == "cloud-sql-proxy" { "sqladmin" } else { "alloydbadmin" };
    let endpoint = format!("--{option}-api-endpoint=http://127.0.0.1:{}", api.number());
    let (plan, data) = real::google_proxy(name, &[&BOTH, flags, &[&endpoint]].concat())?;
    let spec = spec(name, &plan);
    let proxy = plan.start();
    proxy.ready();
    let client = TcpStream::connect(("127.0.0.1", data)).unwrap();
    support::eventually("the proxy asks the API", || api.met() > 0);
    Some((spec, proxy, (client, api)))
}

#[test]
fn by_its_name_alone_it_is_waited_for_and_stopped() {
    only_ours!();
    each(|name| {
        own_network(|| {
            let Some((plan, _)) = real::google_proxy(name, &BOTH) else { return };
            real::waited_for_and_stopped(name, plan.on_default_ports());
        });
    });
}

#[test]
fn a_young_one_may_take_two_seconds_to_go_and_is_waited_for() {
    only_ours!();
    each(|name| {
        let Some((plan, _)) = real::google_proxy(name, &BOTH) else { return };
        let spec = spec(name, &plan);
        let proxy = plan.start();
        // Its key is made under the lock that closing needs.
        let took = stop(&spec);
        assert!(took < ms(9000), "{took:?}");
        assert_eq!(proxy.gone().0.code(), Some(0));
    });
}

#[test]
fn an_old_one_goes_at_once() {
    only_ours!();
    each(|name| {
        let Some((plan, _)) = real::google_proxy(name, &BOTH) else { return };
        let spec = spec(name, &plan);
        let proxy = plan.start();
        proxy.ready();
        pause(ms(3500));
        let took = stop(&spec);
        assert!(took < ms(300), "{took:?}");
        assert_eq!(proxy.gone().0.code(), Some(0));
    });
}

#[test]
fn with_debug_only_the_port_is_open_and_the_404_is_quoted_with_the_flag() {
    only_ours!();
    each(|name| {
        let Some((plan, _)) = real::google_proxy(name, &["--health-check", "--debug"]) else { return };
        let spec = spec(name, &plan);
        let proxy = plan.start();
        let end = Launch::pid1().sidecar(&spec).sh("exit 3").run();
        end.one_line(3, &[name, "404", "\"404 page not found\"", "--quitquitquit is missing"]);
        assert!(proxy.runs());
    });
}

#[test]
fn without_quitquitquit_nothing_listens_and_the_flag_is_named_at_once() {
    only_ours!();
    each(|name| {
        let Some((plan, _)) = real::google_proxy(name, &["--health-check"]) else { return };
        let spec = spec(name, &plan);
        let proxy = plan.start();
        let (end, took) = stopped(Launch::pid1().sidecar(&spec));
        end.one_line(3, &[name, "not switched on", "--quitquitquit"]);
        assert!(took < ms(1000), "{took:?}");
        assert!(proxy.runs());
    });
}

#[test]
fn without_health_check_the_wait_ends_with_the_flag_and_the_proxy_is_stopped() {
    only_ours!();
    each(|name| {
        let Some((plan, _)) = real::google_proxy(name, &["--quitquitquit"]) else { return };
        let spec = spec(name, &plan);
        let proxy = plan.start();
        let quit_port = proxy.port;
        support::eventually("it listens", || http::ask(quit_port, "PUT", "/quitquitquit").is_some());
        let end = Launch::pid1().sidecar(&spec).options(["--wait-timeout", "300ms"]).sh("exit 3").run();
        end.one_line(124, &[name, "refused", "--health-check"]);
        assert_eq!(proxy.gone().0.code(), Some(0));
    });
}

#[test]
fn a_connection_that_is_still_open_holds_it_for_max_sigterm_delay_and_mains_code_stands() {
    only_ours!();
    each(|name| {
        let Some((spec, proxy, _client)) = with_a_client(name, &["--max-sigterm-delay=1s"]) else { return };
        let took = stop(&spec);
        assert!(took >= ms(900) && took < ms(4500), "{took:?}");
        assert_eq!(proxy.gone().0.code(), Some(1), "which fails the pod under restartPolicy Never");
    });
}

#[test]
fn a_delay_that_is_longer_than_the_budget_is_told_with_the_way_out() {
    only_ours!();
    each(|name| {
        let Some((spec, proxy, _client)) = with_a_client(name, &["--max-sigterm-delay=60s"]) else { return };
        let began = Instant::now();
        let end = Launch::pid1().sidecar(&spec).options(["--stop-timeout", "700ms"]).sh("exit 3").run();
        end.one_line(3, &[name, "still there", "--max-sigterm-delay"]);
        assert!(began.elapsed() < ms(2500), "{:?}", began.elapsed());
        assert!(proxy.runs());
    });
}

#[test]
fn an_open_connection_alone_holds_nothing() {
    only_ours!();
    each(|name| {
        let Some((spec, proxy, _client)) = with_a_client(name, &[]) else { return };
        stop(&spec);
        assert_eq!(proxy.gone().0.code(), Some(0));
    });
}
