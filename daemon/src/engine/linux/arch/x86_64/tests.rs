//! Synthetic register sets with layouts of both makers; the offsets are those of real processors.

use proptest::prelude::*;

use super::xsave::Component;
use super::*;

const X87: u64 = Component::X87.bit();
const SSE: u64 = Component::Sse.bit();
const AVX: u64 = Component::Avx.bit();
const AVX512: u64 = Component::Opmask.bit() | Component::ZmmHi256.bit() | Component::Hi16Zmm.bit();
const PKRU: u64 = Component::Pkru.bit();
const ALL: u64 = X87 | SSE | AVX | AVX512 | PKRU;

fn intel(mode: Mode) -> Architecture {
    let layout = Layout::new(2696, ALL, |component| match component {
        Component::X87 | Component::Sse => 0..0,
        Component::Avx => 576..832,
        Component::Opmask => 1088..1152,
        Component::ZmmHi256 => 1152..1664,
        Component::Hi16Zmm => 1664..2688,
        Component::Pkru => 2688..2696,
    });
    Architecture::new(mode, layout)
}

fn amd(mode: Mode) -> Architecture {
    let layout = Layout::new(2440, ALL, |component| match component {
        Component::X87 | Component::Sse => 0..0,
        Component::Avx => 576..832,
        Component::Opmask => 832..896,
        Component::ZmmHi256 => 896..1408,
        Component::Hi16Zmm => 1408..2432,
        Component::Pkru => 2432..2440,
    });
    Architecture::new(mode, layout)
}

fn number(architecture: &Architecture, name: &str) -> u32 {
    architecture.description.registers.iter().find(|register| register.name == name).unwrap().number
}

/// An area whose bytes all differ from their neighbours, with those components holding data.
fn area(architecture: &Architecture, present: u64) -> Vec<u8> {
    let mut area: Vec<u8> = (0..architecture.extended_size()).map(|index| (index * 7 % 251) as u8).collect();
    area[24..28].copy_from_slice(&0x1fa0_u32.to_le_bytes());
    area[28..32].copy_from_slice(&0x0002_ffff_u32.to_le_bytes());
    area[512..576].fill(0);
    area[512..520].copy_from_slice(&present.to_le_bytes());
    area
}

fn general() -> GeneralRegisters {
    let mut general = GeneralRegisters::default();
    for (index, byte) in general.bytes_mut().iter_mut().enumerate() {
        *byte = index as u8;
    }
    general.as_raw_mut().cs = 0x33;
    general.as_raw_mut().ss = 0x2b;
    general
}

fn read(architecture: &Architecture, name: &str, general: &GeneralRegisters, extended: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    architecture.read_register(number(architecture, name), general, extended, &mut out).unwrap();
    out
}

#[test]
fn this_processor_s_layout_is_usable_for_both_kinds_of_program() {
    for mode in [Mode::Bits32, Mode::Bits64] {
        let architecture = Architecture::get(mode);
        let mut out = Vec::new();
        architecture.read_all(&GeneralRegisters::default(), &vec![0; architecture.extended_size()], &mut out);
        assert_eq!(out.len(), architecture.description().packet_len());
        assert_eq!(architecture.xml(), architecture.description().to_xml());
        assert!(std::ptr::eq(architecture, Architecture::get(mode)));
    }
}

#[test]
fn expedited_registers_are_frame_pointer_stack_pointer_and_program_counter() {
    let names = |architecture: &'static Architecture| {
        let name = |&number: &u32| architecture.description().register(number).unwrap().name.as_str();
        architecture.expedited().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(Architecture::get(Mode::Bits64)), ["rbp", "rsp", "rip"]);
    assert_eq!(names(Architecture::get(Mode::Bits32)), ["ebp", "esp", "eip"]);
}

#[test]
fn reading_all_equals_reading_each() {
    for architecture in [intel(Mode::Bits64), amd(Mode::Bits64), intel(Mode::Bits32), amd(Mode::Bits32)] {
        for present in [0, X87, SSE, AVX, AVX512, ALL] {
            let (general, extended) = (general(), area(&architecture, present));
            let (mut all, mut each) = (vec![0xee], vec![0xee]);
            architecture.read_all(&general, &extended, &mut all);
            for register in &architecture.description.registers {
                architecture.read_register(register.number, &general, &extended, &mut each).unwrap();
            }
            assert_eq!(all, each);
        }
    }
}

#[test]
fn registers_side_by_side_are_copied_together() {
    assert!(intel(Mode::Bits64).runs.len() < 100);
}

