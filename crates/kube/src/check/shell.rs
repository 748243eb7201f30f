//! A shell's script as words, operators and commands (POSIX.1-2024, Shell Command Language, 2.2 to 2.9), as far as it takes to
//! say which commands stand in it. Text in a comment, a here-document or an argument is none of them, which no search for a
//! string can tell. What is not understood is `None`: nothing is guessed.

use std::ops::Range;

/// A word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Its bytes in the script.
    pub(super) range: Range<usize>,
    /// Without its quotes; what is expanded stays as it is written.
    pub(super) text: String,
    /// The scripts of the command substitutions in it.
    pub(super) inner: Vec<Range<usize>>,
}

/// A simple command with its redirections.
#[derive(Clone, Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) range: Range<usize>,
    /// It reads a here-document, so its text goes on below.
    pub(super) has_document: bool,
}

/// What a script consists of.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Command(Command),
    /// `;`, a line feed, `&&`, `(` and their like.
    Operator(&'static str),
}

const OPERATORS: [&str; 10] = ["&&", "||", ";;", ";", "|", "&", "(", ")", "\n", "|&"];
const REDIRECTIONS: [&str; 12] = ["<<<", "<<-", "&>>", "<<", ">>", ">&", "<&", "<>", ">|", "&>", "<", ">"];

/// Words behind which a command begins.
const RESERVED: [&str; 9] = ["if", "then", "elif", "else", "while", "until", "do", "{", "!"];

impl Command {
    fn add(&mut self, range: Range<usize>) {
        if self.range.is_empty() {
            self.range.start = range.start;
        }
        self.range.end = range.end;
    }

    /// The words without the variables that are set for them.
    pub(super) fn program(&self) -> &[Word] {
        let at = self.words.iter().position(|word| variable(&word.text).is_none());
        at.and_then(|at| self.words.get(at..)).unwrap_or_default()
    }
}

/// The variable that a word sets.
pub(super) fn variable(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit());
    is_name.then_some(name)
}

/// The parts of this stretch of a script; places are those of the whole. `None`: it is not understood.
pub(super) fn parts(script: &str, within: Range<usize>) -> Option<Vec<Part>> {
    let mut reader = Reader { text: script.get(..within.end)?, at: within.start };
    let mut parts = Vec::new();
    let mut command = Command::default();
    let mut documents: Vec<(String, bool)> = Vec::new();
    loop {
        reader.skip_blanks();
        let start = reader.at;
        if reader.rest().is_empty() {
            end(&mut parts, &mut command);
            return Some(parts);
        }
        let operator = longest(&OPERATORS, reader.rest());
        let redirection = longest(&REDIRECTIONS, reader.rest());
        match (operator, redirection) {
            (_, Some(redirection)) => {
                reader.at += redirection.len();
                // Process substitution.
                if reader.rest().starts_with('(') {
                    return None;
                }
                reader.skip_blanks();
                let target = reader.word()?;
                if matches!(redirection, "<<" | "<<-") {
                    documents.push((target.text, redirection == "<<-"));
                    command.has_document = true;
                }
                command.add(start..target.range.end);
            }
            (Some(operator), None) => {
                reader.at += operator.len();
                end(&mut parts, &mut command);
                parts.push(Part::Operator(operator));
                if operator == "\n" {
                    documents.drain(..).for_each(|(end, has_tabs)| reader.skip_document(&end, has_tabs));
                }
            }
            (None, None) => {
                let word = reader.word()?;
                let is_descriptor = word.text.bytes().all(|byte| byte.is_ascii_digit())
                    && reader.rest().starts_with(['<', '>']);
                command.add(word.range.clone());
                if !is_descriptor {
                    let is_reserved = command.words.is_empty() && RESERVED.contains(&word.text.as_str());
                    command.words.push(word);
                    if is_reserved {
                        end(&mut parts, &mut command);
                    }
                }
            }
        }
    }
}

fn end(parts: &mut Vec<Part>, command: &mut Command) {
    let command = std::mem::take(command);
    if !command.range.is_empty() {
        parts.push(Part::Command(command));
    }
}

