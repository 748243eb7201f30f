//! `kubectl lastout webhook`: the admission server.

use crate::args::cluster::{access, cluster_options};
use crate::args::names::{label, subdomain};
use crate::args::{self, some_time, value, variable};
use crate::exit::{Ended, Error, Exit};
use crate::webhook::admission::Wishes;
use crate::webhook::certificates::{OwnAuthority, Source, names};
use crate::webhook::defaults;
use crate::webhook::server::{Address, Settings, THREADS, serve};
use clap::{Arg, ArgMatches, Command};
use std::path::PathBuf;
use std::time::Duration;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    let address = |name, default: &'static str, help| {
        value(name, "ADDRESS", help).default_value(default).value_parser(|text: &str| {
            Address::read(text).ok_or("write :10250, 10.0.0.1:10250 or [::1]:10250")
        })
    };
    let file = |name, other, help| {
        value(name, "FILE", help).requires(other).value_parser(clap::value_parser!(PathBuf))
    };
    let name = |name, default: &'static str, help| {
        value(name, "NAME", help).default_value(default).value_parser(subdomain)
    };
    // Nothing of this is looked at when the certificate is somebody else's.
    let by_itself = [
        name("secret", names::SECRET, "The Secret of its authority"),
        name("service", names::SERVICE, "The Service for whose name its certificate is made").value_parser(label),
        name("configuration", names::CONFIGURATION, "The MutatingWebhookConfiguration that gets the authority's certificate"),
        value("namespace", "NAME", "The namespace of the Secret and the Service; by default that of POD_NAMESPACE, or of the account")
            .short('n')
            .value_parser(label),
    ];
    let by_itself = by_itself.into_iter().chain(lifetimes()).chain(cluster_options());
    Command::new("webhook")
        .about("Run the admission server, in a cluster: it changes pods as inject changes manifests")
        .arg(address("listen", defaults::LISTEN, "The address for API servers"))
        .arg(address(
            "admin-listen",
            defaults::ADMIN_LISTEN,
            "The address of /livez, /readyz and /metrics, without TLS",
        ))
        .arg(file(
            "tls-cert",
            "tls-key",
            "The certificate, in PEM; without it the webhook makes its own, by an authority in a Secret",
        ))
        .arg(file("tls-key", "tls-cert", "Its key"))
        .arg(drain_timeout())
        .args(args::pod_options())
        .args(by_itself.map(|arg| arg.conflicts_with("tls-cert")))
}

/// How long its own certificates hold; the bundle has these options, too.
pub(super) fn lifetimes() -> [Arg; 2] {
    [
        time("certificate-lifetime", defaults::CERTIFICATE_LIFETIME, "How long its own certificate is valid"),
        time("ca-lifetime", defaults::AUTHORITY_LIFETIME, "How long its authority's certificate is valid"),
    ]
}

/// The same.
pub(super) fn drain_timeout() -> Arg {
    time("drain-timeout", defaults::DRAIN_TIMEOUT, "The most time from TERM to the end")
}

fn time(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    value(name, "DURATION", help).default_value(default).value_parser(some_time)
}

/// Serves.
///
/// # Errors
/// When it cannot start, in one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let settings = settings(matches);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = runtime.map_err(|error| Error(format!("the runtime cannot start: {error}")))?;
    let ended = runtime.block_on(serve(settings));
    // What is still at work on a large body is not waited for.
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

fn settings(matches: &ArgMatches) -> Settings {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let time = |name: &str| matches.get_one::<Duration>(name).copied().unwrap_or_default();
    let address = |name: &str| matches.get_one::<Address>(name).copied().unwrap_or(Address::All(0));
    let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let certificate = match (file("tls-cert"), file("tls-key")) {
        (Some(cert), Some(key)) => Source::Files { cert, key },
        _ => Source::OwnAuthority(OwnAuthority {
            access: access(matches),
            namespace: matches.get_one::<String>("namespace").cloned().or_else(|| variable("POD_NAMESPACE")),
            secret: text("secret"),
            service: text("service"),
            configuration: text("configuration"),
            certificate_lifetime: time("certificate-lifetime"),
            authority_lifetime: time("ca-lifetime"),
        }),
    };
    Settings {
        listen: address("listen"),
        admin: address("admin-listen"),
        certificate,
        wishes: Wishes { options: args::options(matches), known: args::known(matches) },
        drain: time("drain-timeout"),
    }
}
