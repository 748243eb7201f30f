//! Options that several verbs have, and what their values mean.

pub mod cluster;
pub(crate) mod names;

use crate::change::Path;
use crate::decide::{Delivery, Known, KubeVersion, Mode, Options};
use crate::registry::{Ask, Platform, Reference};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};
use lastout_core::spec::Spec;
use std::time::Duration;

/// The images of this release, where the user names no other. They are pinned by digest in what is published.
pub const IMAGE: &str = concat!("lastout:", env!("CARGO_PKG_VERSION"));
/// The same of the helper.
pub const HELPER_IMAGE: &str = concat!("kubectl-lastout:", env!("CARGO_PKG_VERSION"));

/// FILE…
pub(crate) fn files() -> Arg {
    Arg::new("FILE")
        .help("Files, folders (all *.yaml, *.yml and *.json below them), or - for stdin")
        .num_args(1..)
        .required(true)
}

/// A switch.
pub(crate) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

/// An option with a value.
pub(crate) fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// What a variable says, if anything: what the pod's own fields (fieldRef) are given by.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `--pod-path`
pub(crate) fn pod_path() -> Arg {
    value(
        "pod-path",
        "PATH",
        "The path of the pod template in a custom resource, such as spec.driver.template",
    )
    .action(ArgAction::Append)
    .value_parser(|text: &str| {
        Path::read(text)
            .ok_or("write keys with dots between them: spec.driver.template, spec.groups[0].template")
    })
}

/// `--image`
pub(crate) fn own_image() -> Arg {
    value("image", "IMAGE", "lastout's own image").default_value(IMAGE).value_parser(image)
}

/// `--sidecar`
pub(crate) fn sidecar() -> Arg {
    value(
        "sidecar",
        "SPEC",
        "A sidecar that is not known: its container's name, and how it is asked; see `lastout presets`",
    )
    .action(ArgAction::Append)
    .value_parser(|text: &str| match Spec::parse(text, &|_| None) {
        Ok(_) => Ok(text.to_owned()),
        Err(why) => Err(why.to_string()),
    })
}

/// `--main`
pub(crate) fn main() -> Arg {
    value("main", "NAME", "The container that the pod is for (the main); by default all that are no sidecars")
        .action(ArgAction::Append)
        .value_parser(|text: &str| match text {
            "" => Err("it is the name of a container"),
            name => Ok(name.to_owned()),
        })
}

/// What a decision depends on.
pub(crate) fn decision_options() -> Vec<Arg> {
    vec![
        value("mode", "MODE", "How: the first that is possible, native sidecars, lastout as the init of the mains, or a helper container")
            .value_parser(PossibleValuesParser::new(Mode::ALL.map(Mode::word)))
            .default_value("auto"),
        value("delivery", "HOW", "How lastout is brought into a pod")
            .value_parser(PossibleValuesParser::new(Delivery::ALL.map(Delivery::word)))
            .default_value("auto"),
        own_image(),
        value("helper-image", "IMAGE", "kubectl-lastout's image, for the helper container")
            .default_value(HELPER_IMAGE)
            .value_parser(image),
        sidecar(),
        main(),
        value("kube-version", "VERSION", "The version of the oldest node: native sidecars need 1.29, image volumes 1.35")
            .value_parser(|text: &str| KubeVersion::read(text).ok_or("write 1.33")),
        value("resources", "CPU,MEMORY|inherit", "Requests and limits of the init container").default_value("20m,16Mi").value_parser(
            |text: &str| match amounts(text) {
                None if text == "inherit" => Ok(None),
                None => Err("write CPU,MEMORY, such as 20m,16Mi, or inherit"),
                amounts => Ok(amounts),
            },
        ),
        pod_path(),
    ]
}

/// The same of pods that are created: there is no file to search, and a name would be that of one pod.
pub(crate) fn pod_options() -> Vec<Arg> {
    let of_files = ["main", "pod-path"];
    decision_options().into_iter().filter(|option| !of_files.contains(&option.get_id().as_str())).collect()
}

/// A duration within which something can be done.
pub(crate) fn some_time(text: &str) -> Result<Duration, String> {
    let duration = lastout_core::duration::parse(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("a duration of 0 is not possible".to_owned()) } else { Ok(duration) }
}

