//! `# lastout: ignore=RULE[,RULE]`: in a comment on the line of the finding, on a line of its own above it, or in the
//! comments above the container, the object or the document.

use super::rules::RULES;
use std::collections::{HashMap, HashSet};

const MARK: &str = "lastout:";

/// What the comments of a file ask for.
pub(super) struct Ignores {
    /// The rules that a line names, by line from 1.
    rules: HashMap<usize, Vec<String>>,
    /// The lines that hold nothing but a comment.
    comments: HashSet<usize>,
    /// The lines of comments that name no rule.
    nameless: Vec<usize>,
}

impl Ignores {
    /// `None`: there is no such comment, as in most files.
    pub(super) fn read(text: &str) -> Option<Self> {
        if !text.contains(MARK) {
            return None;
        }
        let mut ignores = Self { rules: HashMap::new(), comments: HashSet::new(), nameless: Vec::new() };
        for (line, content) in (1..).zip(text.lines()) {
            if content.trim_start().starts_with('#') {
                ignores.comments.insert(line);
            }
            if let Some((before, said)) = content.split_once(MARK)
                && is_comment(before)
                && let Some(said) = said.trim_start().strip_prefix("ignore")
                && !said.starts_with(|c: char| c.is_alphanumeric() || c == '-')
            {
                match said.trim_start().strip_prefix('=').map(names) {
                    Some(names) if !names.is_empty() => drop(ignores.rules.insert(line, names)),
                    _ => ignores.nameless.push(line),
                }
            }
        }
        Some(ignores)
    }

    /// A comment asks to leave this rule out here. `blocks`: the lines whose comments above count as well.
    pub(super) fn cover(&self, rule: &str, line: usize, blocks: &[usize]) -> bool {
        self.names(line, rule) || [line].iter().chain(blocks).any(|line| self.is_in_block_above(rule, *line))
    }

    fn names(&self, line: usize, rule: &str) -> bool {
        self.rules.get(&line).is_some_and(|rules| rules.iter().any(|named| named == rule))
    }

    fn is_in_block_above(&self, rule: &str, line: usize) -> bool {
        (1..line).rev().take_while(|above| self.comments.contains(above)).any(|above| self.names(above, rule))
    }

    /// Rules that do not exist: a typo would be silent.
    pub(super) fn unknown(&self) -> Vec<(usize, String)> {
        let is_known = |named: &str| RULES.iter().any(|rule| rule.slug == named);
        let mut unknown: Vec<(usize, String)> = self
            .rules
            .iter()
            .flat_map(|(line, rules)| rules.iter().map(|rule| (*line, rule)))
            .filter(|(_, rule)| !is_known(rule))
            .map(|(line, rule)| (line, format!("ignore={rule}: there is no such rule")))
            .collect();
        let nameless = "this comment names no rule: write # lastout: ignore=RULE";
        unknown.extend(self.nameless.iter().map(|line| (*line, nameless.to_owned())));
        unknown.sort_unstable();
        unknown
    }
}

/// `RULE, RULE reason`: the reason begins at the first blank that is not beside a comma.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    for item in list.split(',') {
        let mut words = item.split_ascii_whitespace();
        names.extend(words.next().map(str::to_owned));
        if words.next().is_some() {
            break;
        }
    }
    names
}

/// What stands before it in its line begins a comment.
fn is_comment(before: &str) -> bool {
    before.rfind('#').is_some_and(|at| {
        let (left, behind) = before.split_at(at);
        behind.trim_start_matches('#').trim().is_empty() && (left.is_empty() || left.ends_with([' ', '\t']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_do_not_count() {
        let ignores = |text: &str| Ignores::read(text).unwrap();
        for text in [
            "#lastout:ignore=hangs,grace",
            "# lastout: ignore = hangs, grace why not, group",
            "#  lastout:  ignore= hangs ,grace",
        ] {
            let ignores = ignores(text);
            assert!(ignores.cover("hangs", 1, &[]) && ignores.cover("grace", 1, &[]), "{text}");
            assert!(!ignores.cover("group", 1, &[]) && ignores.unknown().is_empty(), "{text}");
        }
        for nameless in ["# lastout: ignore hangs", "# lastout: ignore=", "# lastout: ignore: hangs"] {
            assert_eq!(ignores(nameless).unknown().len(), 1, "{nameless}");
        }
        assert!(ignores("# lastout: ignored by the operator").unknown().is_empty());
    }

    #[test]
    fn on_the_line_above_it_and_above_its_container() {
        let text = "a: 1 # lastout: ignore=hangs\n# why\n# lastout: ignore=grace,group because\nb: 1\nc: 1\nd: '# lastout: ignore=hangs'\n";
        let ignores = Ignores::read(text).unwrap();
        assert!(ignores.cover("hangs", 1, &[]));
        assert!(!ignores.cover("hangs", 2, &[]), "it is about another line");
        assert!(ignores.cover("group", 4, &[]));
        assert!(!ignores.cover("hangs", 4, &[]) && !ignores.cover("group", 5, &[]));
        assert!(ignores.cover("grace", 6, &[4]));
        assert!(!ignores.cover("hangs", 6, &[]), "no comment");
        assert!(ignores.unknown().is_empty());
        assert_eq!(Ignores::read("# lastout: ignore=hang\n").unwrap().unknown().len(), 1);
        assert!(Ignores::read("a: 1\n").is_none());
    }
}
