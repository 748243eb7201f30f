//! `kubectl lastout webhook`: the admission server.

use crate::args::cluster::{access, cluster_options};
use crate::args::{self, some_time, value, variable};
use crate::exit::{Ended, Error, Exit};
use crate::webhook::admission::Wishes;
use crate::webhook::certificates::{OwnAuthority, Source, names};
use crate::webhook::server::{Address, Settings, serve};
use clap::{ArgMatches, Command};
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
    let time = |name, default: &'static str, help| {
        value(name, "DURATION", help).default_value(default).value_parser(some_time)
    };
    let name = |name, default: &'static str, help| value(name, "NAME", help).default_value(default);
    Command::new("webhook")
        .about("In a cluster: the admission server that does to pods what inject does to manifests")
        .arg(address("listen", ":10250", "Where API servers come in"))
        .arg(address("admin-listen", ":8080", "Where /livez, /readyz and /metrics are, without TLS"))
        .arg(file("tls-cert", "tls-key", "The certificate, in PEM; without it the webhook makes its own, by an authority in a Secret"))
        .arg(file("tls-key", "tls-cert", "Its key"))
        .arg(name("secret", names::SECRET, "The Secret of its authority"))
        .arg(name("service", names::SERVICE, "The Service whose name its certificate is for"))
        .arg(name("configuration", names::CONFIGURATION, "The MutatingWebhookConfiguration that gets the authority's certificate"))
        .arg(value("namespace", "NAME", "The namespace of the Secret and the Service; by default what POD_NAMESPACE says, or the account's").short('n'))
        .arg(time("certificate-lifetime", "24h", "How long its certificate holds"))
        .arg(time("ca-lifetime", "8760h", "How long the authority's certificate holds"))
        .arg(time("drain-timeout", "25s", "From TERM to the end, at most"))
        .args(args::pod_options())
        .args(cluster_options())
}

/// Serves.
///
/// # Errors
/// When it cannot start, in one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let settings = settings(matches);
    // One thread answers: with two, an admission takes three times the processor time, for both wait at the allocator's lock.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
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
