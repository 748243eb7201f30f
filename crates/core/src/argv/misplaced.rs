//! Options of ours that stand where they are the command's.

use crate::settings::{OPTIONS, Opt, OptionRow};

/// The first option of ours among a command's words, and which of the words it is. `lastout COMMAND --sidecar SPEC`
/// gives the command an argument, and waits for nobody. Where the command stands behind `--` it is meant so, and this is
/// not to be asked.
#[must_use]
pub fn option_behind_command(
    command: &mut dyn Iterator<Item = &[u8]>,
) -> Option<(usize, &'static OptionRow)> {
    let words = command.enumerate().take_while(|(_, word)| *word != b"--");
    let named = |word: &[u8]| {
        let name = word.strip_prefix(b"--")?.split(|byte| b"= ".contains(byte)).next()?;
        OPTIONS.iter().find(|row| is_ours_alone(row.option) && row.name.as_bytes() == name)
    };
    words.filter_map(|(at, word)| Some((at, named(word)?))).next()
}

/// No other program is likely to have an option of this name.
fn is_ours_alone(option: Opt) -> bool {
    match option {
        Opt::Sidecar
        | Opt::WaitTimeout
        | Opt::OnWaitTimeout
        | Opt::AbsentAfter
        | Opt::StopOn
        | Opt::SignalGroup
        | Opt::RewriteSignal
        | Opt::DelaySignal
        | Opt::MapExit
        | Opt::GroupSize
        | Opt::GroupWait
        | Opt::ParentDeathSignal => true,
        Opt::NoWait
        | Opt::EnvFile
        | Opt::StopTimeout
        | Opt::Linger
        | Opt::StopSignal
        | Opt::Grace
        | Opt::Leftovers
        | Opt::Group
        | Opt::GroupName
        | Opt::Report
        | Opt::Compat
        | Opt::LogLevel
        | Opt::LogFormat => false,
    }
}
