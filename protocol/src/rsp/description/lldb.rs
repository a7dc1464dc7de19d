//! Registers as LLDB knows them: under its names, in sets, and with the parts of each that have names of their own.
//!
//! The numbers for debug information are those of the processor's ABI (System V ABI, AMD64 and i386 supplements, "DWARF
//! Register Number Mapping").

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Description, Register, X86Features};

/// What LLDB is told of a register.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The set under which LLDB's user finds it.
    pub set: &'static str,
    /// Whether it is a vector and not a number.
    pub is_vector: bool,
    /// Its number in debug information.
    pub dwarf: Option<u32>,
    /// What it is for, where debuggers need to know: `pc`, `sp`, `fp`, `ra`, `flags`, `arg1` and on.
    pub generic: Option<&'static str>,
    /// The register that it is a part of. LLDB reads and writes that one in its place.
    pub container: Option<u32>,
    /// The registers that change with it.
    pub invalidates: Vec<u32>,
}

const GENERAL: &str = "General Purpose Registers";
const FLOAT: &str = "Floating Point Registers";
const AVX: &str = "Advanced Vector Extensions";

/// Name, number in debug information, purpose.
type Row = (&'static str, u32, Option<&'static str>);

const GENERAL_64: [Row; 26] = [
    ("rax", 0, None),
    ("rbx", 3, None),
    ("rcx", 2, Some("arg4")),
    ("rdx", 1, Some("arg3")),
    ("rdi", 5, Some("arg1")),
    ("rsi", 4, Some("arg2")),
    ("rbp", 6, Some("fp")),
    ("rsp", 7, Some("sp")),
    ("r8", 8, Some("arg5")),
    ("r9", 9, Some("arg6")),
    ("r10", 10, None),
    ("r11", 11, None),
    ("r12", 12, None),
    ("r13", 13, None),
    ("r14", 14, None),
    ("r15", 15, None),
    ("rip", 16, Some("pc")),
    ("rflags", 49, Some("flags")),
    ("cs", 51, None),
    ("fs", 54, None),
    ("gs", 55, None),
    ("ss", 52, None),
    ("ds", 53, None),
    ("es", 50, None),
    ("fs_base", 58, None),
    ("gs_base", 59, None),
];

const GENERAL_32: [Row; 16] = [
    ("eax", 0, None),
    ("ebx", 3, None),
    ("ecx", 1, None),
    ("edx", 2, None),
    ("edi", 7, None),
    ("esi", 6, None),
    ("ebp", 5, Some("fp")),
    ("esp", 4, Some("sp")),
    ("eip", 8, Some("pc")),
    ("eflags", 9, Some("flags")),
    ("cs", 41, None),
    ("fs", 44, None),
    ("gs", 45, None),
    ("ss", 42, None),
    ("ds", 43, None),
    ("es", 40, None),
];

/// Name, width in bits.
const X87: [(&str, u16); 10] = [
    ("fctrl", 16),
    ("fstat", 16),
    ("ftag", 16),
    ("fop", 16),
    ("fiseg", 32),
    ("fioff", 32),
    ("foseg", 32),
    ("fooff", 32),
    ("fip", 64),
    ("fdp", 64),
];

/// Where the numbers of the other registers start, which differs between the two kinds of programs.
struct Numbers {
    st: u32,
    mm: u32,
    xmm: u32,
    mxcsr: u32,
    fctrl: u32,
}

