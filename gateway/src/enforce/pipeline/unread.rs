//! What nothing can allow, whatever the policy says.

use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::CreatePipeline;
use std::fmt;

/// A pipeline that is refused before it is judged.
#[derive(Clone, PartialEq, Eq)]
pub struct Unread {
    /// Why.
    pub why: Why,
    /// The words of the request, for the audit's length and digest.
    text: String,
}

/// The words may hold secrets.
impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").field("why", &self.why).finish_non_exhaustive()
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident: $message:literal;)*) => {
        /// Why a pipeline is refused before it is judged.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Why {
            $($(#[$doc])+ $name,)*
        }

        impl Why {
            /// For the user: what was refused, and what to do.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

reasons! {
    /// It would run inside another one.
    Nested: "a pipeline inside of another one is refused: send it when the other has ended";
    /// `ExtraCmds` does not begin with what stands before it.
    Batch: "the first statement of a batch has to be the one that stands before it, since targets differ in which of \
            the two they run";
    /// A command would run in the scope of the session.
    Scope: "a command that runs in the scope of its caller (dot-sourcing) is refused: send it without UseLocalScope";
    /// A name that servers read as one of the debugger's commands.
    Debugger: "remote debugging is not offered: names that begin with `__` are refused";
    /// A stream goes elsewhere than it can be followed.
    Merge: "streams can be merged into the output (`2>&1`) of commands alone: leave the redirection out";
    /// Some statements end with `Out-Default` and others do not.
    MixedOutput: "either every statement or none ends with Out-Default: send them one by one";
    /// Text for `Invoke-Expression` in a batch, as pypsrp sends it with an environment.
    InvokedInBatch: "a script comes alone: leave environment variables and other statements before it out";
    /// `Get-Command` in another form than those that the gateway answers.
    GetCommand: "Get-Command shows what you are allowed: give it -Name, -Module or -CommandType, alone or followed by \
                 Select-Object with -Property or by Measure-Object";
    /// A dictionary of `$using:` values that cannot be read.
    Using: "the `$using:` values of the script cannot be read: send them as a client of PowerShell 5.1 or later does";
    /// More values than are taken at once.
    TooMuch: "the arguments are too large: send less at once";
    /// A SecureString that cannot be opened.
    Sealed: "a SecureString or a credential came without the session's key, or damaged: open a new session and let the \
             client exchange its key first";
}

impl Unread {
    pub(super) fn new(why: Why, request: &CreatePipeline) -> Self {
        Self { why, text: words(request) }
    }

    /// The words of the request: for the audit alone.
    pub(in crate::enforce) fn text(&self) -> &str {
        &self.text
    }
}

/// Names and texts of a request, one a line.
fn words(request: &CreatePipeline) -> String {
    let mut words: Vec<&str> = Vec::new();
    let commands = request.commands.iter().chain(request.statements.iter().flatten().skip(1).flatten());
    for command in commands {
        words.push(&command.name);
        for argument in &command.arguments {
            words.extend(argument.name.as_deref());
            if let Value::Text(text) = &argument.value {
                words.push(text);
            }
        }
    }
    words.join("\n")
}
