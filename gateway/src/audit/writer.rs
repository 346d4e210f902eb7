//! The one that writes: composes lines, chains, signs and rotates. It has no thread and no clock of its own.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use time::OffsetDateTime;

use super::copies;
use super::head::Head;
use super::line::{AuditPlace, Digest, FORMAT, FileStart, OwnEvent, file_name, head_body, time_text, write_line};
use super::redact::hex;
use super::store::Store;
use super::{AuditError, Receipt};
use crate::config::{AuditSettings, Durability, OnFailure};
use crate::private_file::{KeyPurpose, key_text, new_key};

/// Where the chain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) chain: String,
    /// The last line's number and digest.
    pub(super) seq: u64,
    pub(super) last: Digest,
    pub(super) epoch: u64,
    pub(super) file: u64,
    pub(super) file_bytes: u64,
    /// Lines that no signed head covers.
    pub(super) unsigned: u64,
}

/// What others may look at.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) failing: AtomicBool,
    pub(super) lines: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) heads: AtomicU64,
    pub(super) copies_failed: AtomicU64,
    pub(super) place: Mutex<AuditPlace>,
}

pub(super) struct Writer {
    pub(super) store: Box<dyn Store>,
    pub(super) settings: AuditSettings,
    pub(super) position: Position,
    pub(super) key: SigningKey,
    pub(super) gauges: Arc<Gauges>,
    pub(super) last_head: OffsetDateTime,
    pub(super) file_begun: OffsetDateTime,
    /// Lines not written since when.
    pub(super) lost: Option<(u64, OffsetDateTime)>,
    /// The current file holds a part of a batch that failed.
    pub(super) dirty: bool,
    /// The chain is an epoch further than the key's own file.
    pub(super) promotion_due: bool,
    /// What a crash left over and no line notes yet.
    pub(super) torn: VecDeque<Torn>,
}

/// What a crash left over after the last whole line, moved aside.
#[derive(Debug, Clone)]
pub(super) struct Torn {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Lines that go to the disk together.
struct Batch {
    bytes: Vec<u8>,
    position: Position,
    time: String,
}

impl Batch {
    fn push(&mut self, body: &str) {
        let seq = self.position.seq.saturating_add(1);
        let before = self.bytes.len();
        self.position.last = write_line(&mut self.bytes, seq, &self.time, &self.position.last, body);
        self.position.seq = seq;
        self.position.unsigned = self.position.unsigned.saturating_add(1);
        let written = u64::try_from(self.bytes.len().saturating_sub(before)).unwrap_or(u64::MAX);
        self.position.file_bytes = self.position.file_bytes.saturating_add(written);
    }
}

impl Writer {
    /// Writes events, all or none. The answer holds for each of them.
    pub(super) fn write(&mut self, bodies: &[String], now: OffsetDateTime) -> Result<Receipt, AuditError> {
        match self.try_write(bodies, now) {
            Ok(()) => {
                self.recovered();
                Ok(Receipt::Written)
            }
            Err(error) => self.failed(error, bodies.len(), now),
        }
    }

    /// What is due by time: a signature, a new file, another try after a failure.
    pub(super) fn tick(&mut self, now: OffsetDateTime) {
        let unwritten = self.lost.is_some() || !self.torn.is_empty();
        let noted = if unwritten { self.try_write(&[], now) } else { Ok(()) };
        let result = noted.and_then(|()| self.maintain(now));
        match result {
            Ok(()) => self.recovered(),
            Err(error) => self.fail(&error),
        }
    }

    /// Signs what is not signed yet: at start, before a new file, at the end.
    ///
    /// INVARIANT(history-cannot-be-rewritten): the head and with it the next public key are on the disk before
    /// the private key that signed it is gone, and no key signs twice.
    pub(super) fn sign(&mut self, now: OffsetDateTime) -> Result<(), AuditError> {
        self.clean()?;
        self.promote()?;
        let seed = new_key().map_err(|_| AuditError::Signing)?;
        let next = SigningKey::from_bytes(&seed);
        let text = key_text(KeyPurpose::AuditSigning, &seed);
        self.store.put_next_key(&text).map_err(|error| AuditError::key(&error))?;
        let head = self.head(&next, now);
        let mut batch = self.batch(now);
        batch.push(&head_body(&head).ok_or(AuditError::Signing)?);
        batch.position.unsigned = 0;
        batch.position.epoch = batch.position.epoch.saturating_add(1);
        // On the disk whatever the durability: the old key is gone after this.
        self.put(batch, Durability::Fsync)?;
        self.key = next;
        self.last_head = now;
        self.promotion_due = true;
        self.gauges.heads.fetch_add(1, Ordering::Relaxed);
        self.copy(&head);
        self.promote()
    }

    fn head(&self, next: &SigningKey, now: OffsetDateTime) -> Head {
        let unsigned = Head {
            chain: self.position.chain.clone(),
            epoch: self.position.epoch,
            seq: self.position.seq.saturating_add(1),
            time: time_text(now),
            prev: hex(&self.position.last),
            next_key: STANDARD.encode(next.verifying_key().as_bytes()),
            signature: String::new(),
        };
        unsigned.signed(&self.key)
    }

