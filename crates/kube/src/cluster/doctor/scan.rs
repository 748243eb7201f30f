//! All pods of Jobs that are not over: judged page by page, and dropped. What may not be read is noted once.

use super::Row;
use crate::cluster::api::{Kind, Paged, list};
use crate::cluster::error::{is_forbidden, told};
use crate::cluster::hang::judge;
use crate::exit::Error;
use crate::output::Progress;
use crate::pod::JOB_LABELS;
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
    /// What could not be read, a line each.
    pub(crate) skipped: Vec<String>,
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
            let read = pods(client, Some(name), now, &mut scan, &mut progress).await;
            read.map_err(|error| told(&format!("pods of namespace {name}"), &error))?;
        }
        Scope::Cluster => match pods(client, None, now, &mut scan, &mut progress).await {
            Err(error) if is_forbidden(&error) => {
                one_by_one(client, now, &mut scan, &mut progress, &error).await?;
            }
            read => read.map_err(|error| told("pods of all namespaces", &error))?,
        },
    }
    progress.end();
    let key = |row: &Row| (row.trouble.standing, row.namespace.clone(), row.pod.clone());
    scan.rows.sort_by_cached_key(key);
    Ok(scan)
}

/// Where the cluster as a whole is not ours to read, the namespaces that are.
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
    let mut forbidden = Vec::new();
    for name in &names {
        match pods(client, Some(name), now, scan, progress).await {
            Err(error) if is_forbidden(&error) => forbidden.push(name.as_str()),
            read => read.map_err(|error| told(&format!("pods of namespace {name}"), &error))?,
        }
    }
    if forbidden.len() == names.len() {
        let Error(why) = told("pods of all namespaces", of_cluster);
        return Err(Error(format!("{why}; see `kubectl lastout doctor --rbac`")));
    }
    if !forbidden.is_empty() {
        scan.skipped.push(format!("pods of {}: may not be listed", few(&forbidden)));
    }
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

async fn pods(
    client: &Client,
    namespace: Option<&str>,
    now: i64,
    scan: &mut Scan,
    progress: &mut Progress,
) -> kube::Result<()> {
    let (rows, before) = (scan.rows.len(), scan.pods);
    list(client, Kind::Pods, namespace, (JOB_LABELS[0], NOT_OVER), |page| {
        match page {
            Paged::Again => {
                scan.rows.truncate(rows);
                scan.pods = before;
            }
            Paged::Items(items) => {
                scan.pods += items.len();
                scan.rows.extend(items.iter().filter_map(|item| row(item, now)));
            }
        }
        progress.reach(scan.pods);
    })
    .await
}

fn row(item: &Value, now: i64) -> Option<Row> {
    judge(item, now).map(|trouble| Row::new(item, trouble))
}
