//! `kubectl lastout policy`

use crate::args::{self, flag, value};
use crate::cel::{ApiVersion, Namespaces, Settings, Way, mutating, parameters, warning};
use crate::decide::{Delivery, Listed, Mode};
use crate::exit::{Ended, Error, Exit};
use crate::output::print;
use crate::yaml::render;
use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use serde_json::Value;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    let one_of = |name, what, help, values: [&'static str; 2], default: &'static str| {
        value(name, what, help).value_parser(PossibleValuesParser::new(values)).default_value(default)
    };
    Command::new("policy")
        .about("Print admission policies by which the API server adds lastout to the pods of Jobs")
        .arg(one_of("mode", "MODE", "How: native sidecars (nodes from 1.29), or lastout as the init of the mains", [Mode::Native, Mode::Wrap].map(Mode::word), Mode::Wrap.word()))
        .arg(one_of(
            "delivery",
            "HOW",
            "How lastout is brought into a pod that it wraps; image volumes need nodes from 1.35",
            [Delivery::InitContainer, Delivery::ImageVolume].map(Delivery::word),
            Delivery::InitContainer.word(),
        ))
        .arg(one_of(
            "api-version",
            "VERSION",
            "The API of mutating policies: v1 from 1.36; v1beta1 on 1.34 and 1.35, if its feature gate is on",
            ApiVersion::ALL.map(ApiVersion::word),
            ApiVersion::V1.word(),
        ))
        .arg(one_of(
            "namespaces",
            "WHICH",
            "Pods with the label lastout.dev/inject: \"true\" and namespaces with lastout.dev/inject: enabled; or all except the system's",
            Namespaces::ALL.map(Namespaces::word),
            Namespaces::Labelled.word(),
        ))
        .arg(args::own_image())
        .arg(args::sidecar().value_parser(|text: &str| match Listed::read(text) {
            Ok(_) if text.contains('\n') => Err("it has more than one line: write %0A, or leave it out".to_owned()),
            read => read.map_err(|why| why.to_string()),
        }))
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
        .arg(flag("warn-only", "Print only the policy that warns about Jobs that will hang"))
}

/// Prints them.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    let settings = settings(matches);
    if settings.way == Way::Native && matches.value_source("delivery") == Some(ValueSource::CommandLine) {
        return Err(Error(
            "--delivery: --mode native does not bring lastout into a pod: leave one of them out".to_owned(),
        ));
    }
    let mut objects: Vec<Value> = parameters(&settings).into_iter().collect();
    if !matches.get_flag("warn-only") {
        objects.extend(mutating(&settings));
    }
    objects.extend(warning(&settings));
    print(&objects.iter().map(render).collect::<Vec<_>>().join("---\n"))?;
    Ok(Exit::Done)
}

/// What the command line says.
#[must_use]
pub fn settings(matches: &ArgMatches) -> Settings {
    let is = |name: &str, word: &str| matches.get_one::<String>(name).is_some_and(|given| given == word);
    let way = if is("mode", Mode::Native.word()) {
        Way::Native
    } else if is("delivery", Delivery::ImageVolume.word()) {
        Way::ImageVolume
    } else {
        Way::InitContainer
    };
    Settings {
        way,
        image: matches.get_one::<String>("image").cloned().unwrap_or_default(),
        resources: matches.get_one::<(String, String)>("resources").cloned(),
        sidecars: matches.get_many::<Listed>("sidecar").into_iter().flatten().cloned().collect(),
        api_version: if is("api-version", ApiVersion::V1Beta1.word()) {
            ApiVersion::V1Beta1
        } else {
            ApiVersion::V1
        },
        namespaces: if is("namespaces", Namespaces::All.word()) {
            Namespaces::All
        } else {
            Namespaces::Labelled
        },
        parameters: matches.get_one::<(String, String)>("params").cloned(),
    }
}
