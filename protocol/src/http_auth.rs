//! The authentication headers of WinRM over HTTP, and the client's login machine.
