//! What an edit writes, where, and what it refuses.

use kubectl_lastout::change::{Change, Item, KeyChange, Path, Step};
use kubectl_lastout::yaml::{self, Edit, Refused};
use serde_json::{Value, json};

fn path(text: &str) -> Path {
    let step = |step: &str| step.parse().map_or_else(|_| Step::Key(step.to_owned()), Step::Index);
    Path(text.split('.').filter(|step| !step.is_empty()).map(step).collect())
}

fn set(mapping: &str, key: &str, value: Value) -> Change {
    Change::Set { mapping: path(mapping), key: key.to_owned(), value }
}

fn insert(list: &str, at: usize, items: Value) -> Change {
    Change::Insert { list: path(list), at, items: items.as_array().unwrap().clone() }
}

fn take(list: &str, at: usize, count: usize) -> Change {
    Change::Take { list: path(list), at, count }
}

fn remove(mapping: &str, key: &str) -> Change {
    Change::Remove { mapping: path(mapping), key: key.to_owned() }
}

fn to_init(index: usize, at: usize) -> Change {
    Change::Move {
        mapping: Path::default(),
        from: Item::of("containers", index),
        to: Item::of("initContainers", at),
        key: "restartPolicy".to_owned(),
        becomes: KeyChange::Set(json!("Always")),
    }
}

fn edit(text: &str, change: Change) -> Result<String, Refused> {
    let (documents, error) = yaml::read(text);
    assert_eq!(error, None);
    yaml::edit(text, documents[0].clone(), &[Edit { at: Path::default(), changes: vec![change] }])
}

#[track_caller]
fn becomes(text: &str, change: Change, expected: &str) {
    let edited = edit(text, change).unwrap();
    assert_eq!(edited, expected, "\n{edited}");
}

