//! How soon: from main's end to the quit request at the sidecar's socket, and from ready to main's start. Every moment
//! is taken by the clock that all processes share. The bounds are of another order of magnitude than what is promised
//! (half a millisecond, ten milliseconds), so that a busy machine passes; `make bench` measures (ask, gate).

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};
use support::{Launch, Sidecar, facts::monotonic_ns, job, median, pause};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const NOT_YET: &[u8] = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The least sidecar: one thread that blocks in `accept`, so that it is there as soon as the request is.
struct Bare {
    port: u16,
    ready: Arc<AtomicBool>,
    /// When it said 200 for the first time.
    ready_at: Arc<AtomicU64>,
    /// When a quit request was there; then it is gone.
    quit: mpsc::Receiver<u64>,
}

impl Bare {
    fn start(ready: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, quit) = mpsc::channel();
        let (ready, ready_at) = (Arc::new(AtomicBool::new(ready)), Arc::new(AtomicU64::new(0)));
        let (is_ready, first) = (Arc::clone(&ready), Arc::clone(&ready_at));
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut buffer = [0; 1024];
                let n = stream.read(&mut buffer).unwrap_or(0);
                let now = monotonic_ns();
                if buffer[..n].starts_with(b"POST") {
                    let _ = stream.write_all(ANSWER);
                    drop(listener);
                    return sender.send(now).unwrap_or(());
                }
                let answer = if is_ready.load(SeqCst) { ANSWER } else { NOT_YET };
                if answer == ANSWER {
                    let _ = first.compare_exchange(0, now, SeqCst, SeqCst);
                }
                let _ = stream.write_all(answer);
            }
        });
        Self { port, ready, ready_at, quit }
    }

    fn spec(&self) -> String {
        format!("x:ready=http://127.0.0.1:{0}/ready,quit=http://127.0.0.1:{0}/quit", self.port)
    }
}

/// What the main of this launch says: when it ran.
fn main_at(launch: Launch) -> u64 {
    let end = launch.command(job(&["now"])).run();
    end.silent(3);
    String::from_utf8(end.stdout).unwrap().trim().parse().unwrap()
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

#[test]
fn mains_end_to_the_quit_request_at_the_socket_is_a_matter_of_milliseconds() {
    only_ours!();
    let one = |_| {
        let sidecar = Bare::start(true);
        let end = main_at(Launch::pid1().sidecar(&sidecar.spec()));
        ms(sidecar.quit.recv().unwrap().saturating_sub(end))
    };
    let late: Vec<f64> = (0..9).map(one).collect();
    assert!(median(&late) <= 25.0, "{late:?}");
}

#[test]
fn ready_to_main_is_less_than_a_quarter_of_a_second_beside_a_stand_in() {
    only_ours!();
    let one = |n: u64| {
        let sidecar = Bare::start(false);
        let (spec, ready) = (sidecar.spec(), Arc::clone(&sidecar.ready));
        let turned = std::thread::spawn(move || {
            // In no step with the probes.
            pause(Duration::from_micros(40_000 + 4_700 * n));
            ready.store(true, SeqCst);
            monotonic_ns()
        });
        let up = main_at(Launch::pid1().sidecar(&spec));
        assert!(up >= sidecar.ready_at.load(SeqCst), "main began before it was ready");
        ms(up.saturating_sub(turned.join().unwrap()))
    };
    let late: Vec<f64> = (0..9).map(one).collect();
    assert!(median(&late) <= 250.0, "{late:?}");
}

#[test]
fn ready_to_main_is_less_than_a_quarter_of_a_second_beside_envoy() {
    only_ours!();
    let one = || {
        let envoy = Sidecar::envoy()?;
        let spec = format!("envoy:port={}", envoy.port);
        let main = std::thread::spawn(move || main_at(Launch::pid1().sidecar(&spec)));
        let envoy = envoy.start();
        envoy.ready();
        let ready = monotonic_ns();
        let up = main.join().unwrap();
        assert_eq!(envoy.gone().0.code(), Some(0));
        // Main may have been quicker than this test's own poll.
        Some(ms(up.saturating_sub(ready)))
    };
    if one().is_none() {
        return;
    }
    let late: Vec<f64> = (0..5).filter_map(|_| one()).collect();
    assert!(median(&late) <= 250.0, "{late:?}");
}
