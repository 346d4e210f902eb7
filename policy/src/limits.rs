//! The bounds of what this crate reads, each with its reason.

/// Documents of one policy, scripts not counted.
pub const SOURCES: usize = 256;
/// Pinned scripts of one policy: files, and entries that pin one.
pub const SCRIPTS: usize = 512;
/// Bytes of a pinned script's path.
pub const SCRIPT_PATH: usize = 512;
/// Bytes of one document. A thousand rules take about 200 KB.
pub const SOURCE_BYTES: usize = 4 * 1024 * 1024;
/// Mistakes in one report: whoever has more has one mistake many times.
pub const MISTAKES: usize = 500;
/// Roles of one policy.
pub const ROLES: usize = 4096;
/// Rules of one policy, for programs, commands and scripts together.
pub const RULES: usize = 65_536;
/// What the wildcards of one policy cover together, in commands and editions: `*` covers about 8,000.
pub const COVERED: usize = 400_000;
/// Rules of one policy that deny.
pub const DENIALS: usize = 4096;
/// Characters of the reason that a rule gives for a denial.
pub const REASON: usize = 300;
/// Requirements within requirements.
pub const REQUIREMENT_DEPTH: usize = 16;
/// Assignments of one policy.
pub const ASSIGNMENTS: usize = 16_384;
/// Entries of one list in a document.
pub const LIST: usize = 4096;
/// Different patterns of one policy: a compiled pattern takes up to [`PATTERN_COMPILED_BYTES`].
pub const PATTERNS: usize = 4096;
/// Bytes of one pattern.
pub const PATTERN_BYTES: usize = 2048;
/// Nested groups in one pattern.
pub const PATTERN_DEPTH: u32 = 32;
/// Bytes of one compiled pattern; a hundred letters of any script take about half.
pub const PATTERN_COMPILED_BYTES: usize = 16 * 1024 * 1024;
/// What judging one value by one pattern may cost: the places of the pattern that can be under way at once, times the
/// bytes of the value. Each takes up to 20 ns, so that this is about 10 ms.
pub const PATTERN_COST: usize = 500_000;
/// The same for all values and patterns of one request together: about 200 ms. Patterns as people write them take a
/// ten-thousandth of it.
pub const REQUEST_COST: usize = 20 * PATTERN_COST;
/// Bytes of the longest value that any pattern is asked about: all that a command line can hold.
pub const PATTERN_VALUE_BYTES: usize = 32_768;
/// Bytes of a value that every pattern has to be able to judge.
pub const PATTERN_VALUE_LEAST: usize = 64;
/// Characters of a name: role, rule, principal, group, tag.
pub const NAME: usize = 256;
/// Characters of a target's name, as in the DNS.
pub const TARGET_NAME: usize = 255;
/// Characters of a program's path: `MAX_PATH` of Windows, without its NUL.
pub const PROGRAM_PATH: usize = 259;
/// UTF-16 units of a command line: cmd.exe takes no more.
pub const COMMAND_LINE: usize = 8191;
/// Characters of a policy's value that a denial shows.
pub const SHOWN_VALUE: usize = 60;
/// Values, lists or programs of a policy that a denial shows.
pub const SHOWN_ENTRIES: usize = 6;
/// Bytes of one script, pinned or read as commands; one of more is no single pipeline.
pub const SCRIPT_BYTES: usize = 1024 * 1024;
/// Commands of one pipeline in script text.
pub const PIPELINE_COMMANDS: usize = 64;
/// Arguments of one command in script text.
pub const COMMAND_ARGUMENTS: usize = 4096;
/// Elements of one list in script text.
pub const LIST_ELEMENTS: usize = 32_768;
/// Names in a `param(…)` of script text.
pub const SCRIPT_PARAMETERS: usize = 256;
/// Bytes of a script block that a hint is made from.
pub const HINT_BYTES: usize = 256;
/// Levels of brackets in a PowerShell data file; JEA's own fields need six.
pub const DATA_DEPTH: usize = 32;
/// Levels of brackets in a script block of a data file.
pub const SCRIPT_DEPTH: usize = 200;
/// Characters of a line of a comment that an import writes.
pub const COMMENT_WIDTH: usize = 100;
/// Bytes of given constants that are put into one script text, counted as often as they are used.
pub const SUBSTITUTED_BYTES: usize = 16 * 1024 * 1024;
