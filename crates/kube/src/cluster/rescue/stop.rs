//! Stops one sidecar from outside: carries out what `lastout_core::stop` decides. Requests go through port-forward; what it
//! would see at ports in the pod is seen here in the pod's status, which is a better proof of an end.

use super::forward::{self, Asked as Answered};
use super::target::{self, Asked, Target};
use crate::cluster::api::{Kind, get};
use crate::hang::life::{Life, State};
use crate::pod::Pod as View;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use lastout_core::spec::Quit;
use lastout_core::stop::{Next, Port, Reply, Sight, Stop, Terms, Verdict};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Distance of two looks at a pod: the kubelet tells of an end within a second or two.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// A request through the API server, the node and the container runtime takes longer than on loopback.
const REQUEST: Duration = Duration::from_secs(10);

/// How it ended.
pub(super) enum Ended {
    Verdict(Verdict),
    /// It has ended with this code, and the kubelet starts it again, or has done so.
    StartedAgain {
        code: i64,
    },
    /// Port-forward is not allowed.
    Forbidden(String),
    /// A main has been started meanwhile, or the pod is another one: nothing more is asked.
    Changed(String),
}

/// What a look at the pod shows.
enum Seen {
    Running,
    Ended,
    StartedAgain { code: i64 },
    Changed(String),
    Nothing,
}

/// Stops it, until `deadline` at the latest.
pub(super) async fn until_done(
    client: &Client,
    namespace: &str,
    target: &Target,
    asked: &Asked,
    deadline: Instant,
) -> Ended {
    let began = Instant::now();
    let now = || began.elapsed();
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let terms = Terms {
        seen: true,
        presumed: false,
        absent_at: Duration::ZERO,
        deadline: deadline.saturating_duration_since(began),
        terminating: false,
    };
    let mut stop = Stop::new(&asked.spec, terms, now());
    let mut looked: Option<Instant> = None;
    loop {
        match stop.next(now()) {
            Next::Pause(time) => tokio::time::sleep(time).await,
            Next::Ask => {
                // Directly before: a main that has been started again needs its sidecar.
                match look(client, namespace, target, asked).await {
                    Seen::Changed(why) => return Ended::Changed(why),
                    Seen::Ended => return Ended::Verdict(Verdict::AlreadyGone),
                    Seen::StartedAgain { code } => return Ended::StartedAgain { code },
                    // Whoever cannot see it does not ask it.
                    Seen::Nothing => {
                        stop.replied(now(), Reply::Unsent("the pod could not be looked at".to_owned()));
                        continue;
                    }
                    Seen::Running => {}
                }
                let timeout = REQUEST.max(asked.spec.timeout).min(stop.left(now()));
                let reply = match &asked.spec.quit {
                    Quit::Http(request) => {
                        forward::ask(&pods, &target.name, request, &asked.spec.headers, timeout).await
                    }
                    Quit::CreateFile(_) | Quit::WithAnother | Quit::Nothing => {
                        Answered::Reply(Reply::Impossible("it has no quit endpoint at a port".to_owned()))
                    }
                };
                match reply {
                    Answered::Reply(reply) => stop.replied(now(), reply),
                    Answered::Forbidden(why) => return Ended::Forbidden(why),
                }
            }
            next @ (Next::LookAtPorts | Next::LookForProof) => {
                if let Some(last) = looked {
                    tokio::time::sleep(LOOK.saturating_sub(last.elapsed())).await;
                }
                looked = Some(Instant::now());
                match look(client, namespace, target, asked).await {
                    Seen::Ended => return Ended::Verdict(Verdict::Gone),
                    Seen::StartedAgain { code } => return Ended::StartedAgain { code },
                    Seen::Changed(why) => return Ended::Changed(why),
                    Seen::Running | Seen::Nothing if next == Next::LookForProof => {
                        stop.proved(now(), Sight::Missing);
                    }
                    Seen::Nothing => stop.looked(now(), Port::Silent, Some(Port::Silent)),
                    // It goes by the request to another one.
                    Seen::Running if asked.spec.quit == Quit::WithAnother => {
                        stop.looked(now(), Port::Accepts, None);
                    }
                    // Its quit port has refused, and it runs; or it has been asked, and still does.
                    Seen::Running => stop.looked(now(), Port::Refuses, Some(Port::Accepts)),
                }
            }
            Next::Signal => stop.signalled(now(), 0),
            Next::Done(verdict) => return Ended::Verdict(verdict),
        }
    }
}

async fn look(client: &Client, namespace: &str, target: &Target, asked: &Asked) -> Seen {
    let pod = match get(client, Kind::Pods, namespace, &target.name).await {
        Ok(pod) => pod,
        Err(kube::Error::Api(status)) if status.code == 404 => return Seen::Ended,
        Err(_) => return Seen::Nothing,
    };
    if pod.pointer("/metadata/uid").and_then(Value::as_str) != Some(target.uid.as_str()) {
        return Seen::Changed(format!("pod/{} is another one now", target.name));
    }
    let view = View(&pod);
    if let Some(container) = view.containers().into_iter().find(|own| own.name() == asked.container) {
        let life = Life::of(view, container);
        match life.state {
            State::Over { .. } if life.is_over_for_good(view, container) => return Seen::Ended,
            State::Over { code, .. } => return Seen::StartedAgain { code },
            _ if life.restarts > asked.restarts => {
                return Seen::StartedAgain { code: life.last_code.unwrap_or_default() };
            }
            State::Unknown | State::Waiting { .. } | State::Running { .. } => {}
        }
    }
    match target::look(pod, &target.sidecars) {
        Err(target::Left::Untouched(why)) => Seen::Changed(why),
        Err(target::Left::Over(_)) => Seen::Ended,
        Ok(_) => Seen::Running,
    }
}
