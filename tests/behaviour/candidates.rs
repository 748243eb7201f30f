//! A sidecar with several candidate addresses: it is looked for where it was found, and nowhere else; and a queue that
//! is full is no proof of life.

#![allow(unsafe_code, reason = "a queue's length and a mount need raw system calls")]

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd as _,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use support::{Launch, Standin, http::standin::row, ms, own_network, pause, stopped};

const ROWS: [support::http::standin::Row; 2] =
    [row(1001, "GET", "*", 200, "ok"), row(1001, "POST", "*", 200, "bye").goes(5)];
/// Both loopback addresses are candidates.
const SPEC: &str = "x:host=localhost,port=1001,ready=/r,quit=/q";

/// A listener whose queue holds `backlog` connections and one more.
fn listener(at: &str, backlog: i32) -> TcpListener {
    let listener = TcpListener::bind(at).unwrap();
    // SAFETY: a socket of ours; listening again sets the length of its queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), backlog) }, 0);
    listener
}

/// Fills the queue: from then on the kernel drops every SYN.
fn fill(at: SocketAddr) -> Vec<TcpStream> {
    std::iter::from_fn(|| TcpStream::connect_timeout(&at, ms(50)).ok()).take(20).collect()
}

#[test]
fn a_stranger_on_the_other_address_is_not_the_sidecar() {
    only_ours!();
    own_network(|| {
        let standin = Standin::start(&ROWS);
        let _stranger = TcpListener::bind("[::1]:1001").unwrap();
        for gate in [&["--wait-timeout", "5s"][..], &["--no-wait"]] {
            if standin.is_gone() {
                continue;
            }
            let (end, took) = stopped(Launch::pid1().sidecar(SPEC).options(gate));
            end.silent(3);
            assert!(took < ms(1500), "{took:?}");
        }
        assert_eq!(standin.asked_for("/q"), ["POST 1001"]);
    });
}

#[test]
fn an_address_that_drops_packets_is_no_sign_of_life() {
    only_ours!();
    own_network(|| {
        let standin = Standin::start(&ROWS);
        let silent = listener("[::1]:1001", 0);
        let _queue = fill(silent.local_addr().unwrap());
        let (end, took) = stopped(Launch::pid1().sidecar(SPEC));
        end.silent(3);
        assert!(standin.is_gone() && took < ms(1500), "{took:?}");
    });
}

#[test]
fn a_silent_address_does_not_make_the_gate_late() {
    only_ours!();
    own_network(|| {
        let silent = listener("[::1]:1001", 0);
        let _queue = fill(silent.local_addr().unwrap());
        let run = Launch::pid1().sidecar(SPEC).sh("echo up; exit 3").start();
        pause(ms(300));
        let standin = Standin::start(&ROWS);
        let open = Instant::now();
        let late = run.says("up") - open;
        run.wait().silent(3);
        assert!(standin.is_gone() && late < ms(700), "{late:?}");
    });
}

#[test]
fn the_host_field_names_the_candidate_that_is_asked() {
    only_ours!();
    for (host, named) in [("127.0.0.1", "host: 127.0.0.1:1001"), ("::1", "host: [::1]:1001")] {
        own_network(|| {
            let standin = Standin::start_on(host, &ROWS, &[]);
            Launch::pid1().sidecar(SPEC).sh("exit 3").run().silent(3);
            for asked in standin.asked() {
                assert!(asked.head.to_lowercase().contains(named), "{}", asked.head);
            }
        });
    }
}

/// Says yes to the first request, then accepts nothing more and closes its port after that time.
fn obeys_with_a_short_queue(life: Duration) -> JoinHandle<Instant> {
    let listener = listener("127.0.0.1:1001", 2);
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        drop(stream);
        pause(life);
        drop(listener);
        Instant::now()
    })
}

#[test]
fn looks_that_fill_a_short_queue_do_not_hide_that_it_has_gone() {
    only_ours!();
    own_network(|| {
        let sidecar = obeys_with_a_short_queue(ms(200));
        let end = Launch::process()
            .options(["stop", "--stop-timeout", "1s", "x:port=1001,ready=none,quit=/q"])
            .run();
        end.silent(0);
        let late = end.ended.saturating_duration_since(sidecar.join().unwrap());
        assert!(late < ms(500), "{late:?}");
    });
}

/// Nobody is on the one address, and on the other packets are dropped: nothing of the sidecar was ever there.
#[test]
fn one_that_was_never_found_and_only_silence_is_not_there() {
    only_ours!();
    own_network(|| {
        let full = listener("[::1]:1001", 0);
        let _held = fill(full.local_addr().unwrap());
        let spec = |name: &str| format!("{name}:ready=none,quit=http://localhost:1001/q");
        let stop = ["stop", "--stop-timeout", "2s", "--absent-after", "500ms"];
        Launch::pid1().options(stop).options([spec("x?")]).run().silent(0);
        let end = Launch::pid1().options(stop).options([spec("x")]).run();
        end.one_line(1, &["x: never appeared"]);
    });
}

#[test]
fn a_proof_at_an_address_is_looked_for_where_it_was_found() {
    only_ours!();
    own_network(|| {
        let full = listener("[::1]:1002", 0);
        let _held = fill(full.local_addr().unwrap());
        let listening = TcpListener::bind("127.0.0.1:1002").unwrap();
        let dir = support::TempDir::new();
        let done = dir.at("done");
        let spec = format!("x:quit=file:{},gone=tcp://localhost:1002", done.display());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                support::eventually("the file", || done.exists());
                pause(ms(200));
                drop(listening);
            });
            let end = Launch::pid1().sidecar(&spec).options(["--stop-timeout", "20s"]).sh("exit 3").run();
            end.silent(3);
            assert!(end.took() < ms(10_000), "{:?}", end.took());
        });
    });
}
