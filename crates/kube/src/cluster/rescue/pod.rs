//! One pod, from the last look before anything is asked to its end and its Job's.

use super::target::{self, Asked, Left, Target};
use super::{Terms, end, ephemeral, stop};
use crate::cluster::api::{Kind, get};
use crate::cluster::error::told;
use crate::decide::{Reach, reach};
use crate::exit::Error;
use crate::pod::Pod as View;
use futures_util::future::join_all;
use kube::Client;
use lastout_core::tell;
use std::time::{Duration, Instant};

/// Ephemeral containers for one sidecar: they stay in the pod.
const TRIES: usize = 4;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The pod is over.
    pub(crate) is_over: bool,
    /// What there is to tell, a line each.
    pub(crate) lines: Vec<String>,
}

/// Ends its sidecars. `first`: as it was when the user was asked.
pub(crate) async fn rescue(client: &Client, namespace: &str, first: &Target, terms: &Terms) -> Outcome {
    let mut work = Work {
        client,
        namespace,
        first,
        terms,
        deadline: Instant::now() + terms.timeout,
        lines: Vec::new(),
        may_end: true,
    };
    let is_over = match work.ask().await {
        Ok(()) => work.end().await,
        Err(Left::Over(why)) => {
            work.lines.push(why);
            true
        }
        Err(Left::Untouched(why)) => {
            work.lines.push(why);
            false
        }
    };
    Outcome { is_over, lines: work.lines }
}

struct Work<'a> {
    client: &'a Client,
    namespace: &'a str,
    first: &'a Target,
    terms: &'a Terms,
    deadline: Instant,
    lines: Vec<String>,
    /// No sidecar is known to stay.
    may_end: bool,
}

impl Work<'_> {
    /// Low orders first, those of one order at once, each order with its share of the time: one that does not go must not
    /// take the others'. At last those that only somebody in the pod reaches.
    async fn ask(&mut self) -> Result<(), Left> {
        let target = self.look_again().await?;
        let pod = View(&target.object);
        let is_outside = |asked: &&Asked| !self.terms.ephemeral && reach(&asked.spec, pod) != Reach::Inside;
        let (outside, inside): (Vec<&Asked>, Vec<&Asked>) = target.asked.iter().partition(is_outside);
        let mut inside: Vec<String> = inside.into_iter().map(|asked| asked.container.clone()).collect();
        let orders: Vec<&[&Asked]> =
            outside.chunk_by(|one, next| one.spec.order == next.spec.order).collect();
        let mut stages = u32::try_from(orders.len()).unwrap_or(u32::MAX) + u32::from(!inside.is_empty());
        for order in orders {
            let began = Instant::now();
            let deadline = began + self.left() / stages.max(1);
            stages -= 1;
            let stops = order.iter().map(|asked| async {
                let ended = stop::until_done(self.client, self.namespace, &target, asked, deadline).await;
                (*asked, ended, began.elapsed())
            });
            // All are told before the first of them ends the work.
            let noted =
                join_all(stops).await.into_iter().map(|(asked, ended, took)| self.note(asked, ended, took));
            for container in noted.collect::<Vec<_>>() {
                inside.extend(container?);
            }
        }
        if inside.is_empty() {
            return Ok(());
        }
        match self.ask_from_inside(inside).await {
            // The requests from outside, or an earlier container, have done it.
            Err(Left::Over(_)) => Ok(()),
            result => result,
        }
    }

    /// Tells how the stop of one ended. -> its container, where that is to be asked from inside
    fn note(&mut self, asked: &Asked, ended: stop::Ended, took: Duration) -> Result<Option<String>, Left> {
        let name = &self.first.name;
        match ended {
            stop::Ended::Verdict(verdict) => {
                let (_, words) = tell::verdict(&asked.spec, &verdict, false, took);
                self.may_end &= verdict.is_good();
                self.lines.push(format!("pod/{name}: {words}"));
            }
            stop::Ended::StartedAgain { code } => {
                self.may_end = false;
                self.lines.push(format!(
                    "pod/{name}: {}: ended with exit code {code}, and the kubelet starts it again, as the pod's restartPolicy says: this pod does not end; a native sidecar would",
                    asked.spec.name
                ));
            }
            stop::Ended::Forbidden(why) => {
                let container = asked.container.clone();
                self.lines.push(format!("pod/{name}: {why}; an ephemeral container asks {container}"));
                return Ok(Some(container));
            }
            stop::Ended::Changed(why) => return Err(Left::Untouched(why)),
        }
        Ok(None)
    }

    /// Asks the sidecars in these containers by ephemeral containers, one for each user: a socket is its owner's.
    ///
    /// To `lastout stop` a port that refuses is a sidecar that is gone. Where it has said that, and the kubelet still says
    /// that it runs, it had only begun to start, and is asked again. One that was asked is left to end.
    async fn ask_from_inside(&mut self, mut containers: Vec<String>) -> Result<(), Left> {
        let mut again: Vec<String> = Vec::new();
        for _ in 0..TRIES {
            while !containers.is_empty() {
                // What came before this may have taken long.
                let target = self.look_again().await?;
                let mut batch: Vec<&Asked> =
                    target.asked.iter().filter(|asked| containers.contains(&asked.container)).collect();
                let Some(user) = batch.first().map(|asked| ephemeral::user_of(&target, asked)) else { break };
                batch.retain(|asked| ephemeral::user_of(&target, asked) == user);
                containers.retain(|name| !batch.iter().any(|asked| asked.container == *name));
                let image = &self.terms.image;
                match ephemeral::stop(self.client, self.namespace, &target, &batch, image, self.deadline)
                    .await
                {
                    Ok(told) => {
                        self.lines
                            .extend(told.lines.iter().map(|line| format!("pod/{}: {line}", target.name)));
                        again.extend(told.not_there);
                    }
                    Err(Error(why)) => {
                        self.may_end = false;
                        self.lines.push(format!("pod/{}: {why}", target.name));
                    }
                }
            }
            containers =
                end::still_running(self.client, self.namespace, self.first, again, self.deadline).await;
            again = Vec::new();
            if containers.is_empty() || self.left().is_zero() {
                break;
            }
        }
        Ok(())
    }

    /// Waits for the pod's end, if nothing is known to keep it, and for its Job's. -> whether the pod is over
    async fn end(&mut self) -> bool {
        let deadline = if self.may_end { self.deadline } else { Instant::now() };
        let end = end::of_pod(self.client, self.namespace, self.first, deadline).await;
        self.lines.push(format!("pod/{}{}", self.first.name, end.words()));
        let is_over = matches!(end, end::End::Over(_));
        if let (true, Some(job)) = (is_over, &self.first.job) {
            self.lines.push(end::of_job(self.client, self.namespace, job).await);
        }
        is_over
    }

    /// The pod as it is now: still the same one, and its mains still over.
    async fn look_again(&self) -> Result<Target, Left> {
        let name = &self.first.name;
        let pod = get(self.client, Kind::Pods, self.namespace, name).await.map_err(|error| {
            let Error(why) = told(&format!("pod/{name}"), &error);
            Left::Untouched(why)
        })?;
        let target = target::look(pod, &self.first.sidecars)?;
        if target.uid != self.first.uid {
            return Err(Left::Untouched(format!("pod/{name} is left alone: it is another one now")));
        }
        Ok(target)
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