impl Description {
    /// 64-bit Linux programs, as LLDB knows them.
    #[must_use]
    pub fn x86_64_for_lldb(features: X86Features) -> Self {
        let mut description = Self::new("x86_64", "");
        description.general(&GENERAL_64, 64);
        let numbers = Numbers { st: 33, mm: 41, xmm: 17, mxcsr: 64, fctrl: 65 };
        description.vectors(&numbers, features, 16);
        for (number, (name, ..)) in GENERAL_64.iter().enumerate().take(16) {
            let old = name.strip_prefix('r').filter(|_| number < 8);
            match old {
                Some(letter) if letter.ends_with('x') => {
                    let first = &letter[..1];
                    let parts = [(format!("e{letter}"), 32, 0), (letter.into(), 16, 0), (format!("{first}l"), 8, 0)];
                    description.parts(number as u32, parts.into_iter().chain([(format!("{first}h"), 8, 1)]));
                }
                Some(old) => {
                    let parts = [(format!("e{old}"), 32, 0), (old.into(), 16, 0), (format!("{old}l"), 8, 0)];
                    description.parts(number as u32, parts);
                }
                None => {
                    let parts = [("d", 32), ("w", 16), ("l", 8)];
                    description.parts(number as u32, parts.map(|(suffix, bits)| (format!("{name}{suffix}"), bits, 0)));
                }
            }
        }
        description.mmx(&numbers);
        description
    }

    /// 32-bit Linux programs, as LLDB knows them.
    #[must_use]
    pub fn i386_for_lldb(features: X86Features) -> Self {
        let mut description = Self::new("i386", "");
        description.general(&GENERAL_32, 32);
        let numbers = Numbers { st: 11, mm: 29, xmm: 21, mxcsr: 39, fctrl: 37 };
        description.vectors(&numbers, features, 8);
        for (number, (name, ..)) in GENERAL_32.iter().enumerate().take(8) {
            let old = &name[1..];
            let mut parts = Vec::from([(old.into(), 16, 0)]);
            if let Some(first) = old.strip_suffix('x') {
                parts.extend([(format!("{first}l"), 8, 0), (format!("{first}h"), 8, 1)]);
            }
            description.parts(number as u32, parts);
        }
        description.mmx(&numbers);
        description
    }

    fn general(&mut self, rows: &[Row], bits: u16) {
        for (name, dwarf, generic) in rows {
            let facts = Facts { set: GENERAL, dwarf: Some(*dwarf), generic: *generic, ..Facts::default() };
            self.add(String::from(*name), bits, facts);
        }
    }

    /// The x87 unit's, and those of SSE and AVX.
    fn vectors(&mut self, numbers: &Numbers, features: X86Features, count: u32) {
        let float = |dwarf| Facts { set: FLOAT, dwarf, ..Facts::default() };
        let vector = |dwarf| Facts { is_vector: true, ..float(dwarf) };
        for (index, (name, bits)) in (0..).zip(X87) {
            self.add(name.into(), bits, float((index < 2).then_some(numbers.fctrl + index)));
        }
        self.add("mxcsr".into(), 32, float(Some(numbers.mxcsr)));
        self.add("mxcsrmask".into(), 32, float(None));
        for index in 0..8 {
            self.add(format!("st{index}"), 80, vector(Some(numbers.st + index)));
        }
        let first = self.registers.len() as u32;
        for index in 0..count {
            self.add(format!("xmm{index}"), 128, vector(Some(numbers.xmm + index)));
        }
        for index in 0..if features.avx { count } else { 0 } {
            let both = Vec::from([first + index, first + count + index]);
            self.registers[(first + index) as usize].lldb.get_or_insert_default().invalidates.clone_from(&both);
            self.add(format!("ymm{index}"), 256, Facts { set: AVX, invalidates: both, ..vector(None) });
        }
    }

    /// The low halves of the x87 registers, as MMX has them.
    fn mmx(&mut self, numbers: &Numbers) {
        let first = self.registers.iter().position(|register| register.name == "st0").unwrap_or_default() as u32;
        for index in 0..8 {
            self.parts(first + index, [(format!("mm{index}"), 64, 0)]);
            if let Some(facts) = self.registers.last_mut().and_then(|register| register.lldb.as_mut()) {
                facts.dwarf = Some(numbers.mm + index);
            }
        }
    }

