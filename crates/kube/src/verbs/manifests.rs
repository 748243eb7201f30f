//! `kubectl lastout manifests`: what has to be in a cluster before something of ours works there.

use crate::args::names::{label, subdomain};
use crate::args::{self, flag, value};
use crate::cel::Namespaces;
use crate::exit::{Ended, Error, Exit};
use crate::install::{self, Certificates, Settings};
use crate::output::{print, report_line};
use crate::verbs::webhook::{drain_timeout, lifetimes};
use crate::webhook::certificates::lifetimes::Lifetimes;
use crate::yaml::render;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::time::Duration;

/// What `--certificates` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Itself,
    CertManager,
    Secret,
}

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("manifests")
        .about(
            "Print manifests for kubectl apply: the admission webhook, or with --helper the Role of helpers",
        )
        .args(bundle().into_iter().map(|arg| arg.conflicts_with("helper")))
        .args(
            decisions()
                .into_iter()
                .map(|arg| arg.conflicts_with("helper").help_heading("How the webhook decides")),
        )
        .arg(
            value("namespace", "NAME", "Where the webhook runs; with --helper, the namespace of the pods")
                .short('n')
                .value_parser(label)
                .default_value(install::NAMESPACE),
        )
        .arg(flag(
            "helper",
            "Print only the Role by which helpers watch the pods of a namespace, and its RoleBinding",
        ))
        .arg(
            value("service-account", "NAME", "An account that the pods run as")
                .action(ArgAction::Append)
                .value_parser(subdomain)
                .default_value("default")
                .requires("helper"),
        )
}

/// One of these words, read as what it stands for.
fn one_of<T, const N: usize>(table: [(&'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    let words = table.each_ref().map(|(word, _)| *word);
    PossibleValuesParser::new(words).try_map(move |text| {
        let found = table.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| value.clone()).ok_or("it is not one of the possible values")
    })
}

fn bundle() -> Vec<Arg> {
    let mut bundle = vec![
        flag("create-namespace", "Also print the namespace, with the restricted Pod Security Standard enforced; the default namespace is always printed"),
        value("certificates", "HOW", "Who makes the webhook's certificate: itself, cert-manager, or you, in a Secret")
            .value_parser(one_of([
                ("itself", From::Itself),
                ("cert-manager", From::CertManager),
                ("secret", From::Secret),
            ]))
            .default_value("itself"),
        value("tls-secret", "NAME", "With --certificates secret: the Secret, with tls.crt and tls.key")
            .value_parser(subdomain)
            .default_value(install::TLS_SECRET),
        value("ca-bundle", "FILE", "With --certificates secret: the authority that has signed it, in PEM; without it, the API server trusts what its machine trusts"),
        value("namespaces", "WHICH", "Pods with the label lastout.dev/inject: \"true\" and namespaces with lastout.dev/inject: enabled; or all except the system's")
            .value_parser(one_of(Namespaces::ALL.map(|which| (which.word(), which))))
            .default_value(Namespaces::Labelled.word()),
        value("replicas", "NUMBER", "The number of replicas")
            .value_parser(clap::value_parser!(u32).range(1..=100))
            .default_value("2"),
        drain_timeout(),
    ];
    bundle.extend(lifetimes());
    bundle
}

/// What `webhook` reads, too.
fn decisions() -> Vec<Arg> {
    let option = |arg: Arg| match arg.get_id().as_str() {
        "helper-image" => {
            arg.help("kubectl-lastout's image: the webhook's own, and that of helper containers")
        }
        _ => arg,
    };
    args::pod_options().into_iter().map(option).collect()
}

/// Prints them.
///
/// # Errors
/// When the authority cannot be read, or stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    let objects = if matches.get_flag("helper") {
        if !is_given(matches, "namespace") {
            return Err(Error("--helper: name the namespace of the pods with --namespace".to_owned()));
        }
        let accounts: Vec<&String> = matches.get_many("service-account").into_iter().flatten().collect();
        install::helper(&word(matches, "namespace"), &accounts).to_vec()
    } else {
        install::webhook(&settings(matches)?)
    };
    print(&objects.iter().map(render).collect::<Vec<_>>().join("---\n"))?;
    Ok(Exit::Done)
}

/// What the command line says.
///
/// # Errors
/// When the authority cannot be read, lifetimes cannot be kept to, or an option is about another kind of certificate.
pub fn settings(matches: &ArgMatches) -> Result<Settings, Error> {
    let from = one::<From>(matches, "certificates", From::Itself);
    for (name, whose, word) in [
        ("tls-secret", From::Secret, "secret"),
        ("ca-bundle", From::Secret, "secret"),
        ("certificate-lifetime", From::Itself, "itself"),
        ("ca-lifetime", From::Itself, "itself"),
    ] {
        if from != whose && is_given(matches, name) {
            return Err(Error(format!("--{name}: it goes with --certificates {word}")));
        }
    }
    let lifetimes = Lifetimes::default();
    Lifetimes {
        certificate: one(matches, "certificate-lifetime", lifetimes.certificate),
        authority: one(matches, "ca-lifetime", lifetimes.authority),
    }
    .check()?;
    let certificates = match from {
        From::CertManager => Certificates::CertManager,
        From::Secret => Certificates::Secret {
            name: word(matches, "tls-secret"),
            ca_bundle: matches.get_one::<String>("ca-bundle").map(|path| authority(path)).transpose()?,
        },
        From::Itself => Certificates::Itself,
    };
    let namespace = word(matches, "namespace");
    Ok(Settings {
        creates_namespace: namespace == install::NAMESPACE || matches.get_flag("create-namespace"),
        namespace,
        image: word(matches, "helper-image"),
        replicas: one(matches, "replicas", 2),
        arguments: arguments(matches),
        drain: one::<Duration>(matches, "drain-timeout", Duration::ZERO),
        namespaces: one(matches, "namespaces", Namespaces::Labelled),
        certificates,
    })
}

/// The words for `webhook`: the images always, so that a bundle says what will run, and else only what was given.
fn arguments(matches: &ArgMatches) -> Vec<String> {
    let mut words = Vec::new();
    for arg in decisions().into_iter().chain([drain_timeout()]).chain(lifetimes()) {
        let id = arg.get_id().as_str();
        if id.ends_with("image") || is_given(matches, id) {
            let values = matches.get_raw(id).into_iter().flatten();
            words.extend(values.map(|value| format!("--{id}={}", value.to_string_lossy())));
        }
    }
    words
}

/// A file of PEM, as a configuration has it.
fn authority(path: &str) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error(format!("--ca-bundle {path}: {error}")))?;
    let count = install::authorities(&bytes).map_err(|why| Error(format!("--ca-bundle {path}: {why}")))?;
    report_line(&format!(
        "--ca-bundle {path}: {count} {}",
        if count == 1 { "authority" } else { "authorities" }
    ));
    Ok(BASE64_STANDARD.encode(bytes))
}

fn is_given(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

/// The value of an option that has a default.
fn one<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str, default: T) -> T {
    matches.get_one::<T>(name).cloned().unwrap_or(default)
}

fn word(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}
