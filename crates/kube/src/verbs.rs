//! What the verbs do with files: `inject`, `uninject`, `explain`.

use crate::change::{Change, Path};
use crate::cli;
use crate::completion;
use crate::decide::{Decision, Options, RoleKind};
use crate::files::{Error, Source, sources};
use crate::manifest::{Edited, Judged, Manifest};
use crate::output::{Progress, print, report};
use crate::pod::Workload;
use crate::registry;
use crate::yaml::Edit;
use clap::ArgMatches;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How it ended: the exit code.
pub type Outcome = Result<u8, Error>;

/// Runs a verb.
///
/// # Errors
/// In one line.
pub fn run(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some(("inject", matches)) => inject(matches),
        Some(("uninject", matches)) => uninject(matches),
        Some(("explain", matches)) => explain(matches),
        Some(("completion", matches)) => {
            print(&completion::script(matches.get_one("SHELL").map_or("", String::as_str)))?;
            Ok(0)
        }
        Some(("__complete", matches)) => {
            let words: Vec<String> = matches.get_many("WORD").into_iter().flatten().cloned().collect();
            print(&completion::candidates(&words))?;
            Ok(0)
        }
        Some(("check", matches)) => crate::check::verb::run(matches),
        Some(("presets", matches)) => presets(matches.get_flag("json")),
        Some((_, _)) | None => {
            let known = lastout_core::presets::PRESETS.len();
            print(&format!("kubectl-lastout {}, {known} known sidecars\n", env!("CARGO_PKG_VERSION")))?;
            Ok(0)
        }
    }
}

fn inject(matches: &ArgMatches) -> Outcome {
    let extra = cli::pod_paths(matches);
    let texts = read_all(matches)?;
    let options = options(matches, &texts, &extra)?;
    if let Some((image, Err(why))) = options.images.iter().find(|(_, found)| found.is_err())
        && matches.get_flag("strict")
    {
        return Err(Error(format!("{image}: {why}: nothing is changed")));
    }
    rewrite(matches, texts, |source, manifest| {
        let told = |judged: Judged| {
            tell(source, &judged);
            (judged.document, judged.workload, judged.decision.changes)
        };
        manifest.judge(&options, &extra).map(told).collect()
    })
}

fn uninject(matches: &ArgMatches) -> Outcome {
    let extra = cli::pod_paths(matches);
    rewrite(matches, read_all(matches)?, |source, manifest| {
        let undone = manifest.undo(&extra);
        for (_, workload, changes) in &undone {
            let what = if changes.is_empty() { "lastout is not there" } else { "lastout is taken out" };
            report(&format!("{}: {}: {what}\n", source.name(), workload.title()));
        }
        undone
    })
}

/// A file's text.
type Text = (Source, String);

/// All files, before anything is written: an error in one leaves all as they were.
fn read_all(matches: &ArgMatches) -> Result<Vec<Text>, Error> {
    let sources = sources_of(matches)?;
    let mut progress = Progress::new(sources.len(), "files read");
    let mut texts = Vec::with_capacity(sources.len());
    for source in sources {
        progress.step();
        let text = source.read()?;
        texts.push((source, text));
    }
    progress.end();
    Ok(texts)
}

/// What the user has said, and with `--resolve-images` what registries say.
fn options(matches: &ArgMatches, texts: &[Text], extra: &[Path]) -> Result<Options, Error> {
    let mut options = cli::options(matches);
    let Some(ask) = cli::ask(matches) else { return Ok(options) };
    let mut images: BTreeSet<String> = BTreeSet::new();
    for (source, text) in texts {
        images.extend(manifest(source, text.clone())?.images_wanted(&options, extra));
    }
    let mut progress = Progress::new(images.len(), "images");
    options.images = registry::resolve(&images, &ask, |done| progress.reach(done));
    progress.end();
    options.pin = matches.get_flag("pin");
    Ok(options)
}

