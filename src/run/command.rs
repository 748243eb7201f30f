//! What the machine wants of main: its start, its signals, its terminal.

use super::{Beginning, Run};
use crate::group::Membership;
use crate::process::env_file;
use crate::process::spawn::{self, Command, NotStarted};
use crate::process::terminal::{ProcessGroup, Terminal};
use crate::record::status::MainRun;
use crate::sys;
use lastout_core::machine::{Event, Pid};
use lastout_core::outcome::Outcome;
use lastout_core::signal::Signal;
use std::borrow::Cow;
use std::ffi::CStr;

impl Run<'_> {
    /// Spawns main. From here on the machine has a process to care for, or the reason why not.
    pub(super) fn start(&mut self) -> Event {
        let mut env: Vec<Cow<'_, CStr>> = self.beginning.env.iter().copied().map(Cow::Borrowed).collect();
        let spawned = env_file::apply(&self.settings.env_files, &mut env)
            .map_err(|why| NotStarted { outcome: Outcome::Internal, why })
            .and_then(|()| {
                spawn::drop_our_pidfd(&mut env);
                self.main_group = ProcessGroup::of_main(self.beginning.pid1);
                if self.settings.signal_group && matches!(self.main_group, ProcessGroup::Ours) {
                    self.log.warn(
                        "--signal-group: the command stays in our process group, as others there use the terminal or it cannot be handed over; it alone gets signals",
                    );
                }
                let Beginning { command: words, mask, meant, .. } = self.beginning;
                let command = Command { words, env: &env, mask, meant };
                spawn::spawn(command, &self.main_group)
            });
        match spawned {
            Ok(pid) => {
                self.events.main_is(pid, &self.main_group);
                self.main = Some(MainRun { pid, began: self.events.now(), ended: None });
                self.let_go();
                Event::Started(pid)
            }
            Err(failure) => {
                if let Some(terminal) = self.main_group.terminal() {
                    terminal.take_back();
                }
                self.say_error(&failure.why);
                Event::NotStarted(failure.outcome)
            }
        }
    }

    /// Nothing stays busy because of us: neither a folder, nor what was open when we were executed.
    pub(super) fn let_go(&self) {
        if let Err(error) = nix::unistd::chdir("/") {
            self.log.debug(|| format!("cannot leave the working directory: {error}"));
        }
        let member = self.membership.iter().map(Membership::fd);
        let kept: Vec<i32> = self.main_group.terminal().map(Terminal::fd).into_iter().chain(member).collect();
        if let Err(error) = sys::close_from(3, &kept) {
            self.log.debug(|| format!("cannot close inherited descriptors: {error}"));
        }
    }

    pub(super) fn send(&mut self, pid: Pid, signal: Signal) {
        let outside = !self.beginning.pid1;
        // What the terminal stopped with main was its whole group; and what it says to us it means for main's.
        let whole = outside && (signal == Signal::CONT || signal.is_of_terminal() && self.hand_terminal(pid));
        let target = match self.main_group {
            ProcessGroup::Own(_) if self.settings.signal_group || whole => -pid,
            ProcessGroup::Own(_) | ProcessGroup::Ours => pid,
        };
        match sys::kill(target, signal) {
            Ok(()) => self.log.debug(|| format!("sent {signal} to {target}")),
            // Gone already, or it runs as a user whom we may not signal: neither ends us.
            Err(error) => self.log.debug(|| format!("cannot send {signal} to {target}: {error}")),
        }
    }

    /// Main was stopped, and we stop alike, so that the shell sees it. But when it wanted the terminal, and that is our
    /// group's by now, main gets it and goes on: a shell's `fg` sends no CONT to a job that runs.
    pub(super) fn stop_self(&mut self, signal: Signal) {
        if matches!(signal, Signal::TTIN | Signal::TTOU)
            && let Some(MainRun { pid, .. }) = self.main
            && self.hand_terminal(pid)
        {
            let _ = sys::kill(-pid, Signal::CONT);
        } else if Terminal::is_there() {
            // Only at a terminal is there a shell that sees it and continues us.
            sys::stop_self(signal);
        }
    }

    /// Makes main's group the terminal's foreground, if that is ours now. `false` when it is not.
    pub(super) fn hand_terminal(&mut self, pid: Pid) -> bool {
        let ProcessGroup::Own(ours) = &mut self.main_group else { return false };
        let Some(terminal) = Terminal::open_if_ours() else { return false };
        terminal.give_to(pid);
        *ours = Some(terminal);
        true
    }

    pub(super) fn take_terminal(&mut self) {
        if let ProcessGroup::Own(ours) = &mut self.main_group
            && let (Some(terminal), Some(MainRun { pid, .. })) = (ours.take(), self.main)
        {
            terminal.take_back_from(pid);
        }
    }
}
