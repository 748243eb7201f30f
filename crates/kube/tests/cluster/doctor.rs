//! `doctor`.

use crate::api::{Answer, Api, hanging, job, list};
use crate::run;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/jobs/pods";
const JOB: &str = "/apis/batch/v1/namespaces/jobs/jobs/job";

/// Pods as `pods` says, and the Job.
fn server(pods: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Api {
    Api::start(move |path, count| match path.split('?').next().unwrap() {
        JOB => job(),
        _ => pods(path, count),
    })
}

fn pods(out: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(out).unwrap()["pods"].as_array().unwrap().clone()
}

#[test]
fn a_hanging_pod_is_told_with_its_reason_and_the_command_that_mends_it() {
    let api = server(|_, _| list(&[hanging("report-x")], ""));
    let ran = run(&api, &["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let line = ran.out.lines().nth(1).unwrap();
    assert!(line.starts_with("jobs       report-x  hangs"), "{line}");
    assert!(line.contains("envoy") && line.contains("not-wrapped"), "{line}");
    assert!(line.ends_with("kubectl lastout rescue -n jobs pod/report-x"), "{line}");
    assert!(ran.out.contains("cronjob/nightly -o yaml | kubectl lastout inject -"), "{}", ran.out);
    assert_eq!(ran.err, "kubectl-lastout: hangs: 1; pods looked at: 1\n");
}

#[test]
fn nothing_that_hangs_is_exit_0_and_an_empty_table() {
    let api = server(|_, _| list(&[], ""));
    let ran = run(&api, &["doctor"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let json: Value = serde_json::from_str(&run(&api, &["doctor", "-o", "json"]).out).unwrap();
    assert_eq!(json["summary"]["hangs"], 0);
}

#[test]
fn only_pods_of_jobs_that_are_not_over_are_asked_for_in_pages() {
    let api = server(|path, _| {
        if path.contains("continue=next") { list(&[hanging("b")], "") } else { list(&[hanging("a")], "next") }
    });
    let ran = run(&api, &["doctor", "-o", "json"]);
    assert_eq!(pods(&ran.out).len(), 2, "{}", ran.out);
    let asked = api.asked();
    for part in ["labelSelector=batch.kubernetes.io%2Fjob-name", "limit=500", "status.phase%21%3DSucceeded"] {
        assert!(asked[0].contains(part), "{asked:?}");
    }
}

#[test]
fn a_list_that_the_server_has_forgotten_is_begun_again_and_told_once() {
    let api = server(|path, count| match (path.contains("continue="), count) {
        (false, _) => list(&[hanging("a")], "next"),
        (true, 0..=1) => Answer::Status(410, "The provided continue parameter is too old"),
        (true, _) => list(&[hanging("b")], ""),
    });
    let ran = run(&api, &["doctor", "-o", "json"]);
    let names: Vec<Value> = pods(&ran.out).iter().map(|pod| pod["pod"].clone()).collect();
    assert_eq!(names, ["a", "b"], "{}", ran.err);
    assert_eq!(api.asked().iter().filter(|asked| asked.contains(PODS)).count(), 4);
}

#[test]
fn a_list_that_is_always_forgotten_is_an_error_and_no_endless_loop() {
    let api = server(|path, _| {
        if path.contains("continue=") {
            Answer::Status(410, "too old")
        } else {
            list(&[hanging("a")], "next")
        }
    });
    let ran = run(&api, &["doctor"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "kubectl-lastout: pods of namespace jobs: too old\n");
}

#[test]
fn a_cut_connection_and_a_busy_server_are_tried_again() {
    let api = server(|_, count| match count {
        0 => Answer::Cut,
        1 => Answer::Status(503, "starting"),
        _ => list(&[hanging("a")], ""),
    });
    let ran = run(&api, &["doctor", "-o", "json"]);
    assert_eq!((ran.code, pods(&ran.out).len()), (1, 1), "{}", ran.err);
}

#[test]
fn a_busy_server_is_asked_three_times() {
    let api = server(|_, _| Answer::Status(503, "starting"));
    let ran = run(&api, &["doctor"]);
    assert_eq!((ran.code, api.asked().len()), (2, 3), "{}", ran.err);
    assert!(ran.err.contains("starting"), "{}", ran.err);
}

#[test]
fn a_token_that_never_changes_is_no_endless_loop() {
    let api = server(|_, _| list(&[hanging("a")], "same"));
    let ran = run(&api, &["doctor", "-o", "json"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("the server gives the same page again"), "{}", ran.err);
}

#[test]
fn rubbish_is_one_line_and_exit_2() {
    let rubbish = [
        "<html>",
        "{}",
        "[]",
        "7",
        "null",
        "{\"items\": 7}",
        "",
        "{\"items\": [1, null, {}, {\"metadata\": 1}]}",
    ];
    for text in rubbish {
        let api = server(move |_, _| Answer::Text(text.to_owned()));
        let ran = run(&api, &["doctor"]);
        let is_list = text.contains("[1,");
        assert_eq!(ran.code, if is_list { 0 } else { 2 }, "{text}: {} {}", ran.out, ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{text}: {}", ran.err);
    }
}

#[test]
fn nobody_there_is_one_line_and_exit_2() {
    let mut api = server(|_, _| Answer::Cut);
    api.url = "http://127.0.0.1:1".to_owned();
    let ran = run(&api, &["doctor"]);
    assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{}", ran.err);
    assert!(ran.err.contains("refused"), "{}", ran.err);
}

#[test]
fn where_the_cluster_may_not_be_read_the_namespaces_are_and_the_others_are_told_once() {
    let api = Api::start(|path, _| match path.split('?').next().unwrap() {
        "/api/v1/pods" => Answer::Status(403, "pods is forbidden"),
        "/api/v1/namespaces" => Answer::Object(serde_json::json!({ "items": [
            { "metadata": { "name": "jobs" } }, { "metadata": { "name": "kube-system" } }, { "metadata": { "name": "other" } },
        ] })),
        PODS => list(&[hanging("a")], ""),
        JOB => Answer::Status(403, "jobs is forbidden"),
        _ => Answer::Status(403, "pods is forbidden"),
    });
    let ran = run(&api, &["doctor", "-A"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(
        lines[0],
        "kubectl-lastout: skipped: pods of namespaces kube-system, other: may not be listed"
    );
    assert_eq!(lines[1], "kubectl-lastout: skipped: jobs: may not be read");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

/// The pod of another Job.
fn of_job(name: &str, job: &str) -> Value {
    let mut pod = hanging(name);
    pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] = job.into();
    pod
}

#[test]
fn pods_with_the_same_trouble_and_another_way_out_are_told_of_apart() {
    let of = |cron_job: &str, seconds: u64| {
        Answer::Object(serde_json::json!({
            "metadata": { "name": cron_job, "namespace": "jobs", "ownerReferences": [{ "kind": "CronJob", "name": cron_job }] },
            "spec": { "activeDeadlineSeconds": seconds }, "status": { "startTime": "2126-01-01T00:00:00Z" },
        }))
    };
    let api = Api::start(move |path, _| match path.split('?').next().unwrap().rsplit('/').next().unwrap() {
        "pods" => list(&[of_job("a", "nightly"), of_job("b", "weekly"), of_job("c", "weekly-2")], ""),
        "nightly" => of("nightly", 86_400 * 3),
        "weekly" => of("weekly", 86_400 * 9),
        _ => of("weekly", 86_400 * 5),
    });
    let ran = run(&api, &["doctor"]);
    for cron_job in ["nightly", "weekly"] {
        let line = format!("get -n jobs cronjob/{cron_job} -o yaml");
        assert_eq!(ran.out.matches(&line).count(), 1, "{}", ran.out);
    }
    assert!(ran.out.contains("pod/b and 1 more: "), "{}", ran.out);
    let ends =
        |pod: &str| ran.out.lines().skip_while(|line| !line.starts_with(pod)).nth(1).unwrap().to_owned();
    assert!(ends("pod/a").starts_with("  its Job's activeDeadlineSeconds ends it in "), "{}", ran.out);
    assert!(ends("pod/b").starts_with("  the first of their Jobs is ended by its activeDeadlineSeconds in "));
    let days = |line: String| line.trim_end_matches('d').rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(days(ends("pod/b")) - days(ends("pod/a")), 2, "the earliest: {}", ran.out);
}

#[test]
fn what_may_still_come_is_described_and_not_deleted() {
    let mut pod = hanging("a");
    pod["status"]["containerStatuses"][0]["state"] =
        serde_json::json!({ "waiting": { "reason": "ImagePullBackOff" } });
    let api = server(move |_, _| list(std::slice::from_ref(&pod), ""));
    let ran = run(&api, &["doctor", "-o", "json"]);
    let pod = &pods(&ran.out)[0];
    assert_eq!(pod["standing"], "stuck");
    assert_eq!(pod["mend"], "kubectl describe -n jobs pod/a");
}

/// Where pods may be listed by namespace only: two namespaces with pods, one that fails, one that may not be read.
fn by_namespace(count: usize) -> Api {
    Api::start(move |path, _| match path.split('?').next().unwrap() {
        "/api/v1/pods" | "/apis/batch/v1/jobs" => Answer::Status(403, "it is forbidden"),
        "/api/v1/namespaces" => {
            let names = ["jobs", "broken", "other", "kube-system"];
            list(&names.map(|name| serde_json::json!({ "metadata": { "name": name } })), "")
        }
        PODS => list(&(0..count).map(|at| hanging(&format!("p{at}"))).collect::<Vec<_>>(), ""),
        "/api/v1/namespaces/broken/pods" => Answer::Status(501, "etcd is away"),
        "/api/v1/namespaces/other/pods" => list(&[], ""),
        JOB => job(),
        "/apis/batch/v1/namespaces/jobs/jobs" => match job() {
            Answer::Object(job) => list(&[job], ""),
            other => other,
        },
        _ => Answer::Status(403, "it is forbidden"),
    })
}

#[test]
fn a_namespace_that_cannot_be_read_takes_nothing_from_the_others() {
    let ran = run(&by_namespace(1), &["doctor", "-A"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("pod/p0"), "{}", ran.out);
    let lines: Vec<&str> = ran.err.lines().collect();
    let expected = [
        "kubectl-lastout: skipped: pods of namespace kube-system: may not be listed",
        "kubectl-lastout: skipped: pods of namespace broken: etcd is away",
        "kubectl-lastout: hangs: 1; pods looked at: 1",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn where_pods_are_listed_by_namespace_jobs_are_as_well() {
    let api = by_namespace(150);
    let ran = run(&api, &["doctor", "-A", "-o", "json"]);
    let pods = pods(&ran.out);
    assert!(pods.len() == 150 && pods.iter().all(|pod| pod["cronJob"] == "nightly"), "{}", ran.err);
    let of_jobs = |asked: &&String| asked.contains("/apis/batch/v1");
    assert_eq!(api.asked().iter().filter(of_jobs).count(), 1, "{:?}", api.asked());
}

#[test]
fn where_nothing_may_be_read_the_way_out_is_told() {
    let api = Api::start(|_, _| Answer::Status(403, "it is forbidden"));
    for words in [&["doctor", "-A"][..], &["doctor"]] {
        let ran = run(&api, words);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.contains("forbidden"), "{}", ran.err);
    }
}

#[test]
fn the_log_of_a_wrapped_main_says_why_and_one_that_may_not_be_read_is_no_matter() {
    let mut pod = hanging("a");
    let command = ["/.lastout/lastout", "--sidecar", "envoy", "--", "/app/report"];
    pod["spec"]["containers"][0]["command"] = command.into();
    let log = "/api/v1/namespaces/jobs/pods/a/log";
    for (may, reason) in [(true, "declined"), (false, "unexplained")] {
        let pod = pod.clone();
        let api = server(move |path, _| match (path.starts_with(log), may) {
            (false, _) => list(std::slice::from_ref(&pod), ""),
            (true, true) => Answer::Text(
                "done\nlastout: warn: envoy: POST 127.0.0.1:9901/quitquitquit answered 403: no\n".to_owned(),
            ),
            (true, false) => Answer::Status(403, "pods/log is forbidden"),
        });
        let ran = run(&api, &["doctor", "-o", "json"]);
        assert_eq!(pods(&ran.out)[0]["reason"], reason, "{}", ran.out);
        assert_eq!(ran.err.contains("skipped: logs: may not be read"), !may, "{}", ran.err);
        assert_eq!(pods(&ran.out)[0]["canBeRescued"], !may, "{}", ran.out);
    }
}

#[test]
fn what_a_terminal_obeys_is_not_printed() {
    let mut pod = hanging("a");
    pod["metadata"]["name"] = "a\u{1b}[2J\nb".into();
    pod["spec"]["containers"][1]["name"] = "envoy\u{7}".into();
    let api = server(move |_, _| list(std::slice::from_ref(&pod), ""));
    let ran = run(&api, &["doctor"]);
    assert!(!ran.out.contains(['\u{1b}', '\u{7}']), "{:?}", ran.out);
}

#[test]
fn where_many_hang_their_jobs_are_listed_and_not_asked_for_one_by_one() {
    let api = Api::start(|path, _| match path.split('?').next().unwrap() {
        PODS => list(&(0..150).map(|at| hanging(&format!("p{at}"))).collect::<Vec<_>>(), ""),
        "/apis/batch/v1/namespaces/jobs/jobs" => match job() {
            Answer::Object(job) => list(&[job], ""),
            other => other,
        },
        _ => Answer::Status(404, "not found"),
    });
    let ran = run(&api, &["doctor", "-o", "json"]);
    let pods = pods(&ran.out);
    assert!(pods.len() == 150 && pods.iter().all(|pod| pod["cronJob"] == "nightly"), "{}", ran.err);
    assert_eq!(api.asked().len(), 2, "{:?}", api.asked());
}

#[test]
fn a_log_that_is_no_utf8_is_read_all_the_same() {
    let mut pod = hanging("a");
    let told = json!(["/.lastout/lastout", "--sidecar", "envoy", "--", "/app/report"]);
    pod["spec"]["containers"][0]["command"] = told;
    let api = server(move |path, _| {
        if path.contains("/log") {
            let line = "lastout: warn: envoy: never appeared; if it starts later, this pod will not end";
            Answer::Bytes([b"caf\xe9\n", line.as_bytes(), b"\n"].concat())
        } else {
            list(std::slice::from_ref(&pod), "")
        }
    });
    let ran = run(&api, &["doctor", "-o", "json"]);
    assert_eq!(pods(&ran.out)[0]["reason"], "never-appeared", "{}{}", ran.out, ran.err);
}
