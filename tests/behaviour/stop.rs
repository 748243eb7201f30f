//! The stop when all is well: every sidecar is asked once, in its order, when the policy says so, and is
//! gone before the wrapper is.

use support::{
    Fake, Launch, Reply, ms,
    stop::{main_of, stopped},
};

#[test]
fn the_sidecar_is_asked_once_by_a_plain_post() {
    only_ours!();
    let fake = Fake::good();
    main_of(&fake).run().silent(3);
    let quits = fake.quits();
    assert_eq!(quits.len(), 1);
    let head = quits[0].head.to_lowercase();
    assert!(head.starts_with("post /quit http/1.1\r\n"), "{head}");
    assert!(
        head.contains("\r\ncontent-length: 0\r\n") && head.contains("\r\nconnection: close\r\n"),
        "{head}"
    );
    assert!(fake.probes().iter().all(|p| p.path == "/ready"), "never a GET of the quit path");
}

#[test]
fn the_wrapper_is_gone_only_after_the_port_refuses() {
    only_ours!();
    let fake = Fake::script().leaves_after(ms(300)).start();
    let end = main_of(&fake).run();
    end.silent(3);
    let left = fake.left_at().expect("it has left");
    assert!(end.ended >= left && end.ended - left < ms(250), "{:?}", end.ended - left);
}

#[test]
fn gone_means_that_the_ready_port_refuses_too() {
    only_ours!();
    let fake = Fake::script().ready_port_lags(ms(300)).start();
    let end = main_of(&fake).run();
    end.silent(3);
    assert!(end.ended >= fake.left_at().expect("it has left"));
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_hung_sidecar_starves_no_other_of_its_step() {
    only_ours!();
    let hung = Fake::script().quit([Reply::Silent]).stays().start();
    let good = Fake::good();
    let run = Launch::pid1()
        .sidecar(&hung.spec("hung"))
        .sidecar(&good.spec("good"))
        .options(["--stop-timeout", "1s"])
        .sh("echo end; exit 3")
        .start();
    let over = run.says("end");
    let end = run.wait();
    end.one_line(3, &["hung", "still there"]);
    let asked = good.quits()[0].at - over;
    assert!(asked < ms(250), "{asked:?}");
    assert!(end.ended - over < ms(2000));
}

#[test]
fn a_later_step_is_asked_when_the_earlier_one_is_gone() {
    only_ours!();
    let proxy = Fake::script().leaves_after(ms(200)).start();
    let mesh = Fake::good();
    let (end, _) = stopped(
        Launch::pid1()
            .sidecar(&(mesh.spec("mesh") + ",order=90"))
            .sidecar(&(proxy.spec("proxy") + ",order=10")),
    );
    end.silent(3);
    assert!(mesh.quits()[0].at >= proxy.left_at().unwrap());
}

#[test]
fn a_hung_step_leaves_its_share_of_the_budget_to_the_next() {
    only_ours!();
    let proxy = Fake::script().quit([Reply::Silent]).stays().start();
    let mesh = Fake::good();
    let (end, took) = stopped(
        Launch::pid1()
            .sidecar(&(mesh.spec("mesh") + ",order=90"))
            .sidecar(&(proxy.spec("proxy") + ",order=10"))
            .options(["--stop-timeout", "1s"]),
    );
    end.one_line(3, &["proxy", "still there"]);
    assert_eq!(mesh.quits().len(), 1);
    assert!(took >= ms(450) && took < ms(1500), "{took:?}");
}

#[test]
fn stop_on_decides_by_mains_exit_code() {
    only_ours!();
    for (policy, code, stops) in [
        ("always", 0, true),
        ("always", 3, true),
        ("success", 0, true),
        ("success", 3, false),
        ("never", 0, false),
        ("0,3,64-78", 3, true),
        ("0,3,64-78", 70, true),
        ("0,3,64-78", 1, false),
    ] {
        let fake = Fake::good();
        let launch = Launch::pid1().sidecar(&fake.spec("fake")).options(["--stop-on", policy]);
        launch.sh(&format!("exit {code}")).run().silent(code);
        assert_eq!(fake.quits().len(), usize::from(stops), "--stop-on {policy} after {code}");
    }
}

#[test]
fn linger_is_a_pause_before_the_stop() {
    only_ours!();
    let fake = Fake::good();
    let run = Launch::pid1()
        .sidecar(&fake.spec("fake"))
        .options(["--linger", "400ms"])
        .sh("echo end; exit 3")
        .start();
    let over = run.says("end");
    run.wait().silent(3);
    let asked = fake.quits()[0].at - over;
    assert!(asked >= ms(395) && asked < ms(800), "{asked:?}");
}
