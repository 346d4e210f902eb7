//! NTLM and SPNEGO contexts; the only place that names sspi.
