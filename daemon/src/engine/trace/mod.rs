//! Tracepoints: what they are to collect, and what they have collected.
//!
//! No debuggee is touched here. Whoever runs them says when one is hit (`Tracing::hit`), and lends a `Probe` to look at the
//! thread that hit it.

mod buffer;
mod collect;
mod frame;
mod list;
mod tracepoint;
mod variables;

#[cfg(test)]
mod tests;

pub(crate) use collect::{Probe, Steps};
pub use frame::{Block, Frame};

use crate::engine::error::{Error, Result};
use buffer::Buffer;
use dbgsrv_protocol::rsp::trace::{Ended, Find, Notes, Place, Status};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tracepoint::Tracepoint;
use variables::Variables;

/// Most tracepoints of a session, each place counted.
const MAX_TRACEPOINTS: usize = 1024;

/// Most memory in bytes for what defines the tracepoints of a session, compiled and as text.
const MAX_DEFINITIONS: usize = 4 << 20;

/// Longest note in bytes; the rest is cut off.
const MAX_NOTE: usize = 1024;

/// Most ranges of memory that can't change.
const MAX_READ_ONLY: usize = 4096;

/// The tracepoints of a session, and their frames.
#[derive(Debug)]
pub struct Tracing {
    /// By address, then by number.
    tracepoints: BTreeMap<(u64, u32), Tracepoint>,
    variables: Variables,
    buffer: Buffer,
    /// Why nothing is traced; `None`: it is.
    end: Option<End>,
    /// The frame that the client looks at.
    selected: Option<usize>,
    read_only: Vec<(u64, u64)>,
    disconnected: bool,
    user: Vec<u8>,
    notes: Vec<u8>,
    stop_note: Vec<u8>,
    started: u64,
    stopped: u64,
    /// How far the client has been told of tracepoints, and of variables.
    listed: (usize, usize),
}

/// Why nothing is traced.
#[derive(Clone, Debug)]
enum End {
    Disconnected,
    Error { text: String, tracepoint: u32 },
    Full,
    NotRun,
    Passed(u32),
    Requested,
}

impl Default for Tracing {
    fn default() -> Self {
        Self {
            tracepoints: BTreeMap::new(),
            variables: Variables::default(),
            buffer: Buffer::default(),
            end: Some(End::NotRun),
            selected: None,
            read_only: Vec::new(),
            disconnected: false,
            user: Vec::new(),
            notes: Vec::new(),
            stop_note: Vec::new(),
            started: 0,
            stopped: 0,
            listed: (0, 0),
        }
    }
}

