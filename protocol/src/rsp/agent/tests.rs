//! Each opcode, programs that GDB made, and programs that nobody should.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// A thread in `f(i = 2, uc = 202, l = -5, p, str)`, where the programs below, made by GDB for it, look.
#[derive(Default)]
struct Frame {
    memory: BTreeMap<u64, u8>,
    order: Option<ByteOrder>,
    printed: Vec<(Vec<u8>, Vec<u64>)>,
    prints: bool,
}

const BASE: u64 = 0x7fff_0000_0100;
const POINTEE: u64 = 0x5000;

impl Frame {
    fn of_f() -> Self {
        let mut frame = Self { prints: true, ..Self::default() };
        frame.store(BASE - 36, &2_i32.to_le_bytes());
        frame.store(BASE - 40, &[202]);
        frame.store(BASE - 48, &(-5_i64).to_le_bytes());
        frame.store(BASE - 56, &POINTEE.to_le_bytes());
        frame.store(BASE - 64, &0x6000_u64.to_le_bytes());
        frame.store(BASE - 20, &4_i32.to_le_bytes());
        // struct s { int a; short b; char c; unsigned long d; unsigned bf:5; int sbf:3; struct s *next; }
        frame.store(POINTEE, &0_i32.to_le_bytes());
        frame.store(POINTEE + 16, &[0b1010_0011]);
        frame.store(POINTEE + 24, &POINTEE.to_le_bytes());
        frame.store(0x40_4018, &5_i64.to_le_bytes());
        frame.store(0x40_4030, &5_i64.to_le_bytes());
        frame
    }

    fn store(&mut self, address: u64, bytes: &[u8]) {
        self.memory.extend((address..).zip(bytes.iter().copied()));
    }
}

impl Target for Frame {
    fn byte_order(&self) -> ByteOrder {
        self.order.unwrap_or(ByteOrder::Little)
    }

