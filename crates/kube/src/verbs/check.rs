//! `kubectl lastout check FILE…`

use crate::args;
use crate::check::{Finding, Summary, check, github, json, quoted, sarif, text};
use crate::decide::Context;
use crate::exit::{Ended, Error, Exit};
use crate::files::{Source, found};
use crate::output::{Progress, one_line, report, written};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// How findings are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Sarif,
    Github,
}

impl Format {
    const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Sarif, Self::Github];

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("check")
        .about("Find what would hang or fail: exit 1 if there is an error, 2 if a file cannot be read")
        .arg(args::files())
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORMAT")
                .help("How findings are printed")
                .value_parser(PossibleValuesParser::new(Format::ALL.map(Format::word)))
                .default_value(Format::Text.word()),
        )
        .args(args::decision_options())
}

/// Looks at all files. One that cannot be read does not hide what is wrong with the others.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    let (options, extra, again) = (args::options(matches), args::pod_paths(matches), again(matches));
    let known = args::known(matches);
    let context = Context::new(&known);
    let format =
        matches.get_one::<String>("output").and_then(|word| Format::read(word)).unwrap_or(Format::Text);
    let mut summary = Summary::default();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut kept: Vec<Finding> = Vec::new();
    let sources = files(&args::words(matches), &mut summary);
    // Findings on the same terminal are progress enough.
    let mut progress = (!io::stdout().is_terminal()).then(|| Progress::new(sources.len(), "files"));
    for source in sources {
        progress.iter_mut().for_each(Progress::step);
        let text = match source.read() {
            Ok(text) => text,
            Err(error) => {
                complain(&error.to_string(), &mut summary);
                continue;
            }
        };
        let name = source.name();
        let seen = check(&name, &text, context, &options, &extra, &again);
        summary.files += 1;
        summary.add(&seen);
        for (line, odd) in &seen.odd {
            tell(&format!("{name}:{line}: {odd}"));
        }
        if let Some(error) = &seen.error {
            complain(&format!("{name}:{}: {}", error.line, error.what), &mut summary);
        }
        match format {
            Format::Json | Format::Sarif => kept.extend(seen.findings),
            Format::Github => put(&mut out, seen.findings.iter().map(github::write))?,
            Format::Text => put(&mut out, seen.findings.iter().map(text::write))?,
        }
    }
    progress.iter().for_each(Progress::end);
    match format {
        Format::Json => put(&mut out, [json::write(&kept, &summary)])?,
        Format::Sarif => put(&mut out, [sarif::write(&kept, &summary)])?,
        Format::Github | Format::Text => {}
    }
    written(out.flush())?;
    tell(&summary.to_string());
    Ok(if summary.unreadable > 0 { Exit::Unreadable } else { Exit::found(summary.errors > 0) })
}

/// The files that these words mean; what cannot be looked into is told of.
fn files(words: &[String], summary: &mut Summary) -> Vec<Source> {
    let mut all = Vec::new();
    for found in words.iter().flat_map(|word| found(word)) {
        match found {
            Ok(source) => all.push(source),
            Err(error) => complain(&error.to_string(), summary),
        }
    }
    all
}

/// The options that the user has given, for a command line that mends.
fn again(matches: &ArgMatches) -> String {
    let mut words = String::new();
    for id in matches.ids().map(clap::Id::as_str).filter(|id| !["FILE", "output"].contains(id)) {
        if matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine) {
            for value in matches.get_raw(id).into_iter().flatten() {
                words.push_str(&format!(" --{id} {}", quoted(&value.to_string_lossy())));
            }
        }
    }
    words
}

fn complain(line: &str, summary: &mut Summary) {
    summary.unreadable += 1;
    tell(line);
}

fn tell(line: &str) {
    report(&format!("kubectl-lastout: {}\n", one_line(line)));
}

fn put(out: &mut impl Write, texts: impl IntoIterator<Item = String>) -> Result<(), Error> {
    written(texts.into_iter().try_for_each(|text| out.write_all(text.as_bytes())))
}
