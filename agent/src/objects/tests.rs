//! What the tests of this module share.

use sekisho_protocol::clixml::{Value, decode};

pub(super) fn value(clixml: &str) -> Value {
    decode(clixml.as_bytes()).unwrap()
}
