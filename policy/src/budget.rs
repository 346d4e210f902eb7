//! What all patterns together may cost while one request is judged.
//!
//! One value and one pattern are bounded beside the pattern. A request holds many values, and many rules may ask
//! about each: without a bound on all of them a request of a few kilobytes could be judged for minutes.

use std::cell::Cell;

use crate::limits::REQUEST_COST;

thread_local! {
    /// What is left; unbounded outside of a judgement.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Judges one request within [`REQUEST_COST`].
pub(crate) fn bounded<T>(judge: impl FnOnce() -> T) -> T {
    LEFT.set(REQUEST_COST);
    let judged = judge();
    LEFT.set(usize::MAX);
    judged
}

/// Takes a cost from what is left; `false` when it is not there, and nothing costly is done any more.
pub(crate) fn spend(cost: usize) -> bool {
    match LEFT.get().checked_sub(cost) {
        Some(left) => {
            LEFT.set(left);
            true
        }
        None => {
            LEFT.set(0);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone_until_the_next_request() {
        assert!(spend(REQUEST_COST) && spend(REQUEST_COST), "unbounded outside of a judgement");
        bounded(|| {
            assert!(spend(REQUEST_COST) && !spend(1) && !spend(1));
        });
        bounded(|| assert!(spend(1)));
        bounded(|| assert!(!spend(REQUEST_COST.saturating_add(1)) && !spend(1)));
    }
}
