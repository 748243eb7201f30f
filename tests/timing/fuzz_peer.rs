//! A peer that is no good HTTP server: slow, huge, split, garbage, chunked wrongly, redirecting, flooding with 1xx, of
//! the last century. Every answer of it ends within the request's deadline, takes bounded memory, and is never
//! "ready" by mistake.

use serde_json::Value;
use std::time::Duration;
use support::{
    Fake, Launch, Reply,
    http::{peer::Peer, server::Step},
    ms, stopped,
};

fn say(text: &str) -> Step {
    Step::Bytes(text.as_bytes().to_vec())
}

fn once(text: &str) -> Vec<Step> {
    vec![say(text)]
}

fn held(text: &str) -> Vec<Step> {
    vec![say(text), Step::Hold]
}

fn for_ever(start: &str, again: &[u8]) -> Vec<Step> {
    vec![say(start), Step::ForEver(again.to_vec(), Duration::ZERO)]
}

/// A byte at a time.
fn dripped(text: &[u8], step: u64) -> Vec<Step> {
    text.iter().flat_map(|byte| [Step::Bytes(vec![*byte]), Step::Pause(ms(step))]).collect()
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// None of these says "ready".
fn bad() -> Vec<(&'static str, Vec<Step>)> {
    let full = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let kilobyte = [b'a'; 1024];
    vec![
        ("silence", vec![Step::Hold]),
        ("an end at once", vec![]),
        ("one byte", held("H")),
        ("half a status line", held("HTTP/1.1 20")),
        ("half a status line, then the end", once("HTTP/1.1 20")),
        ("half a head", held("HTTP/1.1 200 OK\r\nContent-Le")),
        ("half a head, then the end", once("HTTP/1.1 200 OK\r\nContent-Le")),
        ("a head without its empty line", once(OK)),
        ("a slow head", dripped(full.as_bytes(), 20)),
        ("a head dripped for ever", vec![say(OK), Step::ForEver(b"A: b\r\n".to_vec(), ms(20))]),
        ("one header without an end", for_ever("HTTP/1.1 200 OK\r\nA: ", &kilobyte)),
        ("headers without an end", for_ever(OK, b"Abcdefgh: ijklmnop\r\n")),
        ("a reason without an end", for_ever("HTTP/1.1 200 ", &kilobyte)),
        ("line feeds for ever", for_ever("", b"\r\n\r\n\r\n\r\n")),
        ("zeros for ever", for_ever("", &[0; 4096])),
        ("letters for ever", for_ever("", &kilobyte)),
        ("100 for ever", for_ever("", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("103 for ever", for_ever("", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
        ("100, then silence", held("HTTP/1.1 100 Continue\r\n\r\n")),
        ("101", held("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n")),
        ("no HTTP", once("ready\n")),
        ("HTTP/0.9", once("<html>200 OK</html>")),
        ("another protocol", held("SSH-2.0-OpenSSH_9.2\r\n")),
        ("a TLS alert", once("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}")),
        ("HTTP/2's first frame", held("\0\0\u{12}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{64}")),
        ("ICY", once("ICY 200 OK\r\n\r\n")),
        ("no version", once("200 OK\r\n\r\n")),
        ("a long status", once("HTTP/1.1 2000 OK\r\n\r\n")),
        ("a short status", once("HTTP/1.1 20 OK\r\n\r\n")),
        ("a negative status", once("HTTP/1.1 -200 OK\r\n\r\n")),
        ("words for a status", once("HTTP/1.1 OK\r\n\r\n")),
        ("a blank before the version", once(" HTTP/1.1 200 OK\r\n\r\n")),
        ("503", once("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno")),
        ("503 with a body for ever", for_ever("HTTP/1.1 503 No\r\n\r\n", &kilobyte)),
        (
            "503 with a body dripped for ever",
            vec![say("HTTP/1.1 503 No\r\n\r\n"), Step::ForEver(b"x".to_vec(), ms(10))],
        ),
        ("503 with a body that never comes", held("HTTP/1.1 503 No\r\nContent-Length: 9999\r\n\r\n")),
        (
            "503 in wrong chunks",
            once("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n0\r\n\r\n"),
        ),
        (
            "503 in a chunk of 2^64",
            held("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx"),
        ),
        (
            "503 in chunks for ever",
            for_ever("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        ),
        (
            "503 in a chunk's head without an end",
            for_ever("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n1;", &kilobyte),
        ),
        (
            "503 in a trailer without an end",
            for_ever("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
        ),
        ("503 with a strange length", once("HTTP/1.1 503 No\r\nContent-Length: -1\r\n\r\nx")),
        ("503 with two lengths", once("HTTP/1.1 503 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy")),
        ("503 as HTTP/1.0", once("HTTP/1.0 503 No\r\n\r\nno")),
        (
            "503, then 200 behind it",
            once("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        ),
        ("304", once("HTTP/1.1 304 Not Modified\r\n\r\n")),
        ("204, which is not 200", once("HTTP/1.1 204 No Content\r\n\r\n")),
        ("407", once("HTTP/1.1 407 Proxy\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")),
        ("417", once("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")),
    ]
}

/// Each of these is an answer of 200.
fn good() -> Vec<(&'static str, Vec<Step>)> {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    vec![
        ("split into bytes", dripped(chunked.as_bytes(), 0)),
        (
            "split inside the line ends",
            vec![
                say("HTTP/1.1 200 OK\r"),
                Step::Pause(ms(5)),
                say("\nContent-Length: 0\r\n\r"),
                Step::Pause(ms(5)),
                say("\n"),
            ],
        ),
        ("HTTP/1.0", once("HTTP/1.0 200 OK\r\n\r\nready")),
        ("no reason", once("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")),
        ("100 first", once("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
        ("a body for ever", for_ever("HTTP/1.1 200 OK\r\n\r\n", &[b'a'; 1024])),
        ("a body that breaks off", once("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nrea")),
        ("a body in wrong chunks", once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n")),
        ("a body that never comes", held("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")),
    ]
}

/// Random answers that are not 200: a good one that is cut, doubled, and has bytes changed or put in.
fn random(seed: u64) -> Vec<Step> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut bytes = b"HTTP/1.1 503 No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nready\r\n0\r\n\r\n".to_vec();
    for _ in 0..=next(8) {
        bytes.extend(*b" ");
        let at = next(bytes.len());
        match next(5) {
            0 => bytes[at] = next(256) as u8,
            1 => bytes.insert(at, b"\r\n:; 0\0\xff"[next(8)]),
            2 => drop(bytes.drain(at..(at + next(9)).min(bytes.len()))),
            3 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at + 1),
        }
    }
    let mut script = vec![];
    for piece in bytes.chunks(1 + next(40)) {
        script.push(Step::Bytes(piece.to_vec()));
        script.push(Step::Pause(ms(next(3) as u64)));
    }
    if next(2) == 0 {
        script.push(Step::Hold);
    }
    script
}

/// All of them at the gate of one wrapper, with a request's deadline of 100 ms and a wait of 600 ms; what the report
/// says of each.
fn gate(peers: &[(&str, Peer)]) -> Vec<Value> {
    let mut launch =
        Launch::pid1().options(["--wait-timeout", "600ms", "--stop-on", "never", "--report", "-"]);
    for (index, (_, peer)) in peers.iter().enumerate() {
        let keys = "ready-ok=200,timeout=100ms";
        launch = launch.sidecar(&format!("s{index}:ready=http://127.0.0.1:{}/,{keys}", peer.number()));
    }
    let end = launch.options(["--on-wait-timeout", "run"]).sh("exit 3").run();
    assert_eq!(end.code(), 3, "{}", end.stderr);
    assert!(end.took() < ms(2500), "{:?}", end.took());
    let report: Value = serde_json::from_str(end.stderr.lines().last().unwrap()).unwrap();
    report["sidecars"].as_array().unwrap().clone()
}

fn started(cases: Vec<(&'static str, Vec<Step>)>) -> Vec<(&'static str, Peer)> {
    cases.into_iter().map(|(name, script)| (name, Peer::start(script))).collect()
}

#[test]
fn no_bad_answer_is_ready_and_each_ends_within_its_deadline() {
    only_ours!();
    let peers = started(bad());
    for ((name, peer), told) in peers.iter().zip(gate(&peers)) {
        assert!(told["ready_ms"].is_null(), "{name}: {told}");
        assert!(!told["last_probe"].is_null(), "{name}: {told}");
        // 600 ms hold six requests of 100 ms; with pauses between them and a busy machine, two at least.
        assert!(peer.met() >= 2, "{name}: {} requests in 600 ms", peer.met());
    }
}

#[test]
fn a_signal_ends_the_wait_whatever_is_being_read() {
    only_ours!();
    for (name, script) in bad() {
        let peer = Peer::start(script);
        let spec = format!("x:ready=http://127.0.0.1:{}/,ready-ok=200,timeout=60s", peer.number());
        let run = Launch::pid1().sidecar(&spec).options(["--stop-on", "never"]).sh("exit 3").start();
        support::eventually("it is asked", || peer.asked() > 0);
        run.signal(libc::SIGTERM);
        let asked = std::time::Instant::now();
        let end = run.wait();
        assert_eq!(end.code(), 143, "{name}");
        // Of the 60 s of the request; some of these peers never rest.
        assert!(end.ended - asked < ms(10_000), "{name}: {:?}", end.ended - asked);
    }
}

#[test]
fn no_random_answer_is_ready() {
    only_ours!();
    for batch in 0..4 {
        let peers: Vec<_> = (0..40).map(|n| ("random", Peer::start(random(batch * 40 + n + 1)))).collect();
        for (index, told) in gate(&peers).iter().enumerate() {
            assert!(told["ready_ms"].is_null(), "seed {}: {told}", batch * 40 + index as u64 + 1);
        }
    }
}

#[test]
fn an_answer_of_200_is_ready_however_it_comes() {
    only_ours!();
    let peers = started(good());
    for ((name, _), told) in peers.iter().zip(gate(&peers)) {
        assert!(told["ready_ms"].as_f64().is_some_and(|at| at < 400.0), "{name}: {told}");
    }
}

#[test]
fn a_redirect_is_no_answer_and_is_not_followed() {
    only_ours!();
    let ready = Fake::good();
    for status in [301, 302, 303, 307, 308, 300] {
        let answer = format!(
            "HTTP/1.1 {status} There\r\nLocation: http://127.0.0.1:{}/ready\r\nContent-Length: 0\r\n\r\n",
            ready.port()
        );
        let peers = [("redirect", Peer::start(once(&answer)))];
        assert!(gate(&peers)[0]["ready_ms"].is_null(), "{status}");
        let spec = format!("x:quit=http://127.0.0.1:{}/quit", peers[0].1.number());
        Launch::pid1().sidecar(&spec).sh("exit 3").run().one_line(3, &["x", &format!("answered {status}")]);
    }
    assert_eq!(ready.connections(), 0);
}

#[test]
fn no_answer_to_a_quit_holds_the_stop_beyond_its_budget_and_each_is_told() {
    only_ours!();
    let peers = started(bad().into_iter().chain(good()).collect());
    let mut launch = Launch::pid1().options(["--stop-timeout", "900ms", "--report", "-"]);
    for (index, (_, peer)) in peers.iter().enumerate() {
        launch = launch.sidecar(&format!("s{index}:quit=http://127.0.0.1:{}/,timeout=100ms", peer.number()));
    }
    let (end, took) = stopped(launch);
    assert_eq!(end.code(), 3);
    assert!(took < ms(1900), "{took:?}");
    let report: Value = serde_json::from_str(end.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(end.stderr.lines().count(), peers.len() + 1, "{}", end.stderr);
    for ((name, peer), told) in peers.iter().zip(report["sidecars"].as_array().unwrap()) {
        let verdict = told["verdict"].as_str().unwrap();
        assert!(["still_there", "declined"].contains(&verdict), "{name}: {told}");
        // Only after a complete answer of 503.
        let most = if name.starts_with("503") { 5 } else { 1 };
        assert!((1..=most).contains(&peer.asked()), "{name}: asked {} times: {told}", peer.asked());
    }
}

/// True when the wrapper, allowed so many KiB of data (heap, stacks and all else that is written), gets through the
/// wait with this peer.
fn gets_through(peer: &Peer, kib: u64) -> bool {
    let spec = format!("x:ready=http://127.0.0.1:{}/,ready-ok=200,timeout=60ms", peer.number());
    let launch = Launch::pid1()
        .sidecar(&spec)
        .options(["--wait-timeout", "150ms", "--stop-on", "never", "--log-level", "error"])
        .limit(libc::RLIMIT_DATA, kib * 1024, kib * 1024)
        .sh("exit 3");
    // With too little it cannot even be executed.
    std::panic::catch_unwind(|| launch.run()).is_ok_and(|end| end.status.code() == Some(124))
}

#[test]
fn no_answer_takes_64_kib_more_than_a_plain_one() {
    only_ours!();
    let plain = Peer::start(once("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno"));
    // The least with which a plain answer goes well, to 4 KiB.
    let (mut too_few, mut enough) = (0, 4096);
    assert!(gets_through(&plain, enough));
    while enough - too_few > 4 {
        let middle = u64::midpoint(too_few, enough);
        if gets_through(&plain, middle) { enough = middle } else { too_few = middle }
    }
    let most = enough + 64;
    println!("a plain answer: {enough} KiB");
    for (name, script) in bad() {
        assert!(
            gets_through(&Peer::start(script), most),
            "{name}: more than {most} KiB; a plain answer: {enough}"
        );
    }
}

#[test]
fn a_peer_that_resets_or_closes_while_it_is_asked_is_asked_again() {
    only_ours!();
    let fake = Fake::script()
        .resets_at_accept(3)
        .ready([Reply::Reset, Reply::Close, Reply::Answer(200, "")])
        .start();
    Launch::pid1().sidecar(&fake.spec("fake")).sh("exit 3").run().silent(3);
    assert_eq!(fake.probes().len(), 3);
}
