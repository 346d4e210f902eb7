//! WS-Man requests and responses, for both roles. [MS-WSMV].
