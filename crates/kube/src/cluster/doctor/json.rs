//! For programs: one object.

use super::{Row, Scan};
use crate::cluster::hang::Standing;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(crate) fn write(scan: &Scan) -> String {
    let pods: Vec<Value> = scan.rows.iter().map(one).collect();
    let counts: Map<String, Value> = Standing::ALL
        .into_iter()
        .map(|standing| {
            let count = scan.rows.iter().filter(|row| row.trouble.standing == standing).count();
            (standing.slug().to_owned(), json!(count))
        })
        .collect();
    let whole = json!({ "pods": pods, "summary": counts, "lookedAt": scan.pods, "skipped": scan.skipped });
    format!("{whole:#}\n")
}

fn one(row: &Row) -> Value {
    let trouble = &row.trouble;
    let time = |seconds: Option<i64>| {
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).map(|time| time.to_string())
    };
    json!({
        "namespace": row.namespace,
        "pod": row.pod,
        "job": row.job,
        "cronJob": row.cron_job,
        "standing": trouble.standing.slug(),
        "since": time(trouble.since),
        "containers": trouble.containers,
        "reason": trouble.why.slug(),
        "message": trouble.message,
        "canBeRescued": trouble.can_be_rescued,
        "deadline": time(row.deadline),
        "mend": row.mend(),
        "prevent": row.prevent(),
    })
}
