//! What must be switched on in a sidecar before it can be asked, as data: what `lastout presets --json` prints, and what
//! a program that reads manifests compares with a container's arguments and a pod's annotations.

/// One way to switch a request on, and the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The request that is not answered without it.
    pub asked: Asked,
    /// What must be so.
    pub switch: Switch,
}

/// The requests that a sidecar may have to be told to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether it is ready.
    Ready,
    /// To quit.
    Quit,
    /// The one and the other.
    Both,
}

/// What must be so, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// An argument of the sidecar's container.
    Flag(&'static str),
    /// A variable of the sidecar's container.
    Env {
        /// Its name.
        name: &'static str,
        /// What it must be.
        value: &'static str,
    },
    /// An annotation of the pod, which the sidecar's injector reads.
    Annotation {
        /// Its key.
        key: &'static str,
        /// What it must be.
        value: &'static str,
    },
    /// An annotation of the pod that must not have this value.
    NotAnnotation {
        /// Its key.
        key: &'static str,
        /// What it must not be.
        value: &'static str,
    },
    /// Something in the sidecar's own configuration, or in what its injector was installed with: for people, as no
    /// manifest of the pod shows it.
    Config(&'static str),
}

impl Asked {
    /// Whether the request for readiness is meant.
    #[must_use]
    pub fn ready(self) -> bool {
        matches!(self, Self::Ready | Self::Both)
    }

    /// Whether the quit request is meant.
    #[must_use]
    pub fn quit(self) -> bool {
        matches!(self, Self::Quit | Self::Both)
    }
}

pub(super) const fn ready(switch: Switch) -> Need {
    Need { asked: Asked::Ready, switch }
}

pub(super) const fn quit(switch: Switch) -> Need {
    Need { asked: Asked::Quit, switch }
}

pub(super) const fn both(switch: Switch) -> Need {
    Need { asked: Asked::Both, switch }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::{PRESETS, ReadyRow};
    use alloc::{string::String, vec::Vec};

    #[test]
    fn nothing_is_needed_for_a_request_that_is_not_made() {
        for preset in PRESETS {
            for need in preset.needs {
                assert!(!need.asked.quit() || preset.quit.is_some(), "{}: {need:?}", preset.name);
                assert!(
                    !need.asked.ready() || preset.ready != ReadyRow::Unchecked,
                    "{}: {need:?}",
                    preset.name
                );
            }
            let all: Vec<_> = preset.needs.iter().collect();
            assert!(
                all.iter().enumerate().all(|(index, need)| !all[index + 1..].contains(need)),
                "{}",
                preset.name
            );
        }
    }

    /// The prose and the hints are what people read: neither may know more, or say it otherwise.
    #[test]
    fn the_prose_of_a_row_says_what_its_data_says() {
        for preset in PRESETS {
            let hints: String = preset.hints.iter().map(|(_, hint)| *hint).collect();
            let said = hints + preset.enable;
            for need in preset.needs {
                let words: &[&str] = match &need.switch {
                    Switch::Flag(flag) => &[flag],
                    // Nobody sets it by hand: its injector does, for the annotation.
                    Switch::Env { name: "LINKERD2_PROXY_SHUTDOWN_ENDPOINT_ENABLED", .. } => &[],
                    Switch::Env { name, .. } => &[name],
                    Switch::Annotation { key, value } | Switch::NotAnnotation { key, value } => &[key, value],
                    Switch::Config(what) => &[what],
                };
                for word in words {
                    assert!(said.contains(word), "{}: {word}", preset.name);
                }
            }
            let switched_on = said.contains("--quitquitquit") || said.contains("--web.enable-lifecycle");
            assert!(!switched_on || !preset.needs.is_empty() || preset.quit.is_none(), "{}", preset.name);
        }
    }
}
