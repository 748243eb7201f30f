//! Where something is in an object.

use serde_json::Value;
use std::fmt;

/// The way from an object's root to a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step of a way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    /// The way through these keys.
    #[must_use]
    pub fn keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// This way, and one key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// This way, and one item further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// This way, and then that one.
    #[must_use]
    pub fn join(&self, further: &Self) -> Self {
        Self(self.0.iter().chain(&further.0).cloned().collect())
    }

    /// Reads a way as `--pod-path` gives it: `spec.driver.template`, `spec.groups[0].template`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key.to_owned()));
            while !rest.is_empty() {
                let (index, behind) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = behind;
            }
        }
        Some(Self(steps))
    }

    /// The part of this object.
    #[must_use]
    pub fn of<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |part, step| step.of(part))
    }

    /// The part of this object, to be changed.
    pub fn of_mut<'a>(&self, object: &'a mut Value) -> Option<&'a mut Value> {
        walk(&self.0, object)
    }

    /// What holds that part, to be changed, and the last step.
    pub fn parent_mut<'a, 'p>(&'p self, object: &'a mut Value) -> Option<(&'a mut Value, &'p Step)> {
        let (last, parent) = self.0.split_last()?;
        Some((walk(parent, object)?, last))
    }
}

fn walk<'a>(steps: &[Step], object: &'a mut Value) -> Option<&'a mut Value> {
    steps.iter().try_fold(object, |part, step| match step {
        Step::Key(key) => part.get_mut(key),
        Step::Index(index) => part.get_mut(index),
    })
}

impl Step {
    /// The part of this value.
    #[must_use]
    pub fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Key(key) => value.get(key),
            Self::Index(index) => value.get(index),
        }
    }
}

/// As users write it: `spec.template.spec.containers[0]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.contains(['.', '/', '[']) => write!(f, "[{key:?}]")?,
                Step::Key(key) if position == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// What is pointed at: a value, its key, or a part of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// From the object's root. What is not there is pointed at by what would hold it.
    pub path: Path,
    /// The key, not its value.
    pub key: bool,
    /// The bytes of the text that are meant.
    pub within: Option<std::ops::Range<usize>>,
}

impl Spot {
    /// The value there.
    #[must_use]
    pub fn value(path: Path) -> Self {
        Self { path, key: false, within: None }
    }

    /// The key there.
    #[must_use]
    pub fn key(path: Path) -> Self {
        Self { path, key: true, within: None }
    }
}
