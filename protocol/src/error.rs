//! The errors of this crate, sorted by whose fault they are.
//!
//! Unit variants per rule, so that a test asserts the exact rule that was broken. No text that a peer sent
//! is ever part of an error.

/// What went wrong, by whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that do not parse.
    #[error("malformed input: {0}")]
    Malformed(#[from] Malformed),
    /// A peer that parses but breaks the rules.
    #[error("the peer broke the protocol: {0}")]
    PeerMisbehaved(#[from] PeerMisbehaved),
    /// A peer that is right, and that we cannot serve.
    #[error("not supported: {0}")]
    Unsupported(#[from] Unsupported),
    /// A bound of [`crate::limits`] was crossed.
    #[error("limit exceeded: {0}")]
    LimitExceeded(#[from] LimitExceeded),
    /// A login that failed.
    #[error("authentication failed: {0}")]
    Auth(#[from] AuthFailure),
    /// A caller that used a machine against its contract.
    #[error("misuse: {0}")]
    Misuse(#[from] Misuse),
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Bytes that do not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A base64 value with a foreign character or a wrong length.
    #[error("invalid base64")]
    Base64,
    /// A DER value that is cut short, too long for its place, or of another tag. X.690.
    #[error("invalid DER")]
    Der,
    /// An NTLM message with a field outside the message, or of another type. [MS-NLMP] 2.2.1.
    #[error("invalid ntlm message")]
    Ntlm,
    /// A SPNEGO token without its mandatory fields. RFC 4178 4.2.
    #[error("invalid spnego token")]
    Spnego,
    /// A TSRequest without its mandatory fields. [MS-CSSP] 2.2.1.
    #[error("invalid TSRequest")]
    TsRequest,
    /// Credentials of another shape. [MS-CSSP] 2.2.1.2.
    #[error("invalid TSCredentials")]
    TsCredentials,
    /// A certificate that is not X.509.
    #[error("invalid certificate")]
    Certificate,
    /// An `Authorization` or `WWW-Authenticate` value of another shape. RFC 9110 11.4.
    #[error("invalid authentication header")]
    AuthHeader,
    /// UTF-16 with a lone surrogate or an odd number of bytes.
    #[error("invalid utf-16")]
    Utf16,
    /// Bytes that should be UTF-8.
    #[error("invalid utf-8")]
    Utf8,
    /// Not a GUID in its hyphenated form.
    #[error("invalid identifier")]
    Guid,
    /// A message identifier that is empty or not printable.
    #[error("invalid message identifier")]
    MessageId,
    /// Not well-formed, or truncated.
    #[error("XML that is not well-formed")]
    Xml,
    /// Bytes that are not the text encoding they claim to be.
    #[error("XML in an unknown or broken encoding")]
    XmlEncoding,
    /// A character that XML 1.0 cannot carry.
    #[error("a character that XML cannot carry")]
    XmlCharacter,
    /// A prefix without a declaration.
    #[error("an XML prefix that is not declared")]
    XmlPrefix,
    /// An element or attribute twice that may occur once.
    #[error("a duplicate element or attribute")]
    Duplicate,
    /// Not a SOAP 1.2 envelope with one body.
    #[error("not a SOAP envelope")]
    Envelope,
    /// A header that is missing or does not parse.
    #[error("a SOAP header that is missing or invalid")]
    Header,
    /// A body that does not match its action.
    #[error("a SOAP body that does not match its action")]
    Body,
    /// Not an xs:duration.
    #[error("an invalid duration")]
    Duration,
    /// A selector that is missing or unknown.
    #[error("a selector that is missing or unknown")]
    Selector,
    /// No resource URI, or an empty one.
    #[error("a resource URI that is missing")]
    ResourceUri,
    /// No command identifier where one is needed.
    #[error("a command identifier that is missing")]
    NoCommandId,
    /// An option twice, without name, or with a value that does not parse.
    #[error("an invalid option")]
    Option,
    /// An element or attribute where CLIXML has none. [MS-PSRP] 2.2.5.
    #[error("CLIXML of another shape")]
    Clixml,
    /// Text that is no value of its type. [MS-PSRP] 2.2.5.1.
    #[error("a CLIXML value that is none of its type")]
    ClixmlValue,
    /// Half of a surrogate pair. [MS-PSRP] 2.2.5.3.2.
    #[error("CLIXML text with half of a surrogate pair")]
    ClixmlText,
    /// A reference to nothing, to an object that is still open, or to a number that was given twice.
    /// [MS-PSRP] 2.2.5.2.1.
    #[error("a doubtful CLIXML reference")]
    ClixmlReference,
    /// A fragment that is cut, has unknown flags, or neither ends nor carries anything. [MS-PSRP] 2.2.4.
    #[error("an invalid fragment")]
    PsrpFragment,
    /// A message without its header, or for nobody. [MS-PSRP] 2.2.1.
    #[error("an invalid PSRP message")]
    PsrpMessage,
    /// A message whose members are missing or of another type. [MS-PSRP] 2.2.2.
    #[error("a PSRP message with missing or wrong members")]
    PsrpBody,
    /// A compressed block that is cut, or does not decode to exactly its size. [MS-XCA] 2.2.4.
    #[error("invalid XPRESS data")]
    Xpress,
    /// A sealed body whose parts or lengths do not fit together.
    #[error("a sealed body that does not parse")]
    SealedBody,
}

/// A peer that parses but breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerMisbehaved {
    /// A message arrived that this state does not expect.
    #[error("message out of order")]
    OutOfOrder,
    /// The TLS inside CredSSP failed or was closed.
    #[error("the tls session inside credssp failed")]
    InnerTls,
    /// The version of a TSRequest differs from the first one's. [MS-CSSP] 3.1.5.
    #[error("the credssp version changed within the login")]
    VersionChanged,
    /// A key binding came without the 32 bytes of its nonce. [MS-CSSP] 2.2.1.
    #[error("the credssp nonce is missing or of another length")]
    Nonce,
    /// Bytes follow the end of a message.
    #[error("bytes after the end of the message")]
    TrailingBytes,
    /// A signature, sequence number or record of a sealed message does not verify.
    #[error("a sealed message does not verify")]
    SealBroken,
    /// A sealed message has another length than announced.
    #[error("a sealed message has another length than announced")]
    SealedLength,
    /// The SPNEGO mechanism list's signature is missing or wrong. RFC 4178 5.
    #[error("the mechanism list's signature is missing or wrong")]
    MechListMic,
    /// The peer gave up the negotiation. RFC 4178 4.2.2.
    #[error("the negotiation was rejected")]
    Rejected,
    /// A status that no login leg has.
    #[error("unexpected http status during login")]
    HttpStatus,
    /// The authentication library panicked or refused a token that our own checks had passed.
    #[error("the authentication library refused the token")]
    LibraryRefused,
    /// A response that answers no request of ours.
    #[error("a response to no request")]
    Unrelated,
    /// A response of another kind than the request.
    #[error("a response of the wrong kind")]
    WrongResponse,
    /// Output for a command that was not asked for, or of a stream that was not.
    #[error("output that was not asked for")]
    UnexpectedOutput,
    /// A stream that goes on after its end.
    #[error("data after the end of a stream")]
    AfterEnd,
    /// A body that is sealed under another label than the connection's.
    #[error("a body sealed under another scheme than the login's")]
    SealLabel,
    /// Fragments that interleave, go back or leave one out. [MS-PSRP] 2.2.4.
    #[error("fragments out of order")]
    FragmentOrder,
    /// A type of message that does not exist. [MS-PSRP] 2.2.1.
    #[error("an unknown type of PSRP message")]
    UnknownMessage,
    /// A type of message that this side never gets. [MS-PSRP] 2.2.1.
    #[error("a PSRP message in the wrong direction")]
    WrongDirection,
    /// A message of another pool than the shell's. [MS-PSRP] 2.2.1.
    #[error("a PSRP message of another pool")]
    WrongPool,
    /// A pipeline's message without pipeline, or a pool's with one. [MS-PSRP] 2.2.1.
    #[error("a PSRP message for the wrong pipeline")]
    WrongPipeline,
    /// A fault instead of an answer; its code is told apart.
    #[error("the target answered with a fault")]
    Fault,
}

/// A peer that is right, and that we cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The authentication scheme is none of ours.
    #[error("authentication scheme")]
    AuthScheme,
    /// None of the peer's mechanisms is NTLM, the only one served so far.
    #[error("authentication mechanism")]
    Mechanism,
    /// NTLM without the options that make it safe. [MS-NLMP] 2.2.2.5.
    #[error("ntlm without 128-bit keys, signing, sealing or extended session security")]
    NtlmFlags,
    /// NTLMv1 or LM responses. [MS-NLMP] 3.3.1.
    #[error("ntlm version 1")]
    NtlmV1,
    /// A challenge without a time, as only systems before Windows Vista send. [MS-NLMP] 2.2.2.1.
    #[error("ntlm challenge without a timestamp")]
    ChallengeWithoutTimestamp,
    /// CredSSP before version 5, which CVE-2018-0886 is about. [MS-CSSP] 2.2.1.
    #[error("credssp version below 5; the peer needs the update for CVE-2018-0886")]
    CredSspVersion,
    /// Delegated credentials other than a password. [MS-CSSP] 2.2.1.2.
    #[error("delegated credentials other than a password")]
    CredentialType,
    /// An ECDSA or Ed25519 certificate where stock clients can only read RSA.
    #[error("the certificate inside credssp must have an rsa key; stock clients cannot read another")]
    InnerCertificateNotRsa,
    /// A document type declaration.
    #[error("a document type declaration")]
    Dtd,
    /// A processing instruction.
    #[error("a processing instruction")]
    ProcessingInstruction,
    /// An entity other than the five of XML itself.
    #[error("an entity reference")]
    Entity,
    /// A mandatory header that we do not know.
    #[error("a mandatory header that is not understood")]
    MustUnderstand,
    /// An action that is not served.
    #[error("this action")]
    Action,
    /// Connect, Disconnect or Reconnect.
    #[error("disconnected sessions")]
    Disconnection,
    /// A mandatory option that we do not know.
    #[error("a mandatory option that is not understood")]
    MustComply,
    /// Answers to another address than the sender's own.
    #[error("answers to another address")]
    ReplyTo,
    /// A version before 2.1, or none. [MS-PSRP] 2.2.2.1.
    #[error("this version of PSRP")]
    PsrpVersion,
    /// Arguments or module specifications in a question for commands. [MS-PSRP] 2.2.2.14.
    #[error("arguments in a question for command metadata")]
    MetadataArguments,
    /// A public key other than RSA with 2048 bits and the exponent 65537. [MS-PSRP] 2.2.2.3.
    #[error("this kind of session key")]
    SessionKey,
    /// A record of a stream without body. [MS-PSRP] 2.2.2.20.
    #[error("a record without body")]
    EmptyRecord,
    /// Streams that are merged as PowerShell does not. [MS-PSRP] 2.2.3.31.
    #[error("this merging of streams")]
    Merge,
    /// An outer content type that is none of the sealed ones.
    #[error("this content type")]
    ContentType,
}

/// A bound of [`crate::limits`] was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// More bytes than this message may have.
    #[error("message too large")]
    MessageSize,
    /// More round trips than a login may take.
    #[error("too many login legs")]
    LoginLegs,
    /// More bytes than a login may take.
    #[error("too many login bytes")]
    LoginBytes,
    /// A message identifier that is too long.
    #[error("message identifier too long")]
    MessageId,
    /// Elements within elements.
    #[error("XML nested too deeply")]
    XmlDepth,
    /// Elements of one document.
    #[error("too many XML elements")]
    XmlElements,
    /// Attributes of one element.
    #[error("too many XML attributes")]
    XmlAttributes,
    /// A name, a URI or another short text.
    #[error("text too long")]
    Text,
    /// A command and its arguments.
    #[error("command too long")]
    Command,
    /// Options, selectors, streams, arguments or variables of one request.
    #[error("too many items in a request")]
    Items,
    /// Parts of one sealed body.
    #[error("too many sealed parts")]
    SealedParts,
    /// A header of a sealed part.
    #[error("the header of a sealed part is too long")]
    SealedHeader,
    /// Output that the reader did not fetch in time.
    #[error("output buffer full")]
    Output,
    /// Commands or requests at the same time.
    #[error("too many at the same time")]
    InFlight,
}

/// A login that failed. What is told to the peer never depends on which of these it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Unknown account or wrong password; the two are one on purpose.
    #[error("unknown account or wrong password")]
    BadCredentials,
    /// The login says that it has no integrity check. [MS-NLMP] 2.2.2.1 MsvAvFlags.
    #[error("ntlm login without its integrity check")]
    MicMissing,
    /// The integrity check over the three NTLM messages is wrong. [MS-NLMP] 3.2.5.1.2.
    #[error("ntlm integrity check failed")]
    MicWrong,
    /// The login is bound to no channel, and the rule demands one. RFC 5929.
    #[error("channel binding missing")]
    ChannelBindingMissing,
    /// The login is bound to another channel: somebody stands between. RFC 5929.
    #[error("channel binding belongs to another certificate")]
    ChannelBindingWrong,
    /// The peer's proof names another public key: somebody stands between. [MS-CSSP] 3.1.5.
    #[error("the login is bound to another public key")]
    KeyBindingWrong,
    /// The peer does not accept the credential.
    #[error("the peer refused the login")]
    RefusedByPeer,
}

/// A caller that used a machine against its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// The machine is not in the state in which this may be called.
    #[error("called in the wrong state")]
    WrongState,
    /// The private key does not belong to the certificate, or TLS cannot use them.
    #[error("tls cannot use this certificate and key; check that they belong together")]
    CertificateAndKey,
    /// A chunk to seal that is larger than a chunk may be.
    #[error("chunk too large to seal")]
    ChunkSize,
    /// The system has no randomness to give.
    #[error("no randomness from the system")]
    Randomness,
    /// A name or password too long for the protocol's length fields.
    #[error("name or password too long")]
    CredentialTooLong,
}
