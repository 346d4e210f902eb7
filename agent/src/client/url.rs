//! The gateway's address.

use crate::error::UsageMistake;
use hyper::Uri;
use rustls::pki_types::ServerName;
use std::fmt;

/// The port where the address names none: WinRM over HTTPS, as with any other WinRM client.
pub const DEFAULT_PORT: u16 = 5986;

/// A gateway's address: `https://HOST` or `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayUrl {
    host: String,
    port: u16,
}

impl GatewayUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Anything but HTTPS, and anything beside host and port.
    pub fn parse(text: &str) -> Result<Self, UsageMistake> {
        let uri: Uri = text.parse().map_err(|_| UsageMistake::GatewayUrl)?;
        if uri.scheme_str() != Some("https") {
            return Err(UsageMistake::NotHttps);
        }
        let authority = uri.authority().ok_or(UsageMistake::GatewayUrl)?;
        if authority.as_str().contains('@') {
            return Err(UsageMistake::UserInUrl);
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
            return Err(UsageMistake::GatewayUrl);
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let after_host = authority.as_str().get(host.len()..).unwrap_or_default();
        let port = match after_host.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(UsageMistake::GatewayUrl)?,
            None => DEFAULT_PORT,
        };
        let url = Self { host: bare.to_ascii_lowercase(), port };
        url.server_name()?;
        Ok(url)
    }

    /// The host's name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The service name that stands in the login, so that it is of no use elsewhere.
    #[must_use]
    pub fn spn(&self) -> String {
        format!("HTTP/{}", self.host)
    }

    /// Host and port as HTTP's `Host` header has them.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(super) fn server_name(&self) -> Result<ServerName<'static>, UsageMistake> {
        ServerName::try_from(self.host.clone()).map_err(|_| UsageMistake::GatewayUrl)
    }
}

impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read() {
        for (text, host, port, authority) in [
            ("https://gw.example", "gw.example", 5986, "gw.example:5986"),
            ("https://GW.example/", "gw.example", 5986, "gw.example:5986"),
            ("https://gw:443", "gw", 443, "gw:443"),
            ("https://127.0.0.1:15986", "127.0.0.1", 15986, "127.0.0.1:15986"),
            ("https://[::1]:5986", "::1", 5986, "[::1]:5986"),
            ("https://[::1]", "::1", 5986, "[::1]:5986"),
        ] {
            let url = GatewayUrl::parse(text).unwrap();
            assert_eq!((url.host(), url.port(), url.authority().as_str()), (host, port, authority), "{text}");
            assert_eq!(url.spn(), format!("HTTP/{host}"));
        }
    }

    #[test]
    fn nothing_but_https_is_spoken() {
        for text in ["http://gw.example", "gw.example", "ftp://gw", "gw.example:5986"] {
            assert_eq!(GatewayUrl::parse(text), Err(UsageMistake::NotHttps), "{text}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_without_being_shown() {
        let error = GatewayUrl::parse("https://alice:hunter2@gw").unwrap_err();
        assert_eq!(error, UsageMistake::UserInUrl);
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn nothing_follows_host_and_port() {
        for text in [
            "",
            "https://",
            "https://gw/x",
            "https://gw?x",
            "https://gw#x",
            "https://gw:0",
            "https://gw:99999",
            "https://gw:",
            "https://g w",
            "https://g_w\u{e9}",
            "https://[::1",
            "https://a/../b",
        ] {
            assert!(GatewayUrl::parse(text).is_err(), "{text}");
        }
    }
}
