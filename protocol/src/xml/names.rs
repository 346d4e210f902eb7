//! The namespaces of WS-Man, and the prefixes that we write.

macro_rules! namespaces {
    ($($(#[$doc:meta])* $name:ident = $uri:literal;)*) => {
        /// A namespace that has a meaning here; all others are one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Namespace {
            /// No namespace.
            None,
            /// One that has no meaning here.
            Other,
            $($(#[$doc])* $name,)*
        }

        impl Namespace {
            /// The namespace of a URI, compared byte for byte.
            #[must_use]
            pub fn of_uri(uri: &str) -> Self {
                match uri {
                    "" => Self::None,
                    $($uri => Self::$name,)*
                    _ => Self::Other,
                }
            }

            /// Its URI; empty for none and others.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self {
                    Self::None | Self::Other => "",
                    $(Self::$name => $uri,)*
                }
            }
        }
    };
}

namespaces! {
    /// The prefix `xml` itself.
    Xml = "http://www.w3.org/XML/1998/namespace";
    /// `s`: SOAP 1.2.
    Soap = "http://www.w3.org/2003/05/soap-envelope";
    /// `a`: WS-Addressing.
    Addressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
    /// `w`: WS-Management.
    Wsman = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
    /// `p`: Microsoft's additions.
    Microsoft = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
    /// `x`: WS-Transfer.
    Transfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
    /// `rsp`: shells.
    Shell = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
    /// `f`: the detail of faults.
    Fault = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";
    /// `cfg`: the service's configuration.
    Config = "http://schemas.microsoft.com/wbem/wsman/1/config";
    /// `wsmid`: Identify.
    Identity = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
    /// PowerShell's own: creationXml and its kin.
    PowerShell = "http://schemas.microsoft.com/powershell";
}
