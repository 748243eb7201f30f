//! What the user or the cluster's admin has said, for all pods.

/// How a pod is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Native where all nodes are said to have native sidecars and nothing is against it, else wrap.
    #[default]
    Auto,
    /// Plain sidecars become native ones.
    Native,
    /// lastout runs the mains.
    Wrap,
    /// A helper container watches the pod.
    Helper,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Native, Self::Wrap, Self::Helper];

    /// As users write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Wrap => "wrap",
            Self::Helper => "helper",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// How the program comes into a pod that it wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delivery {
    /// By an image volume where all nodes have them, else by an init container.
    #[default]
    Auto,
    /// An init container copies it into an `emptyDir`.
    InitContainer,
    /// The image is a volume.
    ImageVolume,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::InitContainer, Self::ImageVolume];

    /// As users write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::InitContainer => "init-container",
            Self::ImageVolume => "image-volume",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.word() == word)
    }
}

/// What is wished, for all pods of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How pods are to be changed.
    pub mode: Mode,
    /// How the program comes into a pod.
    pub delivery: Delivery,
    /// lastout's own image.
    pub image: String,
    /// The image of kubectl-lastout, for the helper container.
    pub helper_image: String,
    /// SPECs of sidecars, beside those that are known: NAME is the container's name.
    pub sidecars: Vec<String>,
    /// The names of the mains; empty: all that are no sidecars.
    pub mains: Vec<String>,
    /// CPU and memory of the init container; `None`: those of the first main.
    pub resources: Option<(String, String)>,
    /// An image whose words come into the manifest gets its digest there as well, so that it goes on being that image.
    pub pin: bool,
}
