//! For review pages: SARIF 2.1.0 (OASIS), as code scanning services take it.

use super::summary::Summary;
use super::{Finding, RULES, Rule, Severity};
use serde_json::{Value, json};

/// Where people read more of a rule.
const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/check.md");

pub(super) fn write(findings: &[Finding], summary: &Summary) -> String {
    let rules: Vec<Value> = RULES.iter().map(rule).collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    let whole = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kubectl-lastout",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "invocations": [{ "executionSuccessful": summary.unreadable == 0 }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{whole:#}\n")
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.slug,
        "shortDescription": { "text": rule.summary },
        "helpUri": format!("{PAGE}#{}", rule.slug),
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    let text = match finding.mend.as_str() {
        "" => finding.message.clone(),
        mend => format!("{}\nmend: {mend}", finding.message),
    };
    let name = match finding.container.as_str() {
        "" => finding.object.clone(),
        container => format!("{}/{container}", finding.object),
    };
    json!({
        "ruleId": finding.rule.slug,
        "ruleIndex": RULES.iter().position(|rule| rule.slug == finding.rule.slug).unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&finding.file) },
                "region": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endColumn": place.column + place.width,
                },
            },
            "logicalLocations": [{ "fullyQualifiedName": name, "kind": "resource" }],
        }],
    })
}

/// A relative reference, as services want it that look the file up in a repository; a whole path is a `file:` one.
fn uri(file: &str) -> String {
    let relative = file.trim_start_matches("./");
    let scheme = if relative.starts_with('/') { "file://" } else { "" };
    let mut uri = String::from(scheme);
    for byte in relative.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_file_becomes_a_reference() {
        assert_eq!(uri("./deploy/a b#1.yaml"), "deploy/a%20b%231.yaml");
        assert_eq!(uri("c:é.yaml"), "c%3A%C3%A9.yaml");
        assert_eq!(uri("/srv/a.yaml"), "file:///srv/a.yaml");
    }
}
