//! The rows of `lastout presets` against the real programs, each through all of its states: absent, starting, ready, switched
//! off, switched on, asked, gone, asked twice, ended by TERM. What a program does besides has a file of its own. With
//! `--nocapture` the times are printed that stand in docs/sidecars.md.

use lastout_core::presets::{self, Gone};
use std::{
    os::unix::process::ExitStatusExt as _,
    time::{Duration, Instant},
};
use support::{
    End, Launch, Sidecar, http,
    known::{self, Known},
    stopped,
};

/// How long what does not take long may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(5);

const NOBODY: [&str; 4] = ["--absent-after", "300ms", "--wait-timeout", "300ms"];

const INFO: [&str; 2] = ["--log-level", "info"];

/// That it was asked, and not found gone: the line about its end.
fn end_of(known: &Known) -> String {
    let verdict = match presets::find(known.name).unwrap().gone {
        Gone::Refused => "gone after",
        Gone::Accepted(_) => "accepted the request to end after",
    };
    format!("lastout: info: {}: {verdict} ", known.name)
}

/// It answers as before: it has lived on, and is not only slow to go.
fn lives(sidecar: &Sidecar) -> bool {
    sidecar.ready();
    sidecar.runs()
}

/// What was told at `warn` or louder.
fn complaints(end: &End) -> Vec<&str> {
    let loud = |line: &&str| line.starts_with("lastout: warn") || line.starts_with("lastout: error");
    end.stderr.lines().filter(loud).collect()
}

#[test]
fn one_that_is_absent_is_not_missed_where_it_may_be_and_named_where_not() {
    only_ours!();
    Known::each(|known| {
        let optional = format!("{}?", known.name);
        Launch::pid1().sidecar(&optional).options(NOBODY).sh("exit 3").run().silent(3);
        let end = known.launch().options(NOBODY).options(["--stop-timeout", "300ms"]).sh("exit 3").run();
        end.lines(124, &[&[known.name, "is not ready", "refused"], &[known.name, "never appeared"]]);
    });
}

#[test]
fn one_that_starts_later_holds_main_back_and_is_gone_after_it() {
    only_ours!();
    Known::each(|known| {
        let Some(plan) = (known.on)() else { return };
        let run = known.launch().options(["--log-level", "debug"]).sh("echo up; exit 3").start();
        run.tells("connection refused");
        assert!(run.said().is_empty(), "{}: main starts too early", known.name);
        let sidecar = plan.start();
        run.says("up");
        let end = run.wait();
        assert_eq!((end.code(), complaints(&end)), (3, vec![]), "{}", end.stderr);
        assert!(end.stderr.contains(&end_of(known)), "{}", end.stderr);
        assert_eq!(sidecar.gone().0.code(), Some(0), "{}", known.name);
    });
}

#[test]
fn one_that_is_ready_and_may_be_absent_is_waited_for_and_stopped_without_a_word() {
    only_ours!();
    Known::each(|known| {
        let Some(plan) = (known.on)() else { return };
        let sidecar = plan.start();
        sidecar.ready();
        let (end, _) = stopped(Launch::pid1().sidecar(&format!("{}?", known.name)));
        end.silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0), "{}", known.name);
    });
}

#[test]
fn one_that_is_switched_off_is_told_once_with_the_switch_and_lives() {
    only_ours!();
    Known::each(|known| {
        let Some(off) = &known.off else { return };
        let Some(plan) = (off.start)() else { return };
        let sidecar = plan.start();
        let (end, took) = stopped(known.launch());
        end.one_line(3, &[&[known.name], off.words].concat());
        assert!(took < LIMIT, "{}: {took:?}", known.name);
        assert!(lives(&sidecar), "{}", known.name);
    });
}

