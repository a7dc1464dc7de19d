//! Sessions between a client and a server over connections in memory, which can be cut, silenced and refused.
#![forbid(unsafe_code)]

mod channels;
mod closing;
mod cuts;
mod handshake;
mod support;
