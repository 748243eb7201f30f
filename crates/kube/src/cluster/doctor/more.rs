//! What else is asked for, of those that hang and of no other: the Job, and the last lines of lastout's log.

use super::{Row, Scan, Scope};
use crate::cluster::api::{Kind, Paged, get, list, log};
use crate::cluster::error::{is_forbidden, told};
use crate::cluster::hang::told as words;
use crate::exit::Error;
use crate::output::Progress;
use futures_util::{StreamExt as _, stream};
use kube::Client;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Requests at once.
const AT_ONCE: usize = 8;
/// Where more than these hang, all Jobs are listed instead of each being asked for.
const MANY: usize = 100;
/// Lines of a log: lastout's own are the last ones.
const LINES: i64 = 30;

/// What one request may not be answered with.
type Refusals = BTreeMap<&'static str, (usize, String)>;

/// Asks for it. What fails is noted, and never keeps a row from being told.
pub(crate) async fn more(client: &Client, scope: &Scope, scan: &mut Scan) {
    let hanging = scan.rows.iter().filter(|row| row.trouble.standing.is_a_hang()).count();
    let mut progress = Progress::new(hanging, "pods that hang");
    let mut refusals = Refusals::new();
    let is_listed = hanging > MANY;
    if is_listed && let Err(error) = jobs(client, scope, &mut scan.rows).await {
        refusals.extend(refusal("jobs", "jobs", &error).map(|(what, why)| (what, (0, why))));
    }
    let rows = std::mem::take(&mut scan.rows);
    let mut asked = stream::iter(rows).map(|row| one(client, row, !is_listed)).buffered(AT_ONCE);
    while let Some((row, refused)) = asked.next().await {
        if row.trouble.standing.is_a_hang() {
            progress.step();
        }
        for (what, why) in refused {
            let (count, _) = refusals.entry(what).or_insert((0, why));
            *count += 1;
        }
        scan.rows.push(row);
    }
    progress.end();
    let lines = refusals.into_iter().map(|(what, (count, why))| match count {
        0 | 1 => format!("{what}: {why}"),
        _ => format!("{what}, {count} times: {why}"),
    });
    scan.skipped.extend(lines);
}

/// The Jobs of all that hang, in pages.
async fn jobs(client: &Client, scope: &Scope, rows: &mut [Row]) -> kube::Result<()> {
    let mut of_job: HashMap<(String, String), Vec<&mut Row>> = HashMap::new();
    for row in rows.iter_mut().filter(|row| row.trouble.standing.is_a_hang()) {
        of_job.entry((row.namespace.clone(), row.job.clone())).or_default().push(row);
    }
    let namespace = match scope {
        Scope::Namespace(name) => Some(name.as_str()),
        Scope::Cluster => None,
    };
    let text = |job: &Value, path: &str| job.pointer(path).and_then(Value::as_str).map(str::to_owned);
    list(client, Kind::Jobs, namespace, ("", ""), |page| {
        // What came before 410 comes again, and says the same.
        let Paged::Items(jobs) = page else { return };
        for job in jobs {
            let key = text(&job, "/metadata/namespace").zip(text(&job, "/metadata/name"));
            for row in key.and_then(|key| of_job.get_mut(&key)).into_iter().flatten() {
                row.read_job(&job);
            }
        }
    })
    .await
}

async fn one(client: &Client, mut row: Row, with_job: bool) -> (Row, Vec<(&'static str, String)>) {
    let mut refused = Vec::new();
    if !row.trouble.standing.is_a_hang() {
        return (row, refused);
    }
    if with_job && !row.job.is_empty() {
        match get(client, Kind::Jobs, &row.namespace, &row.job).await {
            Ok(job) => row.read_job(&job),
            Err(error) => refused.extend(refusal("jobs", "job", &error)),
        }
    }
    if let Some(container) = row.trouble.ask.take() {
        match log(client, &row.namespace, &row.pod, &container, LINES).await {
            Ok(text) => {
                if let Some(told) = words::read(&text) {
                    row.trouble.explain(told);
                }
            }
            Err(error) => refused.extend(refusal("logs", "log", &error)),
        }
    }
    (row, refused)
}

/// One that has gone meanwhile is no matter.
fn refusal(all: &'static str, one: &str, error: &kube::Error) -> Option<(&'static str, String)> {
    match error {
        kube::Error::Api(status) if status.code == 404 => None,
        _ if is_forbidden(error) => Some((all, "may not be read".to_owned())),
        _ => {
            let Error(why) = told(one, error);
            Some((all, why))
        }
    }
}
