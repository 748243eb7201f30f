//! What the machine wants of the sidecars, and what the workers tell of them.

use super::Run;
use crate::log;
use crate::post::{Letter, News};
use crate::sidecar::Workers;
use crate::spawn;
use crate::story::Story;
use lastout_core::duration::Human;
use lastout_core::machine::Event;
use lastout_core::outcome::Outcome;
use lastout_core::settings::LogLevel;
use lastout_core::stop::{HURRIED, Terms, Verdict};
use lastout_core::tell;
use std::time::Duration;

/// What a sidecar is given at least, when those before it have used up the step's budget.
const SHORTEST: Duration = Duration::from_millis(300);

impl Run<'_> {
    /// Keeps what a worker has found out; what the machine must know of it comes back as an event.
    pub(super) fn take_in(&mut self, sidecar: usize, news: News) -> Option<Event> {
        let now = self.events.now();
        let story = self.stories.get_mut(sidecar)?;
        match news {
            News::Seen => story.seen = true,
            News::Said(words) => story.last = words,
            News::Open { absent } => {
                story.absent = absent;
                let name = &story.spec.name;
                if absent {
                    let text = format!("{name}: taken as absent after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                } else {
                    story.ready_at = Some(now);
                    let text = format!("{name}: ready after {}", Human(now));
                    self.log.about(LogLevel::Info, name, &text);
                }
                return Some(Event::Open(sidecar));
            }
            News::Asked => {
                story.asked_at = Some(now);
                return Some(Event::Asked(sidecar));
            }
            News::Done { verdict, hurried } => {
                let took = now.saturating_sub(story.stop_at.unwrap_or(now));
                let (level, text) = tell::verdict(&story.spec, &verdict, hurried, took);
                self.log.about(level, &story.spec.name, &text);
                if level <= LogLevel::Warn {
                    log::last_words(&text);
                }
                let good = verdict.is_good();
                if let Some(membership) = &mut self.membership
                    && verdict.is_final()
                {
                    membership.note_stopped(&story.spec.name);
                }
                story.done_at = Some(now);
                story.verdict = Some(verdict);
                story.told = Some(text);
                return Some(Event::SidecarDone(sidecar, good));
            }
        }
        None
    }

    /// Those that were asked, and that we have no time to see going: no guard is to ask them again.
    pub(super) fn note_unproved(&mut self) {
        let Some(membership) = &mut self.membership else { return };
        for story in self.stories.iter().filter(|story| story.asked_at.is_some() && story.verdict.is_none()) {
            membership.note_stopped(&story.spec.name);
        }
    }

    pub(super) fn open_gate(&mut self) {
        let probing = Workers::new(self.post.clone(), self.beginning.start, self.log).and_then(|workers| {
            let workers = self.workers.insert(workers);
            let mut stories = self.stories.iter().enumerate();
            stories.try_for_each(|(index, story)| {
                workers.probe(index, &story.spec, &story.found, self.settings.absent_after)
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
        for story in self.held_up_by() {
            let text = tell::still_waiting(&story.spec, &story.last);
            self.log.about(LogLevel::Warn, &story.spec.name, &text);
        }
    }

    /// One line, which quotes the last answer of each.
    pub(super) fn tell_timeout(&self) {
        let who: Vec<String> =
            self.held_up_by().map(|story| tell::not_ready(&story.spec, &story.last, story.seen)).collect();
        let line = format!("--wait-timeout is over: {}", who.join("; "));
        match self.settings.run_unready {
            true => self.log.warn(&format!("{line}; the command is run all the same")),
            false => self.say_error(&line),
        }
    }

    /// The sidecars that hold up the gate.
    pub(super) fn held_up_by(&self) -> impl Iterator<Item = &Story> {
        self.stories.iter().filter(|story| story.ready_at.is_none() && !story.absent)
    }

    pub(super) fn ask(&mut self, sidecars: &[usize], deadline: Duration, hurried: bool) {
        if self.workers.is_none() {
            match Workers::new(self.post.clone(), self.beginning.start, self.log) {
                Ok(workers) => self.workers = Some(workers),
                Err(error) => self.log.error(&format!("cannot stop the sidecars: {error}")),
            }
        }
        for &index in sidecars {
            let Some(story) = self.stories.get_mut(index) else { continue };
            // Counted anew for each: where no thread is to be had, the one before has taken its time.
            let now = self.events.now();
            story.stop_at = Some(now);
            if story.stopped {
                // Even one that is still draining: asked twice, some panic.
                let news = News::Done { verdict: Verdict::AlreadyGone, hurried };
                self.post.send(Letter::Sidecar(index, news));
                continue;
            }
            let absent_at = story.spec.absent_after.unwrap_or(self.settings.absent_after);
            let terms = Terms { seen: story.seen, presumed: story.presumed, absent_at, deadline, hurried };
            let Some(workers) = &mut self.workers else {
                let verdict = Verdict::Impossible("no descriptor to be had".to_owned());
                self.post.send(Letter::Sidecar(index, News::Done { verdict, hurried }));
                continue;
            };
            if let Err(error) = workers.stop(index, &story.spec, &story.found, terms) {
                let hint = spawn::limit(&error);
                self.log.warn(&format!(
                    "no thread to be had: {error}{hint}; the sidecars are stopped one by one"
                ));
                // We do it ourselves, and briefly: signals have to wait meanwhile.
                workers.stop_here(
                    index,
                    &story.spec,
                    &story.found,
                    Terms { deadline: deadline.max(now + SHORTEST).min(now + HURRIED), ..terms },
                );
            }
        }
    }
}