/// The longest of these that the text begins with.
fn longest(all: &[&'static str], text: &str) -> Option<&'static str> {
    all.iter().filter(|known| text.starts_with(**known)).max_by_key(|known| known.len()).copied()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Blanks, lines that go on, and a comment up to its line feed.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            self.at += match rest.as_bytes() {
                [b' ' | b'\t' | b'\r', ..] => 1,
                [b'\\', b'\n', ..] => 2,
                [b'#', ..] => rest.find('\n').unwrap_or(rest.len()),
                _ => return,
            };
        }
    }

    fn skip_document(&mut self, end: &str, has_tabs: bool) {
        while !self.rest().is_empty() {
            let line = self.rest().split_inclusive('\n').next().unwrap_or_default();
            let content = line.trim_end_matches('\n');
            let is_end = if has_tabs { content.trim_start_matches('\t') == end } else { content == end };
            self.at += line.len();
            if is_end {
                return;
            }
        }
    }

    fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let (mut text, mut inner) = (String::new(), Vec::new());
        let mut is_quoted = false;
        while let Some(next) = self.rest().chars().next() {
            let is_end = " \t\r\n;&|()<>".contains(next);
            if is_end && !is_quoted {
                break;
            }
            match next {
                '"' => {
                    is_quoted = !is_quoted;
                    self.at += 1;
                }
                '\'' if !is_quoted => {
                    self.at += 1;
                    let (quoted, _) = self.rest().split_once('\'')?;
                    text.push_str(quoted);
                    self.at += quoted.len() + 1;
                }
                '\\' => {
                    self.at += 1;
                    text.extend(self.next().filter(|next| *next != '\n'));
                }
                '$' | '`' => {
                    let from = self.at;
                    inner.extend(self.expansion()?);
                    text.push_str(self.text.get(from..self.at)?);
                }
                _ => text.extend(self.next()),
            }
        }
        // A word has something in it, or the reader would not get on.
        (!is_quoted && self.at > start).then_some(Word { range: start..self.at, text, inner })
    }

    /// `$NAME`, `${…}`, `$(…)` and `` `…` ``; the script in it, where it is a command substitution.
    fn expansion(&mut self) -> Option<Option<Range<usize>>> {
        let rest = self.rest();
        if rest.starts_with("$(") || rest.starts_with("${") {
            let is_script = rest.starts_with("$(") && !rest.starts_with("$((");
            let from = self.at + 2;
            self.at += 1;
            self.skip_brackets()?;
            return Some(is_script.then(|| from..self.at - 1));
        }
        if rest.starts_with('`') {
            let from = self.at + 1;
            let length = rest.get(1..)?.find('`')?;
            self.at = from + length + 1;
            return Some(Some(from..from + length));
        }
        self.at += 1;
        Some(None)
    }

    /// From an opening bracket to behind the one that closes it.
    fn skip_brackets(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                '(' | '{' => depth += 1,
                ')' | '}' => depth = depth.checked_sub(1)?,
                '\\' => drop(self.next()?),
                '\'' => while self.next()? != '\'' {},
                '"' => loop {
                    match self.next()? {
                        '"' => break,
                        '\\' => drop(self.next()?),
                        _ => {}
                    }
                },
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str) -> Option<Vec<String>> {
        let one = |part| match part {
            Part::Command(command) => {
                command.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("_")
            }
            Part::Operator(operator) => operator.to_owned(),
        };
        Some(parts(script, 0..script.len())?.into_iter().map(one).collect())
    }

    #[test]
    fn commands_and_what_stands_between_them() {
        for (script, expected) in [
            ("a 'b c' \"d\\\"e\" f\\ g; h", vec!["a_b c_d\"e_f g", ";", "h"]),
            ("# no; a\na # b\nc#d", vec!["\n", "a", "\n", "c#d"]),
            ("a 2>&1 >/x <y && b || c | d &", vec!["a", "&&", "b", "||", "c", "|", "d", "&"]),
            ("if a; then b; fi", vec!["if", "a", ";", "then", "b", ";", "fi"]),
            ("f() { a; }", vec!["f", "(", ")", "{", "a", ";", "}"]),
            ("a <<X; b\nc\nX\nd", vec!["a", ";", "b", "\n", "d"]),
            ("cat <<-'X Y'\n\tc\n\tX Y\nd", vec!["cat", "\n", "d"]),
            ("a \"$(b \"c\" ')')\" ${d:-e f}", vec!["a_$(b \"c\" ')')_${d:-e f}"]),
            ("a \\\n b", vec!["a_b"]),
            ("", vec![]),
        ] {
            assert_eq!(shown(script).unwrap(), expected, "{script}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_understood() {
        for script in ["a 'b", "a \"b", "a $(b", "a `b", "a <(b)", "a >", "a \"$(b\""] {
            assert_eq!(shown(script), None, "{script}");
        }
    }

    #[test]
    fn places_are_those_of_the_whole_script() {
        let script = "a; $(b c) 'd'";
        let Some(parts) = parts(script, 3..script.len()) else { panic!() };
        let [Part::Command(command)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(&script[command.range.clone()], "$(b c) 'd'");
        assert_eq!(&script[command.words[0].inner[0].clone()], "b c");
        assert_eq!(&script[command.words[1].range.clone()], "'d'");
    }
}
