//! `lastout sleep`.

use crate::events::{Events, Incoming};
use crate::sys::Clock;
use lastout_core::machine::Event;
use lastout_core::outcome::{Exit, Outcome};
use std::time::Duration;

/// Sleeps until the time is over, or a stop signal ends it by 128+n.
pub fn sleep(time: Duration) -> Exit {
    let (mut events, _messages) = Events::new(Clock::start(), false);
    loop {
        match events.next(Some(time)) {
            Incoming::Event(Event::Tick) => return Exit::Code(0),
            Incoming::Event(Event::Signal(signal)) if signal.ends_by_default() => {
                return Outcome::Signalled(signal).exit(true);
            }
            Incoming::Event(_) | Incoming::Message(_) => {}
        }
    }
}