    fn register(&mut self, number: u16) -> Option<u64> {
        match number {
            6 => Some(BASE),
            16 => Some(0x40_1000),
            _ => None,
        }
    }

    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        (address..).zip(buffer).all(|(address, byte)| self.memory.get(&address).map(|known| *byte = *known).is_some())
    }

    fn printf(&mut self, format: &[u8], arguments: &[u64]) -> bool {
        self.printed.push((format.into(), arguments.into()));
        self.prints
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

fn program(hex: &str) -> Program {
    Program::parse(&bytes(hex)).expect("a valid program")
}

fn value(hex: &str) -> Result<Option<u64>, Fault> {
    program(hex).evaluate(&mut Frame::of_f(), MAX_STEPS)
}

fn refusal(hex: &str) -> Invalid {
    Program::parse(&bytes(hex)).expect_err("an invalid program")
}

#[test]
fn every_operator_computes_what_the_manual_says() {
    let seven = "25 fffffffffffffff9"; // -7
    let least = "25 8000000000000000";
    let cases = [
        ("22 05 22 03 02", 8),
        ("25 ffffffffffffffff 22 02 02", 1),
        ("22 03 22 05 03", -2),
        (&*std::format!("{seven} 22 06 04"), -42),
        (&std::format!("{seven} 22 02 05"), -3),
        (&std::format!("{least} 25 ffffffffffffffff 05"), i64::MIN),
        (&std::format!("{seven} 22 02 06"), 0x7fff_ffff_ffff_fffc),
        (&std::format!("{seven} 22 02 07"), -1),
        (&std::format!("{least} 25 ffffffffffffffff 07"), 0),
        (&std::format!("{seven} 22 0a 08"), 9),
        ("22 01 22 3f 09", i64::MIN),
        ("22 01 22 40 09", 0),
        ("22 01 25 0000000100000000 09", 0),
        (&std::format!("{seven} 22 01 0a"), -4),
        (&std::format!("{seven} 22 40 0a"), -1),
        ("22 07 22 ff 0a", 0),
        (&std::format!("{seven} 22 3c 0b"), 15),
        (&std::format!("{seven} 22 40 0b"), 0),
        ("22 00 0e", 1),
        ("22 02 0e", 0),
        ("22 0c 22 0a 0f", 8),
        ("22 0c 22 0a 10", 14),
        ("22 0c 22 0a 11", 6),
        ("22 00 12", -1),
        ("22 04 22 04 13", 1),
        ("22 04 22 05 13", 0),
        (&std::format!("{seven} 22 05 14"), 1),
        ("22 05 22 05 14", 0),
        (&std::format!("{seven} 22 05 15"), 0),
        (&std::format!("22 05 {seven} 15"), 1),
        ("22 80 16 08", -128),
        ("22 7f 16 08", 127),
        ("22 01 16 01", -1),
        (&std::format!("{seven} 16 40"), -7),
        (&std::format!("{seven} 2a 08"), 0xf9),
        (&std::format!("{seven} 2a 01"), 1),
        (&std::format!("{seven} 2a 40"), -7),
    ];
    for (code, expected) in cases {
        assert_eq!(value(&std::format!("{code} 27")), Ok(Some(expected as u64)), "{code}");
    }
}

#[test]
fn constants_are_big_endian_and_zero_extended() {
    assert_eq!(value("22 fe 27"), Ok(Some(0xfe)));
    assert_eq!(value("23 fedc 27"), Ok(Some(0xfedc)));
    assert_eq!(value("24 fedcba98 27"), Ok(Some(0xfedc_ba98)));
    assert_eq!(value("25 fedcba9876543210 27"), Ok(Some(0xfedc_ba98_7654_3210)));
}

#[test]
fn references_read_the_bytes_of_their_width_in_the_targets_order() {
    let mut frame = Frame::default();
    frame.store(0x10, &[0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8]);
    let cases = [
        ("17", 0xf1, 0xf1),
        ("18", 0xf2f1, 0xf1f2),
        ("19", 0xf4f3_f2f1, 0xf1f2_f3f4),
        ("1a", 0xf8f7_f6f5_f4f3_f2f1, 0xf1f2_f3f4_f5f6_f7f8),
    ];
    for (opcode, little, big) in cases {
        let program = program(&std::format!("22 10 {opcode} 27"));
        frame.order = Some(ByteOrder::Little);
        assert_eq!(program.evaluate(&mut frame, 9), Ok(Some(little)));
        frame.order = Some(ByteOrder::Big);
        assert_eq!(program.evaluate(&mut frame, 9), Ok(Some(big)));
    }
}

#[test]
fn the_stack_is_shuffled_as_gdbs_agent_does() {
    assert_eq!(value("22 09 22 04 2b 03 27"), Ok(Some((4_i64 - 9) as u64)), "swap");
    assert_eq!(value("22 03 28 04 27"), Ok(Some(9)), "dup");
    assert_eq!(value("22 03 22 07 29 27"), Ok(Some(3)), "pop");
    assert_eq!(value("22 03 22 07 32 00 03 27"), Ok(Some(0)), "pick 0 is dup");
    assert_eq!(value("22 03 22 07 32 01 27"), Ok(Some(3)), "pick 1");
    assert_eq!(value("22 01 22 02 22 03 33 27"), Ok(Some(2)), "rot: 3 1 2");
    assert_eq!(value("22 01 22 02 22 03 33 29 27"), Ok(Some(1)));
    assert_eq!(value("22 01 22 02 22 03 33 29 29 27"), Ok(Some(3)));
}

#[test]
fn jumps_are_taken_unless_the_top_is_zero() {
    assert_eq!(value("22 01 20 0008 22 0a 27 22 0b 27"), Ok(Some(0x0b)));
    assert_eq!(value("22 00 20 0008 22 0a 27 22 0b 27"), Ok(Some(0x0a)));
    assert_eq!(value("21 0004 27 22 07 27"), Ok(Some(7)));
}

#[test]
fn conditions_that_gdb_compiled_hold_where_they_should() {
    let cases = [
        ("i == 2", "26000622100222cc16080219162022021327", true),
        (
            "uc > 201 && l < 0",
            "26000622100222c8160802172300c92b1420001721003326000622100222c01608021a164022001420002e2100332201210035220027",
            true,
        ),
        (
            "p->next->a != 0 || g == 5",
            "26000622100222b81608021a2218021a1916202200130e20002d24004040181a164022051320002d220021002f220127",
            true,
        ),
        ("p->bf == 3", "26000622100222b81608021a221002172a0522032a201327", true),
        ("p->sbf < 0", "26000622100222b81608021a2210021722050b160322001427", true),
        ("-l / 2 > 1", "220026000622100222c01608021a1640031640220205164022012b1427", true),
        (
            "(l >> 1) + (g << 3) == 38",
            "26000622100222c01608021a164022010a164024004040181a1640220309164002164022261327",
            false,
        ),
        ("(short) l == -5", "26000622100222c01608021a1640161022fb16081327", true),
        ("$rip == 0x401000", "2600102a4024004010001327", true),
        ("!(i & 1)", "26000622100222cc16080219162022010f0e27", true),
        ("~i ^ 7 | x", "26000622100222cc16080219162012162022071126000622100222dc1608021916201027", true),
        ("(unsigned) l > 10", "26000622100222c01608021a16402a20220a2b1527", true),
        ("l * 1000000007 == -5000000035", "26000622100222c01608021a1640243b9aca0704164025fffffffed5fa0ddd1327", true),
        ("gs.d >= 18446744073709551615", "24004040402208021a22ff1608150e27", false),
    ];
    let mut frame = Frame::of_f();
    frame.store(0x40_4048, &7_u64.to_le_bytes());
    for (source, code, expected) in cases {
        assert_eq!(program(code).holds(&mut frame), Ok(expected), "{source}");
    }
}

#[test]
fn a_conditional_expression_that_gdb_compiled_takes_one_branch() {
    let code =
        "26000622100222cc16080219162022020716200e20002626000622100222c81608021721003426000622100222c01608021a164027";
    let mut frame = Frame::of_f();
    assert_eq!(program(code).evaluate(&mut frame, MAX_STEPS), Ok(Some(-5_i64 as u64)), "i % 2 ? uc : l");
    frame.store(BASE - 36, &3_i32.to_le_bytes());
    assert_eq!(program(code).evaluate(&mut frame, MAX_STEPS), Ok(Some(202)));
}

/// `dprintf f,"at %d %s %lx\n", i, str, l` with `set dprintf-style agent`.
const PRINT: &str = "26000622100222c01608021a164026000622100222b01608021a26000622100222cc160802191620220022003403000f
    617420256420257320256c785c6e0027";

#[test]
fn a_dprintf_that_gdb_compiled_prints_its_arguments_in_order() {
    let mut frame = Frame::of_f();
    assert_eq!(program(PRINT).evaluate(&mut frame, MAX_STEPS), Ok(None));
    assert_eq!(frame.printed, [(br"at %d %s %lx\n".to_vec(), std::vec![2, 0x6000, -5_i64 as u64])]);
    frame.prints = false;
    assert_eq!(program(PRINT).evaluate(&mut frame, MAX_STEPS), Err(Fault::Printf));
}

#[test]
fn what_the_target_lacks_is_a_fault() {
    assert_eq!(value("26 0063 27"), Err(Fault::Register(0x63)));
    assert_eq!(value("22 01 19 27"), Err(Fault::Memory { address: 1, length: 4 }));
    for division in ["05", "06", "07", "08"] {
        assert_eq!(value(&std::format!("22 01 22 00 {division} 27")), Err(Fault::DivisionByZero));
    }
}

#[test]
fn what_tracepoints_collect_is_refused_outside_of_one_and_variables_are_unknown() {
    for tracing in ["22 00 22 00 0c", "22 00 0d 04", "2e 0001", "22 00 22 00 2f", "22 00 30 0004"] {
        assert_eq!(value(&std::format!("{tracing} 27")), Err(Fault::NotTracing), "{tracing}");
    }
    for variable in ["2c 0101", "22 00 2d 0101"] {
        assert_eq!(value(&std::format!("{variable} 27")), Err(Fault::Variable(0x101)), "{variable}");
    }
}

/// Collects, and has variables below 256.
#[derive(Default)]
struct Collector {
    items: Vec<Item>,
    variables: BTreeMap<u16, u64>,
}

impl Target for Collector {
    fn register(&mut self, _: u16) -> Option<u64> {
        None
    }

    fn read_memory(&mut self, _: u64, _: &mut [u8]) -> bool {
        false
    }

    fn variable(&mut self, number: u16) -> Option<u64> {
        self.variables.get(&number).copied()
    }

    fn set_variable(&mut self, number: u16, value: u64) -> Option<()> {
        self.variables.get_mut(&number).map(|variable| *variable = value)
    }

    fn collect(&mut self, item: Item) -> Result<(), Fault> {
        self.items.push(item);
        Ok(())
    }
}

#[test]
fn tracepoints_collect_memory_strings_and_variables() {
    let mut collector = Collector { variables: BTreeMap::from([(1, 41)]), ..Collector::default() };
    let memory = |address, length| Item::Memory { address, length };
    for (code, left, item) in [
        ("22 10 22 04 0c 27", None, Some(memory(0x10, 4))),
        ("22 10 0d 08 27", Some(0x10), Some(memory(0x10, 8))),
        ("22 10 30 0200 27", Some(0x10), Some(memory(0x10, 0x200))),
        ("22 10 23 00c8 2f 27", None, Some(Item::String { address: 0x10, limit: 200 })),
        ("2c 0001 2e 0001 29 27", None, Some(Item::Variable(1))),
        ("2c 0001 22 01 02 2d 0001 27", Some(42), None),
        ("2c 0001 27", Some(42), None),
    ] {
        assert_eq!(program(code).evaluate(&mut collector, MAX_STEPS), Ok(left), "{code}");
        assert_eq!(collector.items.pop(), item, "{code}");
    }
}

#[test]
fn an_endless_loop_runs_out_of_steps() {
    assert_eq!(value("21 0000"), Err(Fault::Steps));
    assert_eq!(program("22 01 27").evaluate(&mut Frame::default(), 1), Err(Fault::Steps));
    assert_eq!(program("22 01 27").evaluate(&mut Frame::default(), 2), Ok(Some(1)));
}

#[test]
fn malformed_programs_are_refused_with_the_place() {
    assert_eq!(refusal(""), Invalid::NoEnd);
    assert_eq!(refusal("22 01"), Invalid::NoEnd);
    assert_eq!(refusal("28"), Invalid::StackUnderflow(0));
    assert_eq!(refusal("22 01 32 01 27"), Invalid::StackUnderflow(2));
    for cut in ["22", "23 01", "24 010203", "25 01020304050607", "26 00", "20 00", "16", "34 00", "34 00 0002 00", "0d"]
    {
        assert_eq!(refusal(cut), Invalid::Truncated(0), "{cut}");
    }
    for opcode in [0x00, 0x31, 0x35, 0xff] {
        assert_eq!(refusal(&std::format!("22 01 {opcode:02x}")), Invalid::UnknownOpcode { opcode, offset: 2 });
    }
    for opcode in ["01", "1b", "1c", "1d", "1e", "1f"] {
        assert_eq!(refusal(opcode), Invalid::FloatingPoint(0));
    }
    for bits in [0, 65, 255] {
        assert_eq!(refusal(&std::format!("22 01 16 {bits:02x} 27")), Invalid::Width { bits, offset: 2 });
        assert_eq!(refusal(&std::format!("22 01 2a {bits:02x} 27")), Invalid::Width { bits, offset: 2 });
    }
    assert_eq!(refusal("22 00 22 00 34 00 0000 27"), Invalid::Format(4));
    assert_eq!(refusal("22 00 22 00 34 00 0001 41 27"), Invalid::Format(4));
    assert_eq!(refusal("21 0002 27"), Invalid::Jump { offset: 0, target: 2 });
    assert_eq!(refusal("21 0004 27"), Invalid::Jump { offset: 0, target: 4 });
    assert_eq!(refusal("22 01 28 20 0000 27"), Invalid::StackHeight(0));
    assert_eq!(Program::parse(&[0x27; MAX_LENGTH + 1]), Err(Invalid::TooLong(MAX_LENGTH + 1)));
}

#[test]
fn the_stack_is_bounded() {
    let full = "22 01".repeat(MAX_STACK) + "27";
    assert_eq!(value(&full), Ok(Some(1)));
    let over = "22 01".repeat(MAX_STACK + 1) + "27";
    assert_eq!(refusal(&over), Invalid::StackOverflow(2 * MAX_STACK as u16));
}

#[test]
fn code_behind_the_end_is_only_decoded() {
    assert_eq!(value("22 05 27 29 29"), Ok(Some(5)));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        fuzzing::agent(&bytes);
    }

    #[test]
    fn bytes_that_are_mostly_opcodes_are_refused_or_end(
        bytes in proptest::collection::vec(prop_oneof![2 => 0_u8..0x35, 2 => Just(0x22), 1 => Just(0x27), 1 => any::<u8>()], 0..200)
    ) {
        fuzzing::agent(&bytes);
    }

    #[test]
    fn constants_and_operators_alone_always_give_a_value_or_divide_by_zero(
        operands in proptest::collection::vec((any::<u64>(), 0_usize..16), 1..30)
    ) {
        let operators = [2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0b, 0x0f, 0x10, 0x11, 0x13, 0x14, 0x15];
        let mut code = std::vec![0x22, 0x01];
        for (value, operator) in operands {
            code.push(0x25);
            code.extend(value.to_be_bytes());
            code.push(operators[operator]);
        }
        code.push(0x27);
        let program = Program::parse(&code).expect("a valid program");
        let result = program.evaluate(&mut Frame::default(), MAX_STEPS);
        prop_assert!(matches!(result, Ok(Some(_)) | Err(Fault::DivisionByZero)));
    }
}
