//! SPECs that come to a policy as text, in an annotation or in its parameters. CEL cannot read the grammar of SPECs, but a
//! regular expression takes a part of it all of which is valid and ends the sidecar; a pod with any other is left alone.

use super::literal;
use crate::decide::BETWEEN_SPECS;
use lastout_core::presets::PRESETS;

/// The SPECs of a text.
pub(super) fn split(said: &str) -> String {
    format!("{}.filter(s, s != '')", literal::split(&format!("({said})"), &BETWEEN_SPECS))
}

/// The name of a row, one with a `port` if it has a quit request, or `NAME:quit=http://127.0.0.1:PORT/PATH`, or
/// `NAME:process=NAME`.
pub(super) fn plain() -> String {
    const PORT: &str = "([1-9][0-9]{0,3}|[1-5][0-9]{4})";
    let rows = PRESETS.iter().map(|row| row.name).collect::<Vec<_>>().join("|");
    let asked =
        PRESETS.iter().filter(|row| row.quit.is_some()).map(|row| row.name).collect::<Vec<_>>().join("|");
    let quit = format!("quit=http://(127[.]0[.]0[.]1|localhost):{PORT}/[A-Za-z0-9._~/-]*");
    format!(
        "^({rows}|({asked}):port={PORT}|[a-z0-9][a-z0-9-]*:({quit}|process=[A-Za-z0-9][A-Za-z0-9_-]{{0,14}}))$"
    )
}

#[cfg(test)]
mod tests {
    use crate::decide::{Listed, is_ended};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_plain_is_a_spec_whose_name_stands_before_its_colon(
            spec in proptest::string::string_regex(super::plain().trim_matches(['^', '$'])).unwrap()
        ) {
            let listed = Listed::read(&spec).unwrap();
            prop_assert_eq!(Some(listed.spec.name.as_str()), spec.split(':').next());
            prop_assert!(is_ended(&listed.spec) || !spec.contains(':'));
        }
    }
}
