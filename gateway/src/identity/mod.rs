//! Who somebody is, and what is known about them.

mod name;

pub use name::{LOCAL_DOMAIN, NameRefused, NameTable, PrincipalName};
