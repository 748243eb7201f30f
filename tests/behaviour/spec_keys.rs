//! Every key of a SPEC, as it works.

use std::{fs, net::TcpListener, os::unix::net::UnixListener, path::Path, time::Instant};
use support::{
    Fake, Launch, Port, Reply, Standin, TempDir, eventually,
    http::standin::{Row, row},
    ms, own_network, pause,
};

const OK: Reply = Reply::Answer(200, "");

fn main_of(spec: &str) -> Launch {
    Launch::pid1().sidecar(spec).sh("echo up; exit 3")
}

/// A sidecar on these ports of its own: readiness, quit.
const fn pair(ready: u16, quit: u16) -> [Row; 2] {
    [row(ready, "GET", "/r", 200, ""), row(quit, "POST", "/q", 200, "").goes(0)]
}

#[test]
fn port_and_ready_port_go_with_paths() {
    only_ours!();
    own_network(|| {
        let standin = Standin::start(&pair(1001, 1002));
        main_of("x:port=1002,ready-port=1001,ready=/r,quit=/q").run().silent(3);
        assert_eq!(
            (standin.asked_for("/r").len(), standin.asked_for("/q")),
            (1, vec!["POST 1002".to_owned()])
        );
        drop(standin);
        let standin = Standin::start(&pair(1003, 1003));
        main_of("x:port=1003,ready=/r,quit=/q").run().silent(3);
        assert_eq!(standin.asked_for("/q"), ["POST 1003"]);
    });
}

#[test]
fn host_chooses_one_of_the_loopback_addresses_and_without_it_both_are_tried() {
    only_ours!();
    let keys = "port=1001,ready=/r,quit=/q";
    for (listens, host, found) in [
        ("::1", "::1", true),
        ("::1", "localhost", true),
        ("::1", "127.0.0.1", false),
        ("127.0.0.1", "::1", false),
        ("127.0.0.1", "localhost", true),
    ] {
        own_network(|| {
            let standin = Standin::start_on(listens, &pair(1001, 1001), &[]);
            let spec = format!("x:host={host},{keys}");
            let options = ["--wait-timeout", "100ms", "--stop-timeout", "100ms"];
            let end = main_of(&spec).options(options).run();
            assert_eq!(end.code(), if found { 3 } else { 124 }, "{listens} by {host}: {}", end.stderr);
            assert_eq!(standin.is_gone(), found);
        });
    }
}

#[test]
fn an_abstract_socket_is_reached_by_its_name() {
    only_ours!();
    use std::os::{linux::net::SocketAddrExt as _, unix::net};
    let name = format!("lastout test {}", std::process::id());
    let address = net::SocketAddr::from_abstract_name(&name).unwrap();
    let listener = net::UnixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let accept = || {
        let stream = support::until(std::time::Duration::from_secs(10), || listener.accept().ok());
        let (stream, _) = stream.expect("it connects");
        stream.set_nonblocking(false).unwrap();
        stream
    };
    let spec = format!("x:socket=@{0},ready=unix:@{0},quit=/q", name.replace(' ', "%20"));
    let run = main_of(&spec).start();
    // The probe that connects, then the request.
    drop(accept());
    let mut stream = accept();
    let mut head = [0; 1024];
    let count = std::io::Read::read(&mut stream, &mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..count]).into_owned();
    std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    drop((stream, listener));
    run.wait().silent(3);
    assert!(head.starts_with("POST /q HTTP/1.1"), "{head}");
}

#[test]
fn a_relative_socket_whose_whole_path_is_too_long_is_told_at_once() {
    only_ours!();
    let dir = TempDir::new();
    let deep = dir.at(&"d".repeat(100));
    std::fs::create_dir(&deep).unwrap();
    let end = main_of("x:socket=admin.sock,ready=/r,quit=/q").cwd(&deep).run();
    end.one_line(125, &["x: ", "too long for a unix socket", "107 bytes"]);
}

#[test]
fn one_address_is_asked_once_whatever_names_it() {
    only_ours!();
    for two in [
        ["x:port=1001,ready=/r,quit=/q", "x:port=1001,ready=/r,quit=/q"],
        ["x:port=1001,ready=/r,quit=/q", "y:port=1001,ready=/r,quit=/q,host=127.0.0.1"],
    ] {
        own_network(|| {
            let rows = [row(1001, "GET", "*", 200, ""), row(1001, "POST", "*", 200, "").goes(100)];
            let standin = Standin::start(&rows);
            let end = Launch::pid1().sidecar(two[0]).sidecar(two[1]).sh("exit 3").run();
            end.one_line(3, &["warn", "address"]);
            assert_eq!(standin.asked_for("/q"), ["POST 1001"]);
        });
    }
}

#[test]
fn urls_name_their_own_addresses() {
    only_ours!();
    own_network(|| {
        let standin = Standin::start_on("::1", &pair(1001, 1002), &[]);
        main_of("x:ready=http://[::1]:1001/r,quit=http://localhost:1002/q").run().silent(3);
        assert_eq!(standin.asked_for("/q"), ["POST 1002"]);
        assert!(standin.asked()[0].head.to_lowercase().contains("\r\nhost: "));
    });
}

