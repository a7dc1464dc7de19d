//! Writes a description as the XML document that GDB reads (`gdb-target.dtd`), or LLDB.
//!
//! Every name in a [`Description`] is one of this crate's own and holds nothing that XML would want escaped.

use alloc::string::String;
use core::fmt::{self, Write};

use super::types::Type;
use super::{Description, Group, Register, lldb};

/// The whole document.
pub(super) fn write(description: &Description) -> String {
    let mut out = String::new();
    let for_lldb = description.registers.iter().any(|register| register.lldb.is_some());
    let write = if for_lldb { lldb::write } else { write_target };
    write(&mut out, description).expect("writing to a string cannot fail");
    out
}

fn write_target(out: &mut String, description: &Description) -> fmt::Result {
    out.write_str("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n")?;
    writeln!(out, "<architecture>{}</architecture>", description.architecture)?;
    writeln!(out, "<osabi>{}</osabi>", description.osabi)?;
    for feature in &description.features {
        writeln!(out, "<feature name=\"{}\">", feature.name)?;
        feature.types.iter().try_for_each(|definition| write_type(out, definition))?;
        description.registers[feature.registers.clone()]
            .iter()
            .try_for_each(|register| write_register(out, register))?;
        out.write_str("</feature>\n")?;
    }
    out.write_str("</target>\n")
}

fn write_type(out: &mut String, definition: &Type) -> fmt::Result {
    match *definition {
        Type::Flags { id, bytes, bits } => {
            writeln!(out, "<flags id=\"{id}\" size=\"{bytes}\">")?;
            for (name, bit) in bits {
                writeln!(out, "<field name=\"{name}\" start=\"{bit}\" end=\"{bit}\" type=\"bool\"/>")?;
            }
            out.write_str("</flags>\n")
        }
        Type::Union { id, fields } => {
            writeln!(out, "<union id=\"{id}\">")?;
            for (name, type_id) in fields {
                writeln!(out, "<field name=\"{name}\" type=\"{type_id}\"/>")?;
            }
            out.write_str("</union>\n")
        }
        Type::Vector { id, element, count } => {
            writeln!(out, "<vector id=\"{id}\" type=\"{element}\" count=\"{count}\"/>")
        }
    }
}

fn write_register(out: &mut String, register: &Register) -> fmt::Result {
    let Register { name, bits, type_id, number, .. } = register;
    write!(out, "<reg name=\"{name}\" bitsize=\"{bits}\" type=\"{type_id}\" regnum=\"{number}\"")?;
    match register.group {
        Some(Group::Float) => out.write_str(" group=\"float\"")?,
        Some(Group::Vector) => out.write_str(" group=\"vector\"")?,
        None => {}
    }
    out.write_str("/>\n")
}