#[test]
fn one_that_is_asked_goes_soon_with_0_and_a_second_request_harms_nobody() {
    only_ours!();
    Known::each(|known| {
        let Some(plan) = (known.on)() else { return };
        let sidecar = plan.start();
        sidecar.ready();
        let said = sidecar.quit();
        let lost = said.is_none() && known.may_lose_its_reply;
        assert!(said == Some(known.accepts) || lost, "{}: {said:?}", known.name);
        let asked = Instant::now();
        let again = sidecar.quit();
        assert!(again.is_none_or(|status| status == known.accepts), "{}: {again:?}", known.name);
        let (ending, at) = sidecar.gone();
        assert_eq!(ending.code(), Some(0), "{}", known.name);
        println!("{}: gone {:?} after its answer", known.name, at.saturating_duration_since(asked));
        // `lastout stop` of one that has gone.
        Launch::pid1().options(["stop", known.name]).run().silent(0);
    });
}

#[test]
fn get_at_the_path_of_the_quit_does_what_the_page_says() {
    only_ours!();
    Known::each(|known| {
        let Some(plan) = (known.on)() else { return };
        let sidecar = plan.start();
        sidecar.ready();
        let status = sidecar.asked_by("GET");
        match known.get {
            Some(wanted) => {
                assert_eq!(status, Some(wanted), "{}", known.name);
                let (end, _) = stopped(known.launch().options(INFO));
                assert!(end.stderr.contains(&end_of(known)), "it was asked by lastout: {}", end.stderr);
                assert_eq!((end.code(), complaints(&end)), (3, vec![]), "{}", end.stderr);
                assert_eq!(sidecar.gone().0.code(), Some(0), "{}", known.name);
            }
            None => {
                assert_eq!(status, Some(known.accepts), "{}", known.name);
                sidecar.gone();
            }
        }
    });
}

#[test]
fn one_that_gets_term_ends_with_its_own_code() {
    only_ours!();
    Known::each(|known| {
        let Some(code) = known.term else { return };
        // Some listen a moment before they have a handler, and a signal then ends them: again, a few times.
        for left in (0..5).rev() {
            let Some(plan) = (known.on)() else { return };
            let sidecar = plan.start();
            sidecar.ready();
            sidecar.signal(libc::SIGTERM);
            let signalled = Instant::now();
            let (ending, at) = sidecar.gone();
            if ending.signal() == Some(libc::SIGTERM) && left > 0 {
                continue;
            }
            assert_eq!(ending.code(), Some(code), "{}", known.name);
            println!("{}: gone {:?} after TERM", known.name, at.saturating_duration_since(signalled));
            break;
        }
    });
}

#[test]
fn dapr_with_a_token_is_stopped_by_the_variable_or_the_header_and_a_401_names_both() {
    only_ours!();
    let start = || Some(known::dapr(&[])?.env("DAPR_API_TOKEN", "s3cret"));
    known::slow(|| {
        let Some(plan) = start() else { return };
        let sidecar = plan.start();
        let words = ["dapr", "401", "\"invalid api token\"", "DAPR_API_TOKEN", "header=dapr-api-token=TOKEN"];
        stopped(Launch::pid1().sidecar("dapr")).0.one_line(3, &words);
        assert!(lives(&sidecar));
        stopped(Launch::pid1().sidecar("dapr").env("DAPR_API_TOKEN=s3cret\n")).0.silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0));
    });
    known::slow(|| {
        let Some(plan) = start() else { return };
        let sidecar = plan.start();
        stopped(Launch::pid1().sidecar("dapr:header=dapr-api-token=s3cret")).0.silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0));
    });
}

/// The app waits for us.
#[test]
fn dapr_that_waits_for_its_app_is_ready_and_stopped() {
    only_ours!();
    known::slow(|| {
        let Some(plan) = known::dapr(&["--app-port=8080"]) else { return };
        let sidecar = plan.start();
        sidecar.ready();
        assert_eq!(http::status(3500, "GET", "/v1.0/healthz"), Some(500));
        stopped(Launch::pid1().sidecar("dapr")).0.silent(3);
        assert_eq!(sidecar.gone().0.code(), Some(0));
    });
}