#[test]
fn a_path_is_sent_byte_for_byte_and_never_gets_a_slash() {
    only_ours!();
    for path in ["/q", "/q/", "//a/../q", "/a%2Fb%20c", "/q?now=true&x=%2C", "/"] {
        own_network(|| {
            let rows = [row(1001, "GET", "*", 200, ""), row(1001, "POST", "*", 200, "").goes(0)];
            let standin = Standin::start(&rows);
            main_of(&format!("x:port=1001,ready={path},quit={path}")).run().silent(3);
            assert_eq!(standin.asked_for(path), ["GET 1001", "POST 1001"], "{path}");
            assert_eq!(standin.asked().len(), 2, "{path}");
        });
    }
}

#[test]
fn tcp_and_unix_are_ready_when_a_connection_is_accepted() {
    only_ours!();
    let dir = TempDir::new();
    let port = Port::reserve();
    let socket = dir.at("a, b.sock");
    let escaped = socket.display().to_string().replace(',', "%2C").replace(' ', "%20");
    let run = main_of(&format!("x:ready=tcp://127.0.0.1:{}", port.number()))
        .sidecar(&format!("y:ready=unix:{escaped}"))
        .start();
    pause(ms(30));
    port.listen();
    pause(ms(30));
    assert!(run.said().is_empty());
    let _listener = UnixListener::bind(&socket).unwrap();
    let open = Instant::now();
    let late = run.says("up") - open;
    assert!(late < ms(100), "{late:?}");
    // Nothing is asked to quit: whoever only waits for a port does not stop what is behind it.
    run.wait().silent(3);
}

#[test]
fn a_port_that_accepts_but_says_nothing_is_ready_by_tcp_and_not_by_http() {
    only_ours!();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    main_of(&format!("x:ready=tcp://127.0.0.1:{port}")).run().silent(3);
    let spec = format!("x:ready=http://127.0.0.1:{port}/,timeout=100ms");
    let end = main_of(&spec).options(["--wait-timeout", "300ms"]).run();
    end.one_line(124, &["x", "no answer within 100 ms"]);
}

#[test]
fn a_file_is_ready_when_it_is_there() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.at("100% ready, now");
    let escaped = file.display().to_string().replace('%', "%25").replace(',', "%2C").replace(' ', "%20");
    let run = main_of(&format!("x:ready=file:{escaped}")).start();
    pause(ms(50));
    assert!(run.said().is_empty());
    fs::write(&file, "").unwrap();
    let there = Instant::now();
    let late = run.says("up") - there;
    assert!(late < ms(100), "{late:?}");
    run.wait().silent(3);
}

#[test]
fn a_file_that_never_comes_is_named() {
    only_ours!();
    let end = main_of("x:ready=file:/no/such/file").options(["--wait-timeout", "50ms"]).run();
    end.one_line(124, &["x", "/no/such/file is not there"]);
}

#[test]
fn relative_files_are_relative_to_where_lastout_was_started() {
    only_ours!();
    let dir = TempDir::new();
    dir.file("ready", "", 0o644);
    main_of("x:ready=file:ready,quit=file:done").cwd(dir.path()).run().silent(3);
    assert!(dir.at("done").exists());
}

/// A sidecar that ends when this file is there.
fn ends_by(file: &Path, port: &Port) {
    eventually("the done file", || file.exists());
    pause(ms(50));
    port.refuse();
}

#[test]
fn quit_may_be_a_file_that_is_created_and_the_ready_port_proves_the_end() {
    only_ours!();
    let dir = TempDir::new();
    let (file, port) = (dir.at("done"), Port::reserve());
    port.listen();
    let spec = format!("x:ready=tcp://127.0.0.1:{},quit=file:{}", port.number(), file.display());
    let end = std::thread::scope(|scope| {
        scope.spawn(|| ends_by(&file, &port));
        main_of(&spec).run()
    });
    end.silent(3);
    assert!(end.took() >= ms(50));
    port.listen();
    let end = main_of(&spec).options(["--stop-timeout", "200ms"]).run();
    end.one_line(3, &["x", "still there", "done"]);
}

