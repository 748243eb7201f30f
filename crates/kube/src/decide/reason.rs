//! Why a pod or a container is changed, or left alone: a closed set, the same words in every report.

use std::fmt;

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident $slug:literal $words:literal;)+) => {
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
    InjectedNative "injected-native" "its sidecars become native ones: the kubelet ends them after the mains";
    InjectedWrap "injected-wrap" "lastout runs the mains, and stops the sidecars after them";
    InjectedHelper "injected-helper" "a helper container watches the pod, and stops the sidecars after the mains";
    Already "already" "lastout is there";
    AlreadyNative "already-native" "its sidecars are native ones: they do not hold the pod up";
    NoSidecar "no-sidecar" "it has no sidecar that would run on";
    NoCommand "no-command" "a main has no `command`, so what it runs is not known";
    NotNative "not-native" "its sidecars cannot become native ones";
    NoEndpoint "no-endpoint" "a sidecar cannot be asked to end: it has no such endpoint";
    OptedOut "opted-out" "its label lastout.dev/inject is \"false\"";
    NotSelected "not-selected" "neither it nor its namespace asks for it";
    RestartAlways "restart-always" "it is to run for ever: restartPolicy is Always";
    HostPid "host-pid" "hostPID: the node's own processes would be in reach";
    Windows "windows" "it is for Windows";
    OnlySidecars "only-sidecars" "it has no main: all of its containers are sidecars";
    NameConflict "name-conflict" "a container or volume of its own has our name";
    MountConflict "mount-conflict" "something else is mounted at our folder";
    UnresolvedImage "unresolved-image" "what the image runs could not be found out";
    ForeignEntrypoint "foreign-entrypoint" "another system's entrypoint runs it";
    PatchMismatch "patch-mismatch" "the change would not come to what is intended: nothing is changed";
    Internal "internal" "a fault of kubectl-lastout: nothing is changed";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
