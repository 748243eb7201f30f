//! A unified diff in time by the length of the texts.
//!
//! The usual algorithm (Myers) takes time by length times differences: 31 s for two thousand Jobs that all change. Here it is
//! asked only about what stands between two runs of equal lines, which the changes of manifests keep short. A deadline
//! for it was rejected, as the result would depend on the machine.

use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};
use std::collections::HashMap;
use std::fmt::Write as _;

/// So many equal lines are one place of both texts.
const RUN: usize = 8;

/// So many lines further on, at most, such a place is looked for.
const REACH: usize = 1_000;

/// Lines of context.
const CONTEXT: usize = 3;

/// Nothing for equal texts.
pub(super) fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (before, after) = (lines(before), lines(after));
    let mut diff = format!("--- a/{name}\n+++ b/{name}\n");
    for hunk in group_diff_ops(operations(&before, &after), CONTEXT) {
        let _ = writeln!(diff, "{}", UnifiedHunkHeader::new(&hunk));
        for operation in hunk {
            let (old, new) = (operation.old_range(), operation.new_range());
            if let DiffOp::Equal { .. } = operation {
                put(&mut diff, ' ', before.get(old));
            } else {
                put(&mut diff, '-', before.get(old));
                put(&mut diff, '+', after.get(new));
            }
        }
    }
    diff
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn put(diff: &mut String, sign: char, lines: Option<&[&str]>) {
    for line in lines.unwrap_or_default() {
        diff.push(sign);
        diff.push_str(line);
        if !line.ends_with('\n') {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    }
}

fn operations(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let mut known = HashMap::new();
    let (before, after) = (numbered(before, &mut known), numbered(after, &mut known));
    let mut operations = Vec::new();
    let (mut old, mut new) = (before.as_slice(), after.as_slice());
    let (mut old_at, mut new_at) = (0, 0);
    loop {
        let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        push(&mut operations, DiffOp::Equal { old_index: old_at, new_index: new_at, len: same });
        (old, new) = (rest(old, same), rest(new, same));
        (old_at, new_at) = (old_at + same, new_at + same);
        if old.is_empty() && new.is_empty() {
            return operations;
        }
        let (gone, come) = gap(old, new);
        let (from, to) = (old.get(..gone).unwrap_or_default(), new.get(..come).unwrap_or_default());
        for operation in capture_diff_slices(Algorithm::Myers, from, to) {
            push(&mut operations, moved(operation, old_at, new_at));
        }
        (old, new) = (rest(old, gone), rest(new, come));
        (old_at, new_at) = (old_at + gone, new_at + come);
    }
}

/// Numbers are compared faster than lines.
fn numbered<'a>(lines: &[&'a str], known: &mut HashMap<&'a str, usize>) -> Vec<usize> {
    let mut number = |line: &&'a str| {
        let next = known.len();
        *known.entry(line).or_insert(next)
    };
    lines.iter().map(&mut number).collect()
}

fn rest(lines: &[usize], from: usize) -> &[usize] {
    lines.get(from..).unwrap_or_default()
}

/// How many lines of each come before the nearest place of both.
fn gap(old: &[usize], new: &[usize]) -> (usize, usize) {
    let agree = |gone: usize, come: usize| {
        let (old, new) = (rest(old, gone), rest(new, come));
        let run = old.iter().zip(new).take(RUN).take_while(|(old, new)| old == new).count();
        // At the end of both, as many as there are.
        run == RUN || (run == old.len() && run == new.len())
    };
    let candidates = |distance: usize| {
        let first = distance.saturating_sub(new.len());
        (first..=distance.min(old.len())).map(move |gone| (gone, distance - gone))
    };
    let most = REACH.min(old.len() + new.len());
    let place = (1..=most).flat_map(candidates).find(|(gone, come)| agree(*gone, *come));
    place.unwrap_or_else(|| (old.len().min(REACH), new.len().min(REACH)))
}

fn moved(operation: DiffOp, old_by: usize, new_by: usize) -> DiffOp {
    let (old_index, new_index) = (operation.old_range().start + old_by, operation.new_range().start + new_by);
    let (old_len, new_len) = (operation.old_range().len(), operation.new_range().len());
    match operation {
        DiffOp::Equal { len, .. } => DiffOp::Equal { old_index, new_index, len },
        DiffOp::Delete { .. } => DiffOp::Delete { old_index, old_len, new_index },
        DiffOp::Insert { .. } => DiffOp::Insert { old_index, new_index, new_len },
        DiffOp::Replace { .. } => DiffOp::Replace { old_index, old_len, new_index, new_len },
    }
}

/// Runs of equal lines are whole, as what cuts a diff into hunks goes by their lengths.
fn push(operations: &mut Vec<DiffOp>, operation: DiffOp) {
    match (operations.last_mut(), operation) {
        (_, DiffOp::Equal { len: 0, .. }) => {}
        (Some(DiffOp::Equal { len, .. }), DiffOp::Equal { len: more, .. }) => *len += more,
        (_, operation) => operations.push(operation),
    }
}

#[cfg(test)]
mod tests {
    use super::unified;
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    fn by_myers(before: &str, after: &str) -> String {
        let diff = similar::TextDiff::from_lines(before, after);
        diff.unified_diff().header("a/f", "b/f").to_string()
    }

    #[test]
    fn it_is_the_diff_that_myers_makes() {
        let lines = |range: std::ops::Range<u32>| range.map(|line| format!("{line}\n")).collect::<String>();
        let before = lines(0..60);
        for after in [
            before.replace("30\n", "30\nnew\nnewer\n"),
            before.replace("30\n31\n32\n", "32\n"),
            before.replace("\n5\n", "\nfive\n").replace("\n8\n", "\n").replace("\n50\n", "\n50\n50.5\n"),
            before.replace("\n59\n", "\n59"),
            before.trim_end().to_owned(),
            format!("first\n{before}last"),
            lines(20..60) + &lines(0..20),
            lines(100..130),
            String::new(),
        ] {
            assert_eq!(unified("f", &before, &after), by_myers(&before, &after));
            assert_eq!(unified("f", &after, &before), by_myers(&after, &before));
        }
        assert_eq!(unified("f", &before, &before), "");
    }

    #[test]
    fn ten_thousand_changed_documents_take_time_by_their_length() {
        let (mut before, mut after, mut hunks) = (String::new(), String::new(), 0);
        for _ in 0..10_000 {
            let (head, tail) =
                ("kind: Job\nspec:\n  a: 1\n  b: 2\n  c: 3\n", "  d: 4\n  e: 5\n  f: 6\n---\n");
            let _ = write!(before, "{head}  containers:\n{tail}");
            let _ = write!(after, "{head}{}  containers:\n{tail}", "  new: line\n".repeat(30));
            hunks += 1;
        }
        let began = Instant::now();
        let diff = unified("f", &before, &after);
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        let added = diff.lines().filter(|line| line.starts_with('+')).count();
        let taken = diff.lines().filter(|line| line.starts_with('-')).count();
        assert_eq!((added, taken, diff.matches("\n@@ ").count()), (1 + 30 * hunks, 1, hunks));
    }
}
