//! What else is asked for, of those that hang and of no other: the Job, and the last lines of lastout's log.

use super::{AT_ONCE, Row, Scan};
use crate::cluster::api::{Kind, Paged, get, list, log};
use crate::cluster::error::{is_forbidden, told};
use crate::cluster::hang::told as words;
use crate::exit::Error;
use crate::output::Progress;
use futures_util::{StreamExt as _, stream};
use kube::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Where more than these hang, all Jobs are listed instead of each being asked for.
const MANY: usize = 100;
/// Lines of a log: lastout's own are the last ones.
const LINES: i64 = 30;

/// What may not be read, or cannot be: how often, and why the first time.
#[derive(Default)]
struct Refusals(BTreeMap<&'static str, (usize, String)>);

impl Refusals {
    fn add(&mut self, refused: impl IntoIterator<Item = (&'static str, String)>) {
        for (what, why) in refused {
            let (count, _) = self.0.entry(what).or_insert((0, why));
            *count += 1;
        }
    }

    fn lines(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(what, (count, why))| match count {
            1 => format!("{what}: {why}"),
            _ => format!("{what}, {count} times: {why}"),
        })
    }
}

/// Asks for it. What fails is noted, and never keeps a row from being told.
pub(crate) async fn more(client: &Client, scan: &mut Scan) {
    let hanging = scan.rows.iter().filter(|row| row.trouble.standing.is_a_hang()).count();
    let mut progress = Progress::new(hanging, "pods that hang");
    let mut refusals = Refusals::default();
    let is_listed = hanging > MANY;
    if is_listed {
        jobs(client, scan, &mut refusals).await;
    }
    let rows = std::mem::take(&mut scan.rows);
    let mut asked = stream::iter(rows).map(|row| one(client, row, !is_listed)).buffered(AT_ONCE);
    while let Some((row, refused)) = asked.next().await {
        if row.trouble.standing.is_a_hang() {
            progress.step();
        }
        refusals.add(refused);
        scan.rows.push(row);
    }
    progress.end();
    scan.skipped.extend(refusals.lines());
}

/// A Job's namespace and name.
type Key = (String, String);

/// The Jobs of all that hang, in pages: of the whole cluster where its pods were read so, else of each namespace.
async fn jobs(client: &Client, scan: &mut Scan, refusals: &mut Refusals) {
    let mut of_job: HashMap<Key, Vec<&mut Row>> = HashMap::new();
    for row in scan.rows.iter_mut().filter(|row| row.trouble.standing.is_a_hang()) {
        let Some(job) = row.job.clone() else { continue };
        of_job.entry((row.namespace.clone(), job)).or_default().push(row);
    }
    let wanted: HashSet<Key> = of_job.keys().cloned().collect();
    let namespaces: BTreeSet<Option<&str>> = if scan.is_of_cluster {
        BTreeSet::from([None])
    } else {
        wanted.iter().map(|(namespace, _)| Some(namespace.as_str())).collect()
    };
    let mut read =
        stream::iter(namespaces).map(|namespace| jobs_of(client, namespace, &wanted)).buffered(AT_ONCE);
    while let Some(jobs) = read.next().await {
        match jobs {
            Ok(jobs) => {
                for (key, job) in &jobs {
                    for row in of_job.get_mut(key).into_iter().flatten() {
                        row.read_job(job);
                    }
                }
            }
            Err(error) => refusals.add(refusal("jobs", "jobs", &error)),
        }
    }
}

/// Those that are wanted: no other is kept.
async fn jobs_of(
    client: &Client,
    namespace: Option<&str>,
    wanted: &HashSet<Key>,
) -> kube::Result<Vec<(Key, Value)>> {
    let text = |job: &Value, path: &str| job.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let mut kept = Vec::new();
    list(client, Kind::Jobs, namespace, ("", ""), |page| match page {
        Paged::Again => kept.clear(),
        Paged::Items(jobs) => kept.extend(jobs.into_iter().filter_map(|job| {
            let key = text(&job, "/metadata/namespace").zip(text(&job, "/metadata/name"))?;
            wanted.contains(&key).then_some((key, job))
        })),
    })
    .await?;
    Ok(kept)
}

async fn one(client: &Client, mut row: Row, with_job: bool) -> (Row, Vec<(&'static str, String)>) {
    let mut refused = Vec::new();
    if !row.trouble.standing.is_a_hang() {
        return (row, refused);
    }
    if let Some(job) = row.job.as_ref().filter(|_| with_job) {
        match get(client, Kind::Jobs, &row.namespace, job).await {
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
