//! The WinRS shell, as server and as client. [MS-WSMV] 3.1.4.1.
