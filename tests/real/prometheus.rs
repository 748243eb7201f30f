//! The real Prometheus and the real Pushgateway: stopped by `/-/quit` where `--web.enable-lifecycle` allows it,
//! with a route prefix, and told what to switch on where not.

use support::{Launch, Port, http, ms, own_network, real, sidecar::Plan, stopped};

const LIFECYCLE: &str = "--web.enable-lifecycle";

type Start = fn(u16, &[&str]) -> Option<Plan>;

/// Name, default port, how it is started.
const BOTH: [(&str, u16, Start); 2] =
    [("prometheus", 9090, real::prometheus), ("pushgateway", 9091, real::pushgateway)];

#[test]
fn by_its_name_alone_it_is_waited_for_and_stopped() {
    only_ours!();
    for (name, port, start) in BOTH {
        own_network(|| {
            let Some(plan) = start(port, &[LIFECYCLE]) else { return };
            real::waited_for_and_stopped(name, plan);
        });
    }
}

#[test]
fn without_the_lifecycle_flag_its_own_words_and_the_flag_are_told_at_once() {
    only_ours!();
    for (name, _, start) in BOTH {
        let port = Port::free();
        let Some(plan) = start(port, &[]) else { return };
        let sidecar = plan.start();
        let (end, took) = stopped(Launch::pid1().sidecar(&format!("{name}:port={port}")));
        end.one_line(3, &[name, "403", "\"Lifecycle API is not enabled.\"", LIFECYCLE]);
        assert!(took < ms(500), "{took:?}");
        assert!(sidecar.runs());
    }
}

#[test]
fn with_a_route_prefix_the_spec_says_both_paths() {
    only_ours!();
    for (name, _, start) in BOTH {
        let port = Port::free();
        let Some(plan) = start(port, &[LIFECYCLE, "--web.route-prefix=/pre"]) else { return };
        let sidecar = plan.start();
        sidecar.answers(port, "/pre/-/ready");
        let wrong = format!("{name}:port={port},ready=/pre/-/ready");
        let status = if name == "prometheus" { "404" } else { "405" };
        Launch::pid1().sidecar(&wrong).sh("exit 3").run().one_line(3, &[name, status, "quit=/PREFIX/-/quit"]);
        assert!(sidecar.runs());
        let right = format!("{name}:port={port},ready=/pre/-/ready,quit=/pre/-/quit");
        Launch::pid1().sidecar(&right).sh("exit 3").run().silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0), "{name}");
    }
}

#[test]
fn put_is_as_good_as_post_and_a_slash_at_the_end_is_a_redirect_that_nobody_follows() {
    only_ours!();
    for (name, _, start) in BOTH {
        let port = Port::free();
        let Some(plan) = start(port, &[LIFECYCLE]) else { return };
        let sidecar = plan.start();
        for (keys, words) in
            [("quit=/-/quit/", &["307"][..]), ("method=GET", &["405", "Only POST or PUT requests allowed"])]
        {
            let spec = format!("{name}:port={port},{keys}");
            Launch::pid1().sidecar(&spec).sh("exit 3").run().one_line(3, words);
        }
        assert_eq!(http::ask(port, "GET", "/-/ready").unwrap().status, 200);
        Launch::pid1().sidecar(&format!("{name}:port={port},method=PUT")).sh("exit 3").run().silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0), "{name}");
    }
}

#[test]
fn a_pushgateway_is_stopped_however_it_replies() {
    only_ours!();
    // It loses a reply now and then (2 of 132 when measured): the end of the stream without a byte.
    for _ in 0..12 {
        let port = Port::free();
        let Some(plan) = real::pushgateway(port, &[LIFECYCLE]) else { return };
        let sidecar = plan.start();
        Launch::pid1().sidecar(&format!("pushgateway:port={port}")).sh("exit 3").run().silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0));
    }
}
