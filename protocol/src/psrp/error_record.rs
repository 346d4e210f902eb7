//! Error records of our own, in the shape of those of a JEA endpoint, \[MS-PSRP\] 2.2.3.15.

use super::members::typed;
use crate::clixml::{Content, Object, Value};

/// The category of an error, \[MS-PSRP\] 2.2.3.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCategory {
    /// What was asked for is not there.
    ObjectNotFound,
    /// The text is not accepted.
    ParserError,
    /// It is not allowed.
    PermissionDenied,
    /// It cannot be done now.
    ResourceUnavailable,
    /// It was stopped.
    OperationStopped,
}

impl ErrorCategory {
    const fn code(self) -> i32 {
        match self {
            Self::ObjectNotFound => 13,
            Self::OperationStopped => 14,
            Self::ParserError => 17,
            Self::PermissionDenied => 18,
            Self::ResourceUnavailable => 19,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ObjectNotFound => "ObjectNotFound",
            Self::OperationStopped => "OperationStopped",
            Self::ParserError => "ParserError",
            Self::PermissionDenied => "PermissionDenied",
            Self::ResourceUnavailable => "ResourceUnavailable",
        }
    }
}

/// An error that ends a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRecord {
    /// What users read.
    pub message: String,
    /// `FullyQualifiedErrorId`: what scripts compare.
    pub id: String,
    /// Its category.
    pub category: ErrorCategory,
    /// What it is about: a command's name as the client wrote it, or empty.
    pub about: String,
}

impl ErrorRecord {
    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> Value {
        const EXCEPTION: [&str; 4] = [
            "System.Management.Automation.RuntimeException",
            "System.SystemException",
            "System.Exception",
            "System.Object",
        ];
        const REASON: &str = "RuntimeException";
        let Self { message, id, category, about } = self;
        let data = typed(
            &["System.Collections.ListDictionaryInternal", "System.Object"],
            None,
            Content::Dictionary(Vec::new()),
        );
        let text = |value: &str| Value::text(value);
        let exception = Object {
            types: Some(EXCEPTION.map(str::to_owned).into()),
            shown: Some(format!("{}: {message}", EXCEPTION.first().copied().unwrap_or_default())),
            adapted: Some(named([
                ("ErrorRecord", text(message)),
                ("WasThrownFromThrowStatement", Value::Bool(false)),
                ("TargetSite", Value::Nil),
                ("Message", text(message)),
                ("Data", data),
                ("InnerException", Value::Nil),
                ("HelpLink", Value::Nil),
                ("Source", Value::Nil),
                ("HResult", Value::int(-2_146_233_087)),
                ("StackTrace", Value::Nil),
            ])),
            ..Object::default()
        };
        let target_type = if about.is_empty() { "" } else { "String" };
        let shown = format!("{}: ({about}:{target_type}) [], {REASON}", category.name());
        Value::object(Object {
            types: Some(["System.Management.Automation.ErrorRecord", "System.Object"].map(str::to_owned).into()),
            shown: Some(message.clone()),
            extended: Some(named([
                ("Exception", Value::object(exception)),
                ("TargetObject", if about.is_empty() { Value::Nil } else { text(about) }),
                ("FullyQualifiedErrorId", text(id)),
                ("InvocationInfo", Value::Nil),
                ("ErrorCategory_Category", Value::int(category.code())),
                ("ErrorCategory_Activity", text("")),
                ("ErrorCategory_Reason", text(REASON)),
                ("ErrorCategory_TargetName", text(about)),
                ("ErrorCategory_TargetType", text(target_type)),
                ("ErrorCategory_Message", text(&shown)),
                ("SerializeExtendedInfo", Value::Bool(false)),
            ])),
            ..Object::default()
        })
    }
}

fn named<const N: usize>(members: [(&str, Value); N]) -> Vec<(String, Value)> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
