//! `kubectl lastout manifests`: what has to be in a cluster before something of ours works there.

use crate::args::{self, flag, value};
use crate::cel::Namespaces;
use crate::exit::{Ended, Error, Exit};
use crate::install::{self, Certificates, Settings};
use crate::output::print;
use crate::yaml::render;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("manifests")
        .about("Print what kubectl has to apply: the admission webhook, or what helpers may do")
        .args(bundle().into_iter().map(|arg| arg.conflicts_with("helper")))
        .args(
            decisions()
                .into_iter()
                .map(|arg| arg.conflicts_with("helper").help_heading("What the webhook decides by")),
        )
        .arg(
            value("namespace", "NAME", "Where the webhook runs; with --helper, the namespace of the pods")
                .short('n')
                .default_value(install::NAMESPACE),
        )
        .arg(flag("helper", "Only the Role that lets helpers watch the pods of a namespace, and who has it"))
        .arg(
            value("service-account", "NAME", "An account that the pods run as")
                .action(ArgAction::Append)
                .default_value("default")
                .requires("helper"),
        )
}

fn bundle() -> [Arg; 5] {
    [
        value("certificates", "HOW", "Where the webhook's certificate comes from: itself, cert-manager, a Secret of yours")
            .value_parser(PossibleValuesParser::new(["itself", "cert-manager", "secret"]))
            .default_value("itself"),
        value("tls-secret", "NAME", "With --certificates secret: the Secret, with tls.crt and tls.key")
            .default_value(install::TLS_SECRET),
        value("ca-bundle", "FILE", "With --certificates secret: who signed it, PEM; without, the API server trusts what its machine trusts"),
        value("namespaces", "WHICH", "Pods with the label lastout.dev/inject: \"true\" and namespaces with lastout.dev/inject: enabled, or all but the system's")
            .value_parser(PossibleValuesParser::new(["labelled", "all"]))
            .default_value("labelled"),
        value("replicas", "NUMBER", "How many run")
            .value_parser(clap::value_parser!(u32).range(1..=100))
            .default_value("2"),
    ]
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
            return Err(Error("--helper: say the namespace of the pods by --namespace".to_owned()));
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
/// When the authority cannot be read, or is given to a certificate that has one.
pub fn settings(matches: &ArgMatches) -> Result<Settings, Error> {
    let is_secret = word(matches, "certificates") == "secret";
    if let Some(name) =
        ["tls-secret", "ca-bundle"].into_iter().find(|name| !is_secret && is_given(matches, name))
    {
        return Err(Error(format!("--{name}: it goes with --certificates secret")));
    }
    let certificates = match word(matches, "certificates").as_str() {
        "cert-manager" => Certificates::CertManager,
        "secret" => Certificates::Secret {
            name: word(matches, "tls-secret"),
            ca_bundle: matches.get_one::<String>("ca-bundle").map(|path| authority(path)).transpose()?,
        },
        _ => Certificates::Itself,
    };
    Ok(Settings {
        namespace: word(matches, "namespace"),
        image: word(matches, "helper-image"),
        replicas: matches.get_one::<u32>("replicas").copied().unwrap_or_default(),
        arguments: arguments(matches),
        namespaces: if word(matches, "namespaces") == "all" { Namespaces::All } else { Namespaces::Labelled },
        certificates,
    })
}

/// The words for `webhook`: the images always, so that a bundle says what will run, and else only what was given.
fn arguments(matches: &ArgMatches) -> Vec<String> {
    let mut words = Vec::new();
    for arg in decisions() {
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
    if !bytes.starts_with(b"-----BEGIN CERTIFICATE-----") {
        return Err(Error(format!("--ca-bundle {path}: it does not begin with a certificate in PEM")));
    }
    Ok(BASE64_STANDARD.encode(bytes))
}

fn is_given(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

fn word(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}
