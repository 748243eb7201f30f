//! What an API server is answered. It is allowed, always: whoever wants pods refused has policies for that.

use super::admission::Admission;
use super::review::{KIND, VERSION};
use crate::allocator::LARGEST;
use crate::output::one_line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// A longer warning may be cut by the API server, at any byte (`staging/src/k8s.io/api/admission/v1/types.go`).
const LONGEST: usize = 256;
/// All of them together: 4096 bytes, as the same comment has it.
const MOST: usize = 4096 / LONGEST;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    audit_annotations: Said<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
}

/// The API server puts the webhook's name in front of the keys.
#[derive(Serialize)]
struct Said<'a> {
    decision: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

/// The body of the answer.
pub(super) fn body(uid: &str, admission: &Admission) -> Vec<u8> {
    let patch = admission.patch.as_ref().and_then(|patch| serde_json::to_vec(patch).ok());
    let patch = patch.map(|patch| STANDARD.encode(patch));
    // Room for all but the patch, mostly.
    let mut body = Vec::with_capacity(LARGEST + patch.as_ref().map_or(0, String::len));
    let answer = Answer {
        api_version: VERSION,
        kind: KIND,
        response: Response {
            uid,
            allowed: true,
            audit_annotations: Said {
                decision: admission.word(),
                reason: admission.reason.slug(),
                about: (!admission.about.is_empty()).then(|| shortened(&admission.about)),
            },
            warnings: admission.warnings.iter().take(MOST).map(|text| shortened(text)).collect(),
            patch_type: patch.is_some().then_some("JSONPatch"),
            patch,
        },
    };
    // All of it is text, and a vector takes what is written to it.
    let _ = serde_json::to_writer(&mut body, &answer);
    body
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
