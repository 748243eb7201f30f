//! Changes carried out on the text of a document: nothing but their own lines changes.
//!
//! ```text
//! changes ─ plan: as many as one parse can bear
//! change ─ work: which node, which kind ─► block │ flow │ carry ─► splices ─► text, parsed again for the rest
//!                                           │      └ write: values as text
//!                                           └ page: lines, dashes, comments, where a part ends
//! ```
//! What comes out is read again and compared with what `change::apply` makes of the value. So a place that the rules here
//! do not know can make an edit fail, and cannot make it wrong.

mod block;
mod carry;
mod flow;
mod page;
mod plan;
mod splice;
mod work;
mod write;

use super::agree::same;
use super::documents::{has_value, read};
use super::{BOM, Document, Tree};
use crate::change::{Change, Path};
use page::Page;
use plan::Plan;
use splice::splice;
use std::fmt;

pub use write::render;

/// Changes to one object of a document.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The way from the document's root to the object.
    pub at: Path,
    /// The changes, relative to it.
    pub changes: Vec<Change>,
}

/// Why a text is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line of the file, from 1.
    pub line: usize,
    /// In words.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Refused {}

/// What has to stand in the file in the place of `document.span`. Of edits whose objects are parts of each other, the first
/// one is carried out first.
///
/// # Errors
/// When the document cannot be changed without harm to what is written around the change.
pub fn edit(text: &str, document: Document, edits: &[Edit]) -> Result<String, Refused> {
    // Its value and its tree are many times the text: there is never more than one of each beside what is read again.
    let Document { span, line, json, mut value, tree } = document;
    let whole = text.get(..span.end).unwrap_or_default();
    let source = text.get(span.clone()).unwrap_or_default();
    let (bom, source) = source.strip_prefix(BOM).map_or(("", source), |rest| (BOM, rest));
    let first_line = source.split_inclusive('\n').next().unwrap_or_default();
    let line_end = if first_line.ends_with("\r\n") { "\r\n" } else { "\n" };
    // So that each line has an end; it is taken away again.
    let added_end = if source.ends_with('\n') { "" } else { line_end };
    let mut plan = Plan::new(edits);
    let read_before = tree.filter(|_| bom.is_empty() && added_end.is_empty());
    let mut is_changed = read_before.is_some();
    let mut draft = match read_before {
        Some(tree) => {
            let page = Page { text: whole, tree: &tree, line_end, json };
            let splices = plan.round(&page, &mut value).map_err(|wrong| {
                refused(line, whole.get(span.start..wrong.at).unwrap_or_default(), wrong.why)
            })?;
            splice(whole, span.start, splices)
        }
        None => format!("{source}{added_end}"),
    };
    while !plan.is_done() {
        let whose = if is_changed { "the change would leave no YAML" } else { "it is no YAML" };
        is_changed = true;
        let read = if json { Tree::parse_json } else { Tree::parse };
        let tree = read(&draft, 0, line)
            .map_err(|error| Refused { line: error.line, why: format!("{whose}: {}", error.what) })?
            .ok_or_else(|| refused(line, "", "there is nothing in it".to_owned()))?;
        let page = Page { text: &draft, tree: &tree, line_end, json };
        let splices = plan
            .round(&page, &mut value)
            .map_err(|wrong| refused(line, draft.get(..wrong.at).unwrap_or_default(), wrong.why))?;
        draft = splice(&draft, 0, splices);
    }
    let result = format!("{bom}{}", draft.strip_suffix(added_end).unwrap_or(&draft));
    let differs =
        |line, why: String| Refused { line, why: format!("the change cannot be written here: {why}") };
    drop(draft);
    let is_same = has_value(&result, line, json, &value).map_err(|error| differs(error.line, error.what))?;
    // At the start of a file, what begins with a brace is tried as JSON, and what stands below as another document.
    let is_one = json || !result.trim_start().starts_with('{') || {
        let (documents, error) = read(&result);
        error.is_none() && matches!(documents.as_slice(), [document] if same(&document.value, &value))
    };
    let fault = if result.split('\n').any(|line| line.starts_with("---")) {
        "a line of it would begin with ---, and end the document"
    } else if !is_same {
        "it would have changed something else, too"
    } else if !is_one {
        "what stands below would be another document"
    } else {
        return Ok(result);
    };
    Err(differs(line, fault.to_owned()))
}

fn refused(line: usize, above: &str, why: String) -> Refused {
    Refused { line: line + above.matches('\n').count(), why }
}
