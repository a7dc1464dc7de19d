//! Tracepoints: `QT…` and `qT…` (GDB manual, "Tracepoint Packets").
//!
//! A tracepoint is a place in the program at which things are collected without stopping it. What is collected at one
//! hit is a *frame*; the client selects one to look at, and reads registers and memory from it as from a stopped thread.

mod definition;
mod frame;
mod status;
#[cfg(test)]
mod tests;
mod upload;

pub use definition::{Action, Actions, Base, Definition, Kind, Place, Source};
pub use frame::Find;
pub use status::{Ended, Notes, Status};
pub use upload::{Piece, Variable};

use alloc::vec::Vec;

use super::field;
use super::packet::hex;
use super::request::Malformed;

/// A request about tracepoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `QTDP:-N:ADDR:…`: further actions of a tracepoint. Those after the first with `S` are for its steps.
    AddActions {
        /// The tracepoint.
        place: Place,
        /// From here on, actions are carried out at each of its steps.
        stepping: bool,
        /// The actions.
        actions: Actions<'a>,
        /// More are to follow (`-`).
        more: bool,
    },
    /// `qTBuffer:OFFSET,LENGTH`: the frames as they are kept.
    Buffer {
        /// First byte.
        offset: u64,
        /// Bytes wanted at most.
        length: u64,
    },
    /// `QTBuffer:size:N`; `None`, for -1: as the server likes.
    BufferSize(Option<u64>),
    /// `QTBuffer:circular:0|1`: when there is no more room, new frames take the place of the oldest.
    Circular(bool),
    /// `QTDP:N:ADDR:…`: a tracepoint.
    Define(Definition<'a>),
    /// `QTDV:N:VALUE:BUILTIN:NAME`: a trace state variable.
    DefineVariable(Variable<'a>),
    /// `QTDisconnected:0|1`: whether tracing goes on when the client is gone.
    Disconnected(bool),
    /// `QTEnable:N:ADDR`, `QTDisable:N:ADDR`.
    Enable {
        /// The tracepoint.
        place: Place,
        /// Which of the two.
        enable: bool,
    },
    /// `QTFrame:…`: select a frame.
    Find(Find),
    /// `qTfP`, `qTsP`: the first, or the next, piece of what defines the tracepoints.
    ListTracepoints {
        /// Which of the two.
        first: bool,
    },
    /// `qTfV`, `qTsV`: the first, or the next, trace state variable.
    ListVariables {
        /// Which of the two.
        first: bool,
    },
    /// `QTNotes:…`.
    Notes(Notes<'a>),
    /// `QTro:…`: memory that can't change, so that it need not have been collected; `START,END` each.
    ReadOnly(Ranges<'a>),
    /// `QTinit`: forget all tracepoints, variables and frames.
    Reset,
    /// `QTDPsrc:…`: what the user typed.
    Source(Source<'a>),
    /// `QTStart`.
    Start,
    /// `qTStatus`.
    Status,
    /// `QTStop`.
    Stop,
    /// `qTP:N:ADDR`: how often a tracepoint was hit.
    TracepointStatus(Place),
    /// `qTV:N`: a trace state variable's value.
    Value(u32),
}

/// Address ranges as in `QTro`, checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ranges<'a> {
    text: &'a [u8],
}

impl<'a> Ranges<'a> {
    /// The ranges in `text`; `None` if it has something that is none.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        text.split(|byte| *byte == b':').all(|range| field::pair(range, b',').is_some()).then_some(Self { text })
    }

    /// Each range: its first address and the one behind its last.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        self.text.split(|byte| *byte == b':').filter_map(|range| field::pair(range, b','))
    }
}

const BUFFER: &[u8] = b"qTBuffer:";
const BUFFER_SIZE: &[u8] = b"QTBuffer:size:";
const CIRCULAR: &[u8] = b"QTBuffer:circular:";
const DEFINE: &[u8] = b"QTDP:";
const DISABLE: &[u8] = b"QTDisable:";
const DISCONNECTED: &[u8] = b"QTDisconnected:";
const ENABLE: &[u8] = b"QTEnable:";
const FIND: &[u8] = b"QTFrame:";
const NOTES: &[u8] = b"QTNotes:";
const READ_ONLY: &[u8] = b"QTro:";
const SOURCE: &[u8] = b"QTDPsrc:";
const TRACEPOINT_STATUS: &[u8] = b"qTP:";
const VALUE: &[u8] = b"qTV:";
const VARIABLE: &[u8] = b"QTDV:";

/// Requests that have nothing but a name.
const PLAIN: [(&[u8], Request<'static>); 8] = [
    (b"QTinit", Request::Reset),
    (b"QTStart", Request::Start),
    (b"QTStop", Request::Stop),
    (b"qTStatus", Request::Status),
    (b"qTfP", Request::ListTracepoints { first: true }),
    (b"qTsP", Request::ListTracepoints { first: false }),
    (b"qTfV", Request::ListVariables { first: true }),
    (b"qTsV", Request::ListVariables { first: false }),
];

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family or is not known.
    ///
    /// # Errors
    /// [`Malformed`] if a field is missing or not what it has to be.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if let Some((_, request)) = PLAIN.iter().find(|(name, _)| *name == body) {
            return Ok(Some(*request));
        }
        // `QTBuffer` is two.
        let at = if body.starts_with(b"QTBuffer:") { body.iter().rposition(|byte| *byte == b':') } else { None };
        let Some(at) = at.or_else(|| body.iter().position(|byte| *byte == b':')) else { return Ok(None) };
        let (name, rest) = body.split_at_mut(at + 1);
        let request = match &*name {
            DEFINE => define(rest),
            SOURCE => definition::source(rest).map(Self::Source),
            VARIABLE => upload::variable(rest).map(Self::DefineVariable),
            NOTES => status::notes(rest).map(Self::Notes),
            name => plain(name, rest).ok_or(Malformed("tracepoint"))?,
        };
        match (request, &*name) {
            (None, DEFINE | SOURCE | VARIABLE | NOTES) => Err(Malformed("tracepoint")),
            (request, _) => Ok(request),
        }
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        if let Some((name, _)) = PLAIN.iter().find(|(_, request)| request == self) {
            return out.extend_from_slice(name);
        }
        match self {
            Self::AddActions { place, stepping, actions, more } => {
                out.extend_from_slice(DEFINE);
                out.push(b'-');
                place.emit(out);
                out.extend_from_slice(if *stepping { b":S" } else { b":" });
                actions.iter().for_each(|action| action.emit(out));
                out.extend(more.then_some(b'-'));
            }
            Self::Buffer { offset, length } => {
                out.extend_from_slice(BUFFER);
                field::put_number(out, *offset);
                out.push(b',');
                field::put_number(out, *length);
            }
            Self::Define(definition) => {
                out.extend_from_slice(DEFINE);
                definition.emit(out);
                out.extend(definition.more.then_some(b'-'));
            }
            Self::DefineVariable(variable) => put(out, VARIABLE, |out| variable.emit(out)),
            Self::Enable { place, enable } => put(out, if *enable { ENABLE } else { DISABLE }, |out| place.emit(out)),
            Self::Find(find) => put(out, FIND, |out| find.emit(out)),
            Self::Notes(notes) => put(out, NOTES, |out| notes.emit(out)),
            Self::ReadOnly(ranges) => put(out, READ_ONLY, |out| out.extend_from_slice(ranges.text)),
            Self::Source(source) => put(out, SOURCE, |out| source.emit(out)),
            Self::TracepointStatus(place) => put(out, TRACEPOINT_STATUS, |out| place.emit(out)),
            Self::BufferSize(None) => put(out, BUFFER_SIZE, |out| out.extend_from_slice(b"-1")),
            Self::BufferSize(Some(size)) => put(out, BUFFER_SIZE, |out| field::put_number(out, *size)),
            Self::Value(number) => put(out, VALUE, |out| field::put_number(out, (*number).into())),
            Self::Circular(on) => put(out, CIRCULAR, |out| field::put_switch(out, *on)),
            Self::Disconnected(on) => put(out, DISCONNECTED, |out| field::put_switch(out, *on)),
            Self::ListTracepoints { .. }
            | Self::ListVariables { .. }
            | Self::Reset
            | Self::Start
            | Self::Status
            | Self::Stop => {}
        }
    }
}

