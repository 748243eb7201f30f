//! What the machine wants of the sidecars, and what the workers tell of them.

use super::Run;
use crate::output::log;
use crate::process::spawn;
use crate::record::status::SidecarStatus;
use crate::sidecar::Workers;
use crate::threads::channel::{Message, WorkerEvent};
use lastout_core::duration::Human;
use lastout_core::machine::{Event, SidecarId};
use lastout_core::outcome::Outcome;
use lastout_core::settings::LogLevel;
use lastout_core::stop::{Terms, Verdict, WHILE_TERMINATING};
use lastout_core::tell;
use std::time::Duration;

/// What a sidecar is given at least, when those before it have used up the step's budget.
const SHORTEST: Duration = Duration::from_millis(300);

impl Run<'_> {
    /// Keeps what a worker has found out; what the machine must know of it comes back as an event.
    pub(super) fn take_in(&mut self, sidecar: SidecarId, event: WorkerEvent) -> Option<Event> {
        let now = self.events.now();
        let status = self.statuses.get_mut(sidecar.0)?;
        match event {
            WorkerEvent::Seen => status.seen = true,
            WorkerEvent::Said(said) => status.last = said,
            WorkerEvent::Open { absent } => {
                status.absent = absent;
                let name = &status.spec.name;
                if absent {
                    let text = format!("{name}: taken as absent after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                } else {
                    status.ready_at = Some(now);
                    let text = format!("{name}: ready after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                }
                return Some(Event::Open(sidecar));
            }
            WorkerEvent::Asked => {
                status.asked_at = Some(now);
                return Some(Event::Asked(sidecar));
            }
            WorkerEvent::Done { verdict, terminating } => {
                let took = now.saturating_sub(status.stop_at.unwrap_or(now));
                let (level, text) = tell::verdict(&status.spec, &verdict, terminating, took);
                self.log.about(level, &status.spec.name, &text);
                if level <= LogLevel::Warn {
                    log::last_words(&text);
                }
                let good = verdict.is_good();
                if let Some(membership) = &mut self.membership
                    && verdict.is_final()
                {
                    membership.note_stopped(&status.spec.name);
                }
                status.done_at = Some(now);
                status.verdict = Some(verdict);
                status.told = Some(text);
                return Some(Event::SidecarDone(sidecar, good));
            }
        }
        None
    }

    /// Those that were asked, and that we have no time to see going: no guard is to ask them again.
    pub(super) fn note_unproved(&mut self) {
        let Some(membership) = &mut self.membership else { return };
        for status in
            self.statuses.iter().filter(|status| status.asked_at.is_some() && status.verdict.is_none())
        {
            membership.note_stopped(&status.spec.name);
        }
    }

    pub(super) fn open_gate(&mut self) {
        let probing =
            Workers::new(self.messages.clone(), self.beginning.start, self.log).and_then(|workers| {
                let workers = self.workers.insert(workers);
                let mut statuses = self.statuses.iter().enumerate();
                statuses.try_for_each(|(index, status)| {
                    workers.probe(SidecarId(index), &status.spec, &status.found, self.settings.absent_after)
                })
            });
        if let Err(error) = probing {
            let hint = spawn::limit(&error);
            self.say_error(&format!("cannot wait for the sidecars: no thread to be had: {error}{hint}"));
            self.events.put_first(Event::NotStarted(Outcome::Internal));
        }
    }

    pub(super) fn close_gate(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.end();
        }
    }

    pub(super) fn tell_waiting(&self) {
        for status in self.held_up_by() {
            let text = tell::still_waiting(&status.spec, &status.last);
            self.log.about(LogLevel::Warn, &status.spec.name, &text);
        }
    }

    /// One line, which quotes the last answer of each.
    pub(super) fn tell_timeout(&self) {
        let who: Vec<String> = self
            .held_up_by()
            .map(|status| tell::not_ready(&status.spec, &status.last, status.seen))
            .collect();
        let line = format!("--wait-timeout is over: {}", who.join("; "));
        if self.settings.run_unready {
            self.log.warn(&format!("{line}; the command is run all the same"))
        } else {
            self.say_error(&line)
        }
    }

    /// The sidecars that hold up the gate.
    pub(super) fn held_up_by(&self) -> impl Iterator<Item = &SidecarStatus> {
        self.statuses.iter().filter(|status| status.ready_at.is_none() && !status.absent)
    }

    pub(super) fn ask(&mut self, sidecars: &[SidecarId], deadline: Duration, terminating: bool) {
        if self.workers.is_none() {
            match Workers::new(self.messages.clone(), self.beginning.start, self.log) {
                Ok(workers) => self.workers = Some(workers),
                Err(error) => self.log.error(&format!("cannot stop the sidecars: {error}")),
            }
        }
        for &id in sidecars {
            let Some(status) = self.statuses.get_mut(id.0) else { continue };
            // Counted anew for each: where no thread is to be had, the one before has taken its time.
            let now = self.events.now();
            status.stop_at = Some(now);
            if status.stopped {
                // Even one that is still draining: asked twice, some panic.
                let event = WorkerEvent::Done { verdict: Verdict::AlreadyGone, terminating };
                self.messages.send(Message::Sidecar(id, event));
                continue;
            }
            let absent_at = status.spec.absent_after.unwrap_or(self.settings.absent_after);
            let terms =
                Terms { seen: status.seen, presumed: status.presumed, absent_at, deadline, terminating };
            let Some(workers) = &mut self.workers else {
                let verdict = Verdict::Impossible("no descriptor to be had".to_owned());
                self.messages.send(Message::Sidecar(id, WorkerEvent::Done { verdict, terminating }));
                continue;
            };
            if let Err(error) = workers.stop(id, &status.spec, &status.found, terms) {
                let hint = spawn::limit(&error);
                self.log.warn(&format!(
                    "no thread to be had: {error}{hint}; the sidecars are stopped one by one"
                ));
                // We do it ourselves, and briefly: signals have to wait meanwhile.
                workers.stop_here(
                    id,
                    &status.spec,
                    &status.found,
                    Terms { deadline: deadline.max(now + SHORTEST).min(now + WHILE_TERMINATING), ..terms },
                );
            }
        }
    }
}
