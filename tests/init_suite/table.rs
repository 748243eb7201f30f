//! The table of who passes what, for the docs.

use super::{Init, SUITE, Verdict};
use std::{fmt::Write as _, panic, path::PathBuf};

const INITS: [(Init, &str); 4] = [
    (Init::Ours, "lastout"),
    (Init::Tini, "tini"),
    (Init::DumbInit, "dumb-init"),
    (Init::Catatonit, "catatonit"),
];
const BEGIN: &str = "<!-- table: written by scripts/init-table -->\n";
const END: &str = "<!-- end of table -->\n";

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/init.md")
}

/// The sentence, with the names of things as they are written elsewhere.
fn row(name: &str) -> String {
    const WRITTEN: [(&str, &str); 9] = [
        ("pid 1", "PID 1"),
        ("ctrl c", "Ctrl-C"),
        ("ctrl z", "Ctrl-Z"),
        ("ctrl backslash", "Ctrl-\\"),
        ("listen pid", "LISTEN_PID"),
        ("128 plus n", "128+n"),
        ("chld", "CHLD"),
        ("by int", "by INT"),
        ("close range", "close_range"),
    ];
    let sentence = name.replace('_', " ").replace("term ", "TERM ").replace("pidfd open", "pidfd_open");
    WRITTEN
        .iter()
        .fold(sentence, |sentence, (from, to)| sentence.replace(from, to))
        .replace("kill follows", "KILL follows")
}

fn cell(verdict: std::thread::Result<Verdict>) -> String {
    match verdict {
        Ok(Ok(())) => "yes".to_owned(),
        Ok(Err(why)) if why == "no such option" => "no option".to_owned(),
        Ok(Err(why)) => {
            // The first line is the reason; more is for whoever looks into it.
            let why: String =
                why.lines().next().unwrap_or_default().replace('|', " ").chars().take(80).collect();
            format!("no: {}", why.trim())
        }
        Err(_) => "no".to_owned(),
    }
}

#[test]
#[ignore = "runs every behaviour on every init and writes docs/init.md: scripts/init-table"]
fn write_the_table() {
    panic::set_hook(Box::new(|_| {}));
    let mut table = String::new();
    for (init, name) in INITS {
        if init.program().is_none() {
            support::skip(&format!("{name} is not installed"));
        }
    }
    for (title, behaviours) in SUITE {
        let names = INITS.map(|(_, name)| format!(" {name} |")).concat();
        let _ = write!(table, "\n| {title} |{names}\n|---|---|---|---|---|\n");
        for (name, behaviour) in *behaviours {
            let _ = write!(table, "| {} |", row(name));
            for (init, _) in INITS {
                let cell = match init.program() {
                    Some(_) => cell(panic::catch_unwind(|| behaviour(init))),
                    None => "not installed".to_owned(),
                };
                let _ = write!(table, " {cell} |");
            }
            table.push('\n');
            println!("{}", table.lines().last().unwrap_or_default());
        }
    }
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the mark of the table");
    let (_, after) = rest.split_once(END).expect("the mark of its end");
    std::fs::write(page(), format!("{before}{BEGIN}{table}\n{END}{after}")).unwrap();
}

#[test]
fn the_table_in_the_docs_has_every_behaviour_and_ours_passes_all() {
    let text = std::fs::read_to_string(page()).unwrap();
    for (name, _) in SUITE.iter().flat_map(|(_, behaviours)| behaviours.iter()) {
        let start = format!("| {} | yes |", row(name));
        assert!(text.contains(&start), "docs/init.md lacks `{start}`: run scripts/init-table");
    }
}
