//! `gone=`: what proves that a sidecar has finished, and that the sidecars behind it wait for.

use std::{fs, net::TcpStream, path::Path, thread, time::Duration};
use support::{End, Fake, Launch, Port, TempDir, eventually, ms, pause};

const PIECES: usize = 5;

/// A run beside an uploader, which is told by a file and sends its pieces through a mesh, and that mesh, which is stopped
/// last; how many pieces have arrived.
fn pieces_through_the_mesh(dir: &TempDir, gone: &str, finish: impl FnOnce() + Send) -> (usize, End) {
    let mesh = Fake::good();
    let port = mesh.port();
    let quit = dir.at("done");
    let uploader = format!("uploader:quit=file:{}{gone}", quit.display());
    let launch = Launch::pid1().sidecar(&(mesh.spec("mesh") + ",order=90")).sidecar(&uploader);
    thread::scope(|scope| {
        let uploader = scope.spawn(|| {
            eventually("the file", || quit.exists());
            let arrived = (0..PIECES)
                .map(|_| {
                    pause(ms(30));
                    TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1))
                })
                .filter(Result::is_ok)
                .count();
            finish();
            arrived
        });
        let end = launch.options(["--log-level", "info"]).sh("exit 3").run();
        assert_eq!(end.code(), 3, "{}", end.stderr);
        assert_eq!(mesh.quits().len(), 1, "{}", end.stderr);
        (uploader.join().unwrap(), end)
    })
}

fn create(path: &Path) {
    fs::write(path, "").unwrap();
}

#[test]
fn a_file_that_appears_is_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let finished = dir.at("finished");
    let gone = format!(",gone=file:{}", finished.display());
    let (pieces, end) = pieces_through_the_mesh(&dir, &gone, || create(&finished));
    assert_eq!(pieces, PIECES);
    assert!(end.stderr.contains("uploader: gone after"), "{}", end.stderr);
}

#[test]
fn a_file_that_vanishes_is_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let spool = dir.file("spool", "", 0o644);
    let gone = format!(",gone=no-file:{}", spool.display());
    assert_eq!(pieces_through_the_mesh(&dir, &gone, || fs::remove_file(&spool).unwrap()).0, PIECES);
}

#[test]
fn a_file_that_cannot_be_looked_at_has_not_vanished() {
    only_ours!();
    let dir = TempDir::new();
    let link = dir.at("loop");
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let spec = format!("x:quit=file:{},gone=no-file:{}", dir.at("done").display(), link.display());
    let end = Launch::pid1().sidecar(&spec).options(["--stop-timeout", "300ms"]).sh("exit 3").run();
    end.one_line(3, &["x", "still there", "gone=no-file:"]);
}

#[test]
fn a_port_that_refuses_is_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let port = Port::reserve();
    port.listen();
    let gone = format!(",gone=tcp://127.0.0.1:{}", port.number());
    assert_eq!(pieces_through_the_mesh(&dir, &gone, || port.refuse()).0, PIECES);
}

#[test]
fn without_a_proof_one_line_says_so_and_nobody_waits() {
    only_ours!();
    let dir = TempDir::new();
    let (_, end) = pieces_through_the_mesh(&dir, "", || {});
    let line = format!("{} is created; nothing proves that it has finished: gone=", dir.at("done").display());
    assert!(end.stderr.contains(&line), "{}", end.stderr);
    assert!(end.took() < ms(5000), "{:?}", end.took());
}

#[test]
fn a_proof_that_does_not_come_is_named_when_the_time_is_over() {
    only_ours!();
    let dir = TempDir::new();
    let (done, finished) = (dir.at("done"), dir.at("finished"));
    let spec = format!("uploader:quit=file:{},gone=file:{}", done.display(), finished.display());
    let end = Launch::pid1().sidecar(&spec).options(["--stop-timeout", "300ms"]).sh("exit 3").run();
    end.one_line(3, &["uploader", "is still there", &format!("waited for gone=file:{}", finished.display())]);
    assert!(end.took() >= ms(300) && end.took() < ms(10_000), "{:?}", end.took());
}

/// Main leaves a process behind that works for 200 ms once the file is there; with `forever`, for ever.
fn beside_a_process(name: &str, forever: bool) -> (End, bool) {
    let dir = TempDir::new();
    let work = if forever { "sleep 60" } else { "sleep 0.2" };
    let worker =
        format!("#!/bin/sh\ntouch up\nuntil [ -e done ]; do sleep 0.01; done\n{work}\ntouch finished\n");
    dir.file("my-uploader", worker, 0o755);
    let script = "./my-uploader >/dev/null 2>&1 & until [ -e up ]; do sleep 0.01; done; exit 3";
    let spec = format!("uploader:quit=file:done,gone=process:{name}");
    let run =
        Launch::pid1().cwd(dir.path()).sidecar(&spec).options(["--log-level", "info"]).sh(script).start();
    let end = run.wait();
    assert_eq!(end.code(), 3, "{}", end.stderr);
    (end, dir.at("finished").exists())
}

#[test]
fn a_process_that_ends_is_waited_for() {
    only_ours!();
    let (end, finished) = beside_a_process("my-uploader", false);
    assert!(finished, "{}", end.stderr);
    assert!(end.stderr.contains("uploader: gone after"), "{}", end.stderr);
}

