//! Why a pod or a container is changed, or left alone: a closed set, the same words in every report.

use std::fmt;

/// What a reason comes to for the pod's sidecars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// They become native ones.
    Native,
    /// They will be stopped by us.
    Stopped,
    /// lastout is there: they are stopped if it is told of them.
    There,
    /// There is nothing to stop, or nothing that is to end.
    Needless,
    /// Somebody has said so, or another system sees to it.
    Elsewhere,
    /// What a main runs is to be found out first.
    Unclear,
    /// They run on, and lastout cannot come in.
    Impossible,
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident $class:ident $slug:literal $words:literal;)+) => {
        /// Why something is done, or not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $words] $name,)+
        }

        impl Reason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// As reports, metrics and audit annotations name it.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self {
                    $(Self::$name => $slug,)+
                }
            }

            /// What it comes to.
            #[must_use]
            pub fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)+
                }
            }

            /// In words.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)+
                }
            }
        }
    };
}

reasons! {
    InjectedNative Native "injected-native" "its sidecars become native ones: the kubelet ends them after the mains";
    InjectedWrap Stopped "injected-wrap" "lastout runs the mains, and stops the sidecars after them";
    InjectedHelper Stopped "injected-helper" "a helper container watches the pod, and stops the sidecars after the mains";
    Already There "already" "lastout is in it already";
    AlreadyNative Needless "already-native" "its sidecars are native ones, and the kubelet ends them";
    NoSidecar Needless "no-sidecar" "it has no sidecar that would run on";
    NoCommand Unclear "no-command" "a main has no `command`, so what it runs is not known";
    NotNative Impossible "not-native" "its sidecars cannot become native ones";
    NoEndpoint Impossible "no-endpoint" "a sidecar cannot be asked to end: it has no such endpoint";
    OptedOut Elsewhere "opted-out" "its label lastout.dev/inject is \"false\"";
    NotSelected Elsewhere "not-selected" "neither it nor its namespace asks for it";
    RestartAlways Needless "restart-always" "it is meant to run for ever: restartPolicy is Always";
    HostPid Impossible "host-pid" "hostPID: lastout could signal the node's own processes";
    Windows Impossible "windows" "it is for Windows";
    OnlySidecars Needless "only-sidecars" "it has no main: all of its containers are sidecars";
    NameConflict Impossible "name-conflict" "a container or volume of its own has a name that lastout needs";
    MountConflict Impossible "mount-conflict" "something else is mounted at the folder of lastout";
    UnresolvedImage Unclear "unresolved-image" "what the image runs could not be found out";
    ForeignEntrypoint Elsewhere "foreign-entrypoint" "another system's entrypoint runs it";
    PatchMismatch Impossible "patch-mismatch" "the changed pod would differ from what is intended: nothing is changed";
    Internal Impossible "internal" "a fault of kubectl-lastout: nothing is changed";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
