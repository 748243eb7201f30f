//! SARIF against its schema, which is OASIS's and not copied here: LASTOUT_SARIF_SCHEMA names it (scripts/sarif-schema).

use super::{DISTROLESS, HANGS, check, examples, file, job, run};
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// The part of JSON Schema, draft 7, that the schema makes use of for what we write. A keyword that is not known here fails.
struct Schema(Value);

impl Schema {
    /// What is wrong with a value, each with its place.
    fn wrong(&self, value: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.look(&self.0, value, "", &mut wrong);
        wrong
    }

    fn look(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let keywords = schema.as_object().unwrap();
        for (keyword, rule) in keywords {
            let holds = match (keyword.as_str(), value) {
                ("$ref", _) => {
                    let way = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    self.look(self.0.pointer(way).unwrap(), value, at, wrong);
                    true
                }
                ("type", _) => is_of(value, rule.as_str().unwrap()),
                ("enum", _) => rule.as_array().unwrap().contains(value),
                ("anyOf" | "oneOf", _) => {
                    let fits = |schema: &&Value| {
                        let mut wrong = Vec::new();
                        self.look(schema, value, at, &mut wrong);
                        wrong.is_empty()
                    };
                    let fitting = rule.as_array().unwrap().iter().filter(fits).count();
                    fitting == 1 || keyword == "anyOf" && fitting > 0
                }
                ("required", Value::Object(entries)) => {
                    rule.as_array().unwrap().iter().all(|key| entries.contains_key(key.as_str().unwrap()))
                }
                ("properties", Value::Object(entries)) => {
                    for (key, value) in entries {
                        if let Some(schema) = rule.get(key) {
                            self.look(schema, value, &format!("{at}/{key}"), wrong);
                        }
                    }
                    true
                }
                ("additionalProperties", Value::Object(entries)) => {
                    let none = Map::new();
                    let known = keywords.get("properties").and_then(Value::as_object).unwrap_or(&none);
                    for (key, value) in entries.iter().filter(|(key, _)| !known.contains_key(*key)) {
                        match rule {
                            Value::Bool(true) => {}
                            Value::Bool(false) => wrong.push(format!("{at}: unknown key {key}")),
                            schema => self.look(schema, value, &format!("{at}/{key}"), wrong),
                        }
                    }
                    true
                }
                ("items", Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        self.look(rule, item, &format!("{at}/{index}"), wrong);
                    }
                    true
                }
                ("minItems", Value::Array(items)) => items.len() as u64 >= rule.as_u64().unwrap(),
                ("uniqueItems", Value::Array(items)) => {
                    rule != true
                        || items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
                }
                ("minimum", Value::Number(number)) => number.as_f64() >= rule.as_f64(),
                ("maximum", Value::Number(number)) => number.as_f64() <= rule.as_f64(),
                ("format", Value::String(text)) => match rule.as_str().unwrap() {
                    "uri" => {
                        is_reference(text)
                            && text.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/'))
                    }
                    "uri-reference" => is_reference(text),
                    other => panic!("{at}: the format {other} is not known here"),
                },
                (
                    "required"
                    | "properties"
                    | "additionalProperties"
                    | "items"
                    | "minItems"
                    | "uniqueItems"
                    | "minimum"
                    | "maximum"
                    | "format",
                    _,
                )
                | ("$schema" | "$id" | "title" | "description" | "default" | "definitions", _) => true,
                (other, _) => panic!("{at}: the keyword {other} is not known here"),
            };
            if !holds {
                wrong.push(format!("{at}: {keyword} {rule}, and not {value}"));
            }
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the type {other} is not known here"),
    }
}

/// RFC 3986: nothing but its characters, and `%` with two hexadecimal digits.
fn is_reference(text: &str) -> bool {
    let (first, rest) = text.split_once('%').map_or((text, None), |(first, rest)| (first, Some(rest)));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=".contains(c);
    first.chars().all(is_plain)
        && rest.is_none_or(|rest| {
            rest.get(..2).is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
                && is_reference(&rest[2..])
        })
}

fn sarif(words: &[&str], stdin: &str) -> Value {
    let output = run(&[&["check", "-o", "sarif"], words].concat(), stdin);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_is_written_is_valid_against_the_schema_of_2_1_0() {
    let Some(path) = std::env::var_os("LASTOUT_SARIF_SCHEMA") else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: LASTOUT_SARIF_SCHEMA does not name the schema of SARIF 2.1.0 (scripts/sarif-schema)"
        );
        return;
    };
    let schema = Schema(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    let whole = examples().join("---\n");
    let (_folder, odd) = file("a b#1 ü%.yaml", &job(HANGS));
    let many = sarif(&["-"], &whole);
    assert!(
        many["runs"][0]["results"].as_array().unwrap().len() > 15,
        "all rules of the page have a finding"
    );
    for (what, written) in [
        ("all rules", many.clone()),
        ("no finding", sarif(&["-"], "")),
        ("an odd name", sarif(&[odd.to_str().unwrap()], "")),
        ("a file that cannot be read", sarif(&["/nowhere.yaml"], "")),
        ("several findings", sarif(&["-"], &job(DISTROLESS))),
    ] {
        assert_eq!(schema.wrong(&written), [""; 0], "{what}");
    }
    assert_eq!(check(&["-o", "sarif", "-"], "").0, 0);

    // It finds what is wrong.
    for (place, value) in [
        ("/version", json!("2.0.0")),
        ("/runs", json!({})),
        ("/runs/0/tool/driver/name", json!(1)),
        ("/runs/0/tool/driver/informationUri", json!("no uri")),
        ("/runs/0/results/0/level", json!("fatal")),
        ("/runs/0/results/0/message", json!({})),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", json!("a b")),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation", json!({ "url": "a" })),
        ("/runs/0/columnKind", json!("bytes")),
    ] {
        let mut broken = many.clone();
        *broken.pointer_mut(place).unwrap() = value;
        assert!(!schema.wrong(&broken).is_empty(), "{place}");
    }
}
