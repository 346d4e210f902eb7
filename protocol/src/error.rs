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
}

/// A caller that used a machine against its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// The machine is not in the state in which this may be called.
    #[error("called in the wrong state")]
    WrongState,
}
