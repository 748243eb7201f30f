//! What an API server or the way to it answers, in one line for a user.

use crate::exit::Error;
use kube::client::AuthError;
use std::error::Error as _;

/// Said of `what`, such as `pods of namespace jobs`.
#[must_use]
pub fn told(what: &str, error: &kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => Error(format!("{what}: {}", without_breaks(&status.message))),
        kube::Error::Auth(AuthError::AuthExecStart(cause)) => Error(format!(
            "{what}: the exec plugin of the kubeconfig's user cannot be started: {cause}; `kubectl config view --minify` shows its command"
        )),
        kube::Error::Auth(AuthError::AuthExecRun { cmd, out }) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last =
                said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
            Error(format!("{what}: the exec plugin {cmd}: {}: {}", out.status, without_breaks(last)))
        }
        other => Error(format!("{what}: {}", innermost(other))),
    }
}

/// The API server refuses what this user asks for.
#[must_use]
pub fn is_forbidden(error: &kube::Error) -> bool {
    is_one_of(error, &[403])
}

/// The API server answers with one of these codes.
#[must_use]
pub fn is_one_of(error: &kube::Error, codes: &[u16]) -> bool {
    matches!(error, kube::Error::Api(status) if codes.contains(&status.code))
}

/// The last of the causes that says anything says what happened; those around it say where in the client.
fn innermost(error: &dyn std::error::Error) -> String {
    let (mut cause, mut text) = (Some(error), String::new());
    while let Some(error) = cause {
        let own = without_breaks(&error.to_string());
        text = if own.is_empty() { text } else { own };
        cause = error.source();
    }
    if text.is_empty() { "it failed, and nothing says why".to_owned() } else { text }
}

fn without_breaks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A kubeconfig that cannot be used.
pub(super) fn kubeconfig(error: &kube::config::KubeconfigError) -> Error {
    let cause =
        error.source().map(|cause| format!(": {}", without_breaks(&cause.to_string()))).unwrap_or_default();
    let said = without_breaks(&error.to_string());
    let cause = if said.contains(cause.trim_start_matches(": ")) { String::new() } else { cause };
    Error(format!("kubeconfig: {said}{cause}; see `kubectl config view`, --kubeconfig and --context"))
}
