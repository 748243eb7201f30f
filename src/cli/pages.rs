//! The pages of `--help`.

use lastout_core::argv::Subcommand;
use lastout_core::settings::{OPTIONS, Opt, OptionRow, Verb};
use std::fmt::Write;

const ABOUT: &str = "\
Runs COMMAND as the container's init (PID 1): waits for the sidecars, forwards signals, reaps zombies; when
COMMAND has ended, stops the sidecars, checks that they are gone, and exits with COMMAND's own exit code.
A sidecar is a container beside COMMAND's, such as a proxy; a main is a container that the pod is for.

Usage: lastout [OPTIONS] [--] COMMAND [ARG]...
       lastout install DEST        copy this program to DEST (a folder or a file name)
       lastout wait [SPEC]...      only wait for the sidecars: 0, or 124
       lastout stop [SPEC]...      only stop them: 0 when all are gone, else 1
       lastout guard [OPTIONS] [--] COMMAND [ARG]...
                                   run a sidecar until the mains of --group have ended, then end it
       lastout guard [OPTIONS] --sidecar SPEC...
                                   wait until they have ended, then stop these sidecars
       lastout sleep DURATION      for preStop hooks in images without a shell
       lastout presets             the known sidecars, and what must be switched on in them

Options:
";

const AFTER: &str = "  --help, --version

Every option has a variable LASTOUT_<OPTION>, such as LASTOUT_STOP_ON; lists are separated by blanks.
Exit codes: COMMAND's own; 128+n when signal n ended it; 127 not found; 126 cannot be executed; 125 bad
options or settings; 124 a sidecar was not ready in time.
";

/// What a subcommand does, how it exits, and the options that mean something to it.
struct Page {
    /// Another way to call it, as a line below the usage.
    or: &'static str,
    text: &'static str,
    options: &'static [Opt],
}

const TELLING: [Opt; 3] = [Opt::Report, Opt::LogLevel, Opt::LogFormat];

const INSTALL: Page = Page {
    or: "",
    text: "\
Copies this program to DEST, a folder that exists or a file name.
Exit codes: 0; 125 when it cannot be written.
",
    options: &[],
};

const WAIT: Page = Page {
    or: "",
    text: "\
Waits until the sidecars are ready, and exits.
Exit codes: 0 when all are ready; 124 when --wait-timeout is over; 125 bad options; 128+n for signal n.
",
    options: &[
        Opt::Sidecar,
        Opt::WaitTimeout,
        Opt::OnWaitTimeout,
        Opt::AbsentAfter,
        Opt::StopSignal,
        Opt::Compat,
    ],
};

const STOP: Page = Page {
    or: "",
    text: "\
Stops the sidecars and checks that they are gone.
Exit codes: 0 when all are gone; 1 when one is still there; 125 bad options.
",
    options: &[Opt::Sidecar, Opt::StopTimeout, Opt::Compat],
};

const GUARD: Page = Page {
    or: "       lastout guard --group DIR [OPTIONS] --sidecar SPEC...\n",
    text: "\
Runs a sidecar as its COMMAND until the mains that share DIR have ended, then ends it; or waits until they have
ended and stops the sidecars of --sidecar.
Exit codes: 0 when it ended the COMMAND or stopped the sidecars; the COMMAND's own when that ended by itself; 125.
",
    options: &[
        Opt::Sidecar,
        Opt::Group,
        Opt::GroupSize,
        Opt::GroupWait,
        Opt::Grace,
        Opt::StopTimeout,
        Opt::StopSignal,
    ],
};

const SLEEP: Page = Page {
    or: "",
    text: "\
Sleeps. DURATION is 5 (seconds), 500ms, 1m30s.
Exit codes: 0 when the time is over; 128+n for signal n; 125 when DURATION is none.
",
    options: &[],
};

const PRESETS: Page = Page {
    or: "",
    text: "\
Prints the known sidecars. --json: an array of objects.
Exit codes: 0; 125 for any other argument.
",
    options: &[],
};

/// More bytes than the longest page: a text that grows is a page of memory for each of its sizes.
const ENOUGH: usize = 4 * 1024;

/// What `lastout SUBCOMMAND --help` shows. Written here and not by clap, whose templates for every kind of program would
/// be a twelfth of the binary.
pub(super) fn help(subcommand: Subcommand) -> String {
    let page = match subcommand {
        Subcommand::Work(Verb::Run) => {
            let mut text = String::with_capacity(ENOUGH);
            text += ABOUT;
            list_options(&mut text, &|_| true);
            return text + AFTER;
        }
        Subcommand::Work(Verb::Wait) => &WAIT,
        Subcommand::Work(Verb::Stop) => &STOP,
        Subcommand::Work(Verb::Guard) => &GUARD,
        Subcommand::Install => &INSTALL,
        Subcommand::Sleep => &SLEEP,
        Subcommand::Presets => &PRESETS,
    };
    let mut text = format!("Usage: {}\n{}\n{}", subcommand.usage(), page.or, page.text);
    if !page.options.is_empty() {
        text += "\nOptions:\n";
        list_options(&mut text, &|row| page.options.contains(&row.option) || TELLING.contains(&row.option));
        text += "  --help\n";
    }
    text
}

fn list_options(text: &mut String, which: &dyn Fn(&OptionRow) -> bool) {
    for row in OPTIONS.iter().filter(|row| which(row)) {
        let name = row.value.map_or_else(|| row.name.to_owned(), |value| format!("{} {value}", row.name));
        let default = match row.default_in_words() {
            words if words.is_empty() => words,
            words => format!(" [default: {words}]"),
        };
        let _ = writeln!(text, "  --{name:<28} {}{default}", row.meaning);
    }
}
