//! man/lastout.1: the page that `man lastout` shows.

use super::definition::{command, usage_and_text};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use lastout_core::argv::Subcommand;
use lastout_core::settings::{OPTIONS, OptionRow, Verb};
use std::process::{Command, Output};
use support::init::{skip_without, which};

const PAGE: &str = "man/lastout.1";

/// What is said by example.
const EXAMPLES: [(&str, &str); 4] = [
    (
        "lastout --sidecar istio --sidecar cloud-sql-proxy -- /app/report --day yesterday",
        "Starts /app/report when both proxies are ready, and stops both when it has ended.",
    ),
    (
        "lastout --sidecar istio --stop-on success -- /app/report",
        "In a pod of restartPolicy OnFailure: the proxy is needed again by a report that has failed.",
    ),
    (
        "lastout --sidecar logger:quit=http://127.0.0.1:8080/exit,method=PUT -- /app/report",
        "A sidecar that is not among the known ones.",
    ),
    ("lastout stop 'istio?'", "Only stops that sidecar, if it is there."),
];

fn paragraph(roff: &mut Roff, head: impl Into<Vec<Inline>>, text: &str) {
    tagged(roff, "TP", head, text);
}

/// By TP, or by TQ for one more head of the same text.
fn tagged(roff: &mut Roff, how: &str, head: impl Into<Vec<Inline>>, text: &str) {
    roff.control(how, []).text(head.into());
    for (number, sentence) in text.lines().enumerate() {
        // An exit code for each case is a sentence of its own.
        if number > 0 && sentence.starts_with("Exit codes:") {
            roff.control("br", []);
        }
        roff.text([roman(sentence)]);
    }
}

fn option(roff: &mut Roff, row: &OptionRow) {
    let mut head = vec![bold(format!("--{}", row.name))];
    if let Some(value) = row.value {
        head.extend([roman(" "), italic(value)]);
    }
    let default = row.default_in_words();
    let default = if default.is_empty() { String::new() } else { format!(" Default: {default}.") };
    let repeats = if row.repeats { " May be repeated." } else { "" };
    paragraph(roff, head, &format!("{}.{repeats}{default} Variable: {}.", row.meaning, row.variable()));
}

fn page() -> String {
    let run = Subcommand::Work(Verb::Run);
    let usages: Vec<String> = std::iter::once(run.usage().to_owned())
        .chain(Subcommand::NAMED.into_iter().flat_map(|subcommand| usage_and_text(subcommand).0))
        .collect();
    // No words are broken: names of options and variables have to be found.
    let head = format!(
        ".\\\" Written by a test: LASTOUT_BLESS=1 cargo test --test cli reference\n\
         .TH LASTOUT 1 \"\" \"lastout {}\" \"User Commands\"\n.nh\n.ad l\n",
        env!("CARGO_PKG_VERSION")
    );
    let man = Man::new(
        command().override_usage(usages.join("\n")).long_about(usage_and_text(run).1.replace('\n', " ")),
    );
    let mut text = head.into_bytes();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    man.render_description_section(&mut text).unwrap();
    sections().to_writer(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn sections() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SUBCOMMANDS"]);
    roff.text([roman(
        "A subcommand is one only as the very first word: `lastout -- wait` runs a program called wait.",
    )]);
    for subcommand in Subcommand::NAMED {
        let (usages, text) = usage_and_text(subcommand);
        let (last, others) = usages.split_last().unwrap();
        for (number, usage) in others.iter().enumerate() {
            roff.control(if number == 0 { "TP" } else { "TQ" }, []).text([bold(usage)]);
        }
        let how = if others.is_empty() { "TP" } else { "TQ" };
        tagged(&mut roff, how, [bold(last)], &text);
    }
    roff.control("SH", ["OPTIONS"]);
    roff.text([roman(super::VALUES.replace('`', ""))]);
    for row in OPTIONS {
        option(&mut roff, row);
    }
    paragraph(
        &mut roff,
        [bold("--help"), roman(", "), bold("-h")],
        "Prints the options, and exits; after a subcommand, its own.",
    );
    paragraph(&mut roff, [bold("--version")], "Prints the version, and exits.");
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(super::VARIABLES.replace('`', ""))]);
    roff.control("SH", ["EXIT STATUS"]);
    for (_, outcome, words, meaning) in super::exit_codes::outcomes() {
        let code = if words.is_empty() { outcome.code().to_string() } else { words.to_owned() };
        paragraph(&mut roff, [bold(code)], meaning);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (line, meaning) in EXAMPLES {
        paragraph(&mut roff, [bold(line)], meaning);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("kubectl-lastout"), roman("(1), "), roman(env!("CARGO_PKG_REPOSITORY"))]);
    roff
}

#[test]
fn the_man_page_is_what_the_table_says() {
    only_ours!();
    super::held_file(PAGE, &page());
}

/// What a program makes of the page, if it is here.
fn given_to(program: &str, args: &[&str]) -> Option<Output> {
    let Some(path) = which(program) else {
        skip_without(program, "it is not shown the man page");
        return None;
    };
    let page = format!("{}/{PAGE}", env!("CARGO_MANIFEST_DIR"));
    Some(
        Command::new(path)
            .args(args)
            .arg(page)
            .env("MANWIDTH", "100")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap(),
    )
}

#[test]
fn the_man_page_renders_with_every_option() {
    for (program, args) in [
        ("man", &["--warnings", "-l"][..]),
        ("groff", &["-man", "-Tutf8", "-ww"]),
        ("mandoc", &["-T", "ascii"]),
    ] {
        let Some(output) = given_to(program, args) else { continue };
        assert!(output.status.success() && output.stderr.is_empty(), "{program}: {output:?}");
        // Bold and underlined in the terminal's way: a letter, a backspace, and the letter again.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut plain = String::new();
        for letter in text.chars() {
            if letter == '\u{8}' {
                plain.pop();
            } else {
                plain.push(letter);
            }
        }
        for row in OPTIONS {
            assert!(plain.contains(&format!("--{}", row.name)), "{program}: {}: {plain}", row.name);
            assert!(plain.contains(&row.variable()), "{program}: {}: {plain}", row.variable());
        }
    }
}

#[test]
fn the_man_page_has_nothing_that_mandoc_calls_wrong() {
    let Some(output) = given_to("mandoc", &["-T", "lint", "-W", "warning"]) else { return };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // A date would change with nothing.
    let wrong: Vec<&str> = said.lines().filter(|line| !line.contains("missing date")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The examples are command lines that are right.
#[test]
fn the_examples_of_the_man_page_are_read() {
    for (line, _) in EXAMPLES {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let bytes: Vec<&[u8]> = words.iter().map(|word| word.trim_matches('\'').as_bytes()).collect();
        let read = lastout_core::argv::scan(&bytes);
        assert!(read.refused().is_none() && read.problems.is_empty(), "{line}: {:?}", read.problems);
    }
}
