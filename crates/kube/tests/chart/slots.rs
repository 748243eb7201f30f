//! Places in objects that a template fills in.

use kubectl_lastout::yaml::render;
use serde_json::Value;

/// What comes into the place.
#[derive(Clone)]
enum Filling {
    /// Within a line.
    Words(String),
    /// Instead of a line, with its indentation in front of each line, and for `INDENT`.
    Lines(String),
}

/// Words that stand for what a template fills in, until the objects are text.
#[derive(Default)]
pub struct Slots(Vec<Filling>);

impl Slots {
    fn add(&mut self, filling: Filling) -> String {
        self.0.push(filling);
        // No word of this kind is in any manifest, none begins another, and none needs quotes.
        format!("SLOT{}TOLS", self.0.len() - 1)
    }

    /// An expression within a line, such as `.Values.image`.
    pub fn words(&mut self, expression: &str) -> String {
        self.add(Filling::Words(format!("{{{{ {expression} }}}}")))
    }

    /// Lines in place of the line in which it stands.
    pub fn lines(&mut self, template: &str) -> String {
        self.add(Filling::Lines(template.to_owned()))
    }

    /// The object as a template.
    pub fn text(&self, object: &Value) -> String {
        let plain = render(object).replace("{{", "{{ \"{{\" }}");
        let mut text = String::new();
        for line in plain.lines() {
            text.push_str(&self.filled(line));
        }
        text
    }

    fn filled(&self, line: &str) -> String {
        let mut line = line.to_owned();
        while let Some(begin) = line.find("SLOT") {
            let end = begin + line[begin..].find("TOLS").unwrap();
            match &self.0[line[begin + 4..end].parse::<usize>().unwrap()] {
                Filling::Words(words) => line.replace_range(begin..end + 4, words),
                Filling::Lines(lines) => {
                    let indent = line.len() - line.trim_start().len();
                    let spaces = " ".repeat(indent);
                    let lines = lines.replace("INDENT", &indent.to_string());
                    return lines.lines().map(|line| format!("{spaces}{line}\n")).collect();
                }
            }
        }
        line + "\n"
    }
}

/// Puts a value where there is one; the chart has to be looked at when there is none any more.
pub fn put(object: &mut Value, pointer: &str, value: String) {
    *object.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value.into();
}

/// Adds a key behind the others of this object, whose line a template replaces.
pub fn add(object: &mut Value, pointer: &str, slot: String) {
    let object = object.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    object.insert(slot, "".into());
}
