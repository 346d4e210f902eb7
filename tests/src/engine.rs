//! The real PowerShell that tests ask: how it reads a text, what it makes of a body, what a script does.
//!
//! It is looked for in this order: the command line in `SEKISHO_ENGINE`, `pwsh` on `PATH`, and the archive beside the
//! repository. Where there is none, the test says that it is left out; with `SEKISHO_ENGINE=required` it fails instead.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs, io};

use crate::left_out::left_out;
use crate::source::root;

/// A command line of words between white space, or [`REQUIRED`].
pub const VARIABLE: &str = "SEKISHO_ENGINE";
/// In place of a command line: one of the other two has to be there.
pub const REQUIRED: &str = "required";
const SHELL: &str = "pwsh";
const ARCHIVE: &str = "../shared/engine/powershell-engine-linux-x64.tar.xz";
/// .NET does not start without the ICU library unless this is set; comparisons are the invariant culture's then.
const WITHOUT_ICU: &str = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";

/// What is asked of PowerShell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Run a script: `FILE.ps1`.
    Run,
    /// Be a server of PowerShell remoting on standard input and output.
    Serve,
    /// Say how texts are read: lines of `{id,text}` on standard input.
    Parse,
    /// Say what objects are made of CLIXML: lines of `{id,clixml,as}` on standard input.
    Wire,
    /// Run a script line by line with a host that answers prompts: `FILE.ps1 ANSWER...`.
    Play,
}

impl Task {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Serve => "serve",
            Self::Parse => "parse",
            Self::Wire => "wire",
            Self::Play => "play",
        }
    }

    /// How PowerShell's own program is told; what it cannot do takes our host program.
    fn of_the_shell(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Run => Some(&["-NoLogo", "-NoProfile", "-NonInteractive", "-File"]),
            Self::Serve => Some(&["-s", "-NoLogo", "-NoProfile"]),
            Self::Parse | Self::Wire | Self::Play => None,
        }
    }
}

/// PowerShell, for one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    program: PathBuf,
    arguments: Vec<OsString>,
    culture: Culture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Culture {
    OfTheSystem,
    Invariant,
}

/// Why a test that needs PowerShell cannot run although it has to.
#[derive(Debug)]
pub enum Unusable {
    /// [`VARIABLE`] is [`REQUIRED`] and there is none.
    Missing(String),
    /// What was found does not start.
    Broken(PathBuf),
    /// The archive could not be unpacked.
    Archive(io::Error),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) => write!(f, "{VARIABLE} is {REQUIRED}, but {why}"),
            Self::Broken(program) => {
                write!(f, "{} does not start: see whether its libraries are here", program.display())
            }
            Self::Archive(error) => write!(f, "{ARCHIVE} cannot be unpacked: {error}"),
        }
    }
}

impl std::error::Error for Unusable {}

