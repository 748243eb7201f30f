//! Texts that differ in a few lines, as one template: what is not in all of them is inside of `if`.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeSet;

/// A line, and which of the texts it is in.
type Line = (String, BTreeSet<usize>);

/// What distinguishes the texts: each is one of `certificates` and one of `namespaces`, the latter counting faster.
pub struct Variants {
    /// A value's name in the chart, and what it may be.
    pub questions: Vec<(&'static str, Vec<&'static str>)>,
}

impl Variants {
    /// What is answered in the text of this number.
    pub fn answers(&self, number: usize) -> Vec<&'static str> {
        let mut rest = number;
        let mut found: Vec<_> = self
            .questions
            .iter()
            .rev()
            .map(|(_, values)| {
                let value = values[rest % values.len()];
                rest /= values.len();
                value
            })
            .collect();
        found.reverse();
        found
    }

    pub fn count(&self) -> usize {
        self.questions.iter().map(|(_, values)| values.len()).product()
    }

    /// One template of them all. A text that is empty is an object that is not there.
    pub fn merged(&self, texts: &[String]) -> String {
        let mut lines: Vec<Line> = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            lines = joined(lines, &text.lines().collect::<Vec<_>>(), number);
        }
        let mut text = String::new();
        for group in lines.chunk_by(|one, other| one.1 == other.1) {
            let body: String = group.iter().map(|(line, _)| format!("{line}\n")).collect();
            if group[0].1.len() == self.count() {
                text.push_str(&body);
            } else {
                text.push_str(&format!(
                    "{{{{- if {} }}}}\n{body}{{{{- end }}}}\n",
                    self.condition(&group[0].1)
                ));
            }
        }
        text
    }

    /// When a line is there. What is there for some answers of one question only by some of another's is not foreseen.
    fn condition(&self, texts: &BTreeSet<usize>) -> String {
        let mut said = Vec::new();
        let mut expected = 1;
        for (at, (name, values)) in self.questions.iter().enumerate() {
            let with: Vec<_> = values
                .iter()
                .filter(|value| texts.iter().any(|text| self.answers(*text)[at] == **value))
                .collect();
            expected *= with.len();
            if with.len() < values.len() {
                let words: Vec<_> = with.iter().map(|value| format!("{value:?}")).collect();
                said.push(format!("eq .Values.{name} {}", words.join(" ")));
            }
        }
        assert_eq!(expected, texts.len(), "no product: {texts:?}");
        match &said[..] {
            [one] => one.clone(),
            all => format!("and {}", all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" ")),
        }
    }
}

fn joined(lines: Vec<Line>, new: &[&str], number: usize) -> Vec<Line> {
    let old: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
    let mut found = Vec::new();
    let alone = |range: &[&str]| {
        range.iter().map(|line| ((*line).to_owned(), BTreeSet::from([number]))).collect::<Vec<_>>()
    };
    for change in capture_diff_slices(Algorithm::Myers, &old, new) {
        match change {
            DiffOp::Equal { old_index, len, .. } => {
                found.extend(lines[old_index..old_index + len].iter().cloned().map(|(line, mut texts)| {
                    texts.insert(number);
                    (line, texts)
                }))
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                found.extend_from_slice(&lines[old_index..old_index + old_len])
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                found.extend(alone(&new[new_index..new_index + new_len]))
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                found.extend_from_slice(&lines[old_index..old_index + old_len]);
                found.extend(alone(&new[new_index..new_index + new_len]));
            }
        }
    }
    found
}