    fn try_write(&mut self, bodies: &[String], now: OffsetDateTime) -> Result<(), AuditError> {
        // What is due and failing must not be put off for ever by lines that could be written.
        if self.gauges.failing.load(Ordering::Relaxed) {
            self.maintain(now)?;
        }
        let mut batch = self.batch(now);
        if self.position.file_bytes == 0 {
            batch.push(&own_body(&self.file_start())?);
        }
        for torn in &self.torn {
            batch.push(&own_body(&recovered_event(torn))?);
        }
        if let Some((lines, since)) = self.lost {
            batch.push(&own_body(&OwnEvent::Lost { lines, since: time_text(since) })?);
        }
        for body in bodies {
            batch.push(body);
        }
        self.put(batch, self.settings.durability)?;
        self.lost = None;
        self.settle_torn();
        Ok(())
    }

    fn batch(&self, now: OffsetDateTime) -> Batch {
        Batch { bytes: Vec::new(), position: self.position.clone(), time: time_text(now) }
    }

    fn file_start(&self) -> OwnEvent {
        OwnEvent::File(FileStart {
            format: FORMAT,
            chain: self.position.chain.clone(),
            number: self.position.file,
            epoch: self.position.epoch,
            key: STANDARD.encode(self.key.verifying_key().as_bytes()),
        })
    }

    /// Writes a batch, or leaves the file as it was.
    fn put(&mut self, batch: Batch, durability: Durability) -> Result<(), AuditError> {
        self.clean()?;
        self.dirty = true;
        let written = self.store.append(&batch.bytes).and_then(|()| match durability {
            Durability::Fsync => self.store.sync(),
            Durability::Write => Ok(()),
        });
        if let Err(error) = written {
            // If this fails too, it is tried again before anything else is written.
            let _ = self.clean();
            return Err(AuditError::write(&error));
        }
        let lines = batch.position.seq.saturating_sub(self.position.seq);
        self.gauges.lines.fetch_add(lines, Ordering::Relaxed);
        self.position = batch.position;
        self.show_place();
        self.dirty = false;
        Ok(())
    }

    /// Lets others see where the chain is.
    pub(super) fn show_place(&self) {
        let Position { chain, seq, last, .. } = &self.position;
        *self.gauges.place.lock() = AuditPlace { chain: chain.clone(), seq: *seq, sha256: hex(last) };
    }

    fn clean(&mut self) -> Result<(), AuditError> {
        if self.dirty {
            self.store.truncate(self.position.file_bytes).map_err(|error| AuditError::write(&error))?;
            self.dirty = false;
        }
        Ok(())
    }

    fn promote(&mut self) -> Result<(), AuditError> {
        if self.promotion_due {
            self.store.promote_key().map_err(|error| AuditError::key(&error))?;
            self.promotion_due = false;
        }
        Ok(())
    }

    /// Signs and rotates when it is due.
    pub(super) fn maintain(&mut self, now: OffsetDateTime) -> Result<(), AuditError> {
        if self.rotation_due(now) {
            if self.position.unsigned > 0 {
                self.sign(now)?;
            }
            return self.rotate(now);
        }
        let waited = now - self.last_head >= self.settings.signing.interval;
        let due = self.position.unsigned >= self.settings.signing.lines || (waited && self.position.unsigned > 0);
        if due { self.sign(now) } else { self.promote() }
    }

    fn rotation_due(&self, now: OffsetDateTime) -> bool {
        let used = self.position.file_bytes > 0;
        let old = now - self.file_begun >= self.settings.rotation.age;
        used && (self.position.file_bytes >= self.settings.rotation.bytes || old)
    }

    /// Goes on in a new file, whose first line is written with the next event.
    fn rotate(&mut self, now: OffsetDateTime) -> Result<(), AuditError> {
        self.clean()?;
        let number = self.position.file.saturating_add(1);
        self.store.begin_file(number).map_err(|error| AuditError::write(&error))?;
        self.position.file = number;
        self.position.file_bytes = 0;
        self.file_begun = now;
        Ok(())
    }

    fn settle_torn(&mut self) {
        while let Some(torn) = self.torn.pop_front() {
            // Noted in the chain by now. At worst it is noted once more after the next start.
            if self.store.settle_torn(&torn.path).is_err() {
                tracing::warn!(file = %torn.path.display(), "Audit remains could not be renamed");
            }
        }
    }

    fn copy(&self, head: &Head) {
        if let Err(error) = copies::send(&self.settings.heads, head) {
            self.gauges.copies_failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%error, "Audit head could not be copied: a tail cut off after it would not be found");
        }
    }

    fn recovered(&self) {
        if self.gauges.failing.swap(false, Ordering::Relaxed) {
            tracing::warn!("Audit log is written again");
        }
    }

    pub(super) fn fail(&self, error: &AuditError) {
        if !self.gauges.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, file = %file_name(self.position.file), "Audit log cannot be written");
        }
    }

    fn failed(&mut self, error: AuditError, lines: usize, now: OffsetDateTime) -> Result<Receipt, AuditError> {
        self.fail(&error);
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        let (before, since) = self.lost.unwrap_or((0, now));
        self.lost = Some((before.saturating_add(lines), since));
        self.gauges.lost.fetch_add(lines, Ordering::Relaxed);
        match self.settings.on_failure {
            OnFailure::Deny => Err(error),
            OnFailure::Degrade => Ok(Receipt::Lost),
        }
    }
}

fn own_body(event: &OwnEvent) -> Result<String, AuditError> {
    serde_json::to_string(event).map_err(|_| AuditError::Encoding)
}

fn recovered_event(torn: &Torn) -> OwnEvent {
    let name = torn.path.with_extension("bin");
    let file = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    OwnEvent::Recovered { bytes: torn.bytes, sha256: torn.sha256.clone(), file }
}