    /// Adds parts of the register `container`: name, width in bits, bytes before them.
    fn parts(&mut self, container: u32, parts: impl IntoIterator<Item = (String, u16, usize)>) {
        let Register { offset, ref lldb, .. } = self.registers[container as usize];
        let set = lldb.as_ref().map_or(GENERAL, |facts| facts.set);
        let first = self.registers.len() as u32;
        for (name, bits, before) in parts {
            let number = self.registers.len() as u32;
            let lldb = Some(Facts { set, container: Some(container), ..Facts::default() });
            let offset = offset + before;
            self.registers.push(Register { name, bits, type_id: "", number, offset, group: None, lldb });
        }
        let all: Vec<u32> = core::iter::once(container).chain(first..self.registers.len() as u32).collect();
        for number in &all {
            if let Some(facts) = &mut self.registers[*number as usize].lldb {
                facts.invalidates.clone_from(&all);
            }
        }
    }

    /// Adds a register of its own.
    fn add(&mut self, name: String, bits: u16, facts: Facts) {
        let (number, offset) = (self.registers.len() as u32, self.packet_len);
        self.packet_len = offset + usize::from(bits / 8);
        self.registers.push(Register { name, bits, type_id: "", number, offset, group: None, lldb: Some(facts) });
    }
}

/// The document for LLDB, on one line: its own tests expect that.
pub(super) fn write(out: &mut String, description: &Description) -> fmt::Result {
    out.write_str("<?xml version=\"1.0\"?><target version=\"1.0\">")?;
    write!(out, "<architecture>{}</architecture><feature>", description.architecture)?;
    for Register { name, bits, number, offset, lldb, .. } in &description.registers {
        write!(out, "<reg name=\"{name}\" bitsize=\"{bits}\" regnum=\"{number}\" offset=\"{offset}\"")?;
        let Some(facts) = lldb else { continue };
        let (encoding, format) = facts.form();
        write!(out, " encoding=\"{encoding}\" format=\"{format}\" group=\"{}\"", facts.set)?;
        if let Some(dwarf) = facts.dwarf {
            write!(out, " ehframe_regnum=\"{dwarf}\" dwarf_regnum=\"{dwarf}\"")?;
        }
        if let Some(generic) = facts.generic {
            write!(out, " generic=\"{generic}\"")?;
        }
        if let Some(container) = facts.container {
            write!(out, " value_regnums=\"{container}\"")?;
        }
        if !facts.invalidates.is_empty() {
            write!(out, " invalidate_regnums=\"")?;
            write_list(out, &facts.invalidates, 10)?;
            out.write_char('"')?;
        }
        out.write_str("/>")?;
    }
    out.write_str("</feature></target>")
}

fn write_list(out: &mut String, numbers: &[u32], base: u32) -> fmt::Result {
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        if base == 16 { write!(out, "{number:x}")? } else { write!(out, "{number}")? }
    }
    Ok(())
}

impl Facts {
    /// How LLDB is to understand the value, and how to show it.
    fn form(&self) -> (&'static str, &'static str) {
        if self.is_vector { ("vector", "vector-uint8") } else { ("uint", "hex") }
    }
}

impl Register {
    /// The answer to LLDB's `qRegisterInfo`: the same facts, with lists in hex.
    #[must_use]
    pub fn to_lldb(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_to_lldb(&mut out);
        out
    }

    fn write_to_lldb(&self, out: &mut String) -> fmt::Result {
        let Self { name, bits, offset, lldb, .. } = self;
        let facts = lldb.clone().unwrap_or_default();
        let (encoding, format) = facts.form();
        write!(out, "name:{name};bitsize:{bits};offset:{offset};encoding:{encoding};format:{format};")?;
        if !facts.set.is_empty() {
            write!(out, "set:{};", facts.set)?;
        }
        if let Some(dwarf) = facts.dwarf {
            write!(out, "ehframe:{dwarf};dwarf:{dwarf};")?;
        }
        if let Some(generic) = facts.generic {
            write!(out, "generic:{generic};")?;
        }
        if let Some(container) = facts.container {
            write!(out, "container-regs:{container:x};")?;
        }
        if !facts.invalidates.is_empty() {
            out.write_str("invalidate-regs:")?;
            write_list(out, &facts.invalidates, 16)?;
            out.write_char(';')?;
        }
        Ok(())
    }
}
