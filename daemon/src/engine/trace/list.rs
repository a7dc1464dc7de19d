//! What a client that comes later is told.

use super::Tracing;
use super::tracepoint::Tracepoint;
use dbgsrv_protocol::rsp::trace::{Definition, Kind, Piece, Place, Source, Variable};

impl Tracing {
    /// The first, or the next, piece of what defines the tracepoints.
    pub fn list_tracepoints(&mut self, first: bool) -> Option<Piece<'_>> {
        let at = &mut self.listed.0;
        *at = if first { 0 } else { *at + 1 };
        let at = *at;
        self.tracepoints.iter().flat_map(|(&(address, number), one)| one.pieces(Place { number, address })).nth(at)
    }

    /// The first, or the next, trace state variable.
    pub fn list_variables(&mut self, first: bool) -> Option<Piece<'_>> {
        let at = &mut self.listed.1;
        *at = if first { 0 } else { *at + 1 };
        self.variables.nth(*at).map(Piece::Variable)
    }

    /// Adds a trace state variable, or replaces the one of its number.
    ///
    /// # Errors
    /// [`crate::engine::error::Error::TooMany`].
    pub fn define_variable(&mut self, variable: Variable<'_>) -> crate::engine::error::Result<()> {
        self.variables.define(variable)
    }
}

impl Tracepoint {
    fn pieces(&self, place: Place) -> impl Iterator<Item = Piece<'_>> {
        let Self { enabled, steps, passes, .. } = *self;
        let definition =
            Definition { place, enabled, steps, passes, kind: Kind::Trap, condition: &self.bytecode, more: false };
        let action = move |stepping: bool| move |text| Piece::Action { place, stepping, text };
        let texts = self.actions.iter().map(|one| &one.text[..]);
        let step_texts = self.step_actions.iter().map(|one| &one.text[..]);
        let sources = self.sources.iter().map(move |source| {
            let (kind, start, length, text) = (&source.kind, source.start, source.length, &source.text);
            Piece::Source(Source { place, kind, start, length, text })
        });
        let actions = texts.map(action(false)).chain(step_texts.map(action(true)));
        std::iter::once(Piece::Tracepoint(definition)).chain(actions).chain(sources)
    }
}