#[test]
fn a_process_that_was_never_visible_proves_nothing_and_is_not_waited_for() {
    only_ours!();
    let (end, finished) = beside_a_process("other", true);
    assert!(!finished);
    assert!(end.stderr.contains("no process other was visible (shareProcessNamespace"), "{}", end.stderr);
}

#[test]
fn one_that_answers_may_need_more_proof_than_its_port() {
    only_ours!();
    let dir = TempDir::new();
    let (fake, flushed) = (Fake::good(), dir.at("flushed"));
    let spec = format!("{},gone=file:{}", fake.spec("logger"), flushed.display());
    thread::scope(|scope| {
        scope.spawn(|| {
            eventually("it is gone", || fake.left_at().is_some());
            pause(ms(200));
            create(&flushed);
        });
        let end = Launch::pid1().sidecar(&spec).sh("exit 3").run();
        end.silent(3);
        assert!(flushed.exists());
    });
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_proof_that_cannot_be_used_is_125() {
    only_ours!();
    for (spec, words) in [
        ("x:quit=file:/a,gone=done", &["gone", "`done` is no proof", "file:FILE"][..]),
        ("x:quit=file:/a,gone=refused", &["gone", "no port that could refuse", "ready=tcp://"]),
        ("x:quit=file:/a,gone=process:", &["gone", "process:NAME"]),
        ("x:quit=file:/a,gone=file:", &["gone", "file:/PATH"]),
        ("x:quit=file:/a,gone=tcp://10.0.0.1:1", &["gone", "10.0.0.1", "loopback"]),
        ("x:ready=tcp://127.0.0.1:1,gone=file:/b", &["`gone` has no effect", "not asked"]),
    ] {
        Launch::pid1().sidecar(spec).sh("exit 3").run().one_line(125, &[&["--sidecar"], words].concat());
    }
}

/// Nobody said `gone=`: the process that is signalled is the one whose end is waited for.
#[test]
fn the_end_of_a_process_that_is_signalled_is_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let worker =
        "#!/bin/sh\ntrap 'sleep 0.2; touch finished; exit' TERM\ntouch up\nwhile :; do sleep 0.01; done\n";
    dir.file("my-worker", worker, 0o755);
    let script = "./my-worker >/dev/null 2>&1 & until [ -e up ]; do sleep 0.01; done; exit 3";
    let mesh = Fake::good();
    let launch = Launch::pid1().cwd(dir.path()).sidecar("worker:process=my-worker");
    let end = launch.sidecar(&(mesh.spec("mesh") + ",order=90")).sh(script).run();
    end.silent(3);
    assert!(dir.at("finished").exists());
    assert_eq!(mesh.quits().len(), 1);
}

/// One file is for several: each proves its end in its own way.
#[test]
fn of_two_that_are_told_by_the_same_file_both_are_waited_for() {
    only_ours!();
    let dir = TempDir::new();
    let (done, finished) = (dir.at("done"), [dir.at("first"), dir.at("second")]);
    let spec = |name: &str, finished: &Path| {
        format!("{name}:quit=file:{},gone=file:{}", done.display(), finished.display())
    };
    let launch = Launch::pid1().sidecar(&spec("a", &finished[0])).sidecar(&spec("b", &finished[1]));
    thread::scope(|scope| {
        scope.spawn(|| {
            eventually("the file", || done.exists());
            pause(ms(50));
            create(&finished[0]);
            pause(ms(100));
            create(&finished[1]);
        });
        let end = launch.sh("exit 3").run();
        end.one_line(3, &["b", "same address as a's"]);
        assert!(finished[1].exists());
    });
}

#[test]
fn a_file_that_was_created_is_a_request_in_the_report_and_an_optional_process_that_is_not_there_is_silent() {
    only_ours!();
    let dir = TempDir::new();
    let report = dir.at("report");
    let spec = format!("x:quit=file:{}", dir.at("done").display());
    let launch = Launch::pid1().sidecar(&spec).sidecar("y?:process=no-such-process");
    launch.options(["--report".as_ref(), report.as_os_str()]).sh("exit 3").run().silent(3);
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert!(told["sidecars"][0]["asked_ms"].is_number(), "{told}");
    assert_eq!(told["sidecars"][1]["verdict"], "absent", "{told}");
}

/// Nobody is there: that their port refuses is no proof that they have gone.
#[test]
fn of_two_with_one_address_neither_is_gone_that_never_was_there() {
    only_ours!();
    let port = Port::reserve();
    let spec =
        |name: &str, order: u32| format!("{name}:port={},ready=/r,quit=/q,order={order}", port.number());
    for names in [["u", "v?"], ["u", "v"]] {
        let launch = Launch::pid1().sidecar(&spec(names[0], 90)).sidecar(&spec(names[1], 10));
        let options = ["--no-wait", "--absent-after", "200ms", "--stop-timeout", "600ms"];
        let end = launch.options(options).sh("exit 3").run();
        assert_eq!(end.code(), 3);
        assert_eq!(end.stderr.matches("never appeared").count(), 2, "{}", end.stderr);
    }
}
