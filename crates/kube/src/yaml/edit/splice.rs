//! Changes of bytes, and what can stand in their way.

use std::ops::Range;

/// A change of bytes.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) with: String,
}

impl Splice {
    pub(super) fn insert(at: usize, with: String) -> Self {
        Self { range: at..at, with }
    }

    pub(super) fn cut(range: Range<usize>) -> Self {
        Self { range, with: String::new() }
    }
}

/// The text from this byte on, with the splices carried out, which must not overlap.
pub(super) fn splice(text: &str, from: usize, mut splices: Vec<Splice>) -> String {
    // What comes in at the start of a cut comes before it.
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut result = String::with_capacity(text.len() - from + 1024);
    let mut at = from;
    for Splice { range, with } in splices {
        result.push_str(text.get(at..range.start).unwrap_or_default());
        result.push_str(&with);
        at = range.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// What stands in the way, and at which byte.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) why: String,
}

pub(super) fn wrong(at: usize, why: String) -> Wrong {
    Wrong { at, why }
}
