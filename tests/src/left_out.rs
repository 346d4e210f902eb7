//! What could not be tested here is said, not passed over.

use std::io::Write as _;

/// Says what is left out, and why. `tests/run` repeats such lines at its end.
///
/// Written past the test harness, which keeps what passing tests print to itself.
pub fn left_out(what: &str) {
    let line = format!("LEFT OUT: {what}\n");
    let _unwritten = std::io::stderr().write_all(line.as_bytes());
}
