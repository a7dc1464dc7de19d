use std::string::ToString;
use std::vec::Vec;

use super::{Description, Register, X86Features};

const PLAIN: X86Features = X86Features { avx: false, avx512: false, pkru: false };
const AVX: X86Features = X86Features { avx: true, ..PLAIN };
const AVX512: X86Features = X86Features { avx512: true, ..AVX };
const ALL: X86Features = X86Features { pkru: true, ..AVX512 };

fn number(description: &Description, name: &str) -> Option<u32> {
    description.registers.iter().find(|register| register.name == name).map(|register| register.number)
}

/// What GDB's own stub sends for the same processors.
#[test]
fn the_register_packet_is_as_long_as_gdb_s_own_stub_makes_it() {
    let wide = [PLAIN, AVX, AVX512, ALL].map(|features| Description::x86_64(features).packet_len());
    assert_eq!(wide, [560, 816, 2416, 2420]);
    let narrow = [PLAIN, AVX, AVX512, ALL].map(|features| Description::i386(features).packet_len());
    assert_eq!(narrow, [312, 440, 760, 764]);
}

#[test]
fn registers_of_64_bit_programs_have_the_numbers_that_gdb_s_own_stub_gives_them() {
    let description = Description::x86_64(ALL);
    let expected = [
        ("rax", 0),
        ("rbp", 6),
        ("rsp", 7),
        ("r15", 15),
        ("rip", 16),
        ("eflags", 17),
        ("gs", 23),
        ("st0", 24),
        ("fctrl", 32),
        ("fop", 39),
        ("xmm0", 40),
        ("mxcsr", 56),
        ("orig_rax", 57),
        ("fs_base", 58),
        ("gs_base", 59),
        ("ymm0h", 60),
        ("xmm16", 76),
        ("ymm16h", 92),
        ("k0", 108),
        ("zmm0h", 116),
        ("zmm31h", 147),
        ("pkru", 148),
    ];
    for (name, wanted) in expected {
        assert_eq!(number(&description, name), Some(wanted), "{name}");
    }
}

#[test]
fn registers_of_32_bit_programs_have_the_numbers_that_gdb_s_own_stub_gives_them() {
    let description = Description::i386(ALL);
    let expected = [
        ("eax", 0),
        ("esp", 4),
        ("ebp", 5),
        ("eip", 8),
        ("gs", 15),
        ("st0", 16),
        ("fctrl", 24),
        ("xmm0", 32),
        ("mxcsr", 40),
        ("orig_eax", 41),
        ("ymm0h", 42),
        ("k0", 50),
        ("zmm7h", 65),
        ("pkru", 66),
    ];
    for (name, wanted) in expected {
        assert_eq!(number(&description, name), Some(wanted), "{name}");
    }
}

#[test]
fn registers_stand_at_the_index_of_their_number_and_leave_no_gaps() {
    for description in [Description::x86_64(ALL), Description::i386(ALL)] {
        let mut offset = 0;
        for (index, register) in description.registers.iter().enumerate() {
            assert_eq!(register.number as usize, index);
            assert_eq!(register.offset, offset);
            assert!(register.bits % 8 == 0 && register.bytes() <= Register::MAX_BYTES, "{}", register.name);
            assert_eq!(description.register(register.number), Some(register));
            offset += register.bytes();
        }
        assert_eq!(description.packet_len(), offset);
        assert_eq!(description.register(description.registers.len() as u32), None);
    }
}

#[test]
fn a_missing_feature_leaves_no_trace_in_the_document() {
    let xml = Description::x86_64(PLAIN).to_xml();
    for absent in ["i386.avx", "i386.pkeys", "ymm", "zmm", "pkru", "xmm16"] {
        assert!(!xml.contains(absent), "{absent}");
    }
}

#[test]
fn the_document_names_the_target_and_each_register_once() {
    for (description, architecture) in [(Description::x86_64(ALL), "i386:x86-64"), (Description::i386(ALL), "i386")] {
        let xml = description.to_xml();
        assert!(xml.contains(&std::format!("<architecture>{architecture}</architecture>\n<osabi>GNU/Linux</osabi>")));
        for register in &description.registers {
            let entry = std::format!("<reg name=\"{}\" bitsize=\"{}\" ", register.name, register.bits);
            assert_eq!(xml.matches(&entry).count(), 1, "{entry}");
        }
    }
}

#[test]
fn every_type_that_a_register_uses_is_predefined_or_defined_in_its_own_feature() {
    let predefined = ["int", "int32", "int64", "uint32", "uint64", "uint128", "code_ptr", "data_ptr", "i387_ext"];
    for description in [Description::x86_64(ALL), Description::i386(ALL)] {
        let xml = description.to_xml();
        for feature in xml.split("</feature>") {
            let (types, registers) = feature.split_once("<reg ").unwrap_or((feature, ""));
            let used: Vec<_> = registers.split(" type=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            for id in used {
                let definition = std::format!(" id=\"{id}\"");
                assert!(predefined.contains(&id) || types.contains(&definition), "{}", id.to_string());
            }
        }
    }
}

#[test]
fn lldb_finds_parts_in_the_registers_that_they_are_parts_of() {
    for (description, parts) in [
        (
            Description::x86_64_for_lldb(ALL),
            &[("eax", "rax", 0), ("ah", "rax", 1), ("spl", "rsp", 0), ("r15w", "r15", 0), ("mm7", "st7", 0)][..],
        ),
        (Description::i386_for_lldb(ALL), &[("ax", "eax", 0), ("bh", "ebx", 1), ("sp", "esp", 0), ("mm0", "st0", 0)]),
    ] {
        let find = |name: &str| description.registers.iter().find(|register| register.name == name).unwrap();
        for (part, container, before) in parts {
            let (part, container) = (find(part), find(container));
            let facts = part.lldb.as_ref().unwrap();
            assert_eq!(facts.container, Some(container.number), "{}", part.name);
            assert_eq!(part.offset, container.offset + before);
            assert!(facts.invalidates.contains(&container.number) && facts.invalidates.contains(&part.number));
        }
        let last = description.registers.iter().filter(|register| register.lldb.as_ref().unwrap().container.is_none());
        assert_eq!(description.packet_len(), last.map(|register| register.offset + register.bytes()).max().unwrap());
        for (index, register) in description.registers.iter().enumerate() {
            assert_eq!(register.number as usize, index);
            assert!(
                description
                    .registers
                    .iter()
                    .all(|other| other.number == register.number || other.name != register.name)
            );
        }
    }
}

#[test]
fn lldb_reads_the_same_facts_in_two_forms() {
    let description = Description::x86_64_for_lldb(ALL);
    let pc = description.registers.iter().find(|register| register.name == "rip").unwrap();
    assert_eq!(
        pc.to_lldb(),
        "name:rip;bitsize:64;offset:128;encoding:uint;format:hex;set:General Purpose Registers;ehframe:16;dwarf:16;generic:pc;"
    );
    let xml = description.to_xml();
    assert!(xml.contains(
        "<reg name=\"rip\" bitsize=\"64\" regnum=\"16\" offset=\"128\" encoding=\"uint\" format=\"hex\" \
         group=\"General Purpose Registers\" ehframe_regnum=\"16\" dwarf_regnum=\"16\" generic=\"pc\"/>"
    ));
    assert!(xml.contains("<architecture>x86_64</architecture>") && !xml.contains("osabi"));
    assert!(!Description::x86_64_for_lldb(PLAIN).to_xml().contains("ymm"));
}
