//! Trace state variables: numbers that tracepoints count with.

use crate::engine::error::{Error, Result};
use dbgsrv_protocol::rsp::trace::Variable as Definition;
use std::collections::BTreeMap;

/// Most variables of a session.
const MAX_VARIABLES: usize = 1024;
/// Longest name, in bytes.
const MAX_NAME: usize = 1024;

/// The one that tells the time, in microseconds since 1970. GDB gives its own the numbers that are left.
const TIMESTAMP: (u32, &[u8]) = (1, b"trace_timestamp");

#[derive(Debug)]
struct Variable {
    name: Vec<u8>,
    initial: u64,
    value: u64,
    builtin: bool,
}

impl Variable {
    fn is_timestamp(&self) -> bool {
        self.builtin && self.name == TIMESTAMP.1
    }
}

#[derive(Debug)]
pub(super) struct Variables(BTreeMap<u32, Variable>);

impl Default for Variables {
    fn default() -> Self {
        let (number, name) = TIMESTAMP;
        Self(BTreeMap::from([(number, Variable { name: name.to_vec(), initial: 0, value: 0, builtin: true })]))
    }
}

impl Variables {
    /// Adds one, or replaces the one of its number.
    pub(super) fn define(&mut self, definition: Definition<'_>) -> Result<()> {
        let Definition { number, value, builtin, name } = definition;
        if name.len() > MAX_NAME || self.0.len() == MAX_VARIABLES && !self.0.contains_key(&number) {
            return Err(Error::TooMany("trace state variables"));
        }
        self.0.insert(number, Variable { name: name.to_vec(), initial: value, value, builtin });
        Ok(())
    }

    /// Gives all their initial values.
    pub(super) fn restart(&mut self) {
        self.0.values_mut().for_each(|variable| variable.value = variable.initial);
    }

    pub(super) fn get(&self, number: u32) -> Option<u64> {
        let variable = self.0.get(&number)?;
        Some(if variable.is_timestamp() { super::now() } else { variable.value })
    }

    pub(super) fn set(&mut self, number: u32, value: u64) -> Option<()> {
        self.0.get_mut(&number).map(|variable| variable.value = value)
    }

    /// The one so far from the first.
    pub(super) fn nth(&self, index: usize) -> Option<Definition<'_>> {
        self.0.iter().nth(index).map(|(&number, variable)| Definition {
            number,
            value: variable.initial,
            builtin: variable.builtin,
            name: &variable.name,
        })
    }
}