#[test]
fn components_without_data_read_as_their_initial_state() {
    let architecture = intel(Mode::Bits64);
    let (general, extended) = (general(), area(&architecture, 0));
    for register in &architecture.description.registers {
        if architecture.is_general(register.number) {
            continue;
        }
        let expected: &[u8] = match register.name.as_str() {
            "fctrl" => &[0x7f, 3, 0, 0],
            "ftag" => &[0xff, 0xff, 0, 0],
            "mxcsr" => &[0x80, 0x1f, 0, 0],
            _ => &[0; 32][..register.bytes()],
        };
        assert_eq!(read(&architecture, &register.name, &general, &extended), expected, "{}", register.name);
    }
}

#[test]
fn vector_registers_come_from_where_the_maker_puts_them() {
    let check = |architecture: &Architecture, name: &str, range: Range<usize>| {
        let extended = area(architecture, ALL);
        assert_eq!(read(architecture, name, &general(), &extended), extended[range], "{name}");
    };
    let intel = intel(Mode::Bits64);
    check(&intel, "st1", 48..58);
    check(&intel, "xmm15", 400..416);
    check(&intel, "ymm1h", 592..608);
    check(&intel, "k7", 1144..1152);
    check(&intel, "zmm15h", 1632..1664);
    check(&intel, "xmm16", 1664..1680);
    check(&intel, "ymm17h", 1744..1760);
    check(&intel, "zmm31h", 2656..2688);
    check(&intel, "pkru", 2688..2692);
    let amd = amd(Mode::Bits64);
    check(&amd, "k0", 832..840);
    check(&amd, "zmm0h", 896..928);
    check(&amd, "xmm31", 2368..2384);
    check(&amd, "pkru", 2432..2436);
}

#[test]
fn the_x87_environment_reads_as_32_bit_words() {
    let architecture = intel(Mode::Bits64);
    let mut extended = area(&architecture, ALL);
    extended[..24].copy_from_slice(&[
        0x7f, 0x02, 0x34, 0x12, 0x00, 0xee, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 0xee, 0xee, 11, 12, 13, 14, 15, 16, 0xee,
        0xee,
    ]);
    let word = |name| u32::from_le_bytes(read(&architecture, name, &general(), &extended).try_into().unwrap());
    let names = ["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"];
    let expected = [0x27f, 0x1234, 0xffff, 0x605, 0x0403_0201, 0x100f, 0x0e0d_0c0b, 0x7ff];
    assert_eq!(names.map(word), expected);
}

#[test]
fn a_first_write_to_a_component_initialises_the_rest_of_it() {
    let architecture = intel(Mode::Bits64);
    let mut extended = area(&architecture, SSE);
    let mut general = general();
    let value = [0xab; 16];
    let touched = architecture.write_register(number(&architecture, "ymm3h"), &value, &mut general, &mut extended);
    assert_eq!(touched, Ok(Touched::EXTENDED));
    assert_eq!(extended[512..520], (SSE | AVX).to_le_bytes());
    assert_eq!(read(&architecture, "ymm3h", &general, &extended), value);
    assert_eq!(read(&architecture, "ymm4h", &general, &extended), [0; 16]);
    assert_eq!(read(&architecture, "mxcsr", &general, &extended), 0x1fa0_u32.to_le_bytes());
}

#[test]
fn a_first_write_to_the_x87_leaves_a_sound_mxcsr_and_control_word() {
    let architecture = intel(Mode::Bits64);
    let mut extended = area(&architecture, 0);
    let mut general = general();
    architecture.write_register(number(&architecture, "st0"), &[1; 10], &mut general, &mut extended).unwrap();
    assert_eq!(extended[512..520], X87.to_le_bytes());
    assert_eq!(extended[..2], [0x7f, 3]);
    assert_eq!(extended[24..28], 0x1f80_u32.to_le_bytes());
    assert_eq!(extended[28..32], 0x0002_ffff_u32.to_le_bytes());
    assert_eq!(read(&architecture, "xmm0", &general, &extended), [0; 16]);
}

#[test]
fn writing_what_is_there_already_touches_nothing() {
    for architecture in [intel(Mode::Bits64), intel(Mode::Bits32)] {
        for present in [0, X87 | SSE, ALL] {
            let (mut general, mut extended) = (general(), area(&architecture, present));
            let before = (*general.bytes(), extended.clone());
            let mut packet = Vec::new();
            architecture.read_all(&general, &extended, &mut packet);
            assert_eq!(architecture.write_all(&packet, &mut general, &mut extended), Ok(Touched::NOTHING));
            assert_eq!((*general.bytes(), extended), before);
        }
    }
}

