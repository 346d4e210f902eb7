//! Calls of a server to the client's host, \[MS-PSRP\] 2.2.2.15, 2.2.2.16 and 2.2.3.17.

use super::members::{enumeration, int, list, long, object, required, typed};
use crate::Result;
use crate::clixml::{Content, ListKind, Object, Value};
use crate::error::Malformed;

/// What becomes of a call on its way from a target to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It is shown to the user, and nothing is answered.
    Shown,
    /// It ends something at the client, and nothing is answered.
    Ends,
    /// It asks for what the client's host has told at the beginning: answered here.
    Known,
    /// It asks the user for input or a secret.
    Asks,
    /// It is dropped: the client's window is not the target's, and nothing is answered.
    Dropped,
    /// It is refused with an error.
    Refused,
}

macro_rules! methods {
    ($($name:ident = $code:literal, $passage:ident;)*) => {
        /// A method of a host, \[MS-PSRP\] 2.2.3.17.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are those of the specification")]
        pub enum HostMethod {
            $($name,)*
        }

        impl HostMethod {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $(Self::$name => $code,)* }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What becomes of a call.
            #[must_use]
            pub const fn passage(self) -> Passage {
                match self { $(Self::$name => Passage::$passage,)* }
            }
        }
    };
}

methods! {
    GetName = 1, Known;
    GetVersion = 2, Known;
    GetInstanceId = 3, Known;
    GetCurrentCulture = 4, Known;
    GetCurrentUICulture = 5, Known;
    SetShouldExit = 6, Ends;
    EnterNestedPrompt = 7, Dropped;
    ExitNestedPrompt = 8, Dropped;
    NotifyBeginApplication = 9, Dropped;
    NotifyEndApplication = 10, Dropped;
    ReadLine = 11, Asks;
    ReadLineAsSecureString = 12, Asks;
    Write1 = 13, Shown;
    Write2 = 14, Shown;
    WriteLine1 = 15, Shown;
    WriteLine2 = 16, Shown;
    WriteLine3 = 17, Shown;
    WriteErrorLine = 18, Shown;
    WriteDebugLine = 19, Shown;
    WriteProgress = 20, Shown;
    WriteVerboseLine = 21, Shown;
    WriteWarningLine = 22, Shown;
    Prompt = 23, Asks;
    PromptForCredential1 = 24, Asks;
    PromptForCredential2 = 25, Asks;
    PromptForChoice = 26, Asks;
    GetForegroundColor = 27, Known;
    SetForegroundColor = 28, Dropped;
    GetBackgroundColor = 29, Known;
    SetBackgroundColor = 30, Dropped;
    GetCursorPosition = 31, Known;
    SetCursorPosition = 32, Dropped;
    GetWindowPosition = 33, Known;
    SetWindowPosition = 34, Dropped;
    GetCursorSize = 35, Known;
    SetCursorSize = 36, Dropped;
    GetBufferSize = 37, Known;
    SetBufferSize = 38, Dropped;
    GetWindowSize = 39, Known;
    SetWindowSize = 40, Dropped;
    GetWindowTitle = 41, Known;
    SetWindowTitle = 42, Dropped;
    GetMaxWindowSize = 43, Known;
    GetMaxPhysicalWindowSize = 44, Known;
    GetKeyAvailable = 45, Known;
    ReadKey = 46, Asks;
    FlushInputBuffer = 47, Dropped;
    SetBufferContents1 = 48, Dropped;
    SetBufferContents2 = 49, Dropped;
    GetBufferContents = 50, Refused;
    ScrollBufferContents = 51, Dropped;
    PushRunspace = 52, Dropped;
    PopRunspace = 53, Ends;
    GetIsRunspacePushed = 54, Known;
    GetRunspace = 55, Refused;
    PromptForChoiceMultipleSelection = 56, Asks;
}

impl HostMethod {
    /// The method of a number.
    #[must_use]
    pub fn of_code(code: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    fn encode(self) -> Value {
        enumeration("System.Management.Automation.Remoting.RemoteHostMethodId", self.name(), self.code())
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct HostCall {
    /// `ci`: what the answer is found by. Calls that want none carry -100.
    pub call: i64,
    /// `mi`.
    pub method: HostMethod,
    /// `mp`.
    pub parameters: Vec<Value>,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct HostResponse {
    /// `ci` of the call.
    pub call: i64,
    /// `mi` of the call.
    pub method: HostMethod,
    /// `mr` or `me`.
    pub result: HostResult,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub enum HostResult {
    /// `mr`.
    Value(Value),
    /// `me`: an error record.
    Error(Value),
    /// Neither: a method without value has ended.
    Done,
}

impl HostCall {
    /// Reads the body.
    ///
    /// # Errors
    /// When a member is missing or of another type, or there is no such method.
    pub fn decode(body: &Value) -> Result<Self> {
        let call = object(body)?;
        let (id, method) = head(call)?;
        Ok(Self { call: id, method, parameters: list(required(call, "mp")?)?.to_vec() })
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Value {
        let types = ["System.Collections.ArrayList", "System.Object"];
        let parameters = typed(&types, None, Content::List(ListKind::List, self.parameters.clone()));
        Value::object(Object::of_members([
            ("ci", Value::long(self.call)),
            ("mi", self.method.encode()),
            ("mp", parameters),
        ]))
    }
}

impl HostResponse {
    /// Reads the body.
    ///
    /// # Errors
    /// As [`HostCall::decode`], and when there are both a value and an error.
    pub fn decode(body: &Value) -> Result<Self> {
        let response = object(body)?;
        let (call, method) = head(response)?;
        let there = |name| response.member(name).filter(|value| **value != Value::Nil).cloned();
        let result = match (there("mr"), there("me")) {
            (Some(_), Some(_)) => return Err(Malformed::PsrpBody.into()),
            (Some(value), None) => HostResult::Value(value),
            (None, Some(error)) => HostResult::Error(error),
            (None, None) => HostResult::Done,
        };
        Ok(Self { call, method, result })
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Value {
        let mut members = Vec::new();
        match &self.result {
            HostResult::Value(value) => members.push(("mr".to_owned(), value.clone())),
            HostResult::Error(error) => members.push(("me".to_owned(), error.clone())),
            HostResult::Done => {}
        }
        members.push(("ci".to_owned(), Value::long(self.call)));
        members.push(("mi".to_owned(), self.method.encode()));
        Value::object(Object { extended: Some(members), ..Object::default() })
    }
}

fn head(object: &Object) -> Result<(i64, HostMethod)> {
    let call = long(required(object, "ci")?)?;
    let method = HostMethod::of_code(int(required(object, "mi")?)?).ok_or(Malformed::PsrpBody)?;
    Ok((call, method))
}
