//! Several clients at once.

use crate::Outcome;
use std::thread;

/// Runs `work` on as many threads; what each brought.
pub(crate) fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> Outcome<T> + Sync) -> Outcome<Vec<T>> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads.max(1)).map(|number| scope.spawn(move || work(number))).collect();
        running.into_iter().map(|thread| thread.join().map_err(|_| "a thread has panicked")?).collect()
    })
}
