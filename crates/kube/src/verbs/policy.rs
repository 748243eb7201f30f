//! `kubectl lastout policy`

use crate::args::{self, flag, value};
use crate::cel::{ApiVersion, Namespaces, Settings, mutating, warning};
use crate::decide::{Delivery, Listed, Mode, Options};
use crate::exit::{Ended, Error, Exit};
use crate::output::print;
use crate::yaml::render;
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    let one_of = |name, what, help, values: &'static [&'static str], default: &'static str| {
        value(name, what, help).value_parser(PossibleValuesParser::new(values)).default_value(default)
    };
    Command::new("policy")
        .about("Print admission policies that put lastout into the pods of Jobs, without a server of ours")
        .arg(one_of("mode", "MODE", "How: native sidecars (nodes from 1.29), or lastout as the mains' init", &["native", "wrap"], "wrap"))
        .arg(one_of(
            "delivery",
            "HOW",
            "How the program comes into a pod that it wraps; image volumes need nodes from 1.35",
            &["init-container", "image-volume"],
            "init-container",
        ))
        .arg(one_of(
            "api-version",
            "VERSION",
            "Of mutating policies: v1 from 1.36; v1beta1 on 1.34 and 1.35, where its feature gate is on",
            &["v1", "v1beta1"],
            "v1",
        ))
        .arg(one_of(
            "namespaces",
            "WHICH",
            "Pods with the label lastout.dev/inject: \"true\" and namespaces with lastout.dev/inject: enabled, or all but the system's",
            &["labelled", "all"],
            "labelled",
        ))
        .arg(args::own_image())
        .arg(args::sidecar())
        .arg(
            value("params", "NAMESPACE/NAME", "A ConfigMap whose key `sidecars` has more SPECs, with blanks between them")
                .value_parser(|text: &str| match text.split_once('/') {
                    Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                        Ok((namespace.to_owned(), name.to_owned()))
                    }
                    _ => Err("write NAMESPACE/NAME"),
                }),
        )
        .arg(value("resources", "CPU,MEMORY", "Requests and limits of the init container").default_value("20m,16Mi").value_parser(
            |text: &str| args::amounts(text).ok_or("write CPU,MEMORY, such as 20m,16Mi"),
        ))
        .arg(flag("warn-only", "Only the policy that warns about Jobs that will hang"))
}

/// Prints them.
///
/// # Errors
/// When a SPEC cannot be put into a policy, or stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    let settings = settings(matches)?;
    let mut objects = if matches.get_flag("warn-only") { Vec::new() } else { mutating(&settings) };
    objects.extend(warning(&settings));
    print(&objects.iter().map(render).collect::<Vec<_>>().join("---\n"))?;
    Ok(Exit::Done)
}

/// What the command line says.
///
/// # Errors
/// About a SPEC.
pub fn settings(matches: &ArgMatches) -> Result<Settings, Error> {
    let is = |name: &str, value: &str| matches.get_one::<String>(name).is_some_and(|given| given == value);
    let specs: Vec<String> = matches.get_many::<String>("sidecar").into_iter().flatten().cloned().collect();
    let mut sidecars = Vec::new();
    for spec in &specs {
        if spec.contains('\n') {
            return Err(Error(format!(
                "--sidecar: {spec:?} has more than one line: write %0A, or leave it out"
            )));
        }
        sidecars.push(Listed::read(spec).map_err(|why| Error(format!("--sidecar: {why}")))?);
    }
    let options = Options {
        mode: if is("mode", "native") { Mode::Native } else { Mode::Wrap },
        delivery: if is("delivery", "image-volume") {
            Delivery::ImageVolume
        } else {
            Delivery::InitContainer
        },
        image: matches.get_one::<String>("image").cloned().unwrap_or_default(),
        sidecars: specs,
        resources: matches.get_one::<(String, String)>("resources").cloned(),
        ..Options::default()
    };
    Ok(Settings {
        options,
        sidecars,
        api_version: if is("api-version", "v1beta1") { ApiVersion::V1Beta1 } else { ApiVersion::V1 },
        namespaces: if is("namespaces", "all") { Namespaces::All } else { Namespaces::Labelled },
        parameters: matches.get_one::<(String, String)>("params").cloned(),
    })
}
