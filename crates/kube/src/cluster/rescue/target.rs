//! What the user names → pods, and what is to be asked in each. A pod is looked at twice: before the question, and directly
//! before its sidecars are asked.

use crate::cluster::api::{Kind, Paged, get, list};
use crate::cluster::error::told;
use crate::decide::{Listed, Options};
use crate::exit::Error;
use crate::hang::Subject;
use crate::hang::life::State;
use crate::pod::{JOB_LABELS, Pod};
use kube::Client;
use lastout_core::spec::Spec;
use serde_json::Value;

/// `pod/X`, `job/X`; a bare name is a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Pod(String),
    Job(String),
}

impl Named {
    pub(crate) fn read(word: &str) -> Result<Self, Error> {
        let wrong = || Error(format!("{word}: write pod/NAME or job/NAME"));
        let (kind, name) = word.split_once('/').unwrap_or(("pod", word));
        if name.is_empty() || name.contains('/') {
            return Err(wrong());
        }
        match kind {
            "pod" | "pods" | "po" => Ok(Self::Pod(name.to_owned())),
            "job" | "jobs" | "job.batch" | "jobs.batch" => Ok(Self::Job(name.to_owned())),
            _ => Err(wrong()),
        }
    }
}

/// A sidecar that is to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Its container.
    pub(crate) container: String,
    /// What lastout would be told of it.
    pub(crate) text: String,
    /// The same, read.
    pub(crate) spec: Spec,
    /// How often it had been started again.
    pub(crate) restarts: u64,
}

/// A pod, as it was when it was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) job: Option<String>,
    /// Low orders first.
    pub(crate) asked: Vec<Asked>,
    /// SPECs of the user's.
    pub(crate) sidecars: Vec<String>,
    pub(crate) object: Value,
}

/// Why nothing is done to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It is over already, or no sidecar of it runs.
    Over(String),
    /// It may not be touched, or nothing can be.
    Untouched(String),
}

/// The pods of a word.
pub(crate) async fn pods(client: &Client, namespace: &str, named: &Named) -> Result<Vec<Value>, Error> {
    match named {
        Named::Pod(name) => {
            let pod = get(client, Kind::Pods, namespace, name).await;
            Ok(vec![pod.map_err(|error| told(&format!("pod/{name}"), &error))?])
        }
        Named::Job(name) => {
            let mut all = Vec::new();
            let selector = format!("{}={name}", JOB_LABELS[0]);
            let read = list(client, Kind::Pods, Some(namespace), (&selector, ""), |page| match page {
                Paged::Again => all.clear(),
                Paged::Items(items) => all.extend(items),
            });
            read.await.map_err(|error| told(&format!("pods of job/{name}"), &error))?;
            if all.is_empty() {
                // A Job that is not there has no pods either.
                let job = get(client, Kind::Jobs, namespace, name).await;
                job.map_err(|error| told(&format!("job/{name}"), &error))?;
            }
            Ok(all)
        }
    }
}

/// Looks at a pod: what is to be asked in it, if anything may be.
pub(crate) fn look(object: Value, sidecars: &[String]) -> Result<Target, Left> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, uid, phase) = (text("/metadata/name"), text("/metadata/uid"), text("/status/phase"));
    if matches!(phase.as_str(), "Succeeded" | "Failed") {
        return Err(Left::Over(format!("pod/{name} is over already: {phase}")));
    }
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Err(Left::Over(format!("pod/{name} is being deleted")));
    }
    let job = Pod(&object).job().map(str::to_owned);
    let options = Options { sidecars: sidecars.to_vec(), ..Options::default() };
    let asked = asked(&Subject::new(&object, 0, &options), &name)?;
    Ok(Target { name, uid, job, asked, sidecars: sidecars.to_vec(), object })
}

fn asked(subject: &Subject<'_>, name: &str) -> Result<Vec<Asked>, Left> {
    let untouched = |why: String| Left::Untouched(format!("pod/{name} is left alone: {why}"));
    if subject.facts.mains.is_empty() {
        return Err(untouched(
            "all of its containers are sidecars, so nothing shows when it is over".to_owned(),
        ));
    }
    let running = subject.mains().find(|(main, life)| !life.is_over_for_good(subject.pod, *main));
    if let Some((main, life)) = running {
        let how = match life.state {
            State::Running { .. } => "runs",
            State::Unknown | State::Waiting { .. } => "has not ended",
            State::Over { .. } => "has failed and is started again",
        };
        return Err(untouched(format!("main `{}` {how}", main.name())));
    }
    let alive = subject.alive();
    if alive.is_empty() {
        return Err(Left::Over(format!("pod/{name}: no sidecar of it runs, so it ends by itself")));
    }
    let mut all = Vec::new();
    for (sidecar, life) in alive {
        if !matches!(life.state, State::Running { .. }) {
            continue;
        }
        let Some(Listed { text, spec }) = subject.asked_by(sidecar) else { continue };
        let container = sidecar.container.name().to_owned();
        all.push(Asked { container, text, spec, restarts: life.restarts });
    }
    if all.is_empty() {
        return Err(untouched(
            "its sidecars do not run: they wait, or are started again and again".to_owned(),
        ));
    }
    all.sort_by_key(|asked| asked.spec.order);
    Ok(all)
}
