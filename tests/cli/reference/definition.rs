//! The command line as man page and completions show it: the table of options, the subcommands, and what `--help` says
//! of each.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, ValueHint};
use lastout_core::argv::Subcommand;
use lastout_core::presets::PRESETS;
use lastout_core::settings::{OPTIONS, OptionRow, Verb};

/// What `lastout SUBCOMMAND --help` prints.
pub fn help(subcommand: Subcommand) -> String {
    match subcommand.name() {
        "" => super::stdout(&["--help"]),
        word => super::stdout(&[word, "--help"]),
    }
}

/// The lines of how it is called, and the text that stands beside them.
pub fn usage_and_text(subcommand: Subcommand) -> (Vec<String>, String) {
    let help = help(subcommand);
    let (page, _options) = help.split_once("\nOptions:").unwrap_or((&help, ""));
    let (before, rest) = page.split_once("Usage: ").unwrap();
    let (usage, behind) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let calls = usage.lines().map(|line| line.trim().to_owned()).collect();
    let text = if behind.is_empty() { before } else { behind };
    (calls, text.trim().to_owned())
}

/// The whole command line.
pub fn command() -> Command {
    // As `whatis` shows it, behind the name.
    let about = env!("CARGO_PKG_DESCRIPTION").replacen('R', "r", 1);
    let verbs = Subcommand::NAMED.into_iter().map(verb);
    with_options(Command::new("lastout"), Subcommand::Work(Verb::Run))
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .arg(Arg::new("version").long("version").action(ArgAction::SetTrue).help("The version"))
        .about(about)
        .arg(program())
        .subcommands(verbs)
        .disable_help_subcommand(true)
}

fn verb(subcommand: Subcommand) -> Command {
    let text = usage_and_text(subcommand).1;
    // The page is broken at a width; its first sentence is enough for a list.
    let about = text.split(['\n', '.', ';']).next().unwrap().to_owned();
    let command = with_options(Command::new(subcommand.name()).about(about), subcommand);
    match subcommand {
        Subcommand::Work(Verb::Wait | Verb::Stop) => command.arg(specs(Arg::new("SPEC")).num_args(0..)),
        Subcommand::Work(Verb::Run | Verb::Guard) => command.arg(program()),
        Subcommand::Install => command.arg(Arg::new("DEST").value_hint(ValueHint::AnyPath)),
        Subcommand::Sleep => command.arg(Arg::new("DURATION").value_hint(ValueHint::Other)),
        Subcommand::Presets => {
            command.arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("An array of objects"))
        }
    }
}

/// The options that its `--help` lists.
fn with_options(command: Command, subcommand: Subcommand) -> Command {
    let help = help(subcommand);
    let has = |row: &&OptionRow| {
        help.lines().any(|line| line.split_whitespace().next() == Some(&format!("--{}", row.name)))
    };
    // clap's own is there only where another crate of the workspace asks for its help.
    let own_help = Arg::new("help").long("help").short('h').action(ArgAction::SetTrue).help("The options");
    command.disable_help_flag(true).args(OPTIONS.iter().filter(has).map(option)).arg(own_help)
}

/// The program to run, and what is said to it.
fn program() -> Arg {
    Arg::new("COMMAND").num_args(0..).trailing_var_arg(true).value_hint(ValueHint::CommandWithArguments)
}

fn specs(arg: Arg) -> Arg {
    arg.value_parser(PossibleValuesParser::new(PRESETS.iter().map(|preset| preset.name)))
}

fn option(row: &OptionRow) -> Arg {
    let arg = Arg::new(row.name).long(row.name).help(row.meaning);
    let Some(value) = row.value else {
        return arg.action(ArgAction::SetTrue);
    };
    let arg = arg.value_name(value).action(if row.repeats { ArgAction::Append } else { ArgAction::Set });
    match value {
        "SPEC" => specs(arg),
        "DIR" => arg.value_hint(ValueHint::DirPath),
        "FILE" | "FILE|-" => arg.value_hint(ValueHint::FilePath),
        // What is written in small letters is a word that can be taken as it is.
        _ if value.contains('|') => arg.value_parser(PossibleValuesParser::new(
            value.split('|').filter(|word| word.chars().all(|one| !one.is_ascii_uppercase())),
        )),
        _ => arg.value_hint(ValueHint::Other),
    }
}
