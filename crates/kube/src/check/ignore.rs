//! `# lastout: ignore=RULE[,RULE]`: in a comment on the line of the finding, on a line of its own above it, or in the
//! comments above the container, the object or the document.

use super::rules::RULES;
use std::collections::{HashMap, HashSet};

const MARK: &str = "lastout: ignore=";

/// What the comments of a file ask for.
pub(super) struct Ignores {
    /// The rules that a line names, by line from 1.
    rules: HashMap<usize, Vec<String>>,
    /// The lines that hold nothing but a comment.
    comments: HashSet<usize>,
}

impl Ignores {
    /// `None`: there is no such comment, as in most files.
    pub(super) fn read(text: &str) -> Option<Self> {
        if !text.contains(MARK) {
            return None;
        }
        let mut ignores = Self { rules: HashMap::new(), comments: HashSet::new() };
        for (line, content) in (1..).zip(text.lines()) {
            if content.trim_start().starts_with('#') {
                ignores.comments.insert(line);
            }
            if let Some((before, list)) = content.split_once(MARK)
                && is_comment(before)
            {
                let list = list.split_ascii_whitespace().next().unwrap_or_default();
                ignores.rules.insert(line, list.split(',').map(str::to_owned).collect());
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
        unknown.sort_unstable();
        unknown
    }
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
