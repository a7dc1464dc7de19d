//! x86-64, and the 32-bit programs that it runs.

pub(crate) mod debug_registers;
mod emulate;
mod general;
mod place;
mod system_call;
mod x87;
mod xsave;

use std::ops::Range;
use std::sync::OnceLock;

use dbgsrv_protocol::rsp::description::{Description, Dialect, Register};

pub(crate) use self::emulate::emulate;
pub(crate) use self::general::GeneralRegisters;
use self::place::{Place, Source, Target};
pub(crate) use self::system_call::SystemCall;
use self::xsave::Layout;
use super::{Mode, Touched, WriteError};

/// What programs of this machine are made for, in LLVM's words.
pub(crate) const TRIPLE: &str = "x86_64-pc-linux-gnu";

/// The instruction that a software breakpoint is: INT3.
pub(crate) const BREAKPOINT: &[u8] = &[0xcc];

/// The code of the SIGTRAP that it raises. `TRAP_BRKPT` is what a step over a system call is told with.
pub(crate) const BREAKPOINT_CODE: libc::c_int = libc::SI_KERNEL;

/// How far behind a breakpoint's address the program counter is when the breakpoint was hit.
pub(crate) const PC_AFTER_BREAKPOINT: u64 = 1;

/// All that is to be known about the registers of one kind of program on this processor.
#[derive(Debug)]
pub(crate) struct Architecture {
    mode: Mode,
    layout: Layout,
    description: Description,
    xml: String,
    /// By register number.
    places: Vec<Place>,
    /// The numbers of the general registers, without those that are parts of others.
    general: Vec<u32>,
    /// Registers that stand side by side in both the packet and their set are copied together.
    runs: Vec<Run>,
}

/// A piece of the `g` packet that comes from one place.
#[derive(Clone, Debug)]
struct Run {
    place: Place,
    packet: Range<usize>,
}

