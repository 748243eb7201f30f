//! The real Cloud SQL proxy: waited for by `/startup`, stopped by POST; without `--quitquitquit` main's
//! code comes through all the same.

use support::{Launch, ms, real, stopped};

#[test]
fn cloud_sql_proxy_is_waited_for_and_stopped() {
    only_ours!();
    let flags = ["--health-check", "--quitquitquit"];
    let Some((proxy, _)) = real::google_proxy("cloud-sql-proxy", &flags) else { return };
    let spec = format!("cloud-sql-proxy:port={},ready-port={}", proxy.port, proxy.ready_port);
    let run = Launch::pid1().sidecar(&spec).sh("echo up; exit 3").start();
    let proxy = proxy.start();
    let ready = proxy.ready();
    let up = run.says("up").saturating_duration_since(ready);
    assert!(up < ms(250), "ready to main: {up:?}");
    run.wait().silent(3);
    assert_eq!(proxy.gone().0.code(), Some(0), "its own exit code");
}

#[test]
fn without_quitquitquit_mains_code_comes_through_at_once_with_one_line_that_names_the_flag() {
    only_ours!();
    let Some((proxy, _)) = real::google_proxy("cloud-sql-proxy", &["--health-check"]) else { return };
    let spec = format!("cloud-sql-proxy:port={},ready-port={}", proxy.port, proxy.ready_port);
    let proxy = proxy.start();
    let (end, took) = stopped(Launch::pid1().sidecar(&spec));
    end.one_line(3, &["cloud-sql-proxy", "--quitquitquit"]);
    assert!(took < ms(1000), "{took:?}");
    assert!(proxy.runs());
}
