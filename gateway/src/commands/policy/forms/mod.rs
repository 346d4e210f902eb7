//! Requests, answers and readings as JSON: one form for `decide`, `read`, `explain`, `test`, `diff` and `propose`.
//!
//! Requests are those of the public policy cases (tests/data/policy-cases/rules.md), with `time`, `source`, `tags`,
//! `target_groups` and `edition` beside them. Whatever is not understood is an error, which callers deny.

mod answer;
mod reading;
mod request;
mod value;

pub use answer::{Answer, canonical};
pub use reading::reading;
pub use request::{Request, edition, time};
pub use value::{value_from_json, value_to_json};
