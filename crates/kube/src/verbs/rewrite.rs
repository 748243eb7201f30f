//! Reading all manifests that a command line names, and writing what has become of them.

use super::diff::unified;
use crate::args;
use crate::change::{Change, Path};
use crate::exit::{Ended, Error, Exit};
use crate::files::{Replacement, Source, sources};
use crate::manifest::{self, Edited, Manifest};
use crate::output::{Progress, print, report, report_line};
use crate::yaml;
use clap::ArgMatches;

/// A file's text.
pub(super) type Text = (Source, String);

/// All files, before anything is written: an error in one leaves all as they were.
pub(super) fn read_all(matches: &ArgMatches) -> Result<Vec<Text>, Error> {
    let sources = sources(&args::words(matches))?;
    let in_place = matches.try_get_one::<bool>("in-place").ok().flatten() == Some(&true);
    if in_place && sources.contains(&Source::Stdin) {
        return Err(Error(
            "-: --in-place needs a file: leave it out, and the result goes to stdout".to_owned(),
        ));
    }
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

/// Changes all files, then writes: an error in one leaves all as they were. What `changes_of` has to tell about a document is
/// told when the whole file is read.
pub(super) fn rewrite(
    matches: &ArgMatches,
    texts: Vec<Text>,
    changes_of: impl Fn(&Source, &Manifest, &mut String) -> Vec<(Path, Vec<Change>)>,
) -> Ended {
    let (in_place, strict) = (matches.get_flag("in-place"), matches.get_flag("strict"));
    let (diff, check_only) = (matches.get_flag("diff"), matches.get_flag("check-only"));
    let mut results = Vec::new();
    let mut progress = Progress::new(texts.len(), "files");
    for (source, text) in texts {
        progress.step();
        let mut told = String::new();
        let edited = manifest::edited(text, |manifest| changes_of(&source, manifest, &mut told))
            .map_err(|error| unread(&source, &error))?;
        report(&told);
        for refused in &edited.refused {
            let line =
                format!("{}:{}: cannot be edited in place: {}", source.name(), refused.line, refused.why);
            if strict {
                return Err(Error(line));
            }
            report_line(&format!("{line}; the document is written anew, without its comments"));
        }
        results.push((source, edited));
    }
    progress.end();
    let changed = results.iter().any(|(_, edited)| edited.before != edited.after);
    let mut out = String::new();
    let mut replacements = Vec::new();
    for (source, Edited { is_empty, before, after, .. }) in &results {
        if in_place {
            if before != after {
                replacements.push(source.replacement(after)?);
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
    replacements.into_iter().try_for_each(Replacement::persist)?;
    print(&out)?;
    Ok(Exit::found(check_only && changed))
}

/// The manifest that this text is.
pub(super) fn manifest(source: &Source, text: &str) -> Result<Manifest, Error> {
    Manifest::read(text).map_err(|error| unread(source, &error))
}

fn unread(source: &Source, error: &yaml::Error) -> Error {
    Error(format!("{}:{}: {}", source.name(), error.line, error.what))
}