/// Changes all files, then writes: an error in one leaves all as they were.
fn rewrite(
    matches: &ArgMatches,
    texts: Vec<Text>,
    changes_of: impl Fn(&Source, &Manifest) -> Vec<(usize, Workload, Vec<Change>)>,
) -> Outcome {
    let (in_place, strict) = (matches.get_flag("in-place"), matches.get_flag("strict"));
    let (diff, check_only) = (matches.get_flag("diff"), matches.get_flag("check-only"));
    let mut results = Vec::new();
    let mut progress = Progress::new(texts.len(), "files");
    for (source, text) in texts {
        progress.step();
        let manifest = manifest(&source, text)?;
        let mut edits: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
        for (document, workload, changes) in changes_of(&source, &manifest) {
            if !changes.is_empty() {
                edits.entry(document).or_default().push(Edit { at: workload.pod, changes });
            }
        }
        let edited = manifest
            .edited(&edits)
            .map_err(|error| Error(format!("{}: {error}: nothing is changed", source.name())))?;
        for refused in &edited.refused {
            let line =
                format!("{}:{}: cannot be edited in place: {}", source.name(), refused.line, refused.why);
            if strict {
                return Err(Error(line));
            }
            report(&format!("{line}; the document is written anew, without its comments\n"));
        }
        results.push((source, edited));
    }
    progress.end();
    let changed = results.iter().any(|(_, edited)| edited.before != edited.after);
    let mut out = String::new();
    for (source, Edited { is_empty, before, after, .. }) in &results {
        if in_place {
            if before != after {
                source.replace(after)?;
            }
        } else if diff {
            out.push_str(&unified(&source.name(), before, after));
        } else if !check_only {
            if !out.is_empty() && !is_empty && !after.starts_with("---") {
                out.push_str(if out.ends_with('\n') { "---\n" } else { "\n---\n" });
            }
            out.push_str(after);
        }
    }
    print(&out)?;
    Ok(u8::from(check_only && changed))
}

fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

fn explain(matches: &ArgMatches) -> Outcome {
    let extra = cli::pod_paths(matches);
    let texts = read_all(matches)?;
    let options = options(matches, &texts, &extra)?;
    let mut out = String::new();
    for (source, text) in texts {
        for judged in manifest(&source, text)?.judge(&options, &extra) {
            out.push_str(&tree(&source, &judged));
        }
    }
    print(&out)?;
    Ok(0)
}

/// The decision as a tree: what the pod is, what is done, why.
fn tree(source: &Source, judged: &Judged) -> String {
    let Judged { workload, decision, .. } = judged;
    let mut lines = Vec::new();
    for role in &decision.containers {
        let what = match &role.kind {
            RoleKind::Main { stop_on } => {
                format!("main; its sidecars may be stopped after exit codes: {stop_on}")
            }
            RoleKind::Sidecar { spec } => format!("sidecar, {spec}: it runs on when the mains are over"),
            RoleKind::NativeSidecar => "native sidecar: the kubelet ends it".to_owned(),
            RoleKind::Excluded => "left out, as the manifest or --main says".to_owned(),
        };
        lines.push(format!("{}  {what}", role.name));
    }
    lines.extend(
        decision.promised.iter().map(|name| format!("{name}  will add its sidecar when the pod is created")),
    );
    lines.extend(decision.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push(verdict(decision));
    let mut out = format!("{}: {}\n", source.name(), workload.title());
    let last = lines.len();
    for (position, line) in lines.iter().enumerate() {
        let branch = if position + 1 == last { "└─" } else { "├─" };
        let _ = writeln!(out, "{branch} {line}");
    }
    out
}

fn verdict(decision: &Decision) -> String {
    let about = if decision.about.is_empty() { String::new() } else { format!(" ({})", decision.about) };
    format!("{}: {}{about}", decision.reason, decision.reason.words())
}

fn tell(source: &Source, judged: &Judged) {
    let Judged { workload, decision, .. } = judged;
    report(&format!("{}: {}: {}\n", source.name(), workload.title(), verdict(decision)));
    for warning in &decision.warnings {
        report(&format!("{}: {}: warning: {warning}\n", source.name(), workload.title()));
    }
}

fn presets(json: bool) -> Outcome {
    print(&if json { lastout_core::presets::json() } else { lastout_core::presets::table() })?;
    Ok(0)
}

fn sources_of(matches: &ArgMatches) -> Result<Vec<Source>, Error> {
    let words: Vec<String> = matches.get_many::<String>("FILE").into_iter().flatten().cloned().collect();
    sources(&words)
}

fn manifest(source: &Source, text: String) -> Result<Manifest, Error> {
    Manifest::read(text).map_err(|error| Error(format!("{}:{}: {}", source.name(), error.line, error.what)))
}
