//! Findings about manifests: what hangs or fails in the cluster, where it stands, and what to write instead.
//!
//! ```text
//! document ─► subject (facts, decision, invocations) ─► rules ─► place ─► ignore ─► text, json, sarif, github
//! ```
//! What `inject` would do decides here too: both ask `decide`, once for each pod.

pub(crate) mod github;
mod ignore;
pub(crate) mod json;
mod place;
mod rules;
pub(crate) mod sarif;
mod scripts;
mod shell;
mod subject;
mod summary;
pub(crate) mod text;

pub(crate) use rules::{GROUP, HANGS, NO_COMMAND, NOT_SWITCHED_ON, SHELL_WRAP, SPEC_ERROR, STOP_POLICY};
pub use rules::{RULES, Rule};
pub(crate) use subject::names;
pub use summary::Summary;

use crate::change::{Path, Spot};
use crate::decide::{Context, Options};
use crate::manifest::expect_manifest;
use crate::output::one_line;
use crate::pod::find;
use crate::yaml::{self, Document};
use ignore::Ignores;
use place::{Lines, Place};
use serde_json::Value;
use std::fmt;
use subject::{Found, Subject};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The Job hangs or fails.
    Error,
    /// It may, or it is not what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Something wrong, and where.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which rule says so.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The file, as the user named it.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// `job/report`
    pub object: String,
    /// The container, where it is about one.
    pub container: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead: text that can be pasted where that is sure, else in words.
    pub mend: String,
}

/// What was seen in a file.
#[derive(Debug, Default)]
pub struct Seen {
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
    /// How many pods were looked at.
    pub pods: usize,
    /// How many findings a comment asks to leave out.
    pub ignored: usize,
    /// What is odd about such comments: the line, and in words.
    pub odd: Vec<(usize, String)>,
    /// Where kubectl would have stopped reading.
    pub error: Option<yaml::Error>,
}

/// Looks at a file. `context`: what is known of all its pods; `again`: the options of the command line, as the user would
/// write them again.
#[must_use]
pub fn check(
    file: &str,
    text: &str,
    context: Context<'_>,
    options: &Options,
    extra: &[Path],
    again: &str,
) -> Seen {
    let mut seen = Seen::default();
    let mut lines = Lines::new(text);
    let ignores = Ignores::read(text);
    if let Some(ignores) = &ignores {
        seen.odd = ignores.unknown();
    }
    let in_place = if file == "-" { "" } else { " -i" };
    let inject = format!("kubectl lastout inject{again}{in_place} {}", quoted(file));
    for document in yaml::stream(text) {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                seen.error = Some(error);
                break;
            }
        };
        if let Err(error) = expect_manifest(&document) {
            seen.error = Some(error);
            break;
        }
        for workload in find(&document.value, extra) {
            let Some(subject) = Subject::new(&document.value, &workload, context, options, &inject) else {
                continue;
            };
            seen.pods += 1;
            for rule in RULES {
                for found in (rule.look)(&subject) {
                    let place = lines.place(document.tree.as_ref(), document.line, &found.spot);
                    let ignored = ignores.as_ref().is_some_and(|ignores| {
                        ignores.cover(rule.slug, place.line, &blocks(&document, &subject, &found, &mut lines))
                    });
                    if ignored {
                        seen.ignored += 1;
                        continue;
                    }
                    let Found { severity, container, message, mend, .. } = found;
                    seen.findings.push(Finding {
                        rule,
                        severity,
                        file: file.to_owned(),
                        place,
                        object: one_line(&workload.title()),
                        container: one_line(&container),
                        message: one_line(&message),
                        mend: mend.lines().map(one_line).collect::<Vec<_>>().join("\n"),
                    });
                }
            }
        }
    }
    seen.findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
    seen
}

/// What a rule has found in an object that is no text: a pod of the API server's.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    /// The rule's name.
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) mend: String,
}

/// Looks at such an object. `inject`: the command line that puts lastout into what it was made from.
#[must_use]
pub(crate) fn findings(root: &Value, context: Context<'_>, options: &Options, inject: &str) -> Vec<Loose> {
    let mut all = Vec::new();
    for workload in find(root, &[]) {
        let Some(subject) = Subject::new(root, &workload, context, options, inject) else { continue };
        for rule in RULES {
            all.extend((rule.look)(&subject).into_iter().map(|found| Loose {
                rule: rule.slug,
                severity: found.severity,
                message: one_line(&found.message),
                mend: found.mend,
            }));
        }
    }
    all
}

/// The lines above which a comment covers the finding: those of its container, of the object and of the document.
fn blocks(document: &Document, subject: &Subject<'_>, found: &Found, lines: &mut Lines<'_>) -> Vec<usize> {
    let tree = document.tree.as_ref();
    let mut blocks: Vec<usize> = [found.container_path(), Some(&subject.workload.object)]
        .into_iter()
        .flatten()
        .map(|path| lines.place(tree, document.line, &Spot::value(path.clone())).line)
        .collect();
    blocks.push(lines.first_content(document.line));
    blocks
}

/// As a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
