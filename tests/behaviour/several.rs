//! Several sidecars: their order, their shares of the budget, those that may be absent, those that come late or come
//! back.

use std::time::Instant;
use support::{Fake, Launch, Reply, Standin, http::standin::row, ms, own_network, pause, stopped};

const CLOUD_SQL: [support::http::standin::Row; 2] =
    [row(9090, "GET", "/startup", 200, "ok"), row(9091, "POST", "/quitquitquit", 200, "").goes(60)];
const VAULT: [support::http::standin::Row; 2] =
    [row(8200, "GET", "/agent/v1/metrics", 200, "{}"), row(8200, "POST", "/agent/v1/quit", 200, "").goes(40)];
const DAPR: [support::http::standin::Row; 2] = [
    row(3500, "GET", "/v1.0/healthz/outbound", 204, ""),
    row(3500, "POST", "/v1.0/shutdown", 204, "").goes(40),
];
const LINKERD: [support::http::standin::Row; 2] =
    [row(4191, "GET", "/ready", 200, "ready\n"), row(4191, "POST", "/shutdown", 200, "shutdown\n").goes(0)];

/// The mesh is named first, since the order is not that of the options.
fn four() -> Launch {
    ["linkerd", "dapr", "vault-agent", "cloud-sql-proxy"].into_iter().fold(Launch::pid1(), Launch::sidecar)
}

#[test]
fn data_first_then_secrets_then_the_runtime_and_the_mesh_last_each_when_the_former_is_gone() {
    only_ours!();
    own_network(|| {
        let standins = [&CLOUD_SQL, &VAULT, &DAPR, &LINKERD].map(|rows| Standin::start(rows));
        stopped(four()).0.silent(3);
        let quits = standins.iter().map(|standin| {
            let asked: Vec<_> = standin.asked().into_iter().filter(|asked| asked.method == "POST").collect();
            assert_eq!(asked.len(), 1);
            asked[0].at
        });
        let quits: Vec<_> = quits.collect();
        for (two, lives) in quits.windows(2).zip([60, 40, 40]) {
            assert!(two[1] - two[0] >= ms(lives) && two[1] - two[0] < ms(lives + 150), "{quits:?}");
        }
    });
}

#[test]
fn when_the_first_hangs_all_the_others_are_asked_the_mesh_last_and_the_total_holds() {
    only_ours!();
    own_network(|| {
        let hung = [CLOUD_SQL[0], row(9091, "POST", "*", 0, "").silent()];
        let standins = [&hung, &VAULT, &DAPR, &LINKERD].map(|rows| Standin::start(rows));
        let (end, took) = stopped(four().options(["--stop-timeout", "2s"]));
        end.one_line(3, &["cloud-sql-proxy", "still there", "--max-sigterm-delay"]);
        // A quarter of the budget for the one that hangs.
        assert!(took >= ms(450) && took < ms(1500), "{took:?}");
        assert!(standins[1..].iter().all(Standin::is_gone));
    });
}

#[test]
fn when_all_hang_the_total_holds_and_each_is_asked_and_told() {
    only_ours!();
    let fakes: Vec<_> = (0..6).map(|_| Fake::script().quit([Reply::Silent]).stays().start()).collect();
    let mut launch = Launch::pid1().options(["--stop-timeout", "1200ms"]);
    for (index, fake) in fakes.iter().enumerate() {
        launch = launch.sidecar(&(fake.spec(&format!("s{index}")) + &format!(",order={}", index / 2)));
    }
    let (end, took) = stopped(launch);
    assert_eq!((end.code(), end.stderr.lines().count()), (3, 6), "{}", end.stderr);
    assert!(took >= ms(1100) && took < ms(1700), "{took:?}");
    assert!(fakes.iter().all(|fake| fake.quits().len() == 1));
}

#[test]
fn an_absent_optional_sidecar_costs_main_three_seconds_and_nothing_at_the_end() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = Launch::pid1().sidecar(&fake.spec("mesh?")).sh("echo up; exit 3").start();
    let up = run.says("up");
    let waited = up - run.began;
    assert!(waited >= ms(2950) && waited <= ms(3200), "{waited:?}");
    let end = run.wait();
    end.silent(3);
    assert!(end.ended - up < ms(200), "{:?}", end.ended - up);
}

#[test]
fn a_present_optional_sidecar_is_waited_for_and_stopped_as_any_other() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Answer(503, ""), Reply::Answer(200, "")]).start();
    stopped(Launch::pid1().sidecar(&fake.spec("mesh?"))).0.silent(3);
    assert_eq!((fake.probes().len(), fake.quits().len()), (2, 1));
}

#[test]
fn an_optional_sidecar_that_appears_after_five_seconds_is_stopped_at_the_end() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let mut run =
        Launch::pid1().sidecar(&fake.spec("mesh?")).sh("echo up; read line; exit 3").stdin().start();
    let began = Instant::now();
    run.says("up");
    pause(ms(5000).saturating_sub(began.elapsed()));
    fake.open();
    run.close_stdin();
    run.wait().silent(3);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn one_that_is_restarted_while_others_are_still_being_stopped_is_asked_once_more() {
    only_ours!();
    // A native sidecar: the kubelet starts it again as long as a main is there, and that is we.
    let native = Fake::script().returns_after(ms(150), 1).start();
    let slow = Fake::script().leaves_after(ms(700)).start();
    let (end, _) = stopped(
        Launch::pid1()
            .sidecar(&(native.spec("native") + ",order=10"))
            .sidecar(&(slow.spec("slow") + ",order=90")),
    );
    assert_eq!(end.code(), 3);
    assert_eq!((native.quits().len(), slow.quits().len()), (2, 1), "{}", end.stderr);
    assert!(end.stderr.lines().count() <= 1, "{}", end.stderr);
}

#[test]
fn one_that_is_restarted_again_and_again_is_asked_twice_and_told() {
    only_ours!();
    let native = Fake::script().returns_after(ms(100), 9).start();
    let slow = Fake::script().leaves_after(ms(900)).start();
    let (end, took) = stopped(
        Launch::pid1()
            .sidecar(&(native.spec("native") + ",order=10"))
            .sidecar(&(slow.spec("slow") + ",order=90")),
    );
    end.one_line(3, &["native", "came back", "--stop-on never"]);
    assert_eq!((native.quits().len(), slow.quits().len()), (2, 1));
    assert!(took < ms(2500), "{took:?}");
}

#[test]
fn one_word_in_the_variable_is_one_sidecar() {
    only_ours!();
    let fakes = [Fake::good(), Fake::good()];
    let list = format!(" {} \n\t{} ", fakes[0].spec("a"), fakes[1].spec("b"));
    Launch::pid1().env(format!("LASTOUT_SIDECAR={list}")).sh("exit 3").run().silent(3);
    assert!(fakes.iter().all(|fake| fake.quits().len() == 1));
}