#[track_caller]
fn refused(text: &str, change: Change, why: &str) {
    let error = edit(text, change).expect_err("it is refused").to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn an_item_at_the_front_stands_above_the_first_ones_comments() {
    becomes(
        "c: # of c\n\n# of a\n- a # first\n- b\n",
        insert("c", 0, json!(["x"])),
        "c: # of c\n\n- x\n# of a\n- a # first\n- b\n",
    );
}

#[test]
fn an_item_at_the_end_stands_behind_the_last_ones_own_comments() {
    let text = "c:\n- a: 1\n  # b: 2\n# of d\nd: 1\n";
    becomes(text, insert("c", 1, json!([{ "x": 1 }])), "c:\n- a: 1\n  # b: 2\n- x: 1\n# of d\nd: 1\n");
}

#[test]
fn a_new_list_is_indented_as_its_neighbours_are() {
    let items = json!([{ "x": { "z": 1 } }]);
    becomes("c:\n- a\n", insert("d", 0, items.clone()), "c:\n- a\nd:\n- x:\n    z: 1\n");
    becomes("c:\n  - a\n", insert("d", 0, items.clone()), "c:\n  - a\nd:\n  - x:\n      z: 1\n");
    becomes(
        "c:\n    -   a: b\ne:\n    f: g\n",
        insert("d", 0, items),
        "c:\n    -   a: b\ne:\n    f: g\nd:\n    -   x:\n            z: 1\n",
    );
}

#[test]
fn an_empty_list_is_filled_in_brackets_and_null_as_well() {
    becomes("c: [] # none\n", insert("c", 0, json!([{ "a": "b" }])), "c: [{a: b}] # none\n");
    becomes("c: # none\nd: 1\n", insert("c", 0, json!([1])), "c: [1] # none\nd: 1\n");
    becomes("c: ~\n", insert("c", 0, json!([1])), "c: [1]\n");
    becomes("c: [{a: b}] # none\n", take("c", 0, 1), "c: [] # none\n");
    becomes("m: {}\n", set("m", "a", json!("b")), "m: {a: b}\n");
    becomes("m:\n", set("m", "a", json!("b")), "m: {a: b}\n");
}

#[test]
fn a_list_of_lines_that_is_emptied_goes_with_its_key() {
    becomes("a: 1\nc:\n- a: 1\n\nd: 1\n", take("c", 0, 1), "a: 1\n\nd: 1\n");
    becomes("d: 1\nc:\n- a: 1", take("c", 0, 1), "d: 1");
}

#[test]
fn a_command_is_extended_and_replaced_in_its_own_style() {
    let front = || insert("command", 0, json!(["/lastout", "--"]));
    becomes("command: [\"a\", \"b\"]\n", front(), "command: [\"/lastout\", \"--\", \"a\", \"b\"]\n");
    becomes("command: [ a ]\n", front(), "command: [ /lastout, \"--\", a ]\n");
    becomes("command:\n# of a\n- a\n", front(), "command:\n- /lastout\n- \"--\"\n# of a\n- a\n");
    becomes("command:\n  - 'a'\n", front(), "command:\n  - \"/lastout\"\n  - \"--\"\n  - 'a'\n");
    let replaced = || set("", "command", json!(["x", "on"]));
    becomes("command: [\"a\"] # it\nb: 1\n", replaced(), "command: [\"x\", \"on\"] # it\nb: 1\n");
    becomes(
        "command: # it\n# of a\n- a # a\n- b\nc: 1\n",
        replaced(),
        "command: # it\n# of a\n- x\n- \"on\"\nc: 1\n",
    );
    becomes("a: |\n  text\n\nb: 1\n", set("", "a", json!("x")), "a: x\n\nb: 1\n");
    becomes("args: [b]\n", set("", "command", json!(["a"])), "command: [\"a\"]\nargs: [b]\n");
}

#[test]
fn annotations_are_set_and_removed() {
    let key = "lastout.dev/status";
    becomes(
        "metadata:\n  name: a\nspec: 1\n",
        set("metadata.annotations", key, json!("injected")),
        "metadata:\n  name: a\n  annotations:\n    lastout.dev/status: injected\nspec: 1\n",
    );
    becomes(
        "metadata:\n  annotations:\n    a: b\n",
        set("metadata.annotations", key, json!("1")),
        "metadata:\n  annotations:\n    a: b\n    lastout.dev/status: \"1\"\n",
    );
    becomes("annotations:\n  a: b # c\n  d: e\n", remove("annotations", "a"), "annotations:\n  d: e\n");
    becomes("annotations:\n  a: b\nc: d\n", remove("annotations", "a"), "annotations:\n  {}\nc: d\n");
    becomes("- a: 1\n  b: 2\n", remove("0", "a"), "- b: 2\n");
    becomes("{a: 1, b: 2}\n", remove("", "a"), "{b: 2}\n");
    becomes("a: 1\n", remove("", "c"), "a: 1\n");
}

#[test]
fn a_container_moves_with_its_comments() {
    let text = "containers:\n# main\n- name: a\n# side\n- name: b # b\n  # args: []\n# last\nx: 1\n";
    becomes(
        text,
        to_init(1, 0),
        "initContainers:\n# side\n- name: b # b\n  restartPolicy: Always\n  # args: []\ncontainers:\n# main\n- name: a\n# last\nx: 1\n",
    );
}

#[test]
fn a_container_moves_to_a_list_that_is_further_in() {
    let text = "initContainers:\n    - name: i\ncontainers:\n- name: a\n- name: b\n  x: |\n    1\n\n    2\n";
    becomes(
        text,
        to_init(1, 1),
        "initContainers:\n    - name: i\n    - name: b\n      x: |\n        1\n\n        2\n      restartPolicy: Always\ncontainers:\n- name: a\n",
    );
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"containers\": [\n    {\n      \"name\": \"a\"\n    },\n    {\n      \"name\": \"b\"\n    }\n  ]\n}";
    let edited = edit(text, to_init(1, 0)).unwrap();
    assert_eq!(
        edited,
        "{\n  \"containers\": [\n    {\n      \"name\": \"a\"\n    }\n  ],\n  \"initContainers\": [\n    {\n      \"name\": \"b\",\n      \
         \"restartPolicy\": \"Always\"\n    }\n  ]\n}"
    );
    becomes(
        "{\"a\":[{\"b\":1}]}",
        insert("c", 0, json!([{ "d": [1, "e"] }])),
        "{\"a\":[{\"b\":1}],\"c\":[ {\"d\":[1,\"e\"]} ]}",
    );
}

#[test]
fn of_duplicate_keys_the_last_one_is_edited() {
    becomes("a: [1]\nb: 1\na: [2]\n", insert("a", 1, json!([3])), "a: [1]\nb: 1\na: [2, 3]\n");
}

#[test]
fn line_ends_a_mark_at_the_start_and_a_missing_line_end_stay() {
    becomes("\u{feff}c:\r\n- a\r\nd: 1", insert("c", 1, json!(["b"])), "\u{feff}c:\r\n- a\r\n- b\r\nd: 1");
    becomes("c:\r\n- a", insert("c", 1, json!(["b"])), "c:\r\n- a\r\n- b");
}

#[test]
fn two_objects_of_a_list_and_two_documents_of_a_file_are_edited() {
    let text = "items:\n- c: [1]\n- c: [2]\n---\nc:\n- 3\n";
    let (documents, _) = yaml::read(text);
    let at = |at: &str| Edit { at: path(at), changes: vec![insert("c", 0, json!([0]))] };
    let first = yaml::edit(text, documents[0].clone(), &[at("items.0"), at("items.1")]).unwrap();
    let second = yaml::edit(text, documents[1].clone(), &[at("")]).unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("items:\n- c: [0, 1]\n- c: [0, 2]\n", "c:\n- 0\n- 3\n"));
}

