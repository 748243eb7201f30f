//! What is wrong with a text in libyaml's words, without a second place, and the way out of the faults that users make.

use libyaml_safer::Error as Fault;

/// What is wrong. `line_of` has a line of the document, from 0.
pub(super) fn words<'a>(fault: &Fault, line_of: impl Fn(usize) -> &'a str) -> String {
    let said = fault.to_string();
    let said = said.lines().next().unwrap_or_default();
    let said = said.split_once(" error: ").map_or(said, |(_, rest)| rest);
    let line = |mark: libyaml_safer::Mark| line_of(usize::try_from(mark.line).unwrap_or(usize::MAX));
    let Some(mark) = fault.problem_mark() else { return said.to_owned() };
    let said = said.strip_prefix(&format!("{mark}: ")).unwrap_or(said);
    let context = fault.context_mark();
    let said = context.and_then(|context| said.strip_suffix(&format!(" ({context})"))).unwrap_or(said);
    let column = mark.column + 1;
    let lines = [line(mark), context.map_or("", line)];
    let way_out = template(&lines).or_else(|| way_out(said, lines[0], usize::try_from(mark.column).ok()?));
    format!("column {column}: {said}{}", way_out.unwrap_or_default())
}

/// The way out where one of these lines is what only a template has.
pub(super) fn template(lines: &[&str]) -> Option<&'static str> {
    lines.iter().any(|line| line.contains("{{")).then_some(
        ": `{{` makes this a template: render it first (`helm template`), or put the text in quotes",
    )
}

fn way_out(said: &str, line: &str, column: usize) -> Option<&'static str> {
    let at_fault = line.chars().nth(column);
    let has = |words: &str| said.contains(words);
    if has("cannot start any token") {
        return match at_fault? {
            '\t' => Some(": indent with spaces, not with tabs"),
            '@' | '`' | '%' => Some(": put the text in quotes"),
            _ => None,
        };
    }
    if has("mapping values are not allowed") {
        return Some(": put a text with `: ` in quotes, or mend the indentation");
    }
    let is_directive = has("<document start>") || has("directive");
    is_directive.then_some(": take out lines that begin with `%`: kubectl reads no directives")
}
