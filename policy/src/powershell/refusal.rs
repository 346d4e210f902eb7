//! Why a text is refused, where, and what to write instead.

use std::fmt;

/// The constructs, each with its words: what it is, and what to write instead.
macro_rules! constructs {
    ($($doc:literal $name:ident: $what:literal, $instead:literal;)*) => {
        /// What a text is refused for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Construct {
            $(#[doc = $doc] $name,)*
        }

        impl Construct {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What it is, for people.
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }

            /// What to write instead.
            pub fn instead(self) -> &'static str {
                match self { $(Self::$name => $instead,)* }
            }
        }
    };
}

constructs! {
    "No command in it."
    Empty: "a text without a command",
        "write one pipeline of commands";
    "More than [`crate::limits::SCRIPT_BYTES`]."
    TooLong: "a text of more than 1 MiB",
        "send less at once";
    "More than [`crate::limits::PIPELINE_COMMANDS`]."
    TooManyCommands: "a pipeline of more than 64 commands",
        "use fewer commands";
    "More than [`crate::limits::COMMAND_ARGUMENTS`] of one command."
    TooManyArguments: "a command with more than 4096 arguments",
        "give a list, or fewer arguments";
    "More than [`crate::limits::LIST_ELEMENTS`] of one list."
    TooManyElements: "a list of more than 32768 elements",
        "send it in parts";
    "More than [`crate::limits::SUBSTITUTED_BYTES`]."
    TooMuchData: "given constants of more than 16 MiB",
        "use each of them once";
    "`;`, or a line end with more after it."
    Statements: "a second statement",
        "send each pipeline as a command of its own";
    "`&&` or `||`."
    Chain: "`&&` or `||`",
        "send each pipeline as a command of its own";
    "A `|` without a command on both sides."
    MissingCommand: "a `|` without a command on both sides",
        "write a command there, on the line of the `|` or after it, or leave it out";
    "`#` or `<#`."
    Comment: "a comment",
        "leave it out";
    "`{ … }`."
    ScriptBlock: "a script block",
        "write `Where-Object Status -eq Running` instead of `Where-Object { $_.Status -eq 'Running' }`, and \
         `ForEach-Object Name` instead of `ForEach-Object { $_.Name }`";
    "`( … )`."
    Parentheses: "an expression in parentheses",
        "write the value itself, and use `|` for what a command returns";
    "`$( … )`, outside or inside of a string."
    Subexpression: "`$(…)`",
        "write the value itself, or put these letters into single quotes";
    "`@( … )`."
    ArrayExpression: "`@(…)`",
        "write the elements with commas between them: `a,b,c`";
    "`@{ … }`."
    Hashtable: "a hashtable",
        "give each value to a parameter of its own";
    "`@name`."
    Splatting: "splatting",
        "write the parameters out";
    "`@'` or `@\"`."
    HereString: "a here-string",
        "write it in single quotes; line ends may stand in them";
    "`$name` that stands for no given constant."
    Variable: "a variable",
        "write the value itself";
    "`$using:name` that stands for no given constant."
    UsingVariable: "a `$using:` name without a value",
        "give it a constant on the client";
    "A variable inside a double-quoted string or a word."
    Expansion: "`$` inside a string or a word",
        "write the value itself, or use single quotes to mean these letters";
    "`$x = …` and its relatives."
    Assignment: "an assignment",
        "write the value itself where it is used";
    "`& …` before a command."
    CallOperator: "the call operator `&`",
        "write the command's name without it and without quotes";
    "`&` after a command."
    Background: "`&` after a command",
        "leave it out: it would start a job";
    "`. …` before a command."
    DotSource: "a dot before a command",
        "write the command's name without it";
    "`.Name`, `::Name` or `[…]` after a value."
    MemberAccess: "access to a member or an element",
        "write the value itself; `Select-Object -ExpandProperty Name` reads a property";
    "A pipeline that begins with a value."
    Expression: "a value at the start of a command",
        "begin with a command's name, without quotes";
    "`<`, `>`, `2>`, `2>&1`."
    Redirection: "a redirection",
        "leave it out and take the output as it is returned, or quote the sign to mean it";
    "`if`, `foreach`, `exit`, `using` and the other words of the language."
    Keyword: "a word of the language",
        "write commands only";
    "A backtick."
    Backtick: "a backtick",
        "write without it: break lines after `|` or a comma, and use single quotes for special characters";
    "An argument whose value is `--%`, quoted or not."
    VerbatimArgument: "`--%`",
        "leave it out: PowerShell would read what follows in another way";
    "`--`."
    EndOfParameters: "`--`",
        "leave it out, and quote a value that begins with a dash";
    "`-?`."
    HelpSwitch: "`-?`",
        "ask `Get-Help` instead";
    "A typographic dash."
    TypographicDash: "a typographic dash",
        "type a plain `-`, or quote the word to mean the dash";
    "A typographic quote."
    TypographicQuote: "a typographic quote",
        "type a plain `'`, or quote the word with the other kind of quote to mean it";
    "A blank that is neither a space nor a tab."
    TypographicBlank: "a blank that is not a plain one",
        "type a plain space, or quote the word to mean it";
    "A control character, or one that shows nothing."
    InvisibleCharacter: "a character that shows nothing",
        "type the word again";
    "A quote that never closes."
    UnclosedQuote: "a quote that never closes",
        "close it with the same quote";
    "A quote inside a word, or a word right after a closing quote."
    QuoteInWord: "a quote inside a word",
        "enclose the whole argument in one pair of quotes";
    "A character that cannot stand there."
    Unexpected: "a character that cannot stand there",
        "enclose the whole argument in single quotes";
    "A command's name that could be read as something else."
    CommandName: "a command's name of this form",
        "write the plain name of a command";
    "A parameter's name that could be read as something else."
    ParameterName: "a parameter's name of this form",
        "write the plain name with a blank before its value, or quote the word to mean a value";
    "`-Name:` without a value."
    MissingValue: "a parameter with a colon and no value",
        "write the value after the colon, in the same line";
    "A comma without a value before or after it."
    LoneComma: "a comma without a value on both sides",
        "write a value there or leave it out";
    "A parameter inside a list."
    ParameterInList: "a parameter inside a list",
        "quote it to mean a value";
    "A number in a notation that versions of PowerShell read differently."
    Number: "a number in this notation",
        "write decimal digits, or quote it to mean text";
    "`param(…)` in another form than names with simple types."
    ParameterBlock: "`param(…)` of this form",
        "write names with commas between them, at most with a type like `[string]` before each";
    "`param(…)` that takes other arguments than were given."
    ParameterBinding: "what `param(…)` takes",
        "give each of its names one constant of its type, and nothing else";
    "Arguments for a text that has no `param(…)`."
    UnusedArguments: "a text without `param(…)` for its arguments",
        "write the values where they are used";
    "A given constant that stands where it is no whole argument."
    PartialArgument: "a variable that is not a whole argument",
        "let it stand alone, without a list around it";
}

