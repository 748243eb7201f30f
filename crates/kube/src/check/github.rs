//! For GitHub Actions: workflow commands, which become annotations of the pull request.

use super::Finding;

pub(crate) fn write(finding: &Finding) -> String {
    let place = &finding.place;
    let title = format!("{}: {}", finding.rule.slug, finding.object);
    let mut message = finding.message.clone();
    if !finding.mend.is_empty() {
        message.push_str("\nmend: ");
        message.push_str(&finding.mend);
    }
    format!(
        "::{} file={},line={},col={},endColumn={},title={}::{}\n",
        finding.severity,
        property(&finding.file),
        place.line,
        place.column,
        place.column + place.width,
        property(&title),
        data(&message)
    )
}

/// The runner undoes these; a line feed would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_property_or_the_command_is_escaped() {
        assert_eq!(property("a:b,c%d\ne"), "a%3Ab%2Cc%25d%0Ae");
        assert_eq!(data("a:b,c\r\n%0A"), "a:b,c%0D%0A%250A");
    }
}