/// An image's name, as a container runtime would read it.
fn image(text: &str) -> Result<String, &'static str> {
    Reference::read(text).map(|_| text.to_owned())
}

/// CPU and memory.
pub(crate) fn amounts(text: &str) -> Option<(String, String)> {
    let (cpu, memory) =
        text.split_once(',').filter(|(cpu, memory)| is_quantity(cpu) && is_quantity(memory))?;
    Some((cpu.to_owned(), memory.to_owned()))
}

/// An amount, as Kubernetes reads it: `20m`, `0.5`, `16Mi`, `1e3`.
fn is_quantity(text: &str) -> bool {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = suffix.strip_prefix(['e', 'E']).map(|power| power.trim_start_matches(['+', '-']));
    let is_power =
        exponent.is_some_and(|power| !power.is_empty() && power.bytes().all(|byte| byte.is_ascii_digit()));
    let suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    is_number && (suffixes.contains(&suffix) || is_power)
}

/// `--resolve-images` and what belongs to it.
pub(crate) fn resolve_options() -> Vec<Arg> {
    let needs = |arg: Arg| arg.requires("resolve-images");
    vec![
        flag(
            "resolve-images",
            "Ask registries what the image of a main without a command runs, with the credentials of docker login",
        ),
        needs(
            value("resolve-timeout", "DURATION", "The time for all requests about one image")
                .default_value("30s")
                .value_parser(some_time),
        ),
        needs(
            value(
                "platform",
                "OS/ARCH",
                "The platform to look at if an image does not run the same on all, such as linux/amd64",
            )
            .value_parser(|text: &str| Platform::read(text).ok_or("write linux/amd64, or linux/arm/v7")),
        ),
        needs(flag("pin", "Also write the digest of each such image into the manifest")),
    ]
}

/// `--resolve-images`
pub(crate) fn ask(matches: &ArgMatches) -> Option<Ask> {
    matches.get_flag("resolve-images").then(|| Ask {
        timeout: matches.get_one::<Duration>("resolve-timeout").copied().unwrap_or(Duration::from_secs(30)),
        platform: matches.get_one::<Platform>("platform").cloned(),
    })
}

/// Where the result goes.
pub(crate) fn writing_options() -> Vec<Arg> {
    vec![
        Arg::new("in-place").short('i').long("in-place").help("Replace the files").action(ArgAction::SetTrue),
        flag("diff", "Print the changes as a unified diff instead").conflicts_with("in-place"),
        flag("check-only", "Print nothing; exit 1 when something would change")
            .conflicts_with_all(["in-place", "diff"]),
        flag(
            "strict",
            "Fail if a document cannot be edited in place, instead of writing it anew, or if --resolve-images finds no answer",
        ),
    ]
}

/// What `inject`, `explain` and the webhook ask with.
#[must_use]
pub fn options(matches: &ArgMatches) -> Options {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    // The webhook has no `--main`: a name is of one pod.
    let all = |name: &str| {
        matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned().collect()
    };
    Options {
        mode: Mode::read(&text("mode")).unwrap_or_default(),
        delivery: Delivery::read(&text("delivery")).unwrap_or_default(),
        image: text("image"),
        helper_image: text("helper-image"),
        sidecars: all("sidecar"),
        mains: all("main"),
        resources: matches.get_one::<Option<(String, String)>>("resources").cloned().flatten(),
        ..Options::default()
    }
}

/// What they know: `--kube-version`.
#[must_use]
pub fn known(matches: &ArgMatches) -> Known {
    Known { kube_version: matches.get_one::<KubeVersion>("kube-version").copied(), ..Known::default() }
}

/// `--pod-path`
pub(crate) fn pod_paths(matches: &ArgMatches) -> Vec<Path> {
    matches.get_many::<Path>("pod-path").into_iter().flatten().cloned().collect()
}

/// The words of FILE…
pub(crate) fn words(matches: &ArgMatches) -> Vec<String> {
    matches.get_many::<String>("FILE").into_iter().flatten().cloned().collect()
}