#[test]
fn a_done_file_that_cannot_be_created_is_told_at_once() {
    only_ours!();
    let dir = TempDir::new();
    let fifo = dir.at("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // A FIFO without a reader is none to wait for.
    for file in ["/no/such/folder/done", "/", fifo.to_str().unwrap()] {
        let end = main_of(&format!("x:quit=file:{file}")).run();
        end.one_line(3, &["x", &format!("cannot create {file}: ")]);
        assert!(end.took() < ms(1000));
    }
}

#[test]
fn method_ok_and_ready_ok_say_what_is_sent_and_what_counts() {
    only_ours!();
    let fake = Fake::script()
        .ready([Reply::Answer(200, ""), Reply::Answer(401, "")])
        .quit([Reply::Answer(409, "on my way")])
        .start();
    let spec = fake.spec("x") + ",method=DELETE,ok=200|404-409,ready-ok=401|418";
    main_of(&spec).run().silent(3);
    assert_eq!(fake.probes().len(), 2);
    let quits: Vec<_> = fake.quits().iter().map(|quit| quit.method.clone()).collect();
    assert_eq!(quits, ["DELETE"]);
    let fake = Fake::script().quit([OK]).stays().start();
    main_of(&(fake.spec("x") + ",ok=204")).run().one_line(3, &["x", "answered 200"]);
}

#[test]
fn headers_are_in_both_requests_and_never_in_a_log() {
    only_ours!();
    let fake =
        Fake::script().ready([Reply::Answer(503, ""), OK]).quit([Reply::Answer(403, "no")]).stays().start();
    let spec = fake.spec("x") + ",header=X-Token=s3cret%2C too,header=Host=mesh.local";
    let spec = spec.replace(" too", "%20too");
    let options = ["--log-level", "debug", "--report", "-"];
    let end = main_of(&spec).options(options).run();
    for asked in fake.asked() {
        let head = asked.head.to_lowercase();
        assert!(head.contains("\r\nx-token: s3cret, too\r\n"), "{head}");
        assert_eq!(head.matches("\r\nhost: ").count(), 1, "{head}");
        assert!(head.contains("\r\nhost: mesh.local\r\n"), "{head}");
    }
    assert!(end.stderr.contains("answered 403") && !end.stderr.contains("s3cret"), "{}", end.stderr);
}

#[test]
fn absent_is_an_optional_sidecars_own_patience() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = main_of(&(fake.spec("x?") + ",absent=200ms")).start();
    let up = run.says("up") - run.began;
    assert!(up >= ms(190) && up < ms(700), "{up:?}");
    let end = run.wait();
    end.silent(3);
    assert!(end.took() < ms(1000));
}

/// A process of that name in our namespace, which is no child of ours as long as its parent lives; it ends by HUP.
const WORKER: &str = "#!/bin/sh\ntrap 'echo HUP >>got; exit' HUP\ntrap 'echo TERM >>got' TERM\necho up >up\nwhile :; do sleep 0.01; done\n";

/// Beside such a process, whose port is open until it has got this; its end.
fn beside_a_worker(spec: &str, options: &[&str], got: &str) -> support::End {
    let dir = TempDir::new();
    dir.file("my-worker", WORKER, 0o755);
    let port = Port::reserve();
    port.listen();
    let spec = spec.replace("PORT", &port.number().to_string());
    let script = "./my-worker >/dev/null 2>&1 & while [ ! -e up ]; do sleep 0.01; done; exit 3";
    let run = Launch::process().cwd(dir.path()).sidecar(&spec).options(options).sh(script).start();
    if !got.is_empty() {
        eventually("the worker got it", || fs::read(dir.at("got")).is_ok_and(|text| text == got.as_bytes()));
        port.refuse();
    }
    let end = run.wait();
    assert_eq!(fs::read_to_string(dir.at("got")).unwrap_or_default(), got);
    end
}

#[test]
fn process_and_signal_are_the_way_of_one_that_cannot_be_asked() {
    only_ours!();
    let ready = "x:ready=tcp://127.0.0.1:PORT";
    beside_a_worker(&format!("{ready},process=my-worker,signal=HUP"), &[], "HUP\n").silent(3);
    let end = beside_a_worker(&format!("{ready},process=other-worker"), &[], "");
    end.one_line(3, &["x", "no process other-worker is visible", "shareProcessNamespace"]);
}

#[test]
fn process_and_signal_are_the_fallback_of_one_that_will_not_go() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(404, "not enabled")]).stays().start();
    let spec = fake.spec("x") + ",process=my-worker,signal=HUP";
    let end = beside_a_worker(&spec, &["--stop-timeout", "1s"], "HUP\n");
    // The worker is not what listens there, so it is told all the same.
    end.one_line(3, &["x", "404|still there"]);
    assert_eq!(fake.quits().len(), 1);
    assert!(end.took() < ms(2500));
}

#[test]
fn one_that_goes_when_asked_gets_no_signal() {
    only_ours!();
    let fake = Fake::good();
    beside_a_worker(&(fake.spec("x") + ",process=my-worker,signal=HUP"), &[], "").silent(3);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_spec_that_cannot_be_used_ends_it_with_125_and_the_others_are_stopped() {
    only_ours!();
    for (spec, words) in [
        ("x:quit=http://10.0.0.1/q", &["10.0.0.1", "loopback"][..]),
        ("x:quit=https://127.0.0.1/q", &["https"]),
        ("x:ready=http://localhost.evil/", &["localhost.evil", "loopback"]),
        ("istoi", &["istoi", "did you mean `istio`"]),
        ("istio:prot=1", &["prot", "did you mean `port`"]),
        ("istio:port=x", &["port", "`x`"]),
        ("istio:timeout=5", &["timeout", "write 5s"]),
    ] {
        let fake = Fake::good();
        let end = main_of(spec).sidecar(&fake.spec("good")).run();
        end.one_line(125, &[&["--sidecar"], words].concat());
        assert!(end.stdout.is_empty());
        assert_eq!(fake.quits().len(), 1, "{spec}");
    }
}
