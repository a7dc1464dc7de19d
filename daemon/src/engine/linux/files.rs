//! Host I/O.
