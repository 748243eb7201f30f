//! What is rendered reads back equal, in block and in flow, whatever the texts and keys are.

use kubectl_lastout::yaml;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts that readers of YAML take for something else, or that its grammar has a use for.
fn words() -> impl Strategy<Value = String> {
    let odd: Vec<&str> = [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "~",
        "null",
        "Null",
        "nULL",
        "on",
        "yEs",
        "NO",
        "y",
        "0755",
        "0o17",
        "08",
        "1_000",
        "1e3",
        "0x1F",
        "-1",
        "+1",
        ".5",
        "5.",
        ".inf",
        "-.INF",
        ".nan",
        "1:30",
        "190:20:30",
        "2001-01-01",
        "2001-01-01T00:00:00Z",
        "123456789012345678901234567890",
        "<<",
        "=",
        "-",
        "--",
        "- a",
        "---",
        "--- a",
        "...",
        "?",
        "? a",
        ":",
        "a:",
        "a: b",
        ": a",
        "#",
        "a #b",
        "a#b",
        "#a",
        "&a",
        "*a",
        "!a",
        "!!str a",
        "|",
        ">",
        "%a",
        "@a",
        "`a`",
        "{",
        "}",
        "[a]",
        "a,b",
        "'",
        "''",
        "\"",
        "\\",
        "\n",
        "a\nb",
        "a\n\nb\n",
        "\t",
        "a\tb",
        "\r",
        "\r\n",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "\u{feff}a",
        "\u{fffe}",
        "é",
        "日本",
        "🚀",
        "$(VAR)",
        "20m",
        "16Mi",
        "registry.example/a:1",
        "/.lastout/lastout",
        "http://a/b?c=d&e",
        "a@sha256:00",
        "lastout.dev/status",
        "12345e67",
        "0e1",
        "1.2.3",
        "0b1",
        "0.",
    ]
    .to_vec();
    prop_oneof![
        3 => proptest::sample::select(odd).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[ -~]{0,12}",
        1 => "[-0-9a-fxoXOeE_+.:]{1,6}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // kubectl makes integers of floats that are some.
        any::<f64>()
            .prop_filter("an integer", |value| value.is_finite() && value.fract() != 0.0)
            .prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((words(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn read_back(text: &str) -> Option<Value> {
    let (documents, error) = yaml::read(text);
    assert_eq!(error, None, "{text}");
    assert!(documents.len() < 2, "{text}");
    documents.into_iter().next().map(|document| document.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_rendered_value_reads_back_equal(value in values()) {
        let text = yaml::render(&value);
        prop_assert_eq!(read_back(&text).unwrap_or_default(), value, "{}", text);
    }

    #[test]
    fn a_value_that_is_set_reads_back_equal(value in values(), base in 0..5_usize) {
        use kubectl_lastout::change::{Change, Path};
        let text = [
            "a:\n  b: c\n", "a: {b: c}\n", "{\"a\":{\"b\":\"c\"}}", "{\n  \"a\": {\n    \"b\": \"c\"\n  }\n}\n",
            "a:\n    b:\n    -   c: d\n",
        ][base];
        let (documents, _) = yaml::read(text);
        let change = |key: &str| Change::Set { mapping: Path::keys(&["a"]), key: key.to_owned(), value: value.clone() };
        let edit = yaml::Edit { at: Path::default(), changes: vec![change("new"), change("b")] };
        let edited = yaml::edit(text, documents[0].clone(), &[edit]).unwrap();
        let expected = json!({ "a": { "b": value, "new": value } });
        prop_assert_eq!(read_back(&edited).unwrap(), expected, "{}", edited);
    }
}
