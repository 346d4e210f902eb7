//! What fuzzers call, and what `tests/tests/corpus.rs` replays: each entry takes any bytes and returns. A panic is a
//! finding, and the assertions say what must hold besides.

pub mod argv;
pub mod catalog;
pub mod jea;
pub mod job;
pub mod login;
pub mod pieces;
pub mod policy;
pub mod powershell;
pub mod psrp;
pub mod sealed;
pub mod wsman;

/// An entry with the name of its corpus.
pub type Entry = (&'static str, fn(&[u8]));

/// Entries through public interfaces. Those into inner layers are in `sekisho_protocol::fuzzing`, which replays
/// their corpora in its own tests.
pub const ENTRIES: [Entry; 24] = [
    ("catalog_blob", catalog::blob),
    ("catalog_import", catalog::import),
    ("certificate", login::certificate),
    ("client_login", login::client_login),
    ("clixml", psrp::values),
    ("command_line", policy::command_line),
    ("credssp_tokens", login::credssp_tokens),
    ("jea_import", jea::import_files),
    ("job_answer", job::answer),
    ("job_request", job::request),
    ("negotiate", login::negotiate),
    ("open_body", sealed::open_body),
    ("parse_authorization", login::parse_authorization),
    ("policy_compile", policy::compile),
    ("powershell_bindings", powershell::bindings),
    ("powershell_text", powershell::text),
    ("psrp_client", psrp::pool_client),
    ("psrp_fragments", psrp::fragments),
    ("psrp_message", psrp::message),
    ("psrp_server", psrp::pool_server),
    ("winrs_client", wsman::winrs_client),
    ("wsman_request", wsman::request),
    ("wsman_response", wsman::response),
    ("xpress", psrp::compressed),
];
