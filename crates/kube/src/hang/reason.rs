//! Why a pod hangs, or will: a closed set, in which `decide`'s reasons are.

use crate::decide::{Class, Reason};
use std::fmt;

macro_rules! whys {
    ($($name:ident $slug:literal $words:literal;)+) => {
        /// Why a pod hangs, or will.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Why {
            $(#[doc = $words] $name,)+
            /// For this reason `inject` leaves it alone.
            LeftAlone(Reason),
        }

        impl Why {
            /// All but `decide`'s.
            pub const OWN: &[Self] = &[$(Self::$name,)+];

            /// As reports name it.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self {
                    $(Self::$name => $slug,)+
                    Self::LeftAlone(reason) => reason.slug(),
                }
            }

            /// In words.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)+
                    Self::LeftAlone(reason) => reason.words(),
                }
            }
        }
    };
}

whys! {
    NotWrapped "not-wrapped" "nothing ends its sidecars: lastout is not in it";
    NotSwitchedOn "not-switched-on" "a sidecar does not accept its quit request, because that is switched off";
    NotTold "not-told" "lastout is in it, but has no SPEC for a sidecar, or one that does not say how to end it";
    StopPolicy "stop-policy" "`--stop-on` does not fit the restart policy";
    Group "group" "several mains do not wait for each other";
    Refused "refused" "lastout has refused its command line";
    ShellWrap "shell-wrap" "a shell should have asked the sidecar to quit, and the sidecar runs on";
    Killed "killed" "lastout was killed before it could stop the sidecars";
    HelperFails "helper-fails" "the helper that should stop the sidecars cannot do it";
    Declined "declined" "a sidecar has declined its quit request";
    NoWay "no-way" "a sidecar has no quit request";
    NeverAppeared "never-appeared" "a sidecar started after lastout had stopped waiting for it";
    StillThere "still-there" "a sidecar was asked to quit, and did not end in time";
    CameBack "came-back" "a sidecar was stopped, and something started it again";
    Unexplained "unexplained" "lastout has ended, its sidecars run on, and its log does not say why";
    SidecarCrashes "sidecar-crashes" "a sidecar ends with an error, and is started again and again";
    SidecarFailed "sidecar-failed" "a sidecar has ended, and a main that may need it runs on";
    SecondMain "second-main" "one main is over, and a container that counts as another one runs on";
    StartupProbe "startup-probe" "a native sidecar's startup probe does not succeed, so no main starts";
    ImageMissing "image-missing" "an image cannot be pulled";
    CannotCreate "cannot-create" "the kubelet cannot create a container";
    InitFails "init-fails" "an init container fails again and again";
    SlowNative "slow-native" "a native sidecar takes long to end after the mains";
    Ending "ending" "the mains have just ended, and the sidecars still have time to end";
}

/// Reasons of `decide` that a pod in the API never has: nobody asks a registry for it, selects it or changes it.
const NEVER: [Reason; 4] =
    [Reason::NotSelected, Reason::UnresolvedImage, Reason::PatchMismatch, Reason::Internal];

/// The reasons of `decide` for which a pod with a plain sidecar is left alone, and may hang.
pub(crate) fn left_alone() -> impl Iterator<Item = Reason> {
    let all = Reason::ALL.iter().copied().filter(|reason| !NEVER.contains(reason));
    all.filter(|reason| match reason.class() {
        Class::Unclear | Class::Elsewhere | Class::Impossible => true,
        Class::Native | Class::Stopped | Class::There | Class::Needless => false,
    })
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        match reason.class() {
            Class::Native | Class::Stopped => Self::NotWrapped,
            Class::There => Self::Unexplained,
            Class::Needless | Class::Elsewhere | Class::Unclear | Class::Impossible => {
                Self::LeftAlone(reason)
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
