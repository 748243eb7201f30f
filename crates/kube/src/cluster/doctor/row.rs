//! A pod with a trouble, and the command line that mends it.

use crate::check::quoted;
use crate::cluster::hang::life::seconds;
use crate::cluster::hang::{Standing, Trouble, Why};
use crate::pod::{Pod, list};
use serde_json::Value;

/// A pod with a trouble.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) job: Option<String>,
    pub(crate) trouble: Trouble,
    /// What made the Job.
    pub(crate) cron_job: Option<String>,
    /// When the Job's `activeDeadlineSeconds` ends it, in seconds since the epoch.
    pub(crate) deadline: Option<i64>,
}

impl Row {
    pub(crate) fn new(object: &Value, trouble: Trouble) -> Self {
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            namespace: text("namespace"),
            pod: text("name"),
            job: Pod(object).job().map(str::to_owned),
            trouble,
            cron_job: None,
            deadline: None,
        }
    }

    /// What the Job shows beside its pod.
    pub(crate) fn read_job(&mut self, job: &Value) {
        let metadata = job.get("metadata").unwrap_or(&Value::Null);
        let owner = list(metadata, "ownerReferences")
            .find(|owner| owner.get("kind").is_some_and(|kind| kind == "CronJob"));
        self.cron_job = owner.and_then(|owner| Some(owner.get("name")?.as_str()?.to_owned()));
        let allowed = job.get("spec").and_then(|spec| spec.get("activeDeadlineSeconds")?.as_i64());
        let began = seconds(job.get("status").and_then(|status| status.get("startTime")));
        self.deadline = began.zip(allowed).map(|(began, allowed)| began.saturating_add(allowed));
    }

    /// What to type now.
    pub(crate) fn mend(&self) -> String {
        let namespace = quoted(&self.namespace);
        let pod = quoted(&self.pod);
        // An image or a Secret may still come, and the kubelet goes on then.
        let may_pass = matches!(self.trouble.why, Why::ImageMissing | Why::CannotCreate);
        match (self.trouble.standing, &self.job) {
            (Standing::Hangs, _) if self.trouble.can_be_rescued => {
                format!("kubectl lastout rescue -n {namespace} pod/{pod}")
            }
            // Its mains have done their work, or will never do it; a pod alone would come again.
            (Standing::Hangs | Standing::Stuck, Some(job)) if !may_pass => {
                format!("kubectl delete -n {namespace} job/{}", quoted(job))
            }
            (Standing::Hangs | Standing::Stuck | Standing::WillHang | Standing::Slow, _) => {
                format!("kubectl describe -n {namespace} pod/{pod}")
            }
        }
    }

    /// What to do so that it does not come again.
    pub(crate) fn prevent(&self) -> Option<String> {
        if self.trouble.prevent.is_some() {
            return self.trouble.prevent.clone();
        }
        Some(match (self.trouble.why, &self.cron_job) {
            (Why::NotWrapped, Some(cron_job)) => format!(
                "kubectl get -n {} cronjob/{} -o yaml | kubectl lastout inject - | kubectl apply -f -",
                quoted(&self.namespace),
                quoted(cron_job)
            ),
            (Why::NotWrapped, None) => "kubectl lastout inject FILE | kubectl apply -f -".to_owned(),
            _ => return None,
        })
    }
}
