//! sspi's NTLM acceptor, kept at arm's length: every call is guarded against panics, and none of its errors'
//! texts, which hold bytes of the peer, goes further.

use super::crypto::{KEY, Key};
use crate::Result;
use crate::auth::NtHash;
use crate::error::PeerMisbehaved;
use sspi::builders::{AcquireCredentialsHandle, WithoutCredentialUse};
use sspi::{
    AuthIdentity, BufferType, CredentialUse, DataRepresentation, Ntlm, NtlmHash, SecurityBuffer, SecurityStatus,
    ServerRequestFlags, Sspi, SspiEx, SspiImpl, Username,
};
use std::fmt;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeroize::Zeroizing;

/// One login in sspi.
pub(crate) struct LibraryAcceptor {
    context: Ntlm,
}

impl fmt::Debug for LibraryAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LibraryAcceptor")
    }
}

impl LibraryAcceptor {
    pub(crate) fn new() -> Self {
        Self { context: Ntlm::new() }
    }

    /// The CHALLENGE for a NEGOTIATE message.
    pub(crate) fn challenge(&mut self, negotiate: &[u8]) -> Result<Vec<u8>> {
        guarded(|| self.accept(negotiate, SecurityStatus::ContinueNeeded))
    }

    /// Lets sspi judge an AUTHENTICATE message that our guard has passed; the session key it comes to.
    pub(crate) fn complete(&mut self, authenticate: &[u8], hash: &NtHash) -> Result<Key> {
        guarded(|| {
            self.accept(authenticate, SecurityStatus::CompleteNeeded)?;
            // The name is the wire's in any case; this one only has to be well-formed.
            let username = Username::new("account", None).ok()?;
            let password = hash.with(|bytes| library_password(&NtlmHash::from_bytes(*bytes)));
            let identity = AuthIdentity { username, password };
            self.context.custom_set_auth_identities(vec![identity]).ok()?;
            self.context.complete_auth_token(&mut []).ok()?;
            let keys = self.context.query_context_session_key().ok()?;
            let key: [u8; KEY] = keys.session_key.as_ref().as_slice().try_into().ok()?;
            Some(Zeroizing::new(key))
        })
    }

    fn accept(&mut self, token: &[u8], expected: SecurityStatus) -> Option<Vec<u8>> {
        let mut credentials = AcquireCredentialsHandle::<'_, _, _, WithoutCredentialUse>::new()
            .with_credential_use(CredentialUse::Inbound)
            .execute(&mut self.context)
            .ok()?
            .credentials_handle;
        let mut input = [SecurityBuffer::new(token.to_vec(), BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let builder = self
            .context
            .accept_security_context()
            .with_credentials_handle(&mut credentials)
            .with_context_requirements(ServerRequestFlags::empty())
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        let result = self.context.accept_security_context_impl(builder).ok()?.resolve_to_result().ok()?;
        let [answer] = output;
        (result.status == expected).then_some(answer.buffer)
    }
}

/// A password field that says that it is a hash. It is built at its final size, so that no copy stays behind.
fn library_password(hash: &NtlmHash) -> sspi::Secret<String> {
    let prefix = sspi::NTLM_HASH_PREFIX;
    let mut text = String::with_capacity(prefix.len().saturating_add(KEY.saturating_mul(2)));
    text.push_str(prefix);
    for byte in hash.as_bytes() {
        // Writing to a String cannot fail; a short text would be no hash, and be refused.
        let _ = write!(text, "{byte:02x}");
    }
    sspi::Secret::new(text)
}

/// Runs a call into sspi. Its context is not used again after a failure, whatever state a panic left it in.
fn guarded<T>(call: impl FnOnce() -> Option<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(call));
    result.ok().flatten().ok_or_else(|| PeerMisbehaved::LibraryRefused.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_panic_inside_is_an_error_outside() {
        let result: Result<()> = guarded(|| panic!("inside"));
        assert_eq!(result, Err(Error::PeerMisbehaved(PeerMisbehaved::LibraryRefused)));
    }

    #[test]
    fn malformed_first_tokens_are_errors() {
        for token in [&b""[..], b"NTLMSSP\0", b"NTLMSSP\0\x01\0\0\0", &[0xff; 64]] {
            assert!(LibraryAcceptor::new().challenge(token).is_err());
        }
    }
}
