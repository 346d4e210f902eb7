//! Fragments, \[MS-PSRP\] 2.2.4: objects cut for the transport.

use uuid::Uuid;

use crate::Result;
use crate::error::{LimitExceeded, Malformed, Misuse, PeerMisbehaved};
use crate::limits::PSRP_OBJECT;

/// Bytes of a fragment's header: object and fragment number, flags, length; big endian.
pub(super) const HEADER: usize = 21;

const START: u8 = 0x01;
const END: u8 = 0x02;

/// A reassembled object: the bytes of one message.
pub type Object = Vec<u8>;

/// Puts the objects of one stream together again.
///
/// Objects follow each other and never interleave; what has failed stays failed.
#[derive(Debug, Default)]
pub struct Defragmenter {
    open: Option<Open>,
    /// The number of the object before: numbers only grow.
    last: Option<u64>,
    failed: Option<crate::Error>,
}

#[derive(Debug)]
struct Open {
    object: u64,
    next: u64,
    bytes: Vec<u8>,
}

struct Fragment<'b> {
    object: u64,
    number: u64,
    flags: u8,
    blob: &'b [u8],
}

impl Defragmenter {
    /// Nothing received yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one piece of the transport, which holds whole fragments, and returns the objects that it completes.
    ///
    /// # Errors
    /// A header that is cut or has unknown flags, a number out of order, an object within an object, or one that
    /// is larger than [`PSRP_OBJECT`].
    pub fn receive(&mut self, mut piece: &[u8]) -> Result<Vec<Object>> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let mut objects = Vec::new();
        while !piece.is_empty() {
            let taken = split(piece).and_then(|(fragment, rest)| {
                objects.extend(self.take(&fragment)?);
                Ok(rest)
            });
            match taken {
                Ok(rest) => piece = rest,
                Err(error) => {
                    self.failed = Some(error);
                    self.open = None;
                    return Err(error);
                }
            }
        }
        Ok(objects)
    }

    /// Whether an object has begun and not ended.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.open.is_some()
    }

    fn take(&mut self, fragment: &Fragment<'_>) -> Result<Option<Object>> {
        if fragment.flags & !(START | END) != 0 {
            return Err(Malformed::PsrpFragment.into());
        }
        if fragment.flags & START != 0 {
            self.begin(fragment)?;
        }
        let open = self.open.as_mut().ok_or(PeerMisbehaved::FragmentOrder)?;
        if open.object != fragment.object || open.next != fragment.number {
            return Err(PeerMisbehaved::FragmentOrder.into());
        }
        if PSRP_OBJECT < open.bytes.len().saturating_add(fragment.blob.len()) {
            return Err(LimitExceeded::MessageSize.into());
        }
        open.bytes.extend_from_slice(fragment.blob);
        open.next = open.next.checked_add(1).ok_or(PeerMisbehaved::FragmentOrder)?;
        if fragment.flags & END == 0 {
            // One that neither ends nor carries anything could go on for ever.
            return if fragment.blob.is_empty() { Err(Malformed::PsrpFragment.into()) } else { Ok(None) };
        }
        self.last = Some(fragment.object);
        Ok(self.open.take().map(|open| open.bytes))
    }

    fn begin(&mut self, fragment: &Fragment<'_>) -> Result<()> {
        let grows = self.last.is_none_or(|last| last < fragment.object);
        if self.open.is_some() || fragment.number != 0 || !grows {
            return Err(PeerMisbehaved::FragmentOrder.into());
        }
        let bytes = Vec::with_capacity(if fragment.flags & END == 0 { 0 } else { fragment.blob.len() });
        self.open = Some(Open { object: fragment.object, next: 0, bytes });
        Ok(())
    }
}

fn split(piece: &[u8]) -> Result<(Fragment<'_>, &[u8])> {
    let (object, rest) = piece.split_first_chunk::<8>().ok_or(Malformed::PsrpFragment)?;
    let (number, rest) = rest.split_first_chunk::<8>().ok_or(Malformed::PsrpFragment)?;
    let (flags, rest) = rest.split_first().ok_or(Malformed::PsrpFragment)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(Malformed::PsrpFragment)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed::PsrpFragment)?;
    let (blob, rest) = rest.split_at_checked(length).ok_or(Malformed::PsrpFragment)?;
    let fragment =
        Fragment { object: u64::from_be_bytes(*object), number: u64::from_be_bytes(*number), flags: *flags, blob };
    Ok((fragment, rest))
}

/// RPID of the message that begins in this piece: what a client that proposes no id calls its pool.
#[must_use]
pub fn pool_of(piece: &[u8]) -> Option<Uuid> {
    id_at(piece, 8)
}

/// PID of the message that begins in this piece.
#[must_use]
pub fn pipeline_of(piece: &[u8]) -> Option<Uuid> {
    id_at(piece, 24)
}

fn id_at(piece: &[u8], at: usize) -> Option<Uuid> {
    let (fragment, _) = split(piece).ok()?;
    let id = fragment.blob.get(at..)?.first_chunk::<16>()?;
    Some(Uuid::from_bytes_le(*id))
}

/// Cuts objects of one sender into fragments.
#[derive(Debug)]
pub struct Fragmenter {
    next: u64,
    /// Bytes of a fragment, its header included.
    size: usize,
}

impl Fragmenter {
    /// Cuts into fragments of at most `size` bytes, headers included.
    ///
    /// # Errors
    /// [`Misuse::ChunkSize`] when not even a byte would fit.
    pub fn new(size: usize) -> Result<Self> {
        if size <= HEADER { Err(Misuse::ChunkSize.into()) } else { Ok(Self { next: 1, size }) }
    }

    /// The fragments of one object, each whole.
    #[must_use]
    pub fn cut(&mut self, object: &[u8]) -> Vec<Vec<u8>> {
        let number = self.next;
        self.next = number.saturating_add(1);
        let room = self.size.saturating_sub(HEADER).max(1);
        let pieces = object.len().div_ceil(room).max(1);
        (0..pieces)
            .map(|index| {
                let start = index.saturating_mul(room);
                let blob = object.get(start..object.len().min(start.saturating_add(room))).unwrap_or_default();
                let last = index.saturating_add(1) == pieces;
                let flags = if index == 0 { START } else { 0 } | if last { END } else { 0 };
                encode(number, index, flags, blob)
            })
            .collect()
    }
}

fn encode(object: u64, number: usize, flags: u8, blob: &[u8]) -> Vec<u8> {
    let mut fragment = Vec::with_capacity(HEADER.saturating_add(blob.len()));
    fragment.extend_from_slice(&object.to_be_bytes());
    fragment.extend_from_slice(&u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
    fragment.push(flags);
    fragment.extend_from_slice(&u32::try_from(blob.len()).unwrap_or(u32::MAX).to_be_bytes());
    fragment.extend_from_slice(blob);
    fragment
}
