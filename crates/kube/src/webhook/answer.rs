//! What an API server is answered. It is allowed, always: whoever wants pods refused has policies for that.

use super::admission::Admission;
use super::review::{KIND, VERSION};
use crate::output::one_line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A longer warning may be cut by the API server, at any byte (`staging/src/k8s.io/api/admission/v1/types.go`).
const LONGEST: usize = 256;
/// All of them together: 4096 bytes, as the same comment has it.
const MOST: usize = 4096 / LONGEST;

/// The body of the answer.
pub(super) fn body(uid: &str, admission: &Admission) -> Vec<u8> {
    // The API server puts the webhook's name in front of the keys.
    let about = (!admission.about.is_empty()).then(|| ("about", shortened(&admission.about).into()));
    let said = [("decision", admission.word().into()), ("reason", admission.reason.slug().into())];
    let warnings: Vec<Value> =
        admission.warnings.iter().take(MOST).map(|text| shortened(text).into()).collect();
    let members = [
        ("uid", uid.into()),
        ("allowed", true.into()),
        ("auditAnnotations", mapping(said.into_iter().chain(about))),
    ];
    let warnings = (!warnings.is_empty()).then(|| ("warnings", warnings.into()));
    let response = mapping(members.into_iter().chain(warnings));
    let mut body = format!(r#"{{"apiVersion":"{VERSION}","kind":"{KIND}","response":{response}"#);
    // By far the longest member is written once, and not escaped: base64 has nothing to escape.
    if let Some(patch) = admission.patch.as_ref().and_then(|patch| serde_json::to_vec(patch).ok()) {
        body.pop();
        body.push_str(r#","patchType":"JSONPatch","patch":""#);
        STANDARD.encode_string(patch, &mut body);
        body.push_str("\"}");
    }
    body.push('}');
    body.into_bytes()
}

fn mapping(members: impl Iterator<Item = (&'static str, Value)>) -> Value {
    members.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whole characters, and no control characters: warnings travel in HTTP headers.
fn shortened(text: &str) -> String {
    const CUT: &str = "…";
    let mut line = one_line(text);
    if line.len() > LONGEST {
        let end = (0..=LONGEST - CUT.len()).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        line.truncate(end);
        line.push_str(CUT);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_cut_between_two_characters() {
        let short = "ü".repeat(128);
        assert_eq!(shortened(&short), short);
        let cut = shortened(&format!("x{short}"));
        assert_eq!(cut.len(), 1 + 2 * 126 + 3);
        assert!(cut.ends_with("ü…"));
        assert_eq!(shortened("a\nb\u{1b}[0m"), "a\u{fffd}b\u{fffd}[0m");
    }
}
