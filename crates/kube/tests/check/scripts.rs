//! Scripts of mains that ask sidecars to quit, or only look as if they did.

use super::{HANGS, findings, job, rules};

fn of(script: &str) -> String {
    let command = serde_json::json!(["sh", "-c", script]).to_string();
    job(&HANGS.replace("[/app/report]", &command))
}

#[test]
fn what_only_mentions_the_endpoint_ends_nothing() {
    for script in [
        "echo quitquitquit; /app",
        "# curl -X POST localhost:15020/quitquitquit\n/app",
        "/app; echo curl -X POST localhost:15020/quitquitquit",
    ] {
        assert_eq!(rules(&of(script)), ["hangs"], "{script}");
    }
    assert_eq!(rules(&of("/app; curl -X POST localhost:15020/quitquitquit")), ["shell-wrap"]);
}

#[test]
fn a_script_is_written_anew_only_where_that_is_sure() {
    let mend = |script: &str| findings(&of(script)).1[0]["mend"].as_str().unwrap().to_owned();
    assert_eq!(
        mend("/app 'x y'; RC=$?; curl -X POST localhost:15020/quitquitquit; exit $RC"),
        r#"command: ["/.lastout/lastout", "--sidecar", "istio", "--", "sh", "-c", "/app 'x y'"]"#
    );
    assert_eq!(
        mend("f() {\n/app\n}\nf\ncurl -X POST localhost:15020/quitquitquit"),
        "keep the script, take the lines of the request out, and let lastout run it:\ncommand: [\"/.lastout/lastout\", \"--sidecar\", \"istio\", \"--\", \"sh\", \"-c\", <script without those lines>]"
    );
}

/// The shell's own options, and what stands in `args`.
#[test]
fn the_words_around_the_script_stay() {
    let pod = HANGS.replace(
        "[/app/report]",
        r#"[bash, -euo, pipefail, -c]
        args: ["/app $1\ncurl -X POST localhost:15020/quitquitquit", name, "a\u0301\e"]"#,
    );
    assert_eq!(
        findings(&job(&pod)).1[0]["mend"].as_str().unwrap().replace('\u{301}', "^"),
        "command: [\"/.lastout/lastout\", \"--sidecar\", \"istio\", \"--\", \"bash\", \"-euo\", \"pipefail\", \"-c\", \"/app $1\", \"name\", \"a^\\u001b\"]\nargs: []"
    );
}

#[test]
fn a_script_may_run_lastout_itself() {
    let pod = HANGS.replace(
        "[/app/report]",
        r#"[sh, -c, "exec /.lastout/lastout --sidecar istio -- /app"]
        volumeMounts: [{ name: lastout, mountPath: /.lastout, readOnly: true }]"#,
    );
    let pod = format!("      volumes: [{{ name: lastout, image: {{ reference: l }} }}]\n{pod}");
    assert_eq!(rules(&job(&pod)), [""; 0]);
    assert_eq!(rules(&job(&pod.replace("--sidecar istio ", ""))), ["hangs"]);
    assert_eq!(rules(&job(&pod.replace("exec", "echo"))), ["hangs"]);
}
