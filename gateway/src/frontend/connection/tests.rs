use super::*;
use crate::limits::rates::CONNECTIONS_PER_LOGIN;
use crate::trial::Trial;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// One login a minute, two at once, over a listener whose bytes can be read.
const SETTINGS: &str = r#"
    [[listeners]]
    address = "127.0.0.2:0"
    dangerous_plain_http = true

    [limits.rates]
    logins_per_address = { per_minute = 1, burst = 2 }
"#;
/// A first token that is none: it begins a login all the same.
const TOKEN: &str = "Authorization: CredSSP AAAA\r\n";

struct Client {
    stream: TcpStream,
}

impl Client {
    async fn connect(trial: &Trial) -> Self {
        Self { stream: TcpStream::connect(trial.server.addresses[1]).await.unwrap() }
    }

    /// The answer to an empty request, head and body; nothing when there is none.
    async fn ask(&mut self, headers: &str) -> String {
        let request = format!("POST /wsman HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 0\r\n\r\n");
        let mut answer = Vec::new();
        if self.stream.write_all(request.as_bytes()).await.is_ok() {
            while !is_whole(&answer) && matches!(self.stream.read_buf(&mut answer).await, Ok(1..)) {}
        }
        String::from_utf8(answer).unwrap()
    }

    /// Whether nothing more comes.
    async fn ends(mut self) -> bool {
        !matches!(self.stream.read(&mut [0]).await, Ok(1..))
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| length.parse() == Ok(body.len()))
}

fn tells_when(answer: &str) -> bool {
    let head = answer.to_ascii_lowercase();
    answer.starts_with("HTTP/1.1 503 ")
        && head.contains("\r\nretry-after: 60\r\n")
        && head.contains("\r\nconnection: close\r\n")
        && head.contains("\r\ncontent-type: application/soap+xml;charset=utf-8\r\n")
        && answer.contains("the limit per address is reached, try again in 60 s")
        && answer.contains(r#"Code="2150859175""#)
}

#[tokio::test]
async fn an_address_over_its_rate_of_logins_is_told_when_to_try_again() {
    let trial = Trial::new(SETTINGS, None).await;
    // The challenge and the login that follows are one login.
    let mut first = Client::connect(&trial).await;
    assert!(first.ask("").await.starts_with("HTTP/1.1 401 "));
    assert!(first.ask("").await.starts_with("HTTP/1.1 401 "));
    assert!(first.ask(TOKEN).await.starts_with("HTTP/1.1 401 "));
    let mut second = Client::connect(&trial).await;
    assert!(second.ask(TOKEN).await.starts_with("HTTP/1.1 401 "));
    for headers in ["", TOKEN] {
        let mut third = Client::connect(&trial).await;
        let answer = third.ask(headers).await;
        assert!(tells_when(&answer), "{answer}");
        assert!(third.ends().await);
    }
    let lines = trial.stop().await;
    let limits: Vec<_> = lines.iter().filter(|line| line["event"] == "limit").collect();
    assert_eq!(limits.len(), 1, "the log is not filled by whoever is refused");
    assert_eq!(limits[0]["limit"], "address");
}

#[tokio::test]
async fn logins_that_follow_each_other_on_one_connection_are_counted_too() {
    let trial = Trial::new(SETTINGS, None).await;
    let mut client = Client::connect(&trial).await;
    // The beginning of a handshake, of which the rest does not come.
    let hello = "Authorization: CredSSP FgMBAQABAAD8\r\n";
    // Given up by a request without a token, which begins the next one.
    for headers in [hello, "", hello] {
        assert!(client.ask(headers).await.starts_with("HTTP/1.1 401 "));
    }
    let answer = client.ask("").await;
    assert!(tells_when(&answer), "{answer}");
    trial.stop().await;
}

#[tokio::test]
async fn who_connects_far_more_often_is_not_answered() {
    let trial = Trial::new(SETTINGS, None).await;
    for _ in 0..2 * CONNECTIONS_PER_LOGIN {
        assert!(!Client::connect(&trial).await.ask("").await.is_empty());
    }
    assert_eq!(Client::connect(&trial).await.ask("").await, "");
    trial.stop().await;
}
