//! libyaml-safer 0.3.0 panics on some texts, as fuzzing has shown: here a panic of it is an error as any other.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs this; `None`: it panicked, and nothing was printed about it. It takes a build whose panics unwind.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                loud(info);
            }
        }));
    });
    GUARDED.set(true);
    // What the work has half-done is dropped with it.
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    GUARDED.set(false);
    result
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_no_result_and_a_result_is_one() {
        assert_eq!(guarded(|| "whole".to_owned()), Some("whole".to_owned()));
        assert_eq!(
            guarded(|| if std::hint::black_box(true) {
                panic!("as the library does")
            }),
            None
        );
        assert_eq!(guarded(|| 1), Some(1), "the next one is as good as the first");
    }
}
