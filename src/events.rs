//! Where events come from: pending signals, children, workers, the nearest deadline. No decisions.

use crate::process::terminal::ProcessGroup;
use crate::sys::{self, Change, Clock, Received};
use crate::threads::channel::{Message, MessageSender};
use lastout_core::machine::{Event, Pid};
use lastout_core::signal::Signal;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Something for the interpreter.
#[derive(Debug)]
pub enum Incoming {
    /// An event of the machine.
    Event(Event),
    /// What a helper thread has found out.
    Message(Message),
}

/// The source of everything that happens to us.
#[derive(Debug)]
pub struct Events {
    start: Clock,
    own_pid: Pid,
    messages: Receiver<Message>,
    queue: VecDeque<Event>,
    /// The child whose end counts; all others are reaped and forgotten.
    main: Option<Main>,
    /// What main used, when that is wanted.
    usage: Option<libc::rusage>,
    /// There may be messages: whoever sends one wakes the loop by CHLD.
    woken: bool,
    /// We have once been idle beside main.
    settled: bool,
}

/// The child whose end counts.
#[derive(Debug)]
struct Main {
    pid: Pid,
    /// It is in our own process group, and the terminal's signals reach it by themselves.
    in_our_group: bool,
}

impl Events {
    /// Nothing has happened yet. Also returns the way by which workers reach the loop.
    pub fn new(start: Clock, wants_usage: bool) -> (Self, MessageSender) {
        let (sender, messages) = channel();
        let usage = wants_usage.then(sys::no_usage);
        let own_pid = std::process::id().cast_signed();
        let events = Self {
            start,
            own_pid,
            messages,
            queue: VecDeque::new(),
            main: None,
            usage,
            woken: false,
            settled: false,
        };
        (events, MessageSender::new(sender, sys::thread_id()))
    }

    /// How long we have been running.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Main is this child, in this process group.
    pub fn main_is(&mut self, pid: Pid, group: &ProcessGroup) {
        self.main = Some(Main { pid, in_our_group: matches!(group, ProcessGroup::Ours) });
    }

    /// What main used, once it is reaped.
    pub fn usage(&self) -> Option<&libc::rusage> {
        self.usage.as_ref()
    }

    /// Comes next, whatever else is pending.
    pub fn put_first(&mut self, event: Event) {
        self.queue.push_front(event);
    }

    /// Waits for what happens next, at most until the deadline, which is then the [`Event::Tick`]. Without a
    /// deadline and without an event nothing ever wakes us.
    pub fn next(&mut self, deadline: Option<Duration>) -> Incoming {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Incoming::Event(event);
            }
            if self.woken {
                match self.messages.try_recv() {
                    Ok(message) => return Incoming::Message(message),
                    Err(_) => self.woken = false,
                }
            }
            let left = deadline.map(|at| at.saturating_sub(self.now()));
            if left.is_some_and(|left| left.is_zero()) {
                // Before the signals, else a flood of them would put off every deadline; but behind a message, which is
                // what the deadline is for.
                return self.messages.try_recv().map_or(Incoming::Event(Event::Tick), Incoming::Message);
            }
            if left.is_none() && self.main.is_some() && !self.settled {
                self.settled = true;
                // Whoever executed us may have left children to us.
                self.reap();
                // A main that is over already needs them at once.
                if self.queue.is_empty() {
                    sys::give_back_pages();
                }
                continue;
            }
            match sys::wait_signal(left) {
                Some(received) if received.signal == Signal::CHLD => {
                    self.woken = true;
                    self.reap();
                }
                // A fault of our own would kill us before it could be received; and what we sent ourselves is
                // not for main (a broken stderr raises PIPE, which looks as if we had sent it).
                Some(received) if received.signal.is_fault() && !received.by_process => {}
                Some(received) if received.by_process && received.sender == self.own_pid => {}
                Some(received) if self.main_has(received) => {
                    return Incoming::Event(Event::GroupSignal(received.signal));
                }
                Some(received) => return Incoming::Event(Event::Signal(received.signal)),
                // The deadline has come; or a stop or a debugger has interrupted us.
                None => self.woken = true,
            }
        }
    }

    /// Whether the terminal has sent it to our group, main included. When it hangs up, HUP and CONT go to the leader of the
    /// session alone; to the foreground group they go when that leader ends (`tty_jobctrl.c`).
    fn main_has(&self, received: Received) -> bool {
        let at_hang_up = matches!(received.signal, Signal::HUP | Signal::CONT);
        self.main.as_ref().is_some_and(|main| main.in_our_group)
            && !received.by_process
            && received.signal.is_of_terminal()
            && !(at_hang_up && nix::unistd::getsid(None) == Ok(nix::unistd::getpid()))
    }

    /// Takes in every change of every child: CHLD merges, so one may stand for thousands.
    fn reap(&mut self) {
        let main = self.main.as_ref().map(|main| main.pid);
        loop {
            let mut spent = self.usage.is_some().then(sys::no_usage);
            match sys::next_change(spent.as_mut()) {
                Change::Ended(pid, ended) if Some(pid) == main => {
                    self.usage = spent;
                    self.queue.push_back(Event::Reaped(pid, ended));
                }
                Change::Stopped(pid, signal) if Some(pid) == main => {
                    self.queue.push_back(Event::Stopped(pid, signal));
                }
                Change::Ended(..) | Change::Stopped(..) => {}
                Change::Nothing => return,
                Change::Childless => return self.queue.push_back(Event::Childless),
            }
        }
    }
}
