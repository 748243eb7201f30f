//! For people: the place, the line of the file, a caret, and the mend.

use super::Finding;
use crate::output::one_line;
use std::fmt::Write as _;

pub(crate) fn write(finding: &Finding) -> String {
    let place = &finding.place;
    let mut text = format!(
        "{}:{}:{}: {}[{}]: {}: {}\n",
        one_line(&finding.file),
        place.line,
        place.column,
        finding.severity,
        finding.rule.slug,
        finding.object,
        finding.message
    );
    let width = place.line.to_string().len();
    let line = shown(&place.excerpt);
    // A tab stays one, so that the caret stands below what it is about.
    let indent: String =
        place.excerpt.chars().take(place.offset).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let room = place.excerpt.chars().count().saturating_sub(place.offset).max(1);
    let carets = "^".repeat(place.width.min(room));
    let _ = writeln!(text, " {} | {line}\n {:width$} | {indent}{carets}", place.line, "");
    for (at, line) in finding.mend.lines().enumerate() {
        let begin = if at == 0 { "mend: " } else { "      " };
        let _ = writeln!(text, " {:width$} {begin}{line}", "");
    }
    text
}

/// A terminal obeys what is in a file, if it is let to.
fn shown(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}