#[test]
fn a_status_port_of_ghostunnel_that_is_tls_is_told_with_the_flag() {
    only_ours!();
    known::slow(|| {
        let Some(plan) = known::ghostunnel("localhost:6060", &["--enable-shutdown"]) else { return };
        let sidecar = plan.start();
        support::eventually("it listens", || http::status(6060, "GET", "/_status").is_some());
        stopped(Launch::pid1().sidecar("ghostunnel:ready=none")).0.one_line(
            3,
            &["400", "\"Client sent an HTTP request to an HTTPS server.\"", "--status=http://localhost:6060"],
        );
        assert!(sidecar.runs());
        let options = ["--wait-timeout", "300ms"];
        let end = Launch::pid1().sidecar("ghostunnel").options(options).sh("exit 3").run();
        end.lines(
            124,
            &[
                &["is not ready", "400", "without http:// it is TLS"],
                &["400", "--status=http://localhost:6060"],
            ],
        );
        assert!(sidecar.runs());
    });
}

/// Its status port closes at once, so it proves nothing: its end comes when its clients have gone, or its time is over.
#[test]
fn ghostunnel_with_a_connection_open_drains_and_ends_with_1_and_one_line_says_so() {
    only_ours!();
    known::slow(|| {
        let flags = ["--enable-shutdown", "--shutdown-timeout=2s"];
        let Some(plan) = known::ghostunnel("http://localhost:6060", &flags) else { return };
        let sidecar = plan.start();
        sidecar.ready();
        let mut client = known::client_of_ghostunnel();
        let (end, _) = stopped(Launch::pid1().sidecar("ghostunnel").options(INFO));
        assert!(sidecar.runs(), "{}", end.stderr);
        let told: Vec<_> = end.stderr.lines().filter(|line| line.contains("--shutdown-timeout")).collect();
        assert_eq!(told.len(), 1, "{}", end.stderr);
        assert!(told[0].contains("ghostunnel: accepted the request to end"), "{}", told[0]);
        assert!(!end.stderr.contains("gone after"), "{}", end.stderr);
        assert_eq!(sidecar.gone().0.code(), Some(1));
        let _ = (client.kill(), client.wait());
    });
}

/// One that neither installs is skipped for ever.
#[test]
fn the_makefile_installs_the_slow_ones_for_all_tests_and_the_others_always() {
    only_ours!();
    let makefile = include_str!("../../Makefile");
    let words_behind = |start: &str| -> Vec<&str> {
        let (_, rest) = makefile.split_once(start).unwrap();
        rest.lines().next().unwrap().split_whitespace().collect()
    };
    let (always, slow) = (words_behind("SIDECARS ?= "), words_behind("scripts/test $(SIDECARS) "));
    for known in &known::ALL {
        let list = if known.slow { &slow } else { &always };
        assert!(list.contains(&known.name), "{}", known.name);
    }
}

#[test]
fn the_page_says_of_each_what_is_tested_here() {
    only_ours!();
    let page = include_str!("../../docs/sidecars.md");
    let tested = page.split_once("\n### What the real programs do").unwrap().0;
    let table = page.split_once("### What the real programs do").unwrap().1.split("\n###").next().unwrap();
    for known in &known::ALL {
        let start = format!("| `{}` | ", known.name);
        let row = table.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{start}"));
        let cells: Vec<_> = row.split(" | ").collect();
        let lost = if known.may_lose_its_reply { ", now and then none" } else { "" };
        let get = match known.get {
            Some(200) => "200, and it stays".to_owned(),
            Some(status) => status.to_string(),
            None => format!("{}, and it quits", known.accepts),
        };
        assert_eq!(cells[2], format!("{}{lost}", known.accepts), "{row}");
        assert_eq!(cells[4..6], [known.exits, get.as_str()], "{row}");
        let term = match known.term {
            Some(code) => format!("{code}, "),
            None => "as built by hand, ".to_owned(),
        };
        assert!(cells[6].starts_with(&term), "{row}");
        let start = format!("| [`{0}`](#{0}) |", known.name);
        let above = tested.lines().find(|line| line.starts_with(&start)).unwrap();
        assert!(above.contains(&format!("run against {}", cells[1])), "{above}");
    }
}
