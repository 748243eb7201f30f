//! What the machine wants of the group of mains.

use super::Run;
use crate::group::Mains;
use crate::output::log;
use crate::process::spawn;
use crate::sys;
use crate::threads::channel::Message;
use lastout_core::machine::Event;
use lastout_core::outcome::Outcome;

/// Bytes of the stack of the thread that waits for the mains.
const WATCH_STACK: usize = 64 * 1024;

impl Run<'_> {
    pub(super) fn leave_group(&mut self, outcome: Outcome) -> Event {
        let now = self.events.now();
        let last = match self.membership.as_mut().map(|membership| membership.leave(outcome, now)) {
            Some(Ok(last)) => last,
            Some(Err(what)) => {
                // Others may need the sidecars: a pod that hangs is seen, a connection that is cut is not.
                let line =
                    format!("{what}; the sidecars are left to the other mains, or to a `lastout guard`");
                self.log.warn(&line);
                log::last_words(&line);
                false
            }
            // Not registered: then nobody counts on us.
            None => true,
        };
        self.log.info(|| if last { "the last main out" } else { "other mains are not out yet" }.to_owned());
        Event::Left(last)
    }

    pub(super) fn look_at_group(&self) -> Event {
        let Some(watch) = &self.watch else { return Event::MainsOut };
        match watch.look(self.events.now()) {
            Ok(Mains::Out) => Event::MainsOut,
            Ok(Mains::In) => Event::MainsIn,
            // Who watches from now on meets the same trouble, and tells it.
            Err(_) => Event::MainsIn,
        }
    }

    /// One thread, blocked in the lock of a main.
    pub(super) fn watch_group(&mut self) {
        let Some(watch) = self.watch.clone() else { return };
        let (messages, trouble, start) = (self.messages.clone(), self.messages.clone(), self.beginning.start);
        let work = move || {
            let stopped = watch.wait(|| start.elapsed(), |what| trouble.send(Message::GroupTrouble(what)));
            messages.send(Message::MainsOut { stopped });
        };
        let signals = sys::ThreadSignals::new();
        match signals.spawn(WATCH_STACK, work) {
            Ok(_) => self.watcher = Some(signals),
            Err(error) => {
                let hint = spawn::limit(&error);
                self.say_error(&format!("guard: cannot watch the group: no thread to be had: {error}{hint}"));
                // Without a sidecar of our own there is nothing to stay for; with one, the pod's end will end it.
                self.events.put_first(Event::NotStarted(Outcome::Internal));
            }
        }
    }

    pub(super) fn mains_are_out(&mut self, stopped: &[String]) -> Event {
        for status in &mut self.statuses {
            status.stopped = stopped.contains(&status.spec.name);
        }
        Event::MainsOut
    }
}
