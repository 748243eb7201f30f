//! The real Envoy in its other shapes: the admin on its customary port, on IPv6, on a unix socket, closed by
//! `allow_paths`; still INITIALIZING; with a request in flight.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};
use support::{Launch, Port, Sidecar, eventually, http, ms, own_network, real, stopped};

#[test]
fn by_its_name_alone_envoy_is_found_on_9901() {
    only_ours!();
    own_network(|| {
        let Some(envoy) = Sidecar::envoy_on(9901, 10_000) else { return };
        real::waited_for_and_stopped("envoy", envoy);
    });
}

#[test]
fn an_admin_port_on_ipv6_alone_is_found() {
    only_ours!();
    let block = "{ address: { socket_address: { address: '::1', port_value: PORT } } }";
    let Some(envoy) = real::envoy_admin(block) else { return };
    let envoy = envoy.start();
    let end = Launch::pid1().sidecar(&format!("envoy:port={}", envoy.port)).sh("exit 3").run();
    end.silent(3);
    assert_eq!(envoy.gone().0.code(), Some(0));
}

#[test]
fn an_admin_on_a_unix_socket_is_waited_for_and_stopped_and_the_file_it_leaves_behind_means_nothing() {
    only_ours!();
    let block = "{ address: { pipe: { path: SOCKET } } }";
    for by_keys in [false, true] {
        let Some(envoy) = real::envoy_admin(block) else { return };
        let socket = envoy.at("admin.sock");
        let path = socket.display();
        let spec = if !by_keys {
            format!("envoy:socket={path}")
        } else {
            format!("mesh:ready=unix:{path}:/ready,quit=unix:{path}:/quitquitquit")
        };
        let run = Launch::pid1().sidecar(&spec).sh("echo up; exit 3").start();
        let envoy = envoy.start();
        run.says("up");
        run.wait().silent(3);
        assert_eq!(envoy.gone().0.code(), Some(0));
        assert!(socket.exists());
        // As it is found by the next life of the pod's main.
        let end = Launch::pid1()
            .sidecar(&spec)
            .options(["--no-wait", "--stop-timeout", "200ms"])
            .sh("exit 3")
            .run();
        end.one_line(3, &["never appeared"]);
    }
}

#[test]
fn a_unix_socket_that_this_user_may_not_connect_to_is_told() {
    only_ours!();
    if !support::facts::is_root() {
        return support::skip("only root can become another user");
    }
    let Some(envoy) = real::envoy_admin("{ address: { pipe: { path: SOCKET } } }") else { return };
    let envoy = envoy.start();
    let socket = envoy.at("admin.sock");
    real::listens(&socket);
    let end = Launch::pid1()
        .uid(65_534)
        .sidecar(&format!("envoy:socket={}", socket.display()))
        .options(["--wait-timeout", "200ms", "--stop-timeout", "300ms"])
        .sh("exit 3")
        .run();
    end.lines(124, &[&["envoy", "permission denied"], &["envoy", "still there", "permission denied"]]);
    assert!(envoy.runs());
}

#[test]
fn allow_paths_without_quit_is_quoted_and_told_how_to_mend() {
    only_ours!();
    let block = "{ address: { socket_address: { address: 127.0.0.1, port_value: PORT } }, \
                 allow_paths: [ { exact: /ready } ] }";
    let Some(envoy) = real::envoy_admin(block) else { return };
    let envoy = envoy.start();
    let (end, took) = stopped(Launch::pid1().sidecar(&format!("envoy:port={}", envoy.port)));
    end.one_line(3, &["envoy", "403", "\"request to path /quitquitquit not allowed\"", "allow_paths"]);
    assert!(took < ms(500), "{took:?}");
    assert!(envoy.runs());
}

#[test]
fn one_that_stays_initializing_holds_main_back_and_is_stopped_all_the_same() {
    only_ours!();
    let Some(envoy) = real::envoy_waiting() else { return };
    let envoy = envoy.start();
    eventually("Envoy answers 503", || http::status(envoy.port, "GET", "/ready") == Some(503));
    let end = Launch::pid1()
        .sidecar(&format!("envoy:port={}", envoy.port))
        .options(["--wait-timeout", "300ms"])
        .sh("echo up")
        .run();
    end.one_line(124, &["envoy", "503", "INITIALIZING", "control plane"]);
    assert!(end.stdout.is_empty());
    assert_eq!(envoy.gone().0.code(), Some(0));
}

#[test]
fn a_request_in_flight_does_not_hold_envoy() {
    only_ours!();
    let upstream = Port::reserve();
    upstream.listen();
    let Some((envoy, data)) = real::envoy_forwarding(upstream.number()) else { return };
    let envoy = envoy.start();
    envoy.ready();
    let mut client = TcpStream::connect(("127.0.0.1", data)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let _held = upstream.accept(Duration::from_secs(5)).expect("Envoy forwards the request");
    let (end, took) = stopped(Launch::pid1().sidecar(&format!("envoy:port={}", envoy.port)));
    end.silent(3);
    assert!(took < ms(500), "{took:?}");
    assert_eq!(envoy.gone().0.code(), Some(0));
    let mut rest = vec![];
    let _ = client.read_to_end(&mut rest);
    assert!(rest.is_empty(), "Envoy cuts it: {rest:?}");
}

#[test]
fn a_wrong_path_method_or_slash_is_quoted_and_envoy_lives() {
    only_ours!();
    let Some(envoy) = Sidecar::envoy() else { return };
    let envoy = envoy.start();
    for (key, words) in [
        ("quit=/quitquitquit/", &["404", "invalid path"][..]),
        ("quit=/stop", &["404", "invalid path", "not an Envoy admin port"]),
        ("method=GET", &["405", "Method GET not allowed, POST required."]),
        ("method=PUT", &["405"]),
    ] {
        let spec = format!("envoy:port={},{key}", envoy.port);
        Launch::pid1().sidecar(&spec).sh("exit 3").run().one_line(3, words);
    }
    assert!(envoy.runs() && http::ask(envoy.port, "GET", "/ready").unwrap().status == 200);
}