impl Tracing {
    /// Whether tracepoints collect.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.end.is_none()
    }

    /// Whether tracing goes on when the client is gone.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.disconnected
    }

    /// Says whether it does.
    pub fn set_disconnected(&mut self, on: bool) {
        self.disconnected = on;
    }

    /// Whether any tracepoint collects at `address`.
    pub(crate) fn collects_at(&self, address: u64) -> bool {
        self.is_running() && self.tracepoints.range((address, 0)..=(address, u32::MAX)).any(|(_, one)| one.enabled)
    }

    /// The addresses at which control is wanted; one may come more than once.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = u64> {
        self.tracepoints.iter().filter(|(_, one)| one.complete).map(|((address, _), _)| *address)
    }

    /// Starts collecting, with an empty buffer and variables at their initial values.
    pub(crate) fn start(&mut self) {
        self.buffer.clear();
        self.variables.restart();
        self.tracepoints.values_mut().for_each(Tracepoint::restart);
        self.selected = None;
        self.end = None;
        self.stop_note.clear();
        (self.started, self.stopped) = (now(), 0);
    }

    /// Stops collecting because the client says so.
    pub(crate) fn stop(&mut self) {
        self.finish(End::Requested);
    }

    /// Stops collecting because the client is gone.
    pub(crate) fn disconnect(&mut self) {
        self.finish(End::Disconnected);
    }

    fn finish(&mut self, end: End) {
        if self.is_running() {
            self.end = Some(end);
            self.stopped = now();
        }
    }

    /// Keeps what the client has to say.
    pub fn note(&mut self, notes: Notes<'_>) {
        for (kept, text) in
            [(&mut self.user, notes.user), (&mut self.notes, notes.notes), (&mut self.stop_note, notes.stop)]
        {
            if let Some(text) = text {
                *kept = text[..text.len().min(MAX_NOTE)].to_vec();
            }
        }
    }

    /// Says which memory can't change: `start..end` each.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn set_read_only(&mut self, ranges: impl Iterator<Item = (u64, u64)>) -> Result<()> {
        self.read_only.clear();
        for range in ranges {
            if self.read_only.len() == MAX_READ_ONLY {
                return Err(Error::TooMany("ranges of memory that can't change"));
            }
            self.read_only.push(range);
        }
        Ok(())
    }

    /// Whether all of `address..address + length` can't change.
    #[must_use]
    pub fn is_read_only(&self, address: u64, length: u64) -> bool {
        let end = address.saturating_add(length);
        self.read_only.iter().any(|&(start, last)| start <= address && end <= last)
    }

    /// Sets the size of the buffer, in bytes, or the usual one; what it holds is gone.
    ///
    /// # Errors
    /// [`Error::Running`] while tracing, [`Error::TooMany`] above what a session may have.
    pub fn set_buffer_size(&mut self, size: Option<u64>) -> Result<()> {
        if self.is_running() {
            return Err(Error::Running);
        }
        self.selected = None;
        self.buffer.resize(size)
    }

    /// Whether new frames take the place of the oldest when there is no more room.
    pub fn set_circular(&mut self, on: bool) {
        self.buffer.circular = on;
    }

    /// Bytes of the buffer as they are kept, from `offset` on; none behind its end.
    #[must_use]
    pub fn raw(&self, offset: u64, length: usize) -> Vec<u8> {
        self.buffer.raw(offset, length)
    }

    /// How tracing stands.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        Status {
            ended: self.end.as_ref().map(|end| match end {
                End::Disconnected => Ended::Disconnected,
                End::Error { text, tracepoint } => Ended::Error { text, tracepoint: *tracepoint },
                End::Full => Ended::Full,
                End::NotRun => Ended::NotRun,
                End::Passed(tracepoint) => Ended::Passed(*tracepoint),
                End::Requested => Ended::Requested,
            }),
            frames: self.buffer.len() as u64,
            created: self.buffer.created,
            free: self.buffer.free() as u64,
            size: self.buffer.size as u64,
            circular: self.buffer.circular,
            disconnected: self.disconnected,
            started: self.started,
            stopped: self.stopped,
            notes: Notes { user: Some(&self.user), notes: Some(&self.notes), stop: Some(&self.stop_note) },
        }
    }

    /// How often a tracepoint was hit, and how many bytes its frames take up.
    ///
    /// # Errors
    /// `ENOENT`: there is none.
    pub fn hits(&self, place: Place) -> Result<(u64, u64)> {
        let tracepoint = self.tracepoints.get(&key(place)).ok_or(Errno::ENOENT)?;
        Ok((tracepoint.hits, self.buffer.bytes_of(place.number)))
    }

    /// The frame that the client looks at.
    #[must_use]
    pub fn frame(&self) -> Option<&Frame> {
        self.buffer.get(self.selected?)
    }

    /// Selects a frame: its number and that of its tracepoint. Where there is none, the one before stays.
    pub fn find(&mut self, find: Find) -> Option<(u32, u32)> {
        let first = self.selected.map_or(0, |selected| selected + 1);
        let next = |wanted: &dyn Fn(&Frame) -> bool| {
            (first..self.buffer.len()).find(|at| self.buffer.get(*at).is_some_and(wanted))
        };
        let found = match find {
            Find::None => {
                self.selected = None;
                return None;
            }
            Find::Number(number) => usize::try_from(number).ok().filter(|number| *number < self.buffer.len()),
            Find::Outside { start, end } => next(&|frame| !(start..=end).contains(&frame.pc)),
            Find::ProgramCounter(pc) => next(&|frame| frame.pc == pc),
            Find::Range { start, end } => next(&|frame| (start..=end).contains(&frame.pc)),
            Find::Tracepoint(number) => next(&|frame| frame.tracepoint == number),
        }?;
        self.selected = Some(found);
        Some((u32::try_from(found).ok()?, self.buffer.get(found)?.tracepoint))
    }

    /// A trace state variable's value: in the selected frame, where there is one.
    #[must_use]
    pub fn value(&self, number: u32) -> Option<u64> {
        match self.frame() {
            Some(frame) => frame.variable(number),
            None => self.variables.get(number),
        }
    }
}

fn key(place: Place) -> (u64, u32) {
    (place.address, place.number)
}

/// Microseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64)
}
