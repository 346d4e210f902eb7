//! One pipeline: its commands in a row, and what they do carried out.

use super::binding::Bound;
use super::cmdlets::{self, Cmdlet};
use super::effect::{Effect, Effects};
use super::errors::Error;
use super::machine::Machine;
use super::pool::{Gone, Port};
use super::records::Told;
use super::secure::Keys;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{
    Answer, Command, CommandKind, CreatePipeline, HostCall, HostMethod, HostResult, Merge, MergeTarget, MessageType,
    PipelineState, Stated,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Calls to the host that have no answer carry this.
const NO_ANSWER: i64 = -100;
/// Commands of one statement.
const MAX_COMMANDS: usize = 32;

/// Why a pipeline does not come to its end.
enum Halt {
    /// The error record of its state.
    Failed(Value),
    /// Nobody is there to hear of it.
    Gone,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error.encode())
    }
}

impl From<Gone> for Halt {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// What a pipeline works on.
pub(super) struct Place {
    pub(super) machine: Arc<Machine>,
    pub(super) keys: Arc<Keys>,
}

/// Runs a pipeline to its end and says how it ended.
pub(super) async fn run(mut port: Port, place: Place, request: CreatePipeline, stop: CancellationToken) {
    let ended = tokio::select! {
        // A stop that came meanwhile counts.
        biased;
        () = stop.cancelled() => Ok(PipelineState::Stopped),
        ended = statements(&mut port, &place, request) => ended.map(|()| PipelineState::Completed),
    };
    let stated = match ended {
        Ok(state) => Stated { state, error: None },
        Err(Halt::Failed(error)) => Stated { state: PipelineState::Failed, error: Some(error) },
        Err(Halt::Gone) => Stated { state: PipelineState::Stopped, error: None },
    };
    port.finish(&stated);
}

/// The first statement may stand twice: as the commands, and again at the head of the batch.
async fn statements(port: &mut Port, place: &Place, request: CreatePipeline) -> Result<(), Halt> {
    let rest = request.statements.unwrap_or_default().into_iter().skip(1);
    let mut takes_input = !request.no_input;
    for commands in std::iter::once(request.commands).chain(rest) {
        let mut row = Row { stages: stages(commands, place)?, port, calls: 0 };
        row.run(takes_input).await?;
        takes_input = false;
    }
    Ok(())
}

fn stages(commands: Vec<Command>, place: &Place) -> Result<Vec<Stage>, Error> {
    if MAX_COMMANDS < commands.len() {
        return Err(Error::no_language());
    }
    commands
        .into_iter()
        .map(|Command { name, kind, scope: _, merge, arguments }| {
            if kind == CommandKind::Script {
                return Err(Error::no_language());
            }
            let (cmdlet, bound) = cmdlets::find(&name, arguments, place)?;
            Ok(Stage { cmdlet, preferences: Preferences::of(&bound), merge })
        })
        .collect()
}

struct Stage {
    cmdlet: Box<dyn Cmdlet>,
    preferences: Preferences,
    merge: Merge,
}

/// What the common parameters say.
struct Preferences {
    error: OnError,
    warns: bool,
    verbose: bool,
    debug: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnError {
    Continue,
    Silent,
    Stop,
}

impl Preferences {
    fn of(bound: &Bound) -> Self {
        let action = |name: &str| bound.text(name).unwrap_or_default().to_lowercase();
        let error = match action("ErrorAction").as_str() {
            "stop" | "1" => OnError::Stop,
            "silentlycontinue" | "ignore" | "0" | "4" => OnError::Silent,
            _ => OnError::Continue,
        };
        Self {
            error,
            warns: !matches!(action("WarningAction").as_str(), "silentlycontinue" | "ignore" | "0" | "4"),
            verbose: bound.is_on("Verbose"),
            debug: bound.is_on("Debug"),
        }
    }

    const fn tells(&self, told: Told) -> bool {
        match told {
            Told::Warning => self.warns,
            Told::Verbose => self.verbose,
            Told::Debug => self.debug,
        }
    }
}

/// The commands of one statement.
struct Row<'p> {
    stages: Vec<Stage>,
    port: &'p mut Port,
    calls: i64,
}

/// What is under way, at which place of the row.
type Open = Vec<(usize, Effects)>;

impl Row<'_> {
    async fn run(&mut self, takes_input: bool) -> Result<(), Halt> {
        let mut had_input = false;
        while takes_input && let Some(value) = self.port.input().await {
            had_input = true;
            if let Some(effects) = self.taken(0, value) {
                self.carry_out(0, effects).await?;
            }
        }
        if !had_input && let Some(effects) = self.stages.first_mut().map(|first| first.cmdlet.alone()) {
            self.carry_out(0, effects).await?;
        }
        for at in 0..self.stages.len() {
            if let Some(effects) = self.stages.get_mut(at).map(|stage| stage.cmdlet.end()) {
                self.carry_out(at, effects).await?;
            }
        }
        Ok(())
    }

