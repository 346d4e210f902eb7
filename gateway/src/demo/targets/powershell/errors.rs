//! Error records in the shape that PowerShell's own have.

use super::objects::{members, typed};
use sekisho_protocol::clixml::{Content, Object, Value};

const ERROR_RECORD: [&str; 2] = ["System.Management.Automation.ErrorRecord", "System.Object"];

/// The category of an error: its number and its name. \[MS-PSRP\] 2.2.3.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    InvalidArgument,
    InvalidOperation,
    ObjectNotFound,
    ParserError,
    NotSpecified,
}

impl Category {
    const fn code(self) -> i32 {
        match self {
            Self::NotSpecified => 0,
            Self::InvalidArgument => 5,
            Self::InvalidOperation => 7,
            Self::ObjectNotFound => 13,
            Self::ParserError => 17,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::NotSpecified => "NotSpecified",
            Self::InvalidArgument => "InvalidArgument",
            Self::InvalidOperation => "InvalidOperation",
            Self::ObjectNotFound => "ObjectNotFound",
            Self::ParserError => "ParserError",
        }
    }
}

/// What an error record says.
#[derive(Debug, Clone)]
pub(super) struct Error {
    /// The exception's type without its namespace.
    exception: &'static str,
    namespace: &'static str,
    message: String,
    id: String,
    category: Category,
    about: String,
}

const AUTOMATION: &str = "System.Management.Automation";
const COMMANDS: &str = "Microsoft.PowerShell.Commands";

impl Error {
    /// No such command.
    pub(super) fn no_command(name: &str) -> Self {
        let message = format!(
            "The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable \
             program.\nCheck the spelling of the name, or if a path was included, verify that the path is correct and \
             try again."
        );
        Self {
            exception: "CommandNotFoundException",
            namespace: AUTOMATION,
            message,
            id: "CommandNotFoundException".to_owned(),
            category: Category::ObjectNotFound,
            about: name.to_owned(),
        }
    }

    /// Text to run, or a scope that only text has.
    pub(super) fn no_language() -> Self {
        Self {
            exception: "ParseException",
            namespace: AUTOMATION,
            message: "The syntax is not supported by this runspace. This can occur if the runspace is in no-language \
                      mode."
                .to_owned(),
            id: "ScriptsNotAllowed".to_owned(),
            category: Category::ParserError,
            about: String::new(),
        }
    }

    /// Arguments that do not bind.
    pub(super) fn binding(reason: &str, command: &str, message: String) -> Self {
        Self {
            exception: "ParameterBindingException",
            namespace: AUTOMATION,
            message,
            id: format!("{reason},{command}"),
            category: Category::InvalidArgument,
            about: String::new(),
        }
    }

    /// A cmdlet did not find what it was asked for.
    pub(super) fn not_found(reason: &str, command: &str, about: &str, message: String) -> Self {
        Self {
            exception: "ItemNotFoundException",
            namespace: AUTOMATION,
            message,
            id: format!("{reason},{COMMANDS}.{}Command", command.replace('-', "")),
            category: Category::ObjectNotFound,
            about: about.to_owned(),
        }
    }

    /// A cmdlet cannot do what it was asked for.
    pub(super) fn refused(reason: &str, command: &str, about: &str, message: String) -> Self {
        let category = Category::InvalidOperation;
        Self { category, exception: "InvalidOperationException", ..Self::not_found(reason, command, about, message) }
    }

    /// What `Write-Error` was told.
    pub(super) fn written(message: String) -> Self {
        Self {
            exception: "WriteErrorException",
            namespace: COMMANDS,
            message,
            id: "Microsoft.PowerShell.Commands.WriteErrorException".to_owned(),
            category: Category::NotSpecified,
            about: String::new(),
        }
    }

    /// Writes it.
    pub(super) fn encode(&self) -> Value {
        let Self { exception, namespace, message, id, category, about } = self;
        let name = format!("{namespace}.{exception}");
        let text = |value: &str| Value::text(value);
        let data = Value::object(Object {
            types: Some(["System.Collections.ListDictionaryInternal", "System.Object"].map(str::to_owned).into()),
            content: Content::Dictionary(Vec::new()),
            ..Object::default()
        });
        let thrown = typed(
            &[&name, "System.Exception", "System.Object"],
            &format!("{name}: {message}"),
            members([
                ("Message", text(message)),
                ("Data", data),
                ("InnerException", Value::Nil),
                ("HelpLink", Value::Nil),
                ("Source", text(AUTOMATION)),
                ("HResult", Value::int(-2_146_233_087)),
                ("StackTrace", Value::Nil),
                ("TargetSite", Value::Nil),
            ]),
            Vec::new(),
        );
        let kind = if about.is_empty() { "" } else { "String" };
        let shown = format!("{}: ({about}:{kind}) [], {exception}", category.name());
        typed(
            &ERROR_RECORD,
            message,
            Vec::new(),
            members([
                ("Exception", thrown),
                ("TargetObject", if about.is_empty() { Value::Nil } else { text(about) }),
                ("FullyQualifiedErrorId", text(id)),
                ("InvocationInfo", Value::Nil),
                ("ErrorCategory_Category", Value::int(category.code())),
                ("ErrorCategory_Activity", text("")),
                ("ErrorCategory_Reason", text(exception)),
                ("ErrorCategory_TargetName", text(about)),
                ("ErrorCategory_TargetType", text(kind)),
                ("ErrorCategory_Message", text(&shown)),
                ("SerializeExtendedInfo", Value::Bool(false)),
            ]),
        )
    }
}
