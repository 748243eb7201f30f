//! The way to an API server, as kubectl finds it: `--kubeconfig`, the files of `KUBECONFIG`, `~/.kube/config`, or in a pod
//! its service account.

use super::clock::Clock;
use super::{error, kubeconfig};
use crate::exit::Error;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::Response;
use hyper::header::DATE;
use kube::client::ClientBuilder;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tower::BoxError;
use tower::util::MapFutureLayer;

/// What the user says about the cluster.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `--context`
    pub context: Option<String>,
    /// `--as`
    pub user: Option<String>,
    /// `--as-group`
    pub groups: Vec<String>,
}

/// A connection, and which namespace is meant where the user names none.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The context's namespace, or in a pod the pod's.
    pub namespace: String,
    /// Its time.
    pub clock: Clock,
}

/// Runs a future to its end, in this thread.
///
/// # Errors
/// Its own, and where the kernel gives no event queue.
pub fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error(format!("the runtime cannot start: {error}")))?.block_on(work)
}

/// Finds the way. Nothing is sent yet. A connection on which nothing comes for `silence` while we wait is given up.
///
/// # Errors
/// When there is no configuration, or it cannot be used.
pub async fn connect(access: &Access, silence: Duration) -> Result<Connection, Error> {
    let mut config = config(access).await?;
    config.read_timeout = Some(silence);
    // The time between two requests is no silence of the server's.
    config.reset_reader_on_write = true;
    // Whoever asks knows how long it may take: the client's own way tries 15 times, over minutes.
    config.default_retry = false;
    // Two libraries of ours use rustls, and either may be first; both take ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let namespace = config.default_namespace.clone();
    let builder = ClientBuilder::try_from(config)
        .map_err(|error| error::told("the cluster's configuration", &error))?;
    let clock = Clock::default();
    let client = builder.with_layer(&MapFutureLayer::new(compare(clock.clone()))).build();
    Ok(Connection { client, namespace, clock })
}

/// Looks at the `Date` of each answer.
fn compare<T, F>(clock: Clock) -> impl FnMut(F) -> BoxFuture<'static, Result<Response<T>, BoxError>> + Clone
where
    F: Future<Output = Result<Response<T>, BoxError>> + Send + 'static,
{
    move |answer| {
        let (clock, sent) = (clock.clone(), SystemTime::now());
        async move {
            let answer = answer.await?;
            if let Some(date) = answer.headers().get(DATE).and_then(|date| date.to_str().ok()) {
                clock.heard(date, sent);
            }
            Ok(answer)
        }
        .boxed()
    }
}

/// In a pod its own account.
fn in_pod(access: &Access) -> Result<Config, Error> {
    let none = "there is no kubeconfig: neither a file of KUBECONFIG nor ~/.kube/config";
    if let Some(context) = &access.context {
        return Err(Error(format!("--context {context}: {none}; --kubeconfig names another")));
    }
    Config::incluster()
        .map_err(|_| Error(format!("{none}, and this is no pod with an account; --kubeconfig names another")))
}

async fn config(access: &Access) -> Result<Config, Error> {
    let wrong = |error| error::kubeconfig(&error);
    let options = KubeConfigOptions { context: access.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match kubeconfig::read(access.kubeconfig.as_ref())? {
        Some(file) => Config::from_custom_kubeconfig(file, &options).await.map_err(wrong)?,
        None => in_pod(access)?,
    };
    if access.user.is_some() {
        config.auth_info.impersonate.clone_from(&access.user);
        config.auth_info.impersonate_groups = (!access.groups.is_empty()).then(|| access.groups.clone());
    }
    Ok(config)
}
