//! The bounds of every buffer, depth, count and wait of this crate, beside the reason for each.

/// Plain bytes in one sealed CredSSP chunk: the size of one TLS record.
pub const SEALED_CHUNK: usize = 16 * 1024;

/// One certificate: real ones take 1 to 4 KiB.
pub const CERTIFICATE: usize = 64 * 1024;

/// One login token in an HTTP header, decoded: tickets with large group lists reach 48 KiB.
pub const LOGIN_TOKEN: usize = 64 * 1024;

/// All tokens that a peer sends in one login: one as large as it may be, and the rest. With NTLM about 4 KiB.
pub const LOGIN_BYTES: usize = 96 * 1024;

/// Round trips of one login: TLS takes 3, the mechanism at most 4, CredSSP itself 2.
pub const LOGIN_LEGS: u32 = 12;

/// An `Authorization` or `WWW-Authenticate` value: a base64 token and its scheme.
pub const AUTH_HEADER: usize = 90 * 1024;

/// One NTLM message: Windows takes 2,888 bytes.
pub const NTLM_MESSAGE: usize = 4 * 1024;

/// Mechanisms in a SPNEGO list: Windows sends 4.
pub const SPNEGO_MECHANISMS: usize = 16;

/// Attribute pairs in NTLM's target information: 11 kinds exist.
pub const NTLM_AV_PAIRS: usize = 16;

/// A user's, domain's or service's name, in UTF-16 units: Windows takes 256 for a UPN with its domain.
pub const ACCOUNT_NAME: usize = 512;

/// A delegated password, in UTF-16 units: Windows takes 256.
pub const PASSWORD: usize = 1024;
/// Bytes of a message identifier that is echoed.
pub const MESSAGE_ID: usize = 256;

/// Bytes of one XML document as UTF-8: twice what Windows takes and sends (`MaxEnvelopeSizekb` 500).
pub const XML_DOCUMENT: usize = 1024 * 1024;

/// Elements within elements: requests have seven levels, faults of nested providers some more.
pub const XML_DEPTH: usize = 32;

/// Elements of one document: a response of 500 KiB in very small streams stays below.
pub const XML_ELEMENTS: usize = 10_000;

/// Attributes and declarations of one element: stock clients declare up to a dozen namespaces at the root.
pub const XML_ATTRIBUTES: usize = 32;

/// Prefixes that are bound at the same time: each name is looked for among them.
pub const XML_BINDINGS: usize = 128;

/// Attributes and declarations of one document.
pub const XML_ATTRIBUTES_IN_ALL: usize = 30_000;

/// Bytes of a peer's fault text that are kept.
pub const PEER_TEXT: usize = 4096;

/// Bytes of a URI, a name or another short text.
pub const SHORT_TEXT: usize = 2048;

/// Bytes of an answer when the client says nothing: what the old clients take.
pub const ENVELOPE_DEFAULT: usize = 153_600;

/// The smallest answer that a client may insist on. DSP0226 6.2.
pub const ENVELOPE_MIN: usize = 8192;

/// The largest answer that we make: what Windows makes (`MaxEnvelopeSizekb` 500).
pub const ENVELOPE_MAX: usize = 512_000;

/// The longest that a client may wait for one answer; it asks again.
pub const OPERATION_TIMEOUT_MAX: std::time::Duration = std::time::Duration::from_secs(600);

/// Options of one request: stock clients send up to four.
pub const OPTIONS: usize = 64;

/// Variables of one shell.
pub const VARIABLES: usize = 256;

/// Names of streams in one list.
pub const STREAM_NAMES: usize = 8;

/// Stream elements of one Send.
pub const STREAMS: usize = 1024;

/// Elements of one command line.
pub const ARGUMENTS: usize = 1024;

/// Bytes of a command and its arguments in the command shell: what Windows can start a process with.
pub const COMMAND_TEXT: usize = 32_767;

