//! Copies of signed heads outside the log, by which a tail that was cut off is found.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use super::head::Head;
use crate::config::HeadCopies;
use crate::private_file::PRIVATE_MODE;

/// Facility `authpriv`, severity `notice`. RFC 5424 6.2.1.
const PRIORITY: u8 = 85;

/// Sends a head everywhere it should go. Every place is tried; the first error is returned.
pub(super) fn send(copies: &HeadCopies, head: &Head) -> io::Result<()> {
    let text = serde_json::to_string(head)?;
    let to_file = copies.file.as_deref().map_or(Ok(()), |path| to_file(path, &text));
    let to_syslog = copies.syslog.as_deref().map_or(Ok(()), |path| to_syslog(path, head, &text));
    to_file.and(to_syslog)
}

fn to_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(PRIVATE_MODE).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_data()
}

fn to_syslog(path: &Path, head: &Head, text: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // A daemon that does not read must not stop the log.
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    socket.send(message(head, text).as_bytes()).map(|_| ())
}

/// RFC 5424 6.
fn message(head: &Head, text: &str) -> String {
    let uname = rustix::system::uname();
    let host = uname.nodename().to_str().ok().filter(|name| is_name(name)).unwrap_or("-");
    let pid = std::process::id();
    // The time of the head has nanoseconds; RFC 5424 allows microseconds.
    let time = microseconds(&head.time);
    format!("<{PRIORITY}>1 {time} {host} sekisho-gateway {pid} audit-head - {text}")
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn microseconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, fraction)) => {
            let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(6).collect();
            format!("{seconds}.{digits}Z")
        }
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let text = |text: &str| text.to_owned();
        Head {
            chain: text("c"),
            epoch: 1,
            seq: 2,
            time: text("2026-01-02T03:04:05.123456789Z"),
            prev: text("p"),
            next_key: text("k"),
            signature: text("s"),
        }
    }

    #[test]
    fn a_head_goes_to_file_and_syslog() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("heads.jsonl");
        let log = directory.path().join("log");
        let socket = UnixDatagram::bind(&log).unwrap();
        let copies = HeadCopies { file: Some(file.clone()), syslog: Some(log) };
        send(&copies, &head()).unwrap();
        send(&copies, &head()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(serde_json::from_str::<Head>(text.lines().next().unwrap()).unwrap(), head());
        let mut buffer = [0; 2048];
        let len = socket.recv(&mut buffer).unwrap();
        let message = std::str::from_utf8(&buffer[..len]).unwrap();
        assert!(message.starts_with("<85>1 2026-01-02T03:04:05.123456Z "), "{message}");
        assert!(
            message.contains(" sekisho-gateway ") && message.contains(" audit-head - {\"chain\":\"c\""),
            "{message}"
        );
    }

    #[test]
    fn one_place_that_fails_does_not_stop_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let socket = UnixDatagram::bind(&log).unwrap();
        let copies = HeadCopies { file: Some(directory.path().join("none/heads")), syslog: Some(log) };
        assert!(send(&copies, &head()).is_err());
        let mut buffer = [0; 16];
        assert!(socket.recv(&mut buffer).unwrap() > 0);
    }
}
