//! For people: a line for each pod, then what is behind it.

use super::{Row, Scan};
use crate::cluster::hang::Standing;
use crate::output::one_line;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEAD: [&str; 7] = ["NAMESPACE", "POD", "STANDING", "SINCE", "CONTAINERS", "REASON", "MEND"];

/// The table, and below it each trouble in words. Pods that have the same, and the same way out, are told of once.
pub(crate) fn write(scan: &Scan, now: i64) -> String {
    if scan.rows.is_empty() {
        return String::new();
    }
    let mut lines: Vec<[String; 7]> = vec![HEAD.map(str::to_owned)];
    lines.extend(scan.rows.iter().map(|row| line(row, now)));
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let mut whole = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(whole, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", whole.trim_end());
    }
    for (Group { message, prevent, .. }, rows) in grouped(&scan.rows) {
        let Some(first) = rows.first() else { continue };
        let others = match rows.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let _ = write!(text, "\npod/{}{others}: {message}\n", one_line(&first.pod));
        let deadline =
            rows.iter().filter(|row| row.trouble.standing.is_a_hang()).filter_map(|row| row.deadline).min();
        if let Some(deadline) = deadline {
            let left = age(now, deadline);
            let _ = match rows.len() {
                1 => writeln!(text, "  its Job's activeDeadlineSeconds ends it in {left}"),
                _ => writeln!(
                    text,
                    "  the first of their Jobs is ended by its activeDeadlineSeconds in {left}"
                ),
            };
        }
        for (at, line) in prevent.iter().flat_map(|prevent| prevent.lines()).enumerate() {
            let begin = if at == 0 { "next time: " } else { "           " };
            let _ = writeln!(text, "  {begin}{}", one_line(line));
        }
    }
    text
}

/// The last line, for stderr.
pub(crate) fn summary(scan: &Scan) -> String {
    let count = |standing: Standing| scan.rows.iter().filter(|row| row.trouble.standing == standing).count();
    let counts: Vec<String> = Standing::ALL
        .into_iter()
        .map(|standing| (count(standing), standing))
        .filter(|(count, _)| *count > 0)
        .map(|(count, standing)| format!("{}: {count}", standing.slug()))
        .collect();
    let counts = if counts.is_empty() { "nothing hangs".to_owned() } else { counts.join(", ") };
    format!("{counts}; pods looked at: {}", scan.pods)
}

/// What pods have in common that are told of once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    standing: Standing,
    message: String,
    prevent: Option<String>,
}

fn grouped(rows: &[Row]) -> BTreeMap<Group, Vec<&Row>> {
    let mut groups: BTreeMap<Group, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key = Group {
            standing: row.trouble.standing,
            message: one_line(&row.trouble.message),
            prevent: row.prevent(),
        };
        groups.entry(key).or_default().push(row);
    }
    groups
}

fn line(row: &Row, now: i64) -> [String; 7] {
    let trouble = &row.trouble;
    let since = trouble.since.map_or_else(|| "-".to_owned(), |since| age(since, now));
    let mend = row.mend();
    [
        row.namespace.clone(),
        row.pod.clone(),
        trouble.standing.slug().to_owned(),
        since,
        trouble.containers.join(","),
        trouble.why.slug().to_owned(),
        mend,
    ]
    .map(|cell| one_line(&cell))
}

/// `4m`, as kubectl shows ages.
fn age(from: i64, to: i64) -> String {
    let seconds = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
