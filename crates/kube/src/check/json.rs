//! For programs: one object.

use super::Finding;
use super::summary::Summary;
use serde_json::{Value, json};

pub(super) fn write(findings: &[Finding], summary: &Summary) -> String {
    let findings: Vec<Value> = findings.iter().map(one).collect();
    let whole = json!({
        "findings": findings,
        "summary": {
            "files": summary.files,
            "pods": summary.pods,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "ignored": summary.ignored,
            "unreadable": summary.unreadable,
        },
    });
    format!("{whole:#}\n")
}

fn one(finding: &Finding) -> Value {
    let place = &finding.place;
    json!({
        "rule": finding.rule.slug,
        "severity": finding.severity.to_string(),
        "file": finding.file,
        "line": place.line,
        "column": place.column,
        "endColumn": place.column + place.width,
        "object": finding.object,
        "container": finding.container,
        "message": finding.message,
        "mend": finding.mend,
    })
}
