//! Requests of ours: lists in pages, single objects, logs. All of them as plain values, so that nothing newer than the
//! client's types is lost, and each tried again where the connection or the server fails for a moment.

use crate::output::waiting;
use futures_util::AsyncReadExt as _;
use kube::Client;
use kube::core::Request;
use kube::core::params::{GetParams, ListParams};
use kube::core::subresource::LogParams;
use serde_json::Value;
use std::future::Future;
use std::time::Duration;

/// Objects in one answer: what kubectl asks for, too.
const PAGE: u32 = 500;
/// A request is made so often at most …
const TRIES: u32 = 3;
/// … with this pause behind the first failure, and twice as long a one behind each that follows.
const PAUSE: Duration = Duration::from_millis(250);
/// A server that is alive has answered any of them long before; one that has not is not asked again.
pub(crate) const ANSWER: Duration = Duration::from_secs(60);
/// A user sees what is waited for after this time.
const TELL: Duration = Duration::from_secs(2);
/// Nobody waits that long for a log, of which doctor reads many.
const LOG: Duration = Duration::from_secs(10);
/// Bytes of a log.
const LOG_BYTES: i64 = 64 * 1024;
/// A list whose continuation is not kept any more is begun again so often at most.
const BEGINNINGS: u32 = 3;

/// What we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pods,
    Jobs,
    Namespaces,
}

impl Kind {
    /// As objects name it.
    fn name(self) -> &'static str {
        match self {
            Self::Pods => "Pod",
            Self::Jobs => "Job",
            Self::Namespaces => "Namespace",
        }
    }

    /// In `namespace`, or in all of them.
    pub(crate) fn request(self, namespace: Option<&str>) -> Request {
        let (group, plural) = match self {
            Self::Pods => ("/api/v1", "pods"),
            Self::Namespaces => ("/api/v1", "namespaces"),
            Self::Jobs => ("/apis/batch/v1", "jobs"),
        };
        Request::new(match namespace {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{plural}"),
            None => format!("{group}/{plural}"),
        })
    }
}

/// What comes of a list.
pub(crate) enum Paged {
    /// The next objects.
    Items(Vec<Value>),
    /// The server has forgotten where we were (410): all that came is to be dropped, and comes again.
    Again,
}

/// All objects of a list, page by page: no page is kept while the next one is asked for. What is in a list does not say its
/// kind, so it is told here.
pub(crate) async fn list(
    client: &Client,
    kind: Kind,
    namespace: Option<&str>,
    (labels, fields): (&str, &str),
    mut take: impl FnMut(Paged),
) -> kube::Result<()> {
    let mut params = ListParams::default().limit(PAGE);
    params.label_selector = (!labels.is_empty()).then(|| labels.to_owned());
    params.field_selector = (!fields.is_empty()).then(|| fields.to_owned());
    let request = kind.request(namespace);
    let mut beginnings = 1;
    loop {
        let page = again(|| async {
            let request = request.list(&params).map_err(kube::Error::BuildRequest)?;
            client.request::<Value>(request).await
        });
        let mut page = match page.await {
            Err(kube::Error::Api(status)) if status.code == 410 && beginnings < BEGINNINGS => {
                beginnings += 1;
                params.continue_token = None;
                take(Paged::Again);
                continue;
            }
            page => page?,
        };
        match page.get_mut("items").map(Value::take) {
            Some(Value::Array(mut items)) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.insert("kind".to_owned(), kind.name().into());
                }
                take(Paged::Items(items));
            }
            Some(Value::Null) => {}
            _ => return Err(unexpected("the answer is no list")),
        }
        let token =
            page.get("metadata").and_then(|metadata| metadata.get("continue")).and_then(Value::as_str);
        match token.filter(|token| !token.is_empty()) {
            None => return Ok(()),
            // It would keep us for ever, and what is behind that page is not known.
            Some(token) if params.continue_token.as_deref() == Some(token) => {
                return Err(unexpected("the server gives the same page again"));
            }
            Some(token) => params.continue_token = Some(token.to_owned()),
        }
    }
}

/// One object.
pub(crate) async fn get(client: &Client, kind: Kind, namespace: &str, name: &str) -> kube::Result<Value> {
    again(|| async {
        let request = kind.request(Some(namespace)).get(name, &GetParams::default());
        let object: Value = client.request(request.map_err(kube::Error::BuildRequest)?).await?;
        if object.get("metadata").is_none() {
            return Err(unexpected("the answer is no object"));
        }
        Ok(object)
    })
    .await
}

/// The last lines of a container's log.
pub(crate) async fn log(
    client: &Client,
    namespace: &str,
    pod: &str,
    container: &str,
    lines: i64,
) -> kube::Result<String> {
    let params = LogParams {
        container: Some(container.to_owned()),
        tail_lines: Some(lines),
        limit_bytes: Some(LOG_BYTES),
        ..LogParams::default()
    };
    let read = again(|| async {
        let request = Kind::Pods.request(Some(namespace)).logs(pod, &params);
        let request = request.map_err(kube::Error::BuildRequest)?;
        // Programs write what they like: one byte that is no UTF-8 must not take the rest away.
        let mut bytes = Vec::new();
        let mut lines = Box::pin(client.request_stream(request).await?);
        lines.read_to_end(&mut bytes).await.map_err(kube::Error::ReadEvents)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    });
    within(LOG, read).await
}

/// Ends with an error when the time is over.
pub(crate) async fn within<T>(
    time: Duration,
    answer: impl Future<Output = kube::Result<T>>,
) -> kube::Result<T> {
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(unexpected(&format!("no answer within {} s", time.as_secs()))),
    }
}

/// Tries a request that only reads again, where its failure may pass.
async fn again<T, F: Future<Output = kube::Result<T>>>(request: impl Fn() -> F) -> kube::Result<T> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match patiently(request()).await {
            Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
            result => return result,
        }
        pause *= 2;
    }
    patiently(request()).await
}

/// Tells somebody at a terminal what is waited for.
async fn patiently<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let request = within(ANSWER, request);
    tokio::pin!(request);
    tokio::select! {
        answer = &mut request => return answer,
        () = tokio::time::sleep(TELL) => {}
    }
    waiting("the API server", request).await
}

/// The connection broke, or the server is busy or restarts.
fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 429 | 500 | 502..=504),
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

/// What an API server does not do.
pub(super) fn unexpected(what: &str) -> kube::Error {
    kube::Error::ReadEvents(std::io::Error::other(what.to_owned()))
}