fn put(out: &mut Vec<u8>, name: &[u8], content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(name);
    content(out);
}

/// Requests in which nothing has to be decoded in place: `None` where one is malformed, `Some(None)` where none is known.
#[expect(clippy::option_option, reason = "they are different things")]
fn plain<'a>(name: &[u8], rest: &'a [u8]) -> Option<Option<Request<'a>>> {
    Some(Some(match name {
        BUFFER => {
            let (offset, length) = field::pair(rest, b',')?;
            Request::Buffer { offset, length }
        }
        BUFFER_SIZE if rest == b"-1" => Request::BufferSize(None),
        BUFFER_SIZE => Request::BufferSize(Some(field::whole(rest)?)),
        CIRCULAR => Request::Circular(field::switch(rest)?),
        DISABLE => Request::Enable { place: Place::whole(rest)?, enable: false },
        DISCONNECTED => Request::Disconnected(field::switch(rest)?),
        ENABLE => Request::Enable { place: Place::whole(rest)?, enable: true },
        FIND => Request::Find(Find::parse(rest)?),
        READ_ONLY => Request::ReadOnly(Ranges::parse(rest)?),
        TRACEPOINT_STATUS => Request::TracepointStatus(Place::whole(rest)?),
        VALUE => Request::Value(field::whole_as(rest)?),
        _ => return Some(None),
    }))
}

/// `N:ADDR:…` or `-N:ADDR:…`.
fn define(text: &mut [u8]) -> Option<Request<'_>> {
    let length = text.len() - usize::from(text.ends_with(b"-"));
    let more = length < text.len();
    let text = &mut text[..length];
    if !text.starts_with(b"-") {
        return Definition::parse(text, more).map(Request::Define);
    }
    let (place, rest) = Place::parse(&text[1..])?;
    let rest = rest.strip_prefix(b":")?;
    let stepping = rest.starts_with(b"S");
    let start = text.len() - rest.len() + usize::from(stepping);
    Some(Request::AddActions { place, stepping, actions: Actions::parse(&mut text[start..])?, more })
}

/// `HEX`, at most, of a text.
fn put_text(out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
    out.extend_from_slice(name);
    hex::encode(out, text);
}