/// Plain bytes of one sealed group, and sealed bytes of one of CredSSP's, which the sender may not have cut
/// at [`SEALED_CHUNK`].
pub const SEALED_GROUP: usize = 2 * XML_DOCUMENT + 64 * 1024;

/// Bytes of a sealed body that wait to be opened: a document in UTF-16, with room for what is around it.
pub const SEALED_BODY: usize = SEALED_GROUP + 256 * 1024;

/// Groups of one sealed body: a document in UTF-16 in chunks of [`SEALED_CHUNK`], and some.
pub const SEALED_GROUPS: usize = 256;

/// Bytes of one header line of a group.
pub const SEALED_HEADER_LINE: usize = 512;

/// Lines before the sealed bytes of a group: stock clients write five.
pub const SEALED_HEADER_LINES: usize = 8;

/// Bytes of a signature before the sealed bytes: 16 for NTLM, 60 for Kerberos.
pub const SEALED_SIGNATURE: usize = 256;

/// Requests to one shell of a target at the same time.
pub const IN_FLIGHT: usize = 256;

/// Bytes of input in one Send: fits into the envelope of old targets, which take 150 KiB.
pub const SEND_CHUNK: usize = 64 * 1024;

/// Bytes of one CLIXML body: the largest object that a server of PowerShell takes.
pub const CLIXML_BYTES: usize = 10 * 1024 * 1024;

/// Elements within elements in CLIXML: an object takes up to three levels, and PowerShell stops at 50 objects.
pub const CLIXML_DEPTH: usize = 150;

/// Elements of one CLIXML body.
pub const CLIXML_ELEMENTS: usize = 200_000;

/// Elements of one CLIXML body when every reference in it is followed.
pub const CLIXML_EXPANDED: usize = 400_000;

/// Bytes that the references of one CLIXML body stand for: who copies a value copies these too.
pub const CLIXML_REPEATED: usize = CLIXML_BYTES;

/// Bytes of one PSRP object: what PowerShell's server takes.
pub const PSRP_OBJECT: usize = CLIXML_BYTES + 1024;

/// Bytes of all objects of one pool whose last fragment has not come: one as large as it may be, and some.
pub const PSRP_UNFINISHED: usize = 2 * PSRP_OBJECT;

/// Bytes of answers to questions about the pool that its client has not fetched: thousands of them.
pub const PSRP_POOL_ANSWERS: usize = 1024 * 1024;

/// Session keys that one side asks for in the life of a pool: stock clients take one.
pub const PSRP_SESSION_KEYS: usize = 4;

/// Commands of one pipeline, and statements of one batch.
pub const PSRP_COMMANDS: usize = 256;

/// Arguments of one command.
pub const PSRP_ARGUMENTS: usize = 1024;

/// Pipelines of one pool that were not forgotten: clients that terminate none have this many.
pub const PSRP_PIPELINES: usize = 1500;

/// Calls to one client's host that wait for an answer.
pub const PSRP_HOST_CALLS: usize = 16;

/// UTF-16 units of a SecureString: what Windows takes.
pub const SECURE_TEXT: usize = 65_536;

/// Plain bytes of one compressed piece of a stream: eight times the largest envelope of a stock client.
pub const XPRESS_PLAIN: usize = 4 * 1024 * 1024;

/// Blocks of one compressed piece of a stream, of which each makes a table: [`XPRESS_PLAIN`] in full ones takes 64.
pub const XPRESS_BLOCKS: usize = 1024;

/// Lines of one value that is shown to people.
pub const SHOW_LINES: usize = 1000;

/// Characters of such a line.
pub const SHOW_WIDTH: usize = 400;

/// Objects within objects on such a line.
pub const SHOW_DEPTH: usize = 4;

/// Characters of one property in a table, and of a property's name.
pub const SHOW_CELL: usize = 256;

/// Properties of one object that are shown.
pub const SHOW_COLUMNS: usize = 256;

/// Values that are looked at for one text, whether they have any or not.
pub const SHOW_VALUES: usize = 50_000;