/// PowerShell for a task. `None`: there is none here, which this has said.
///
/// # Errors
/// When there has to be one, or what there is does not work.
pub fn find(task: Task) -> Result<Option<Engine>, Unusable> {
    let given = std::env::var(VARIABLE).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    match choose(task, &given, &path, &root().join(ARCHIVE)) {
        Choice::Take(engine) => engine.tried().map(Some),
        Choice::Unpack(archive) => {
            let program = unpacked(&archive).map_err(Unusable::Archive)?;
            Engine::host(program, Vec::new(), task).tried().map(Some)
        }
        Choice::Nothing(why) if given.trim() == REQUIRED => Err(Unusable::Missing(why)),
        Choice::Nothing(why) => {
            left_out(&why);
            Ok(None)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Take(Engine),
    Unpack(PathBuf),
    Nothing(String),
}

fn choose(task: Task, given: &str, path: &OsStr, archive: &Path) -> Choice {
    let mut words = given.split_whitespace();
    if let Some(program) = words.next().filter(|first| *first != REQUIRED) {
        let no = format!("no PowerShell for '{}': {VARIABLE} names {SHELL}, which cannot do it", task.word());
        return named(PathBuf::from(program), words.map(OsString::from).collect(), task)
            .map_or(Choice::Nothing(no), Choice::Take);
    }
    let shell = std::env::split_paths(path).map(|folder| folder.join(SHELL)).find(|program| program.is_file());
    if let Some(engine) = shell.and_then(|program| Engine::shell(program, task)) {
        return Choice::Take(engine);
    }
    if archive.is_file() {
        return Choice::Unpack(archive.to_path_buf());
    }
    Choice::Nothing(format!(
        "no PowerShell for '{}': {VARIABLE} is not a command line, no {SHELL} on PATH does it, and {ARCHIVE} is missing",
        task.word()
    ))
}

fn named(program: PathBuf, first: Vec<OsString>, task: Task) -> Option<Engine> {
    if program.file_stem() == Some(OsStr::new(SHELL)) {
        return Engine::shell(program, task);
    }
    Some(Engine::host(program, first, task))
}

impl Engine {
    /// The command; arguments of the task come after.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = self.start();
        command.args(&self.arguments);
        command
    }

    fn shell(program: PathBuf, task: Task) -> Option<Self> {
        let arguments = task.of_the_shell()?.iter().map(OsString::from).collect();
        Some(Self { program, arguments, culture: Culture::OfTheSystem })
    }

    fn host(program: PathBuf, mut arguments: Vec<OsString>, task: Task) -> Self {
        arguments.push(task.word().into());
        Self { program, arguments, culture: Culture::OfTheSystem }
    }

    fn start(&self) -> Command {
        let mut command = Command::new(&self.program);
        match self.culture {
            Culture::OfTheSystem => {}
            Culture::Invariant => {
                command.env(WITHOUT_ICU, "1");
            }
        }
        command
    }

    /// A program that dies at its start would look like a test that failed.
    fn tried(self) -> Result<Self, Unusable> {
        static TRIED: Mutex<Vec<(PathBuf, Culture)>> = Mutex::new(Vec::new());
        let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tried.iter().find(|(program, _)| *program == self.program).map(|(_, culture)| *culture);
        let cultures = [Culture::OfTheSystem, Culture::Invariant];
        let works = |culture: &Culture| Self { culture: *culture, ..self.clone() }.starts();
        let Some(culture) = known.or_else(|| cultures.into_iter().find(works)) else {
            return Err(Unusable::Broken(self.program));
        };
        if known.is_none() {
            tried.push((self.program.clone(), culture));
        }
        Ok(Self { culture, ..self })
    }

    /// Whether the program ends well when there is nothing to do.
    fn starts(&self) -> bool {
        let mut command = self.start();
        if self.program.file_stem() == Some(OsStr::new(SHELL)) {
            command.arg("--version");
        } else {
            let last = self.arguments.len().saturating_sub(1);
            command.args(self.arguments.iter().take(last)).arg(Task::Parse.word());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// The program of the archive, which is unpacked once for each target folder.
fn unpacked(archive: &Path) -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    // target/PROFILE/deps/TEST
    let target = here.ancestors().nth(3).ok_or_else(|| io::Error::other("no target folder"))?;
    let room = target.join("tmp");
    let about = fs::metadata(archive)?;
    let since = about.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let home = room.join(format!("powershell-engine-{}-{}", about.len(), since.as_secs()));
    if !home.is_dir() {
        fs::create_dir_all(&room)?;
        // Unpacked beside and moved, so that another test never sees half of it.
        let beside = tempfile::tempdir_in(&room)?;
        let done = Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(beside.path()).status()?;
        let moved = fs::rename(beside.path().join("powershell-engine"), &home);
        if !done.success() || (moved.is_err() && !home.is_dir()) {
            return Err(moved.err().unwrap_or_else(|| io::Error::other("tar failed; it needs xz")));
        }
    }
    Ok(home.join("engine"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;
    use std::io::Write as _;

    type Outcome = Result<(), Box<dyn Error>>;

    fn words(command: &Command) -> Vec<String> {
        let all = std::iter::once(command.get_program()).chain(command.get_args());
        all.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn taken(task: Task, given: &str, path: &OsStr, archive: &Path) -> Vec<String> {
        match choose(task, given, path, archive) {
            Choice::Take(engine) => words(&engine.command()),
            Choice::Unpack(found) => vec![found.to_string_lossy().into_owned()],
            Choice::Nothing(_) => Vec::new(),
        }
    }

    #[test]
    fn the_command_line_comes_first_then_the_path_then_the_archive() -> Outcome {
        let folder = tempfile::tempdir()?;
        let (shell, archive) = (folder.path().join(SHELL), folder.path().join("engine.tar.xz"));
        let path = std::env::join_paths([Path::new("/nowhere"), folder.path()])?;
        assert!(taken(Task::Run, "", &path, &archive).is_empty());
        fs::write(&archive, "")?;
        assert_eq!(taken(Task::Run, REQUIRED, &path, &archive), [archive.to_string_lossy()]);
        fs::write(&shell, "")?;
        let by_shell = taken(Task::Serve, "", &path, &archive);
        assert_eq!(by_shell, [&*shell.to_string_lossy(), "-s", "-NoLogo", "-NoProfile"]);
        // What PowerShell's own program cannot do is left to the archive.
        assert_eq!(taken(Task::Parse, "", &path, &archive), [archive.to_string_lossy()]);
        assert_eq!(taken(Task::Parse, " env A=1  host ", &path, &archive), ["env", "A=1", "host", "parse"]);
        assert_eq!(taken(Task::Run, "/opt/pwsh", &path, &archive).first().map(String::as_str), Some("/opt/pwsh"));
        assert!(taken(Task::Play, "/opt/pwsh", &path, &archive).is_empty());
        Ok(())
    }

    #[test]
    fn a_program_that_does_not_start_is_an_error_and_not_left_out() {
        let broken = Engine::host(PathBuf::from("/bin/false"), Vec::new(), Task::Parse);
        assert!(matches!(broken.tried(), Err(Unusable::Broken(_))));
    }

    #[test]
    fn powershell_reads_a_text() -> Outcome {
        let Some(engine) = find(Task::Parse)? else { return Ok(()) };
        let mut child = engine.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().ok_or("no standard input")?;
        stdin.write_all(b"{\"id\":7,\"text\":\"Get-Process\"}\n")?;
        drop(stdin);
        let output = child.wait_with_output()?;
        assert!(String::from_utf8(output.stdout)?.contains("\"reading\":\"commands\""));
        Ok(())
    }
}
