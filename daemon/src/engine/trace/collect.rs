//! A tracepoint is hit.

use super::frame::Recorder;
use super::tracepoint::{Collect, What};
use super::variables::Variables;
use super::{End, Tracing};
use dbgsrv_protocol::rsp::agent::{Fault, Item, MAX_STEPS, Target};
use dbgsrv_protocol::rsp::trace::Base;

/// Bytes that a string is looked at in one go.
const STRING_PIECE: usize = 256;

/// A stopped thread, as tracepoints look at it.
pub(crate) trait Probe {
    /// The program counter.
    fn pc(&mut self) -> Option<u64>;

    /// The register that the target description numbers so, zero-extended; `None` if there is none.
    fn register(&mut self, number: u16) -> Option<u64>;

    /// Appends all registers, as in answer to `g`, or returns `false`.
    fn registers(&mut self, out: &mut Vec<u8>) -> bool;

    /// Reads memory, without breakpoints; the number of bytes up to the first that can't be read.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> usize;
}

/// The steps after a hit, each of which collects too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Steps {
    tracepoint: (u64, u32),
    /// How many are left.
    pub(crate) left: u64,
}

impl End {
    /// What a tracepoint could not collect.
    fn of(fault: Fault, tracepoint: u32) -> Self {
        match fault {
            // More than the buffer has room for, were it empty.
            Fault::TooMuch => Self::Full,
            fault => Self::Error { text: fault.to_string(), tracepoint },
        }
    }
}

/// A frame that comes to nothing: tracing ends.
type Stopped = Result<(), End>;

impl Tracing {
    /// A thread has come to `address`: collects what the tracepoints there say. Those that go on collecting at the thread's next
    /// instructions are added to `steps`.
    pub(crate) fn hit(&mut self, address: u64, probe: &mut impl Probe, steps: &mut Vec<Steps>) {
        let numbers = self.tracepoints.range((address, 0)..=(address, u32::MAX)).map(|(key, _)| *key);
        for key in numbers.collect::<Vec<_>>() {
            if self.is_running()
                && let Err(end) = self.hit_one(key, probe, steps)
            {
                self.finish(end);
            }
        }
    }

    fn hit_one(&mut self, key: (u64, u32), probe: &mut impl Probe, steps: &mut Vec<Steps>) -> Stopped {
        let Some(tracepoint) = self.tracepoints.get_mut(&key).filter(|one| one.enabled && one.complete) else {
            return Ok(());
        };
        let number = key.1;
        let mut recorder = Recorder::new(self.buffer.size);
        let mut view = View { probe, variables: &mut self.variables, recorder: &mut recorder };
        let error = |fault| End::of(fault, number);
        if let Some(condition) = &tracepoint.condition
            && !condition.holds(&mut view).map_err(error)?
        {
            return Ok(());
        }
        tracepoint.hits += 1;
        let (passes, hits, count) = (tracepoint.passes, tracepoint.hits, tracepoint.steps);
        collect(&tracepoint.actions, &mut view).map_err(error)?;
        self.keep(recorder, number, probe)?;
        if count > 0 {
            steps.retain(|one| one.tracepoint != key);
            steps.push(Steps { tracepoint: key, left: count });
        }
        if passes > 0 && hits >= passes { Err(End::Passed(number)) } else { Ok(()) }
    }

    /// A thread has executed an instruction after a hit: collects what that tracepoint says for its steps.
    pub(crate) fn stepped(&mut self, steps: &mut Vec<Steps>, probe: &mut impl Probe) {
        for one in steps.iter_mut() {
            one.left -= 1;
            if self.is_running()
                && let Err(end) = self.step_one(one.tracepoint, probe)
            {
                self.finish(end);
            }
        }
        steps.retain(|one| one.left > 0 && self.is_running());
    }

    fn step_one(&mut self, key: (u64, u32), probe: &mut impl Probe) -> Stopped {
        let Some(tracepoint) = self.tracepoints.get(&key) else { return Ok(()) };
        let mut recorder = Recorder::new(self.buffer.size);
        let mut view = View { probe, variables: &mut self.variables, recorder: &mut recorder };
        let collected = collect(&tracepoint.step_actions, &mut view);
        collected.map_err(|fault| End::of(fault, key.1))?;
        self.keep(recorder, key.1, probe)
    }

    fn keep(&mut self, recorder: Recorder, number: u32, probe: &mut impl Probe) -> Stopped {
        let frame = recorder.finish(number, probe.pc().unwrap_or(0));
        let gone = self.buffer.push(frame).ok_or(End::Full)?;
        self.selected = self.selected.and_then(|selected| selected.checked_sub(gone));
        Ok(())
    }
}

fn collect(actions: &[Collect], view: &mut View<'_, impl Probe>) -> Result<(), Fault> {
    for Collect { what, .. } in actions {
        match what {
            What::Registers => view.recorder.registers(|out| view.probe.registers(out))?,
            What::Memory { base, offset, length } => {
                let base = match base {
                    Base::Absolute => 0,
                    Base::Register(number) => view.probe.register(*number).ok_or(Fault::Register(*number))?,
                };
                view.collect(Item::Memory { address: base.wrapping_add(*offset), length: *length })?;
            }
            What::Program(program) => drop(program.evaluate(view, MAX_STEPS)?),
        }
    }
    Ok(())
}

/// A stopped thread as a tracepoint's expressions see it.
struct View<'a, P> {
    probe: &'a mut P,
    variables: &'a mut Variables,
    recorder: &'a mut Recorder,
}

impl<P: Probe> View<'_, P> {
    /// The length of a string with its NUL, or as much of it as can be read, at most `limit`.
    fn string_length(&mut self, address: u64, limit: u64) -> u64 {
        let mut length = 0;
        let mut piece = [0; STRING_PIECE];
        while length < limit {
            // Not over the end of a page in one go: the next may be missing.
            let at = address.wrapping_add(length);
            let want = (limit - length).min(STRING_PIECE as u64 - at % STRING_PIECE as u64) as usize;
            let read = self.probe.read(at, &mut piece[..want]);
            match memchr::memchr(0, &piece[..read]) {
                Some(end) => return length + end as u64 + 1,
                None => length += read as u64,
            }
            if read < want {
                break;
            }
        }
        length
    }
}

impl<P: Probe> Target for View<'_, P> {
    fn register(&mut self, number: u16) -> Option<u64> {
        self.probe.register(number)
    }

    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.probe.read(address, buffer) == buffer.len()
    }

    fn variable(&mut self, number: u16) -> Option<u64> {
        self.variables.get(number.into())
    }

    fn set_variable(&mut self, number: u16, value: u64) -> Option<()> {
        self.variables.set(number.into(), value)
    }

    fn collect(&mut self, item: Item) -> Result<(), Fault> {
        match item {
            Item::Memory { address, length } => {
                self.recorder.memory(address, length, |address, buffer| self.probe.read(address, buffer))
            }
            Item::String { address, limit } => {
                let length = self.string_length(address, limit.min(self.recorder.limit()));
                self.collect(Item::Memory { address, length })
            }
            Item::Variable(number) => {
                let value = self.variables.get(number.into()).ok_or(Fault::Variable(number))?;
                self.recorder.variable(number.into(), value)
            }
        }
    }
}
