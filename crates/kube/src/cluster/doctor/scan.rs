//! All pods of Jobs that are not over: judged page by page, and dropped. What may not be read is noted once.

use super::{AT_ONCE, Row};
use crate::cluster::api::{Kind, Paged, list};
use crate::cluster::error::{is_forbidden, told};
use crate::cluster::hang::judge;
use crate::exit::Error;
use crate::output::Progress;
use crate::pod::JOB_LABELS;
use futures_util::{StreamExt as _, stream};
use kube::Client;
use serde_json::Value;

/// Those that are over are not even sent.
const NOT_OVER: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Which pods.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Namespace(String),
    Cluster,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) rows: Vec<Row>,
    /// How many pods were looked at.
    pub(crate) pods: usize,
    /// All namespaces may be read in one list.
    pub(crate) is_of_cluster: bool,
    /// What could not be read, a line each.
    pub(crate) skipped: Vec<String>,
}

impl Scan {
    fn add(&mut self, pods: Pods) {
        self.rows.extend(pods.rows);
        self.pods += pods.pods;
    }
}

/// Looks at all of them.
///
/// # Errors
/// When the server does not answer, or lets us read nothing at all.
pub(crate) async fn scan(client: &Client, scope: &Scope, now: i64) -> Result<Scan, Error> {
    let mut scan = Scan::default();
    let mut progress = Progress::new(0, "pods");
    match scope {
        Scope::Namespace(name) => {
            let read = pods(client, Some(name), now, |count| progress.reach(count)).await;
            scan.add(read.map_err(|error| told(&format!("pods of namespace {name}"), &error))?);
        }
        Scope::Cluster => match pods(client, None, now, |count| progress.reach(count)).await {
            Err(error) if is_forbidden(&error) => {
                one_by_one(client, now, &mut scan, &mut progress, &error).await?;
            }
            read => {
                scan.add(read.map_err(|error| told("pods of all namespaces", &error))?);
                scan.is_of_cluster = true;
            }
        },
    }
    progress.end();
    let key = |row: &Row| (row.trouble.standing, row.namespace.clone(), row.pod.clone());
    scan.rows.sort_by_cached_key(key);
    Ok(scan)
}

/// Where the cluster as a whole is not ours to read, the namespaces that are. One that cannot be read takes nothing from the
/// others.
async fn one_by_one(
    client: &Client,
    now: i64,
    scan: &mut Scan,
    progress: &mut Progress,
    of_cluster: &kube::Error,
) -> Result<(), Error> {
    let mut names = Vec::new();
    let all = list(client, Kind::Namespaces, None, ("", ""), |page| match page {
        Paged::Again => names.clear(),
        Paged::Items(items) => names.extend(
            items.iter().filter_map(|item| Some(item.get("metadata")?.get("name")?.as_str()?.to_owned())),
        ),
    });
    if let Err(error) = all.await {
        let Error(why) = told("pods of all namespaces", of_cluster);
        let Error(names) = told("namespaces", &error);
        return Err(Error(format!("{why}; {names}; name one by -n, or see `kubectl lastout doctor --rbac`")));
    }
    let (mut forbidden, mut failed) = (Vec::new(), Vec::new());
    let read = |name| async move { (name, pods(client, Some(name), now, |_| ()).await) };
    let mut all = stream::iter(names.iter().map(String::as_str)).map(read).buffered(AT_ONCE);
    while let Some((name, read)) = all.next().await {
        match read {
            Ok(page) => scan.add(page),
            Err(error) if is_forbidden(&error) => forbidden.push(name),
            Err(error) => {
                let Error(why) = told(&format!("pods of namespace {name}"), &error);
                failed.push(why);
            }
        }
        progress.reach(scan.pods);
    }
    if forbidden.len() + failed.len() == names.len() {
        let Error(why) = told("pods of all namespaces", of_cluster);
        let failed = failed.first().map(|why| format!("; {why}")).unwrap_or_default();
        return Err(Error(format!("{why}{failed}; see `kubectl lastout doctor --rbac`")));
    }
    if !forbidden.is_empty() {
        scan.skipped.push(format!("pods of {}: may not be listed", few(&forbidden)));
    }
    scan.skipped.extend(failed);
    Ok(())
}

/// The first names, and how many more there are.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).copied().collect();
    let more = names.len().saturating_sub(SHOWN);
    let word = if names.len() == 1 { "namespace" } else { "namespaces" };
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{word} {}{more}", shown.join(", "))
}

/// The pods of a list.
#[derive(Default)]
struct Pods {
    rows: Vec<Row>,
    pods: usize,
}

async fn pods(
    client: &Client,
    namespace: Option<&str>,
    now: i64,
    mut reach: impl FnMut(usize),
) -> kube::Result<Pods> {
    let mut all = Pods::default();
    list(client, Kind::Pods, namespace, (JOB_LABELS[0], NOT_OVER), |page| {
        match page {
            Paged::Again => all = Pods::default(),
            Paged::Items(items) => {
                all.pods += items.len();
                all.rows.extend(items.iter().filter_map(|item| row(item, now)));
            }
        }
        reach(all.pods);
    })
    .await?;
    Ok(all)
}

fn row(item: &Value, now: i64) -> Option<Row> {
    judge(item, now).map(|trouble| Row::new(item, trouble))
}
