//! Signals by name and number: the one table of them, and the classes that decide how one is treated.

use core::fmt;

/// A signal of Linux, 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

/// The first real-time signal as users count them (`RTMIN+0`): glibc's 34. The C library keeps 32 and 33
/// for itself (musl also 34), but the kernel delivers them all.
const RTMIN: u8 = 34;
/// The last signal there is.
const RTMAX: u8 = 64;

/// Names by number, without `SIG`; Linux on x86 and Arm (`signal(7)`).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Other spellings that `kill -l` of some system knows.
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

impl Signal {
    /// Hang-up.
    pub const HUP: Self = Self(1);
    /// Interrupt (Ctrl-C).
    pub const INT: Self = Self(2);
    /// Quit (Ctrl-\\).
    pub const QUIT: Self = Self(3);
    /// Kill; cannot be caught.
    pub const KILL: Self = Self(9);
    /// For the program to define.
    pub const USR1: Self = Self(10);
    /// For the program to define.
    pub const USR2: Self = Self(12);
    /// Broken pipe.
    pub const PIPE: Self = Self(13);
    /// Terminate.
    pub const TERM: Self = Self(15);
    /// A child's state changed.
    pub const CHLD: Self = Self(17);
    /// Continue.
    pub const CONT: Self = Self(18);
    /// Stop; cannot be caught.
    pub const STOP: Self = Self(19);
    /// Stop from the terminal (Ctrl-Z).
    pub const TSTP: Self = Self(20);
    /// Background read from the terminal.
    pub const TTIN: Self = Self(21);
    /// Background write to the terminal.
    pub const TTOU: Self = Self(22);
    /// The size of the terminal has changed.
    pub const WINCH: Self = Self(28);

    /// The signal of this number, if it is one (1–64).
    #[must_use]
    pub fn new(number: i32) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| matches!(n, 1..=RTMAX)).map(Self)
    }

    /// 1–64.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Reads `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `RTMAX-1`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::new);
        }
        let name = match text.get(..3) {
            Some(sig) if sig.eq_ignore_ascii_case("SIG") => text.get(3..)?,
            _ => text,
        };
        let named = (1u8..).zip(NAMES).find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(n, _)| n);
        let aliased = || ALIASES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, n)| n);
        named.or_else(aliased).map(Self).or_else(|| real_time(name))
    }

    /// True for a signal by which the kernel reports a fault of the program itself.
    #[must_use]
    pub fn is_fault(self) -> bool {
        matches!(self.0, 4 | 5 | 6 | 7 | 8 | 11 | 31)
    }

    /// True for the signals by which a terminal stops a job.
    #[must_use]
    pub fn stops_job(self) -> bool {
        matches!(self, Self::TSTP | Self::TTIN | Self::TTOU)
    }

    /// True for the signals that a terminal sends.
    #[must_use]
    pub fn is_of_terminal(self) -> bool {
        self.stops_job() || matches!(self, Self::HUP | Self::INT | Self::QUIT | Self::CONT | Self::WINCH)
    }

    /// True when a program that has not arranged for it is ended by it (`signal(7)`).
    #[must_use]
    pub fn ends_by_default(self) -> bool {
        !matches!(self.0, 17..=23 | 28)
    }

    /// True when neither a program nor a mask can hold it back.
    #[must_use]
    pub fn is_uncatchable(self) -> bool {
        matches!(self, Self::KILL | Self::STOP)
    }

    /// True for signals that the kernel queues one by one, where two of the same are two.
    #[must_use]
    pub fn is_real_time(self) -> bool {
        self.0 > 31
    }
}

/// `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`.
fn real_time(name: &str) -> Option<Signal> {
    let offset = |rest: &str, sign: char| -> Option<u8> {
        match rest.strip_prefix(sign) {
            Some(n) => n.parse().ok(),
            None if rest.is_empty() => Some(0),
            None => None,
        }
    };
    let (base, rest) = (name.get(..5)?, name.get(5..)?);
    let number = if base.eq_ignore_ascii_case("RTMIN") {
        RTMIN.checked_add(offset(rest, '+')?)?
    } else if base.eq_ignore_ascii_case("RTMAX") {
        RTMAX.checked_sub(offset(rest, '-')?)?
    } else {
        return None;
    };
    (RTMIN..=RTMAX).contains(&number).then_some(Signal(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0).wrapping_sub(1)) {
            Some(name) => f.write_str(name),
            None if self.0 < RTMIN => write!(f, "{}", self.0),
            None => write!(f, "RTMIN+{}", self.0 - RTMIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_signal_reads_back_from_its_own_name() {
        for n in 1..=64 {
            let signal = Signal::new(n).unwrap();
            assert_eq!(Signal::parse(&signal.to_string()), Some(signal));
            assert_eq!(Signal::parse(&n.to_string()), Some(signal));
        }
    }

    #[test]
    fn spellings_that_users_write() {
        for (text, n) in [("sigterm", 15), ("SIGRTMIN+3", 37), ("rtmax-1", 63), ("RTMIN", 34), ("POLL", 29)] {
            assert_eq!(Signal::parse(text).map(Signal::number), Some(n), "{text}");
        }
        for text in ["", "SIG", "0", "65", "-1", "TERMINATE", "RTMIN+31", "RTMIN-1", "RTMAX+1", "é", "SIGé"]
        {
            assert_eq!(Signal::parse(text), None, "{text}");
        }
    }
}
