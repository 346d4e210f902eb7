//! Where a running gateway is told who is about to read a recording, and writes it into the audit log.
//!
//! A socket in the folder of the log, for those who may read there anyway; who they are the kernel says.

use crate::audit::{Context, Event, EventKind, Reader, Receipt, RecordingEvent};
use crate::state::Gateway;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOCKET: &str = "audit.sock";
/// Readers that are answered at the same time.
const MAX_READERS: usize = 16;
/// How long one may take.
const MAX_TIME: Duration = Duration::from_secs(10);
/// A session's id and a line's end.
const MAX_REQUEST: u64 = 64;
/// The answer to one whose line is written.
pub(crate) const WRITTEN: &str = "written\n";
/// The answer to all others.
const NOT_WRITTEN: &str = "not written\n";
/// What the kernel says where nobody has logged in.
const NOBODY: u32 = u32::MAX;

/// The way to the socket of a folder, however long the folder's own path is: a socket's must be short.
pub(crate) fn socket_in(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))
}

/// Binds the socket in the folder of a log that this process has locked, so that one that is there is of a process
/// that has died.
///
/// # Errors
/// When it cannot be made.
pub fn bind(directory: &Path) -> io::Result<UnixListener> {
    let folder = File::open(directory)?;
    let path = socket_in(&folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(crate::private_file::PRIVATE_MODE))?;
    Ok(listener)
}

/// Answers until `stop`.
pub async fn serve(gateway: Arc<Gateway>, listener: UnixListener, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_READERS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned()) else {
            tokio::task::yield_now().await;
            continue;
        };
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let _late = tokio::time::timeout(MAX_TIME, attend(&gateway, stream)).await;
            drop(place);
        });
    }
}

async fn attend(gateway: &Gateway, mut stream: UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    let mut request = String::new();
    (&mut stream).take(MAX_REQUEST).read_to_string(&mut request).await?;
    let session = Uuid::try_parse(request.trim_end());
    let allowed = peer.uid() == 0 || peer.uid() == rustix::process::geteuid().as_raw();
    let written = match session {
        Ok(session) if allowed => {
            let login_uid = peer.pid().and_then(|pid| login_uid(&pid.to_string()));
            write(gateway, session, Reader { uid: peer.uid(), login_uid }).await
        }
        Ok(_) | Err(_) => false,
    };
    stream.write_all(if written { WRITTEN } else { NOT_WRITTEN }.as_bytes()).await?;
    stream.shutdown().await
}

/// Also where lines may be lost this one may not: nothing is shown without it.
async fn write(gateway: &Gateway, session: Uuid, reader: Reader) -> bool {
    let policy = Some(gateway.live().policy.digest().to_owned());
    let event = read_event(session, reader, policy);
    gateway.audit.append(&event).await == Ok(Receipt::Written)
}

/// Somebody is about to read a recording.
pub(crate) fn read_event(session: Uuid, reader: Reader, policy: Option<String>) -> Event {
    let context = Context { session: Some(session.to_string()), policy, ..Context::default() };
    Event::new(EventKind::Recording(RecordingEvent::Read { reader }), &context)
}

/// Who had logged in, whatever user a process runs as since.
pub(crate) fn login_uid(process: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{process}/loginuid")).ok()?;
    text.trim().parse().ok().filter(|uid| *uid != NOBODY)
}
