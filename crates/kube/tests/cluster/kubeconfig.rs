//! The way to the API server, as kubectl goes it.

use crate::api::{Api, list};
use crate::run_as;
use std::path::Path;

fn empty() -> Api {
    Api::start(|_, _| list(&[], ""))
}

#[test]
fn a_list_of_files_may_name_some_that_are_not_there() {
    let ran = run_as(&empty(), "user: {}", &["doctor"], |command, config| {
        command.env("KUBECONFIG", format!("/nonexistent/config:{}:", config.display()));
    });
    assert_eq!((ran.code, ran.err.as_str()), (0, "kubectl-lastout: nothing hangs; pods looked at: 0\n"));
}

#[test]
fn one_that_is_there_and_wrong_is_one_line_and_exit_2() {
    for text in ["", "{", "[]", "current-context: x", "\u{1}"] {
        let ran =
            run_as(&empty(), "user: {}", &["doctor"], |_, config| std::fs::write(config, text).unwrap());
        assert_eq!((ran.code, ran.err.matches('\n').count()), (2, 1), "{text:?}: {}", ran.err);
        assert!(ran.err.starts_with("kubectl-lastout: kubeconfig: "), "{text:?}: {}", ran.err);
    }
    let ran = run_as(&empty(), "user: {}", &["doctor", "--context", "there"], |command, _| {
        command.env_remove("KUBECONFIG").env("HOME", "/nonexistent");
    });
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--context there: there is no kubeconfig"), "{}", ran.err);
}

#[test]
fn a_line_feed_behind_the_token_of_a_file_is_not_the_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "abc\n").unwrap();
    let ran = run_as(&empty(), &format!("user: {{tokenFile: {file:?}}}"), &["doctor"], |_, _| {});
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_proxy_is_gone_through_unless_the_server_is_excepted() {
    let proxied = |except: &str| {
        run_as(&empty(), "user: {}", &["doctor"], |command, _| {
            for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
                command.env(name, "http://127.0.0.1:1");
            }
            command.env("NO_PROXY", except).env_remove("no_proxy");
        })
    };
    let ran = proxied("");
    assert_eq!(ran.code, 2, "nothing listens at the proxy's port: {}", ran.err);
    assert!(ran.err.contains("onnect"), "{}", ran.err);
    let ran = proxied("127.0.0.1");
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn an_exec_plugin_that_cannot_run_or_fails_is_told_in_one_line() {
    let run = |command: &Path| {
        let user = format!(
            "user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command:?}, interactiveMode: Never}}}}"
        );
        run_as(&empty(), &user, &["doctor"], |_, _| {})
    };
    let ran = run(Path::new("/nonexistent/plugin"));
    assert_eq!((ran.code, ran.err.matches('\n').count()), (2, 1), "{}", ran.err);
    assert!(ran.err.contains("the exec plugin of the kubeconfig's user cannot be started"), "{}", ran.err);
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugin");
    std::fs::write(&plugin, "#!/bin/sh\necho 'log in first' >&2\nexit 3\n").unwrap();
    std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = run(&plugin);
    assert_eq!((ran.code, ran.err.matches('\n').count()), (2, 1), "{}", ran.err);
    assert!(ran.err.contains("exit status: 3: log in first"), "{}", ran.err);
}
