//! What a stop and its worker say to each other, and how it ends.

use alloc::string::String;
use core::time::Duration;

/// What the worker does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send the quit request (or create the file).
    Ask,
    /// Connect to the quit port, and to the ready port where it is another one, and close at once.
    LookAtPorts,
    /// Look for what proves its end, where that is not at its ports.
    LookForProof,
    /// End the process of that name by its signal.
    Signal,
    /// Wait, or be woken by [`super::Stop::terminating_from`].
    Pause(Duration),
    /// The story is over.
    Done(Verdict),
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A complete answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// True when it is one that means yes.
        accepted: bool,
        /// The sidecar's own words, first line, trimmed.
        quote: String,
    },
    /// The file that it waits for is there.
    Created,
    /// The request was written, but no complete answer came: reset, end of stream, silence.
    Lost(String),
    /// Refused before a byte was written.
    Refused,
    /// Neither accepted nor refused: nothing is known of it.
    Silence,
    /// Failed in another way before a byte was written (not permitted, too busy): something is there.
    Unsent(String),
    /// It cannot work, however often it is tried (the file's folder is not there).
    Impossible(String),
}

/// What a port did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// It accepted a connection.
    Accepts,
    /// It refused.
    Refuses,
    /// Neither in time: its queue may be full, or the packets are dropped. No proof of anything.
    Silent,
}

/// Whether what proves the end of a sidecar is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It is.
    Given,
    /// Not yet.
    Missing,
    /// It never will be: the process whose end it is was not visible when the sidecar was asked.
    Impossible,
}

/// How the stop of one sidecar ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Asked, and its ports refuse.
    Gone,
    /// It was there before, and is not any more.
    AlreadyGone,
    /// Asked and accepted, which is all that this one can prove.
    Accepted,
    /// Nothing to do for this one.
    NotNeeded,
    /// Optional and not there, or not there once a stop signal had come.
    Absent,
    /// The quit port refuses while the ready port accepts.
    NotSwitchedOn,
    /// A complete answer that will not change.
    Declined {
        /// The HTTP status.
        status: u16,
        /// The sidecar's own words.
        quote: String,
    },
    /// It could not be asked at all.
    Impossible(String),
    /// A known sidecar that has no way of being asked.
    NoWay,
    /// Nothing ever accepted a connection.
    NeverAppeared,
    /// Still there at the deadline.
    StillThere {
        /// True when it had accepted the request, or may have.
        asked: bool,
        /// Its last answer, or what went wrong last.
        last: String,
    },
    /// Gone, back, asked once more, and back again.
    CameBack,
}

impl Verdict {
    /// Which one it is, without what it holds.
    #[must_use]
    pub fn kind(&self) -> VerdictKind {
        match self {
            Self::Gone => VerdictKind::Gone,
            Self::AlreadyGone => VerdictKind::AlreadyGone,
            Self::Accepted => VerdictKind::Accepted,
            Self::NotNeeded => VerdictKind::NotNeeded,
            Self::Absent => VerdictKind::Absent,
            Self::NotSwitchedOn => VerdictKind::NotSwitchedOn,
            Self::Declined { .. } => VerdictKind::Declined,
            Self::Impossible(_) => VerdictKind::Impossible,
            Self::NoWay => VerdictKind::NoWay,
            Self::NeverAppeared => VerdictKind::NeverAppeared,
            Self::StillThere { .. } => VerdictKind::StillThere,
            Self::CameBack => VerdictKind::CameBack,
        }
    }

    /// True when nobody should ask it again: it is gone, or it has accepted, or may have.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Gone
            | Self::AlreadyGone
            | Self::Accepted
            | Self::NotNeeded
            | Self::StillThere { asked: true, .. }
            | Self::CameBack => true,
            // An absent one may still come.
            Self::Absent
            | Self::NotSwitchedOn
            | Self::Declined { .. }
            | Self::Impossible(_)
            | Self::NoWay
            | Self::NeverAppeared
            | Self::StillThere { asked: false, .. } => false,
        }
    }

    /// True when nothing keeps the pod from ending.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Gone | Self::AlreadyGone | Self::Accepted | Self::NotNeeded | Self::Absent => true,
            Self::NotSwitchedOn
            | Self::Declined { .. }
            | Self::Impossible(_)
            | Self::NoWay
            | Self::NeverAppeared
            | Self::StillThere { .. }
            | Self::CameBack => false,
        }
    }
}

/// A [`Verdict`] without what it holds: as a report names it, and as a line of the log is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the verdict of the same name")]
pub enum VerdictKind {
    Gone,
    AlreadyGone,
    Accepted,
    NotNeeded,
    Absent,
    NotSwitchedOn,
    Declined,
    Impossible,
    NoWay,
    NeverAppeared,
    StillThere,
    CameBack,
}

impl VerdictKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Gone,
        Self::AlreadyGone,
        Self::Accepted,
        Self::NotNeeded,
        Self::Absent,
        Self::NotSwitchedOn,
        Self::Declined,
        Self::Impossible,
        Self::NoWay,
        Self::NeverAppeared,
        Self::StillThere,
        Self::CameBack,
    ];

    /// As a report names it (docs/report.md).
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::AlreadyGone => "already_gone",
            Self::Accepted => "accepted",
            Self::NotNeeded => "not_needed",
            Self::Absent => "absent",
            Self::NotSwitchedOn => "not_switched_on",
            Self::Declined => "declined",
            Self::Impossible => "impossible",
            Self::NoWay => "no_way",
            Self::NeverAppeared => "never_appeared",
            Self::StillThere => "still_there",
            Self::CameBack => "came_back",
        }
    }
}

/// What is known and wanted when the stop begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// It has accepted a connection at some time.
    pub seen: bool,
    /// That is only presumed: what is found gone is what is wanted (`lastout stop`).
    pub presumed: bool,
    /// An optional one that never appeared is given up then.
    pub absent_at: Duration,
    /// The end of its budget.
    pub deadline: Duration,
    /// A stop signal has come: one try, and at most a second of proving.
    pub terminating: bool,
}