#[test]
fn a_32_bit_program_s_result_register_is_sign_extended() {
    let architecture = intel(Mode::Bits32);
    let mut general = general();
    let mut write = |name, value: u32| {
        let number = number(&architecture, name);
        architecture.write_register(number, &value.to_le_bytes(), &mut general, &mut []).unwrap();
        general
    };
    assert_eq!(write("eax", -512_i32 as u32).as_raw_mut().rax, -512_i64 as u64);
    assert_eq!(write("orig_eax", u32::MAX).as_raw_mut().orig_rax, u64::MAX);
    assert_eq!(write("ebx", u32::MAX).as_raw_mut().rbx, 0xffff_ffff);
    assert_eq!(write("eip", 0x8048_0000).pc(), 0x8048_0000);
}

#[test]
fn values_that_the_kernel_would_not_take_are_refused_and_nothing_changes() {
    let architecture = intel(Mode::Bits64);
    let (mut general, mut extended) = (general(), area(&architecture, ALL));
    let before = (*general.bytes(), extended.clone());
    let cases: [(&str, &[u8]); 6] = [
        ("cs", &[0, 0, 0, 0]),
        ("ss", &[0x28, 0, 0, 0]),
        ("fs", &[0x10, 0, 0, 0]),
        ("fs_base", &[0xff; 8]),
        ("gs_base", &[0, 0, 0, 0, 0, 0, 0, 1]),
        ("mxcsr", &[0x80, 0x1f, 1, 0]),
    ];
    for (name, value) in cases {
        let result = architecture.write_register(number(&architecture, name), value, &mut general, &mut extended);
        assert!(matches!(result, Err(WriteError::Refused(_))), "{name}");
    }
    let mut packet = Vec::new();
    architecture.read_all(&general, &extended, &mut packet);
    packet[0] ^= 1;
    let mxcsr = architecture.description.register(number(&architecture, "mxcsr")).unwrap().offset;
    packet[mxcsr + 3] = 0x80;
    assert!(architecture.write_all(&packet, &mut general, &mut extended).is_err());
    assert_eq!((*general.bytes(), extended), before);
}

#[test]
fn bad_numbers_lengths_and_areas_are_errors() {
    let architecture = intel(Mode::Bits64);
    let mut general = general();
    let mut out = Vec::new();
    let count = architecture.description.registers.len() as u32;
    let xmm0 = number(&architecture, "xmm0");
    for unknown in [count, u32::MAX] {
        assert_eq!(architecture.read_register(unknown, &general, &[], &mut out), None);
        let result = architecture.write_register(unknown, &[0], &mut general, &mut []);
        assert_eq!(result, Err(WriteError::Unknown(unknown)));
        assert!(!architecture.is_general(unknown));
    }
    assert_eq!(architecture.read_register(xmm0, &general, &[0; 576], &mut out), None);
    assert!(out.is_empty());
    let result = architecture.write_register(xmm0, &[1; 16], &mut general, &mut [0; 576]);
    assert_eq!(result, Err(WriteError::Unread));
    let result = architecture.write_register(0, &[1; 4], &mut general, &mut []);
    assert_eq!(result, Err(WriteError::Length { expected: 8, given: 4 }));
    let result = architecture.write_all(&[0; 9], &mut general, &mut []);
    assert_eq!(result, Err(WriteError::Length { expected: 2420, given: 9 }));
}

#[test]
fn a_processor_without_xsave_has_the_legacy_part_only() {
    let architecture = Architecture::new(Mode::Bits64, Layout::new(512, 0, |_| 0..0));
    assert_eq!((architecture.extended_size(), architecture.extended_note()), (512, 2));
    assert_eq!(architecture.description.packet_len(), 560);
    let (mut general, mut extended) = (general(), vec![0; 512]);
    architecture.write_register(number(&architecture, "xmm0"), &[3; 16], &mut general, &mut extended).unwrap();
    assert_eq!(extended[160..176], [3; 16]);
}

#[test]
fn a_component_outside_the_area_counts_as_not_there() {
    let layout = Layout::new(832, ALL, |component| if component == Component::Avx { 576..832 } else { 832..1024 });
    let features = layout.features();
    assert!(features.avx && !features.avx512 && !features.pkru);
}

#[test]
fn a_system_call_is_forgotten_by_a_negative_number() {
    let mut general = GeneralRegisters::default();
    general.as_raw_mut().orig_rax = 59;
    general.forget_syscall();
    assert_eq!(general.as_raw_mut().orig_rax, u64::MAX);
}

/// What a register reads as after `value` was written to it.
fn kept(name: &str, value: &[u8]) -> Vec<u8> {
    let mut kept = value.to_vec();
    match name {
        "fctrl" | "fstat" | "fiseg" | "foseg" => kept[2..].fill(0),
        "fop" => {
            kept[1] &= 7;
            kept[2..].fill(0);
        }
        _ => {}
    }
    kept
}

