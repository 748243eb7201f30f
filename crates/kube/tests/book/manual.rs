//! man/kubectl-lastout*.1: a page for the program and one for each verb, written out of what clap reads.
//!
//! `LASTOUT_BLESS=1 cargo test -p kubectl-lastout --test book manual` writes them.

use crate::repository;
use clap::Command;
use clap_mangen::Man;
use kubectl_lastout::cli;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process;
use support::golden;
use support::init::skip_without;

const WRITTEN: &str =
    ".\\\" Written by a test: LASTOUT_BLESS=1 cargo test -p kubectl-lastout --test book manual\n";

fn page(command: &Command) -> (String, String) {
    let man = Man::new(command.clone());
    let name = man.get_filename();
    let mut text = Vec::new();
    man.render(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // clap_mangen 0.3 leaves the date out where there is none, so that the program's name would be taken for it. No words
    // are broken: names of options have to be found.
    let (before, title) = text.split_once(".TH ").unwrap();
    let (_, behind) = title.split_once('\n').unwrap();
    let title = format!(
        ".TH {} 1 \"\" \"kubectl-lastout {}\" \"User Commands\"\n.nh\n",
        name.trim_end_matches(".1").to_uppercase(),
        env!("CARGO_PKG_VERSION")
    );
    (name, format!("{WRITTEN}{before}{title}{behind}"))
}

/// By the name of its file.
fn pages() -> BTreeMap<String, String> {
    let mut all = cli::definition().disable_help_subcommand(true);
    all.build();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    verbs.chain([&all]).map(page).collect()
}

/// The names of the pages that are there.
fn found() -> BTreeSet<String> {
    let files = fs::read_dir(repository().join("man")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("kubectl-lastout")).collect()
}

#[test]
fn the_man_pages_are_what_the_program_reads() {
    let pages = pages();
    for (name, text) in &pages {
        golden::held(&repository().join("man").join(name), text);
    }
    if golden::is_blessing() {
        for name in found().iter().filter(|name| !pages.contains_key(*name)) {
            fs::remove_file(repository().join("man").join(name)).unwrap();
        }
    }
    assert_eq!(found(), pages.into_keys().collect());
}

#[test]
fn the_man_pages_render_with_every_option() {
    let verbs = cli::definition();
    for verb in verbs.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let path = repository().join(format!("man/kubectl-lastout-{}.1", verb.get_name()));
        let Ok(shown) =
            process::Command::new("groff").args(["-man", "-Tascii", "-P-cbou"]).arg(&path).output()
        else {
            return skip_without("groff", "Debian: apt-get install groff");
        };
        assert!(shown.status.success() && shown.stderr.is_empty(), "{shown:?}");
        let text = String::from_utf8(shown.stdout).unwrap();
        for option in verb.get_arguments().filter(|argument| !argument.is_hide_set()) {
            if let Some(name) = option.get_long() {
                assert!(text.contains(&format!("--{name}")), "{}: --{name}: {text}", path.display());
            }
        }
    }
}