#[test]
fn what_stands_for_something_else_is_refused() {
    let front = || insert("c", 0, json!([1]));
    refused("a: &a [2]\nc: *a\n", front(), "*a stands here for what is written");
    refused("c: &a [2]\nd: *a\n", front(), "used elsewhere, too");
    refused("m: &m {c: [2]}\nd: *m\n", insert("m.c", 0, json!([1])), "used elsewhere, too");
    refused("x: &x {c: [2]}\n<<: *x\n", front(), "`c` is brought by `<<`");
    refused("x: &x {m: {c: [2]}}\n<<: *x\n", insert("m.c", 0, json!([1])), "`m` is brought by `<<`");
    refused("? c\n: - 2\n", insert("d", 0, json!([1])), "`? `");
    refused("c: 1\n", front(), "it is no list");
    refused("c: [1]\n", insert("c", 2, json!([1])), "there is no c[2]");
    refused("c: [1]\n", take("d", 0, 1), "`d` is not written here");
    refused("containers:\n- &a {x: 1}\n- name: b\n  y: *a\n", to_init(1, 0), "there is no anchor &a");
    // Found by the fuzzer: the `{}` that would be left is JSON, and what is below it another document.
    refused(" a b: c\nd:v: 1\n!", remove("", "a b"), "another document");
}

#[test]
fn a_text_that_is_lengthened_and_shortened_again_keeps_its_style() {
    for (image, longer) in [
        ("perl:5", "perl:5@sha256:12ab"),
        ("'perl:5'", "'perl:5@sha256:12ab'"),
        ("\"perl:5\"", "\"perl:5@sha256:12ab\""),
    ] {
        for (before, after) in [("a:\n  image: ", " # why\n  b: 1\n"), ("a: {image: ", ", b: 1}\n")] {
            let (short, long) = (format!("{before}{image}{after}"), format!("{before}{longer}{after}"));
            becomes(&short, set("a", "image", json!("perl:5@sha256:12ab")), &long);
            becomes(&long, set("a", "image", json!("perl:5")), &short);
        }
    }
    becomes("a: x1\n", set("", "a", json!("x")), "a: x\n");
    // What a shorter or longer one could be taken for stands in quotes.
    becomes("a: yes1\n", set("", "a", json!("yes")), "a: \"yes\"\n");
    becomes("a: 1x\n", set("", "a", json!("1")), "a: \"1\"\n");
    becomes("a: x\n", set("", "a", json!("x: y")), "a: \"x: y\"\n");
    becomes("a: 'x'\n", set("", "a", json!("it's")), "a: \"it's\"\n");
}

#[test]
fn the_comment_behind_an_item_in_brackets_goes_with_it_and_comes_back() {
    let flow = "a: 1\ncontainers: [\n  {name: main}, # the job\n  {name: side},   # the mesh\n  {name: last} # it\n]\n";
    let cases = [
        (
            1,
            flow.to_owned(),
            "a: 1\ninitContainers:\n- {name: side, restartPolicy: Always}   # the mesh\ncontainers: [\n  {name: main}, # the job\n  {name: last} # it\n]\n",
        ),
        (
            2,
            flow.to_owned(),
            "a: 1\ninitContainers:\n- {name: last, restartPolicy: Always} # it\ncontainers: [\n  {name: main}, # the job\n  {name: side}   # the mesh\n]\n",
        ),
        (
            1,
            flow.replace("  {name: last} # it\n", ""),
            "a: 1\ninitContainers:\n- {name: side, restartPolicy: Always}   # the mesh\ncontainers: [\n  {name: main}, # the job\n]\n",
        ),
    ];
    for (index, text, expected) in cases {
        let there = edit(&text, to_init(index, 0)).unwrap();
        assert_eq!(there, expected);
        let back = Change::Move {
            mapping: Path::default(),
            from: Item::of("initContainers", 0),
            to: Item::of("containers", index),
            key: "restartPolicy".to_owned(),
            becomes: KeyChange::Remove,
        };
        assert_eq!(edit(&there, back).unwrap(), text);
    }
}

#[test]
fn what_stands_in_a_surrogate_pair_is_no_hindrance_in_json() {
    let text = r#"{"😀 \ud83d\ude00 \\ud83d": "\uD83C\uDF89", "containers": [{"name": "\ud83d\ude00"}]}"#;
    let item = json!([{"name": "new"}]);
    let expected = text.replace("}]}", "}, {\"name\": \"new\"}]}");
    becomes(text, insert("containers", 1, item), &expected);
}

#[test]
fn blank_lines_below_do_not_become_part_of_a_text_that_keeps_them() {
    let text = "initContainers:\n- name: a\n  value: |+\n    x\ncontainers:\n\n- name: main\n";
    let back = Change::Move {
        mapping: Path::default(),
        from: Item::of("initContainers", 0),
        to: Item::of("containers", 0),
        key: "restartPolicy".to_owned(),
        becomes: KeyChange::Remove,
    };
    becomes(text, back, "containers:\n\n- name: a\n  value: |+\n    x\n- name: main\n");
}
