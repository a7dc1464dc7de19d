//! Connects to a dbgsrv process server.
