//! JEA's files: role capabilities (`.psrc`) and session configurations (`.pssc`), read into documents of a policy
//! and written back from a role.

pub(crate) mod data;
