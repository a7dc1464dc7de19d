//! A tracepoint at one of its places.

use super::{MAX_DEFINITIONS, MAX_TRACEPOINTS, Tracing, key};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::rsp::agent::Program;
use dbgsrv_protocol::rsp::trace::{Action, Actions, Base, Definition, Kind, Place, Source};
use nix::errno::Errno;

#[derive(Debug)]
pub(super) struct Tracepoint {
    pub(super) enabled: bool,
    /// All of its actions are known. GDB announces some, and has none, for an action that collects nothing.
    pub(super) complete: bool,
    pub(super) steps: u64,
    pub(super) passes: u64,
    pub(super) condition: Option<Program>,
    /// The condition as it came.
    pub(super) bytecode: Vec<u8>,
    pub(super) actions: Vec<Collect>,
    pub(super) step_actions: Vec<Collect>,
    /// Actions that come now are for the steps.
    stepping: bool,
    pub(super) sources: Vec<SourceText>,
    pub(super) hits: u64,
}

/// Something to be collected.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) what: What,
    /// As it came.
    pub(super) text: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum What {
    Registers,
    Memory { base: Base, offset: u64, length: u64 },
    Program(Program),
}

/// A part of what the user typed.
#[derive(Debug)]
pub(super) struct SourceText {
    pub(super) kind: Vec<u8>,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) text: Vec<u8>,
}

impl Tracepoint {
    pub(super) fn restart(&mut self) {
        self.complete = true;
        self.hits = 0;
    }

    /// Bytes of memory that it takes up.
    fn size(&self) -> usize {
        let programs = self.condition.as_ref().map_or(0, Program::size) + self.bytecode.len();
        let actions = self.actions.iter().chain(&self.step_actions).map(Collect::size);
        let sources = self.sources.iter().map(|source| size_of::<SourceText>() + source.kind.len() + source.text.len());
        size_of::<Self>() + programs + actions.sum::<usize>() + sources.sum::<usize>()
    }
}

impl Collect {
    fn new(action: &Action<'_>) -> Result<Self> {
        let what = match *action {
            Action::Registers(_) => What::Registers,
            Action::Memory { base, offset, length } => What::Memory { base, offset, length },
            Action::Expression(bytes) => What::Program(program(bytes)?),
        };
        let mut text = Vec::new();
        action.emit(&mut text);
        Ok(Self { what, text })
    }

    fn size(&self) -> usize {
        let program = if let What::Program(program) = &self.what { program.size() } else { 0 };
        size_of::<Self>() + program + self.text.len()
    }
}

fn program(bytes: &[u8]) -> Result<Program> {
    Program::parse(bytes).map_err(|_| Error::System(Errno::EINVAL))
}

impl Tracing {
    /// Adds a tracepoint, or begins one anew.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for one that needs an agent in the program; [`Error::TooMany`]; `EINVAL` for a condition that is no
    /// agent expression.
    pub fn define(&mut self, definition: Definition<'_>) -> Result<()> {
        let Definition { place, enabled, steps, passes, kind, condition: bytecode, more } = definition;
        if kind != Kind::Trap {
            return Err(Error::Unsupported);
        }
        if self.tracepoints.len() == MAX_TRACEPOINTS && !self.tracepoints.contains_key(&key(place)) {
            return Err(Error::TooMany("tracepoints"));
        }
        let condition = if bytecode.is_empty() { None } else { Some(program(bytecode)?) };
        let tracepoint = Tracepoint {
            enabled,
            complete: !more,
            steps,
            passes,
            condition,
            bytecode: bytecode.to_vec(),
            actions: Vec::new(),
            step_actions: Vec::new(),
            stepping: false,
            sources: Vec::new(),
            hits: 0,
        };
        self.tracepoints.insert(key(place), tracepoint);
        self.check_room(place)
    }

    /// Adds actions to a tracepoint.
    ///
    /// # Errors
    /// `ENOENT`: there is none; [`Error::TooMany`]; `EINVAL` for what is no agent expression.
    pub fn add_actions(&mut self, place: Place, stepping: bool, actions: Actions<'_>, more: bool) -> Result<()> {
        let tracepoint = self.tracepoints.get_mut(&key(place)).ok_or(Errno::ENOENT)?;
        tracepoint.stepping |= stepping;
        let list = if tracepoint.stepping { &mut tracepoint.step_actions } else { &mut tracepoint.actions };
        for action in actions.iter() {
            list.push(Collect::new(&action)?);
        }
        tracepoint.complete = !more;
        self.check_room(place)
    }

    /// Keeps a part of what the user typed.
    ///
    /// # Errors
    /// `ENOENT`: there is no such tracepoint; [`Error::TooMany`].
    pub fn add_source(&mut self, source: Source<'_>) -> Result<()> {
        let Source { place, kind, start, length, text } = source;
        let tracepoint = self.tracepoints.get_mut(&key(place)).ok_or(Errno::ENOENT)?;
        // What the user typed comes after what it was compiled to.
        tracepoint.complete = true;
        tracepoint.sources.push(SourceText { kind: kind.to_vec(), start, length, text: text.to_vec() });
        self.check_room(place)
    }

    /// Switches a tracepoint on or off.
    ///
    /// # Errors
    /// `ENOENT`: there is none.
    pub fn enable(&mut self, place: Place, enable: bool) -> Result<()> {
        self.tracepoints.get_mut(&key(place)).ok_or(Errno::ENOENT)?.enabled = enable;
        Ok(())
    }

    /// Forgets all tracepoints, variables and frames.
    pub(crate) fn reset(&mut self) {
        let disconnected = self.disconnected;
        let size = self.buffer.size;
        let circular = self.buffer.circular;
        *self = Self { disconnected, ..Self::default() };
        (self.buffer.size, self.buffer.circular) = (size, circular);
    }

    /// Takes a tracepoint away again whose definition has become too large.
    fn check_room(&mut self, place: Place) -> Result<()> {
        if self.tracepoints.values().map(Tracepoint::size).sum::<usize>() <= MAX_DEFINITIONS {
            return Ok(());
        }
        self.tracepoints.remove(&key(place));
        Err(Error::TooMany("tracepoints' actions"))
    }
}
