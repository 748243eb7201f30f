//! The demo's main program, for images without a shell: `report [ACTION [VALUE]…]…`, done in the order in which
//! they are written. Compiled by plain `rustc`, so that it needs no crate.
//!
//! ```text
//! --day D            prints a line                      --write FILE TEXT   appends a line to FILE
//! --run 2s           works for so long                  --ship FILE         prints FILE's lines until TERM
//! --fetch URL        must answer 200                    --serve PORT KIND   a sidecar over HTTP: quits | stays
//! --connect H:P      must accept a connection           --eat MIB           uses memory
//! --fail-once FILE N exits N, but not when FILE exists  --kill NAME         kills by name (shared namespace)
//! --exit N           ends with N                        --on-term N|ignore  what SIGTERM does (default 143)
//! --read             echoes a line of the terminal      --children N        leaves N orphans to init
//! --until-term       works until SIGTERM, and goes on
//! ```

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio, exit};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::sleep;
use std::time::{Duration, Instant};

static TOLD: AtomicBool = AtomicBool::new(false);
const STEP: Duration = Duration::from_millis(5);
const TERM: i32 = 15;
const KILL: i32 = 9;

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn kill(pid: i32, number: i32) -> i32;
}

extern "C" fn on_term(_: i32) {
    TOLD.store(true, SeqCst);
}

/// What SIGTERM does: an exit code, or nothing.
type OnTerm = Option<i32>;

fn main() {
    // SAFETY: the handler stores to an atomic, which is async-signal-safe.
    unsafe { signal(TERM, on_term) };
    let mut words = std::env::args();
    if words.next().is_some_and(|name| name.ends_with("/log-shipper")) {
        ship(&words.next().unwrap_or_else(|| wrong("usage: log-shipper FILE")));
    }
    let mut on_term: OnTerm = Some(143);
    let mut memory = Vec::new();
    while let Some(action) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| wrong(&format!("{action} needs a value")));
        match action.as_str() {
            "--day" => say(&format!("report for {}", value())),
            "--run" => work(duration(&value()), on_term),
            "--until-term" => until_term(),
            "--fetch" => fetch(&value()),
            "--connect" => connect(&value()),
            "--fail-once" => fail_once(&value(), number(&value())),
            "--write" => write(&value(), &value()),
            "--ship" => ship(&value()),
            "--serve" => serve(&value(), &value(), on_term),
            "--eat" => memory.push(vec![1u8; number(&value()) as usize * 1024 * 1024]),
            "--kill" => kill_by_name(&value()),
            "--read" => read(),
            "--children" => children(number(&value())),
            "--on-term" => on_term = value().parse().ok(),
            "--exit" => exit(number(&value())),
            _ => wrong(&format!("there is no {action}")),
        }
    }
    say(&format!("done{}", if memory.is_empty() { "" } else { ", and memory was enough" }));
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn wrong(text: &str) -> ! {
    say(&format!("report: {text}"));
    exit(2)
}

fn number(text: &str) -> i32 {
    text.parse().unwrap_or_else(|_| wrong(&format!("{text} is no number")))
}

fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::from_millis(number(ms) as u64),
        None => Duration::from_secs(number(text.trim_end_matches('s')) as u64),
    }
}

/// SIGTERM is obeyed within a step, or remarked once and ignored.
fn obey(on_term: OnTerm) {
    if TOLD.swap(false, SeqCst) {
        match on_term {
            Some(code) => {
                say(&format!("SIGTERM: exit {code}"));
                exit(code)
            }
            None => say("SIGTERM: ignored"),
        }
    }
}

fn work(time: Duration, on_term: OnTerm) {
    say("working");
    let start = Instant::now();
    while start.elapsed() < time {
        obey(on_term);
        sleep(STEP);
    }
}

fn until_term() {
    say("working");
    while !TOLD.swap(false, SeqCst) {
        sleep(STEP);
    }
    say("SIGTERM: the last things first");
}

fn connect(to: &str) {
    match TcpStream::connect(to) {
        Ok(_) => say(&format!("connected to {to}")),
        Err(error) => {
            say(&format!("cannot connect to {to}: {error}"));
            exit(1)
        }
    }
}

fn fetch(url: &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut answer = String::new();
    let done = TcpStream::connect(host).and_then(|mut stream| {
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    let status = answer.lines().next().unwrap_or_default();
    say(&format!("{url}: {}", done.map_or_else(|error| error.to_string(), |_| status.to_owned())));
    if !status.starts_with("HTTP/1.1 200") {
        exit(1)
    }
}

fn fail_once(file: &str, code: i32) {
    if OpenOptions::new().write(true).create_new(true).open(file).is_ok() {
        say(&format!("first try: exit {code}"));
        exit(code)
    }
    say("second try");
}

fn write(file: &str, text: &str) {
    let file = OpenOptions::new().append(true).create(true).open(file);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{text}")) {
        wrong(&format!("cannot write: {error}"))
    }
}

/// A log shipper without an endpoint: it ends on SIGTERM, and not before it has shipped what is there.
fn ship(file: &str) -> ! {
    let mut shipped = 0;
    loop {
        let last = TOLD.load(SeqCst); // looked at before reading: what was there at SIGTERM is shipped
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.lines().skip(shipped) {
            say(&format!("shipped: {line}"));
            shipped += 1;
        }
        if last {
            say(&format!("SIGTERM: {shipped} lines shipped"));
            exit(0)
        }
        sleep(STEP);
    }
}

/// A sidecar: GET is answered, POST /quit is obeyed (`quits`), or is answered and forgotten (`stays`).
fn serve(port: &str, kind: &str, on_term: OnTerm) {
    let listener =
        TcpListener::bind(format!("127.0.0.1:{port}")).unwrap_or_else(|error| wrong(&error.to_string()));
    let _ = listener.set_nonblocking(true);
    say(&format!("serving on {port}"));
    loop {
        obey(on_term);
        let Ok((mut stream, _)) = listener.accept() else {
            sleep(STEP);
            continue;
        };
        let _ = stream.set_nonblocking(false);
        let mut first = String::new();
        let mut lines = BufReader::new(&mut stream);
        let _ = lines.read_line(&mut first);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|n| n > 2) {
            line.clear();
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
        if first.starts_with("POST /quit") {
            say("asked to quit");
            if kind == "quits" {
                exit(0)
            }
        }
    }
}

fn kill_by_name(name: &str) {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        if fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name) {
            // SAFETY: no memory is involved.
            let killed = unsafe { kill(pid, KILL) } == 0;
            say(&format!("{name} ({pid}): {}", if killed { "killed" } else { "may not be killed" }));
        }
    }
}

fn read() {
    say("type a line");
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    say(&format!("read: {}", line.trim_end()));
}

/// They outlive us: orphans, which are init's to reap.
fn children(n: i32) {
    for _ in 0..n {
        let child = Command::new("/proc/self/exe").args(["--run", "100ms"]).stdout(Stdio::null()).spawn();
        if let Err(error) = child {
            wrong(&format!("cannot start a child: {error}"))
        }
    }
}