    fn taken(&mut self, at: usize, value: Value) -> Option<Effects> {
        self.stages.get_mut(at).map(|stage| stage.cmdlet.take(value))
    }

    async fn carry_out(&mut self, from: usize, effects: Effects) -> Result<(), Halt> {
        let mut open: Open = vec![(from, effects)];
        while let Some((at, effects)) = open.last_mut() {
            let at = *at;
            match effects.next() {
                Some(effect) => self.one(at, effect, &mut open).await?,
                None => drop(open.pop()),
            }
            // What goes nowhere would never wait for anybody.
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    async fn one(&mut self, at: usize, effect: Effect, open: &mut Open) -> Result<(), Halt> {
        match effect {
            Effect::Output(value) => self.output(at, value, open).await?,
            Effect::Error(error) => self.error(at, error, open).await?,
            Effect::Told(told, message) => self.told(at, told, &message, open).await?,
            Effect::Information(value) => {
                let target = self.merge(at).information;
                self.stream(at, MessageType::InformationRecord, value, target, open).await?;
            }
            Effect::Progress(value) => {
                self.port.record(MessageType::ProgressRecord, &value).await?;
                self.show(HostMethod::WriteProgress, vec![Value::long(1), value]).await?;
            }
            Effect::Show(method, parameters) => self.show(method, parameters).await?,
            Effect::Ask { method, parameters, then } => {
                let answer = self.ask(method, parameters).await?;
                open.push((at, then(answer)));
            }
            Effect::Wait(time) => tokio::time::sleep(time).await,
            Effect::Fail(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn merge(&self, at: usize) -> Merge {
        self.stages.get(at).map(|stage| stage.merge).unwrap_or_default()
    }

    async fn output(&mut self, at: usize, value: Value, open: &mut Open) -> Result<(), Halt> {
        let next = at.saturating_add(1);
        match self.taken(next, value.clone()) {
            Some(effects) => open.push((next, effects)),
            None => self.port.record(MessageType::PipelineOutput, &value).await?,
        }
        Ok(())
    }

    async fn error(&mut self, at: usize, error: Error, open: &mut Open) -> Result<(), Halt> {
        match self.stages.get(at).map(|stage| stage.preferences.error) {
            Some(OnError::Silent) => return Ok(()),
            Some(OnError::Stop) => return Err(error.into()),
            Some(OnError::Continue) | None => {}
        }
        let claimed = self.stages.iter().enumerate().skip(at.saturating_add(1)).find(|(_, later)| later.merge.previous);
        let claimed = claimed.map(|(place, _)| place);
        if let Some((place, effects)) =
            claimed.and_then(|place| self.taken(place, error.encode()).map(|effects| (place, effects)))
        {
            open.push((place, effects));
            return Ok(());
        }
        let target = self.merge(at).error;
        self.stream(at, MessageType::ErrorRecord, error.encode(), target, open).await
    }

    async fn told(&mut self, at: usize, told: Told, message: &str, open: &mut Open) -> Result<(), Halt> {
        if !self.stages.get(at).is_some_and(|stage| stage.preferences.tells(told)) {
            return Ok(());
        }
        let merge = self.merge(at);
        let target = match told {
            Told::Warning => merge.warning,
            Told::Verbose => merge.verbose,
            Told::Debug => merge.debug,
        };
        self.stream(at, told.kind(), told.encode(message), target, open).await?;
        if target == MergeTarget::Own {
            self.show(told.shown(), vec![Value::text(message)]).await?;
        }
        Ok(())
    }

    async fn stream(
        &mut self,
        at: usize,
        kind: MessageType,
        value: Value,
        target: MergeTarget,
        open: &mut Open,
    ) -> Result<(), Halt> {
        match target {
            MergeTarget::Own => Ok(self.port.record(kind, &value).await?),
            MergeTarget::Output => self.output(at, value, open).await,
            MergeTarget::Null => Ok(()),
        }
    }

    async fn show(&mut self, method: HostMethod, parameters: Vec<Value>) -> Result<(), Halt> {
        if self.port.has_host() {
            self.port.call(&HostCall { call: NO_ANSWER, method, parameters }, Answer::None).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, method: HostMethod, parameters: Vec<Value>) -> Result<Value, Halt> {
        if !self.port.has_host() {
            let message = "A command that prompts the user failed because the host program or the command type does \
                           not support user interaction."
                .to_owned();
            return Err(Error::refused("HostFunctionNotImplemented", "Read-Host", "", message).into());
        }
        self.calls = self.calls.saturating_add(1);
        self.port.call(&HostCall { call: self.calls, method, parameters }, Answer::Wanted).await?;
        match self.port.answer(self.calls).await? {
            HostResult::Value(value) => Ok(value),
            HostResult::Done => Ok(Value::Nil),
            HostResult::Error(error) => Err(Halt::Failed(error)),
        }
    }
}
