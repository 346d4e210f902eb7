//! The fault that answers a request which could not be read.

use super::id::MessageId;
use crate::Error;
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::soap::{Fault, FaultCode, Subcode};

/// A request that cannot be served, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// The rule that was broken.
    pub error: Error,
    /// Ready to be sent.
    pub fault: Fault,
    /// For [`super::encode_fault`], as far as it could be read.
    pub relates_to: Option<MessageId>,
}

/// How far reading had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Document,
    Header,
    Body,
}

/// Rules that have a code of their own, wherever they are broken.
const CODES: [(Error, FaultCode, Subcode); 13] = [
    (Error::LimitExceeded(LimitExceeded::MessageSize), FaultCode::SERVER_ENVELOPE_LIMIT, Subcode::EncodingLimit),
    (Error::LimitExceeded(LimitExceeded::XmlElements), FaultCode::SERVER_ENVELOPE_LIMIT, Subcode::EncodingLimit),
    (Error::LimitExceeded(LimitExceeded::Command), FaultCode::FILENAME_TOO_LONG, Subcode::InvalidParameter),
    (Error::Malformed(Malformed::Envelope), FaultCode::INVALID_BODY, Subcode::SchemaValidation),
    (Error::Malformed(Malformed::Base64), FaultCode::INVALID_BODY, Subcode::SchemaValidation),
    (Error::Malformed(Malformed::ResourceUri), FaultCode::INVALID_RESOURCE_URI, Subcode::DestinationUnreachable),
    (Error::Malformed(Malformed::Selector), FaultCode::INVALID_SELECTORS, Subcode::InvalidSelectors),
    (Error::Malformed(Malformed::Option), FaultCode::INVALID_OPTIONS, Subcode::InvalidOptions),
    (Error::Malformed(Malformed::NoCommandId), FaultCode::NO_COMMAND_ID, Subcode::InvalidParameter),
    (Error::Unsupported(Unsupported::MustComply), FaultCode::INVALID_OPTIONS, Subcode::InvalidOptions),
    (Error::Unsupported(Unsupported::Disconnection), FaultCode::UNSUPPORTED_FEATURE, Subcode::UnsupportedFeature),
    (Error::Unsupported(Unsupported::Action), FaultCode::INVALID_ACTION, Subcode::ActionNotSupported),
    (Error::Unsupported(Unsupported::ReplyTo), FaultCode::INVALID_HEADER, Subcode::InvalidHeader),
];

impl RequestError {
    pub(crate) fn new(error: Error, stage: Stage, relates_to: Option<MessageId>) -> Box<Self> {
        Box::new(Self { error, fault: fault_for(error, stage), relates_to })
    }
}

fn fault_for(error: Error, stage: Stage) -> Fault {
    if error == Unsupported::MustUnderstand.into() {
        return Fault::must_understand();
    }
    if error == Unsupported::Action.into() {
        return Fault::action_not_supported();
    }
    if error == Malformed::Guid.into() {
        return Fault::no_such_shell();
    }
    let own = CODES.iter().find(|(known, _, _)| *known == error);
    let (code, subcode) = own.map_or_else(|| default_code(stage), |(_, code, subcode)| (*code, *subcode));
    // The error's text is ours alone: nothing of the request is in it.
    Fault::sender(code, subcode, format!("The request was not understood: {error}."))
}

fn default_code(stage: Stage) -> (FaultCode, Subcode) {
    match stage {
        Stage::Document => (FaultCode::INVALID_XML, Subcode::SchemaValidation),
        Stage::Header => (FaultCode::INVALID_HEADER, Subcode::InvalidHeader),
        Stage::Body => (FaultCode::SCHEMA_VALIDATION, Subcode::SchemaValidation),
    }
}