proptest! {
    #[test]
    fn every_register_reads_as_it_was_written_and_no_other_changes(
        wide: bool, present in 0..=ALL, index in 0_usize..256, value: [u8; 32],
    ) {
        let architecture = intel(if wide { Mode::Bits64 } else { Mode::Bits32 });
        let register = &architecture.description.registers[index % architecture.description.registers.len()];
        let value = &value[..register.bytes()];
        let (mut general, mut extended) = (general(), area(&architecture, present & ALL));
        let mut before = Vec::new();
        architecture.read_all(&general, &extended, &mut before);
        let result = architecture.write_register(register.number, value, &mut general, &mut extended);
        let mut after = Vec::new();
        architecture.read_all(&general, &extended, &mut after);
        if let Ok(touched) = result {
            let own = register.offset..register.offset + register.bytes();
            prop_assert!(!(touched.general && touched.extended));
            // Tags are told from other registers.
            if register.name != "ftag" {
                prop_assert_eq!(&after[own.clone()], &kept(&register.name, value)[..]);
            }
            after[own.clone()].copy_from_slice(&before[own]);
            let ftag = architecture.description.register(number(&architecture, "ftag")).unwrap().offset;
            after[ftag..ftag + 4].copy_from_slice(&before[ftag..ftag + 4]);
        }
        prop_assert_eq!(after, before);
    }

    #[test]
    fn all_registers_written_read_the_same(wide: bool, present in 0..=ALL, seed: [u8; 61]) {
        let architecture = intel(if wide { Mode::Bits64 } else { Mode::Bits32 });
        let source = area(&architecture, ALL);
        let mut packet = Vec::new();
        let mut filled = source.clone();
        for (index, byte) in filled.iter_mut().enumerate().filter(|(index, _)| !(24..32).contains(index) && !(512..576).contains(index)) {
            *byte = seed[index % seed.len()];
        }
        architecture.read_all(&general(), &filled, &mut packet);
        let (mut general, mut extended) = (general(), area(&architecture, present & ALL));
        architecture.write_all(&packet, &mut general, &mut extended).unwrap();
        let mut again = Vec::new();
        architecture.read_all(&general, &extended, &mut again);
        prop_assert_eq!(again, packet);
    }
}

#[test]
fn lldb_sees_whole_vectors_and_parts_of_words() {
    let layout = intel(Mode::Bits64).layout;
    let architecture = Architecture::for_lldb(Mode::Bits64, layout);
    let (mut general, mut extended) = (general(), area(&architecture, X87 | SSE | AVX));
    let [low, high] = ["xmm3", "ymm3h"].map(|name| read(&intel(Mode::Bits64), name, &general, &extended));
    assert_eq!(read(&architecture, "ymm3", &general, &extended), [low, high].concat());
    let rbx = read(&architecture, "rbx", &general, &extended);
    assert_eq!(read(&architecture, "ebx", &general, &extended), rbx[..4]);
    assert_eq!(read(&architecture, "bh", &general, &extended), rbx[1..2]);
    assert_eq!(read(&architecture, "fctrl", &general, &extended).len(), 2);
    let write = |name, value: &[u8], general: &mut GeneralRegisters, extended: &mut [u8]| {
        architecture.write_register(number(&architecture, name), value, general, extended).unwrap()
    };
    assert_eq!(write("bh", &[0xee], &mut general, &mut extended), Touched::GENERAL);
    assert_eq!(read(&architecture, "rbx", &general, &extended), [&[rbx[0], 0xee], &rbx[2..]].concat());
    assert_eq!(write("ymm3", &[7; 32], &mut general, &mut extended), Touched::EXTENDED);
    assert_eq!(read(&intel(Mode::Bits64), "ymm3h", &general, &extended), [7; 16]);
    let mut all = Vec::new();
    architecture.read_all(&general, &extended, &mut all);
    assert_eq!(all.len(), architecture.description().packet_len());
    let rip = architecture.register(16).unwrap();
    assert_eq!((rip.name.as_str(), &all[rip.offset..rip.offset + 8]), ("rip", &general.pc().to_le_bytes()[..]));
    assert_eq!(architecture.write_all(&all, &mut general, &mut extended), Ok(Touched::NOTHING));
}

#[test]
fn the_registers_that_stops_carry_are_the_pointers_in_both_dialects() {
    for (mode, names) in [(Mode::Bits32, ["ebp", "esp", "eip"]), (Mode::Bits64, ["rbp", "rsp", "rip"])] {
        for dialect in [Dialect::Gdb, Dialect::Lldb] {
            let architecture = Architecture::get(mode).of(dialect);
            let carried = architecture.expedited().iter().map(|&number| architecture.register(number).unwrap());
            assert!(carried.map(|register| register.name.as_str()).eq(names));
        }
    }
}
