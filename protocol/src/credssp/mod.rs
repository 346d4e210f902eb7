//! CredSSP as acceptor and initiator. [MS-CSSP].
