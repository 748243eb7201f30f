//! Our reader against tables that kubectl's own reader made; the versions stand in the tables.

use kubectl_lastout::yaml::{self, Kind, Style};
use serde_json::{Value, json};

fn cases(table: &str) -> Vec<Value> {
    let table: Value = serde_json::from_str(table).unwrap();
    assert!(table["read_by"]["go.yaml.in/yaml/v2"].is_string(), "a table says who made it");
    table["cases"].as_array().unwrap().clone()
}

/// Numbers by their value: Go and Rust write some of them in two ways.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

#[test]
fn each_scalar_is_what_kubectl_makes_of_it() {
    /// Kept on purpose: go.yaml.in/yaml/v2 refuses the escape `\/`, which JSON and YAML 1.2 have. A manifest that kubectl does
    /// not take does no harm when it is taken here.
    const TAKEN_ANYWAY: [&str; 1] = ["\"a\\x41\\u00e9\\/\""];
    let cases = cases(include_str!("../golden/scalars.json"));
    assert_eq!(cases.len(), 227);
    let mut wrong = Vec::new();
    for case in cases {
        let scalar = case["scalar"].as_str().unwrap();
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\nv: {scalar}\nz: 1\n");
        let (documents, error) = yaml::read(&text);
        let is_right = match (case.get("refused"), case.get("documents"), documents.as_slice()) {
            (Some(_), _, _) => error.is_some() || TAKEN_ANYWAY.contains(&scalar),
            (None, Some(expected), documents) => {
                let values: Vec<Value> = documents.iter().map(|document| document.value.clone()).collect();
                error.is_none() && same(&Value::Array(values), expected)
            }
            (None, None, [document]) => error.is_none() && same(&document.value["v"], &case["value"]),
            (None, None, _) => false,
        };
        if !is_right {
            let values: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
            wrong.push(format!("{scalar:?}: {case}, and we {error:?} {}", json!(values)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_text_gives_the_documents_that_kubectl_reads_from_it() {
    /// Two keys that become one: kubectl takes the value that Go's random order of maps brings last; we, the last one.
    const RANDOM: [&str; 2] = ["key 1 and \"1\"", "key bool dup after conversion"];
    /// Refused on purpose. Of two marks kubectl skips one and, where there are more lines, the first character of each; behind
    /// other lines the mark becomes a part of a key.
    const WITH_A_MARK: [&str; 9] = [
        "byte order mark, twice",
        "byte order mark, twice, flow",
        "byte order mark, twice, JSON",
        "byte order mark twice behind a separator",
        "byte order mark before a later key",
        "byte order mark behind a comment",
        "byte order mark behind a separator that begins the text",
        "byte order mark behind two separators",
        "byte order mark behind JSON and a separator",
    ];
    let cases = cases(include_str!("../golden/shapes.json"));
    assert_eq!(cases.len(), 171);
    let mut wrong = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (documents, error) = yaml::read(case["text"].as_str().unwrap());
        let values: Value = documents.into_iter().map(|document| document.value).collect();
        let is_right = if WITH_A_MARK.contains(&name) {
            error.as_ref().is_some_and(|error| error.what.contains("byte order mark"))
        } else {
            same(&values, &case["documents"]) && error.is_some() == case.get("refused").is_some()
        };
        if !is_right && !RANDOM.contains(&name) {
            wrong.push(format!(
                "{name}: {}\n  {} {}\n  {values} {error:?}",
                case["text"], case["documents"], case["refused"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is shown with a caret, and what is replaced, is found by these places.
#[test]
fn each_plain_word_stands_where_its_place_says() {
    let mut seen = 0;
    for case in cases(include_str!("../golden/shapes.json")) {
        let text = case["text"].as_str().unwrap();
        for tree in yaml::read(text).0.iter().filter_map(|document| document.tree.as_ref()) {
            for node in tree.ids().map(|id| tree.node(id)) {
                let written = &text[node.span()];
                if let Kind::Scalar { text: word, style: Style::Plain } = &node.kind
                    && !written.contains('\n')
                {
                    // An anchor and a tag stand before it.
                    assert!(written.ends_with(&**word), "{written:?} in {text:?}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 500, "{seen}");
}
