//! completions/: what bash, zsh and fish offer after `lastout`.

use super::definition::command;
use clap_complete::{Shell, generate};
use std::process::Command;
use support::init::{skip_without, which};

/// Under which name each shell looks for its own.
const FILES: [(Shell, &str); 3] =
    [(Shell::Bash, "lastout.bash"), (Shell::Zsh, "_lastout"), (Shell::Fish, "lastout.fish")];

fn path(name: &str) -> String {
    format!("{}/completions/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn completions_are_what_the_table_says() {
    only_ours!();
    for (shell, name) in FILES {
        let mut script = Vec::new();
        generate(shell, &mut command(), "lastout", &mut script);
        let mut script = String::from_utf8(script).unwrap();
        if shell == Shell::Fish {
            // clap_complete 4.6 gives up where an option's value is what is being completed.
            assert_eq!(script.matches("    or return\n").count(), 1);
            script = script.replace("    or return\n", "    or return 0\n");
        }
        super::held_file(&format!("completions/{name}"), &script);
    }
}

/// What a shell prints, which has to be here.
fn told(shell: &str, script: &str) -> Option<Vec<String>> {
    let Some(shell) = which(shell) else {
        skip_without(shell, "its completions are not tried");
        return None;
    };
    let output = Command::new(shell).args(["-c", script]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{script}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// What bash offers for the last of these words, by the function that it was told to ask.
fn bash(words: &[&str]) -> Option<Vec<String>> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let (last, before) = (words.len() - 1, words[words.len() - 2]);
    let ask = format!(
        ". '{}'\nCOMP_WORDS=({}) COMP_CWORD={last} COMPREPLY=()\nset -- $(complete -p lastout)\n\
         while [ \"$1\" != -F ]; do shift || exit; done\n\"$2\" lastout '{}' '{before}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        path("lastout.bash"),
        quoted.join(" "),
        words[last],
    );
    told("bash", &ask)
}

#[test]
fn bash_completes_options_their_values_and_subcommands() {
    only_ours!();
    let Some(options) = bash(&["lastout", "--wait"]) else { return };
    assert_eq!(options, ["--wait-timeout"]);
    let offered = |words: &[&str]| bash(words).unwrap();
    assert_eq!(offered(&["lastout", "--stop-on", ""]), ["always", "success", "never"]);
    assert_eq!(offered(&["lastout", "--sidecar", "ist"]), ["istio"]);
    assert_eq!(offered(&["lastout", "gu"]), ["guard"]);
    assert_eq!(offered(&["lastout", "stop", "--stop-t"]), ["--stop-timeout"]);
    assert_eq!(offered(&["lastout", "presets", "--"]), ["--help", "--json"]);
}

#[test]
fn zsh_reads_its_script() {
    only_ours!();
    let ask = format!("autoload -U compinit; compinit -D -u; . '{}' && whence -w _lastout", path("_lastout"));
    if let Some(said) = told("zsh", &ask) {
        assert_eq!(said, ["_lastout: function"]);
    }
}

#[test]
fn fish_completes_options_their_values_and_subcommands() {
    only_ours!();
    let offered = |line: &str| {
        let ask = format!("source '{}'; complete --do-complete '{line}'", path("lastout.fish"));
        let lines = told("fish", &ask)?;
        Some(lines.iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let Some(options) = offered("lastout --wait") else { return };
    assert_eq!(options, ["--wait-timeout"]);
    assert_eq!(offered("lastout --sidecar ist").unwrap(), ["istio"]);
    assert_eq!(offered("lastout gu").unwrap(), ["guard"]);
}
