//! CredSSP, sealed bodies, WS-Man and WinRS as sans-IO machines, for both roles.