/// A text that is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is refused for.
    pub construct: Construct,
    /// Where that stands, in characters from 0.
    pub place: usize,
    /// The same for people: its line, from 1.
    pub line: usize,
    /// Its character in the line, from 1.
    pub column: usize,
    /// The form that works, where the text shows one. It is made of words of the text: for whoever sent it, never
    /// for a log.
    pub hint: Option<String>,
}

impl Refusal {
    /// Makes a refusal from a place in bytes.
    pub(super) fn new(construct: Construct, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.split('\n').next_back().unwrap_or("");
        Self {
            construct,
            place: before.chars().count(),
            line: before.matches('\n').count().saturating_add(1),
            column: line.chars().count().saturating_add(1),
            hint: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl Refusal {
    /// The message for whoever sent the text: with the form that works, in words of the text, where there is one.
    /// Never for a log; [`Display`](fmt::Display) is.
    pub fn for_sender(&self) -> String {
        match &self.hint {
            Some(form) => {
                let what = self.construct.what();
                format!("{what} (line {}, character {}) is refused: write `{form}`", self.line, self.column)
            }
            None => self.to_string(),
        }
    }
}

impl std::error::Error for Refusal {}

/// Holds nothing of the text but the place.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, instead) = (self.construct.what(), self.construct.instead());
        write!(f, "{what} (line {}, character {}) is refused: {instead}", self.line, self.column)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("construct", &self.construct)
            .field("place", &self.place)
            .field("line", &self.line)
            .field("column", &self.column)
            .field("has_hint", &self.hint.is_some())
            .finish()
    }
}
