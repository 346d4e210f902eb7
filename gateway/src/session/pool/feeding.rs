//! What a client sends to a pipeline that runs, on its way to the target.

use super::asking::Questions;
use super::pipeline::{Inbound, InboundQueue};
use super::run::{End, Run};
use super::secure::{has_secure, resealed};
use crate::backend::{BackendError, PipelineControl};
use parking_lot::Mutex;
use sekisho_protocol::clixml::{self, Content, Value};
use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord, HostResponse, HostResult};

/// Objects of one list that is sent as input.
const ITEMS: usize = 10_000;

/// Passes on what comes, and counts it.
pub(super) struct Feeding<'r> {
    pub(super) run: &'r Run,
    pub(super) control: &'r PipelineControl,
    pub(super) questions: &'r Mutex<Questions>,
    pub(super) bytes: u64,
}

impl Feeding<'_> {
    /// Feeds until something goes wrong; stops the pipeline when its client wants that, whatever the target is busy
    /// with. Nothing is fed to one that is being stopped.
    pub(super) async fn feed(&mut self, inbound: &mut InboundQueue) -> End {
        let run = self.run;
        tokio::select! {
            biased;
            () = run.pipeline.stopping() => {}
            end = self.give_all(inbound) => return end,
        }
        match self.control.stop().await {
            Ok(()) => std::future::pending().await,
            Err(error) => End::Target(error),
        }
    }

    async fn give_all(&mut self, inbound: &mut InboundQueue) -> End {
        while let Some(next) = inbound.next().await {
            if let Err(end) = self.give(next).await {
                return end;
            }
        }
        // The shell forgot the pipeline, and ends it.
        std::future::pending().await
    }

    async fn give(&mut self, inbound: Inbound) -> Result<(), End> {
        match inbound {
            Inbound::Input(value) => self.input(&value).await,
            Inbound::End => self.control.end_of_input().await.map_err(End::Target),
            Inbound::Answer(response) => self.answer(response).await,
        }
    }

    /// Upholds (judged-is-what-runs): objects bind to parameters at the target, and none but plain values may.
    async fn input(&mut self, value: &Value) -> Result<(), End> {
        let Some(value) = rebuilt(value) else {
            let message = "pipeline input of this kind is refused: send texts, numbers, booleans, or lists of them";
            return Err(End::Refused(ErrorRecord {
                message: message.to_owned(),
                id: "SekishoInputRefused".to_owned(),
                category: ErrorCategory::PermissionDenied,
                about: String::new(),
            }));
        };
        let length = u64::try_from(clixml::encode(&value).len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        self.control.input(&value).await.map_err(End::Target)
    }

    async fn answer(&self, response: HostResponse) -> Result<(), End> {
        let Some(response) = self.questions.lock().answered(response) else { return Ok(()) };
        let result = match response.result {
            HostResult::Value(value) if has_secure(&value) => HostResult::Value(self.for_target(&value).await?),
            other @ (HostResult::Value(_) | HostResult::Error(_) | HostResult::Done) => other,
        };
        self.control.host_response(&HostResponse { result, ..response }).await.map_err(End::Target)
    }

    /// Secrets are opened and sealed again under the target's key.
    async fn for_target(&self, value: &Value) -> Result<Value, End> {
        let shell = &self.run.shell;
        let key = shell.backend.agree_on_key().await.map_err(End::Target)?;
        resealed(value, &mut |sealed| key.seal(&shell.key.open(sealed)?))
            .map_err(|_not_opened| End::Target(BackendError::NoKey))
    }
}

/// A value that is inert wherever it binds.
fn is_plain(value: &Value) -> bool {
    matches!(
        value,
        Value::Nil
            | Value::Text(_)
            | Value::Char(_)
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Real(_)
            | Value::DateTime(_)
            | Value::Duration(_)
            | Value::Guid(_)
            | Value::Uri(_)
            | Value::Version(_)
    )
}

/// The same value without types and members of the client's; nothing for what may not pass.
fn rebuilt(value: &Value) -> Option<Value> {
    if is_plain(value) {
        return Some(value.clone());
    }
    let object = value.as_object()?;
    let Content::List(_, items) = &object.content else { return None };
    let inert = object.extended.is_none() && object.adapted.is_none() && items.len() <= ITEMS;
    (inert && items.iter().all(is_plain)).then(|| Value::array(items.clone()))
}
