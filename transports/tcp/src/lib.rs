//! TCP for dbgsrv.
