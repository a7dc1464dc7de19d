//! How tracing stands.

use alloc::vec::Vec;

use super::super::field;
use super::super::packet::hex;

/// Text that goes with a trace. `None`: it stays as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Notes<'a> {
    /// Who traces.
    pub user: Option<&'a [u8]>,
    /// What for.
    pub notes: Option<&'a [u8]>,
    /// Why it was stopped.
    pub stop: Option<&'a [u8]>,
}

impl Notes<'_> {
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        for (name, text) in [(&b"user:"[..], self.user), (b"notes:", self.notes), (b"tstop:", self.stop)] {
            if let Some(text) = text {
                super::put_text(out, name, text);
                out.push(b';');
            }
        }
    }
}

/// `NAME:TEXT;…`; names that are not known are passed over.
pub(super) fn notes(mut text: &mut [u8]) -> Option<Notes<'_>> {
    let mut notes = Notes::default();
    while !text.is_empty() {
        let (item, rest) = field::split_at_mut(text, b';')?;
        let (name, value) = field::split_at_mut(item, b':')?;
        let value = hex::decode_in_place(value)?;
        match &*name {
            b"user" => notes.user = Some(value),
            b"notes" => notes.notes = Some(value),
            b"tstop" => notes.stop = Some(value),
            _ => {}
        }
        text = rest;
    }
    Some(notes)
}

/// Why nothing is traced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended<'a> {
    /// A client went away.
    Disconnected,
    /// Something that a tracepoint was to evaluate or collect could not be.
    Error {
        /// What, in words.
        text: &'a str,
        /// Which tracepoint.
        tracepoint: u32,
    },
    /// There is no more room.
    Full,
    /// Nothing was traced yet.
    NotRun,
    /// A tracepoint was hit as often as it was to be.
    Passed(u32),
    /// The client said so, for the reason that [`Status::notes`] gives.
    Requested,
}

/// The answer to `qTStatus`. Times are in microseconds since 1970; 0: not yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status<'a> {
    /// Why nothing is traced; `None`: it is.
    pub ended: Option<Ended<'a>>,
    /// Frames that are kept.
    pub frames: u64,
    /// Frames that were made.
    pub created: u64,
    /// Room that is left, in bytes.
    pub free: u64,
    /// All the room, in bytes.
    pub size: u64,
    /// Whether new frames take the place of old ones.
    pub circular: bool,
    /// Whether tracing goes on without a client.
    pub disconnected: bool,
    /// When tracing started.
    pub started: u64,
    /// When it stopped.
    pub stopped: u64,
    /// What the client had to say.
    pub notes: Notes<'a>,
}

impl Status<'_> {
    pub(in crate::rsp) fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.ended.is_some() { b"T0" } else { b"T1" });
        if let Some(ended) = self.ended {
            self.put_reason(out, ended);
        }
        for (name, number) in [
            (&b";tframes:"[..], self.frames),
            (b";tcreated:", self.created),
            (b";tfree:", self.free),
            (b";tsize:", self.size),
            (b";circular:", self.circular.into()),
            (b";disconn:", self.disconnected.into()),
            (b";starttime:", self.started),
            (b";stoptime:", self.stopped),
        ] {
            out.extend_from_slice(name);
            field::put_number(out, number);
        }
        super::put_text(out, b";username:", self.notes.user.unwrap_or_default());
        super::put_text(out, b";notes:", self.notes.notes.unwrap_or_default());
        out.push(b':');
    }

    fn put_reason(&self, out: &mut Vec<u8>, ended: Ended<'_>) {
        let tracepoint = match ended {
            Ended::Disconnected => {
                out.extend_from_slice(b";tdisconnected:");
                0
            }
            Ended::Error { text, tracepoint } => {
                super::put_text(out, b";terror:", text.as_bytes());
                out.push(b':');
                tracepoint
            }
            Ended::Full => {
                out.extend_from_slice(b";tfull:");
                0
            }
            Ended::NotRun => {
                out.extend_from_slice(b";tnotrun:");
                0
            }
            Ended::Passed(tracepoint) => {
                out.extend_from_slice(b";tpasscount:");
                tracepoint
            }
            Ended::Requested => {
                super::put_text(out, b";tstop:", self.notes.stop.unwrap_or_default());
                out.push(b':');
                0
            }
        };
        field::put_number(out, tracepoint.into());
    }
}