impl Architecture {
    /// The one for that kind of program, with GDB's registers. The first call asks the processor.
    pub(crate) fn get(mode: Mode) -> &'static Self {
        static BITS32: OnceLock<Architecture> = OnceLock::new();
        static BITS64: OnceLock<Architecture> = OnceLock::new();
        let cell = match mode {
            Mode::Bits32 => &BITS32,
            Mode::Bits64 => &BITS64,
        };
        cell.get_or_init(|| Self::new(mode, Layout::of_this_processor()))
    }

    /// The same processor with the registers of that dialect.
    pub(crate) fn of(&self, dialect: Dialect) -> &'static Self {
        static BITS32: OnceLock<Architecture> = OnceLock::new();
        static BITS64: OnceLock<Architecture> = OnceLock::new();
        let cell = match (dialect, self.mode) {
            (Dialect::Gdb, mode) => return Self::get(mode),
            (Dialect::Lldb, Mode::Bits32) => &BITS32,
            (Dialect::Lldb, Mode::Bits64) => &BITS64,
        };
        cell.get_or_init(|| Self::for_lldb(self.mode, Layout::of_this_processor()))
    }

    fn new(mode: Mode, layout: Layout) -> Self {
        let description = match mode {
            Mode::Bits32 => Description::i386(layout.features()),
            Mode::Bits64 => Description::x86_64(layout.features()),
        };
        Self::of_description(mode, layout, description)
    }

    fn for_lldb(mode: Mode, layout: Layout) -> Self {
        let description = match mode {
            Mode::Bits32 => Description::i386_for_lldb(layout.features()),
            Mode::Bits64 => Description::x86_64_for_lldb(layout.features()),
        };
        Self::of_description(mode, layout, description)
    }

    fn of_description(mode: Mode, layout: Layout, description: Description) -> Self {
        let place = |register: &Register| match container(&description, register) {
            Some(whole) => Place::of(&whole.name, &layout).map(|place| place.part(register.offset - whole.offset)),
            None => Place::of(&register.name, &layout),
        };
        let places: Vec<_> = description
            .registers
            .iter()
            .map(|register| place(register).expect("every register described has a place"))
            .collect();
        let runs = plan(&description.registers, &places);
        let xml = description.to_xml();
        let general = description.registers.iter().zip(&places).filter(|(_, place)| place.is_general());
        let general = general.filter(|(register, _)| container(&description, register).is_none());
        let general = general.map(|(register, _)| register.number).collect();
        Self { mode, layout, description, xml, places, general, runs }
    }

    /// The registers.
    #[cfg(test)]
    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// The description as the client wants it.
    pub(crate) fn xml(&self) -> &str {
        &self.xml
    }

    /// Registers that a client asks for after every stop: frame pointer, stack pointer, program counter.
    pub(crate) fn expedited(&self) -> &'static [u32] {
        match self.mode {
            Mode::Bits32 if self.is_for_lldb() => &[6, 7, 8],
            Mode::Bits32 => &[5, 4, 8],
            Mode::Bits64 => &[6, 7, 16],
        }
    }

    fn is_for_lldb(&self) -> bool {
        self.description.registers.iter().any(|register| register.lldb.is_some())
    }

    /// The description of the register of that number.
    pub(crate) fn register(&self, number: u32) -> Option<&Register> {
        self.description.register(number)
    }

    /// The numbers of the general registers, without those that are parts of others.
    pub(crate) fn general(&self) -> &[u32] {
        &self.general
    }

    /// Processor, vendor and system, as LLVM writes them.
    pub(crate) fn triple(&self) -> &'static str {
        match self.mode {
            Mode::Bits32 => "i386-pc-linux-gnu",
            Mode::Bits64 => "x86_64-pc-linux-gnu",
        }
    }

    /// Bytes of an address.
    pub(crate) fn pointer_size(&self) -> usize {
        match self.mode {
            Mode::Bits32 => 4,
            Mode::Bits64 => 8,
        }
    }

    /// The number of the program counter.
    pub(crate) fn pc_number(&self) -> u32 {
        match self.mode {
            Mode::Bits32 => 8,
            Mode::Bits64 => 16,
        }
    }

    /// Where a register stands in the bytes of all, and how many these are.
    pub(crate) fn register_place(&self, number: u32) -> Option<(Range<usize>, usize)> {
        let register = self.description.register(number)?;
        Some((register.offset..register.offset + register.bytes(), self.description.packet_len()))
    }

    /// Whether the system call is one of those that make a child to which the parent lends its memory.
    pub(crate) fn is_vfork(&self, system_call: u64) -> bool {
        // clone, vfork and clone3: asm/unistd_32.h, asm/unistd_64.h
        match self.mode {
            Mode::Bits32 => [120, 190, 435].contains(&system_call),
            Mode::Bits64 => [56, 58, 435].contains(&system_call),
        }
    }

    /// Bytes of the extended registers, which are read and written as a whole with [`Self::extended_note`].
    pub(crate) fn extended_size(&self) -> usize {
        self.layout.size()
    }

    /// What the kernel calls the extended registers in `PTRACE_GETREGSET` and `PTRACE_SETREGSET`.
    pub(crate) fn extended_note(&self) -> libc::c_int {
        // linux/elf.h
        const NT_PRFPREG: libc::c_int = 2;
        const NT_X86_XSTATE: libc::c_int = 0x202;
        const NT_PRXFPREG: libc::c_int = 0x46e6_2b7f;
        match self.mode {
            _ if self.layout.has_header() => NT_X86_XSTATE,
            Mode::Bits32 => NT_PRXFPREG,
            Mode::Bits64 => NT_PRFPREG,
        }
    }

    /// Whether reading and writing the register takes nothing but the general registers.
    pub(crate) fn is_general(&self, number: u32) -> bool {
        self.place(number).is_some_and(Place::is_general)
    }

    /// Appends a register's bytes to `out`. There are none if there is no such register, or if it is an extended one
    /// and `extended` is not the whole area.
    pub(crate) fn read_register(
        &self,
        number: u32,
        general: &GeneralRegisters,
        extended: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let place = self.place(number)?;
        if !self.reaches(place, extended) {
            return None;
        }
        let start = out.len();
        out.resize(start + self.description.register(number)?.bytes(), 0);
        place.read(source(general, extended), &mut out[start..]);
        Some(())
    }

    /// Gives a register a new value.
    ///
    /// # Errors
    /// There is no such register, it has another size, `extended` is not the whole area where it is needed, or the
    /// kernel would not take the value.
    pub(crate) fn write_register(
        &self,
        number: u32,
        value: &[u8],
        general: &mut GeneralRegisters,
        extended: &mut [u8],
    ) -> Result<Touched, WriteError> {
        let (Some(place), Some(register)) = (self.place(number), self.description.register(number)) else {
            return Err(WriteError::Unknown(number));
        };
        expect_length(register.bytes(), value)?;
        if !self.reaches(place, extended) {
            return Err(WriteError::Unread);
        }
        self.write_changes([(place, value)].into_iter(), general, extended)
    }

    /// Appends the bytes of all registers to `out`, as they stand in a `g` packet.
    ///
    /// # Panics
    /// If `extended` is shorter than [`Self::extended_size`].
    pub(crate) fn read_all(&self, general: &GeneralRegisters, extended: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + self.description.packet_len(), 0);
        let packet = &mut out[start..];
        let source = source(general, &extended[..self.layout.size()]);
        for Run { place, packet: range } in &self.runs {
            place.read(source, &mut packet[range.clone()]);
        }
    }

    /// Gives all registers new values, which stand in `values` as in a `G` packet.
    ///
    /// # Errors
    /// `values` is not as long as all registers are, `extended` is not the whole area, or the kernel would not take one
    /// of the values.
    pub(crate) fn write_all(
        &self,
        values: &[u8],
        general: &mut GeneralRegisters,
        extended: &mut [u8],
    ) -> Result<Touched, WriteError> {
        expect_length(self.description.packet_len(), values)?;
        if extended.len() < self.layout.size() {
            return Err(WriteError::Unread);
        }
        let registers = self.description.registers.iter().zip(&self.places);
        let writes = registers
            .filter(|(register, _)| container(&self.description, register).is_none())
            .map(|(register, place)| (*place, &values[register.offset..register.offset + register.bytes()]));
        self.write_changes(writes, general, extended)
    }

    /// Writes what differs, after all of that has been checked.
    fn write_changes<'a>(
        &self,
        writes: impl Iterator<Item = (Place, &'a [u8])> + Clone,
        general: &mut GeneralRegisters,
        extended: &mut [u8],
    ) -> Result<Touched, WriteError> {
        for (place, value) in writes.clone() {
            if !place.holds(value, source(general, extended)) {
                place.check(value, extended)?;
            }
        }
        let mut touched = Touched::NOTHING;
        for (place, value) in writes {
            if !place.holds(value, source(general, extended)) {
                place.write(value, &mut Target { layout: &self.layout, general: general.bytes_mut(), extended });
                touched |= place.touched();
            }
        }
        Ok(touched)
    }

    fn place(&self, number: u32) -> Option<Place> {
        self.places.get(usize::try_from(number).ok()?).copied()
    }

    fn reaches(&self, place: Place, extended: &[u8]) -> bool {
        place.is_general() || extended.len() >= self.layout.size()
    }
}

fn source<'a>(general: &'a GeneralRegisters, extended: &'a [u8]) -> Source<'a> {
    Source { general: general.bytes(), extended, present: xsave::present(extended) }
}

/// The register that `register` is a part of.
fn container<'d>(description: &'d Description, register: &Register) -> Option<&'d Register> {
    description.register(register.lldb.as_ref()?.container?)
}

fn expect_length(expected: usize, value: &[u8]) -> Result<(), WriteError> {
    if value.len() == expected { Ok(()) } else { Err(WriteError::Length { expected, given: value.len() }) }
}

fn plan(registers: &[Register], places: &[Place]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (register, &place) in registers.iter().zip(places) {
        if register.lldb.as_ref().is_some_and(|facts| facts.container.is_some()) {
            continue;
        }
        let packet = register.offset..register.offset + register.bytes();
        match runs.last_mut() {
            Some(run) if run.place.continues(run.packet.len(), place) => run.packet.end = packet.end,
            _ => runs.push(Run { place, packet }),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
