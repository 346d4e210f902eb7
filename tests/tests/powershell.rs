//! Whether the policy reads script text as PowerShell does: on 3,000 texts with PowerShell's recorded readings, and on
//! new ones where PowerShell itself is at hand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

#[path = "powershell/differential.rs"]
mod differential;
#[path = "powershell/form.rs"]
mod form;
#[path = "powershell/generate.rs"]
mod generate;
#[path = "powershell/readings.rs"]
mod readings;
