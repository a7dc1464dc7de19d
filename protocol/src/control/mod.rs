//! The control protocol, channel 0: what a process server does beside debugging.
//!
//! Messages are JSON, each behind its length (four bytes, big endian). A client asks with an id of its own choosing; each
//! request gets one answer, in any order. The server also sends events. Names are those of dbgeng where it has the method.

mod codec;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod message;
mod outcome;
mod page;
#[cfg(test)]
mod tests;

pub use codec::{Codec, CodecError, encode};
pub use message::{
    Answer, Ask, Check, Event, ExecutableMatch, Failure, FailureKind, FromServer, Matches, ProcessDescription, Program,
    Request, Response, ServerInfo, SessionInfo, Verdict,
};
pub use page::Page;
