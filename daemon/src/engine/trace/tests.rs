//! Tracepoints of a thread that is made up.

use super::*;
use dbgsrv_protocol::rsp::request::Request as Any;
use dbgsrv_protocol::rsp::trace::{Piece, Request, Variable};

const PLACE: Place = Place { number: 1, address: 0x1000 };

/// Registers count up; memory from 0x1000 to 0x2000 holds the low byte of its address, and "abc" at 0x1800.
struct Thread {
    pc: u64,
}

impl Probe for Thread {
    fn pc(&mut self) -> Option<u64> {
        Some(self.pc)
    }

    fn register(&mut self, number: u16) -> Option<u64> {
        (number < 17).then_some(0x1000 + u64::from(number))
    }

    fn registers(&mut self, out: &mut Vec<u8>) -> bool {
        out.extend([7; 16]);
        true
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> usize {
        let readable = (address..0x2000).take(if address < 0x1000 { 0 } else { buffer.len() });
        readable
            .zip(buffer)
            .map(|(address, byte)| match address {
                0x1800..0x1804 => *byte = b"abc\0"[(address - 0x1800) as usize],
                _ => *byte = address as u8,
            })
            .count()
    }
}

/// Does what packets say.
fn send(tracing: &mut Tracing, packets: &[&str]) {
    for packet in packets {
        let mut body = packet.as_bytes().to_vec();
        let Ok(Some(Any::Trace(request))) = Any::parse(&mut body) else { panic!("{packet}") };
        match request {
            Request::Define(definition) => tracing.define(definition).unwrap(),
            Request::AddActions { place, stepping, actions, more } => {
                tracing.add_actions(place, stepping, actions, more).unwrap();
            }
            Request::Source(source) => tracing.add_source(source).unwrap(),
            Request::DefineVariable(variable) => tracing.define_variable(variable).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn started(packets: &[&str]) -> Tracing {
    let mut tracing = Tracing::default();
    send(&mut tracing, packets);
    tracing.start();
    tracing
}

fn hit(tracing: &mut Tracing) -> Vec<Steps> {
    let mut steps = Vec::new();
    tracing.hit(PLACE.address, &mut Thread { pc: PLACE.address }, &mut steps);
    steps
}

fn blocks(tracing: &Tracing) -> Vec<Block<'_>> {
    tracing.frame().unwrap().blocks().collect()
}

#[test]
fn a_hit_collects_registers_memory_strings_and_variables() {
    let mut tracing = started(&[
        "QTDV:2:29:0:6e",
        "QTDP:1:1000:E:0:0-",
        // $n += 1, then $n; a string of up to 200 bytes at 0x1800.
        "QTDP:-1:1000:RffM-1,1010,4M2,fe,2-",
        "QTDP:-1:1000:Xb,2c00022201022d00022927X4,2e000227X7,23180022c82f27",
    ]);
    assert!(hit(&mut tracing).is_empty());
    assert_eq!(tracing.find(Find::Number(0)), Some((0, 1)));
    let expected = [
        Block::Registers(&[7; 16]),
        Block::Memory { address: 0x1010, bytes: &[0x10, 0x11, 0x12, 0x13] },
        Block::Memory { address: 0x1100, bytes: &[0, 1] },
        Block::Variable { number: 2, value: 0x2a },
        Block::Memory { address: 0x1800, bytes: b"abc\0" },
    ];
    assert_eq!(blocks(&tracing), expected);
    let frame = tracing.frame().unwrap();
    assert_eq!(frame.memory(0x1012), [0x12, 0x13]);
    assert!(frame.memory(0x1014).is_empty());
    assert_eq!(tracing.value(2), Some(0x2a));
    assert_eq!(tracing.value(3), None);
    // R and 16; M, 8, 2 and 4, 2, 4; V, 4 and 8; the head.
    let size = 6 + 17 + 3 * 11 + 10 + 13;
    assert_eq!(tracing.hits(PLACE).unwrap(), (1, size));
    let raw = tracing.raw(0, 1000);
    assert_eq!(raw.len() as u64, size);
    assert_eq!(raw[..7], [1, 0, size as u8 - 6, 0, 0, 0, b'R']);
    let pieces: Vec<u8> = (0..size).flat_map(|at| tracing.raw(at, 1)).collect();
    assert_eq!(pieces, raw);
    assert!(tracing.raw(size, 10).is_empty());
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let mut tracing = started(&["QTDP:1:1000:E:0:0-", "QTDP:-1:1000:M-1,1ffe,4M-1,0,4"]);
    hit(&mut tracing);
    tracing.find(Find::Number(0));
    assert_eq!(blocks(&tracing), [Block::Memory { address: 0x1ffe, bytes: &[0xfe, 0xff] }]);
    assert!(tracing.is_running());
}

#[test]
fn memory_that_is_longer_than_a_block_comes_in_several() {
    let mut recorder = frame::Recorder::new(0x4_0000);
    let all = |address: u64, buffer: &mut [u8]| {
        buffer.fill((address >> 8) as u8);
        buffer.len()
    };
    recorder.memory(0, 0x1_8000, all).unwrap();
    let frame = recorder.finish(1, 0);
    let lengths = frame.blocks().map(|block| match block {
        Block::Memory { address, bytes } => (address, bytes.len()),
        other => panic!("{other:?}"),
    });
    assert!(lengths.eq([(0, 0xffff), (0xffff, 0x8001)]));
}

#[test]
fn a_false_condition_is_no_hit_and_one_that_faults_ends_tracing() {
    let mut tracing = started(&["QTDP:1:1000:E:0:0:X3,220027"]);
    hit(&mut tracing);
    assert_eq!(tracing.hits(PLACE).unwrap(), (0, 0));
    let mut tracing = started(&["QTDP:1:1000:E:0:0:X6,220122000527"]);
    hit(&mut tracing);
    assert!(!tracing.is_running());
    let expected = Ended::Error { text: "division by zero", tracepoint: 1 };
    assert_eq!(tracing.status().ended, Some(expected));
}

#[test]
fn tracing_ends_after_as_many_hits_as_were_asked_for() {
    let mut tracing = started(&["QTDP:1:1000:E:0:2"]);
    for _ in 0..3 {
        hit(&mut tracing);
    }
    assert_eq!(tracing.status().ended, Some(Ended::Passed(1)));
    assert_eq!(tracing.status().frames, 2);
}

#[test]
fn a_tracepoint_that_is_off_or_not_complete_collects_nothing() {
    let mut tracing = started(&["QTDP:1:1000:D:0:0"]);
    send(&mut tracing, &["QTDP:2:1000:E:0:0-"]);
    hit(&mut tracing);
    assert_eq!(tracing.status().frames, 0);
    tracing.enable(PLACE, true).unwrap();
    hit(&mut tracing);
    assert_eq!(tracing.hits(PLACE).unwrap(), (1, 6));
    assert!(tracing.enable(Place { number: 3, ..PLACE }, true).is_err());
}

#[test]
fn actions_that_were_announced_and_never_came_are_not_waited_for() {
    let mut tracing = started(&["QTDP:1:1000:E:0:0-"]);
    send(&mut tracing, &["QTDP:2:1000:E:0:0-", "QTDPsrc:2:1000:cmd:0:4:6d61696e"]);
    hit(&mut tracing);
    assert_eq!(tracing.status().frames, 2);
}

#[test]
fn steps_collect_until_they_are_used_up() {
    let mut tracing = started(&["QTDP:1:1000:E:3:0-", "QTDP:-1:1000:Rff-", "QTDP:-1:1000:SM-1,1000,1"]);
    let mut steps = hit(&mut tracing);
    assert_eq!(steps.iter().map(|step| step.left).collect::<Vec<_>>(), [3]);
    for pc in 0x1004..0x1007 {
        assert!(!steps.is_empty());
        tracing.stepped(&mut steps, &mut Thread { pc });
    }
    assert!(steps.is_empty());
    let pcs: Vec<_> = (0..4)
        .map(|number| {
            tracing.find(Find::Number(number)).unwrap();
            (tracing.frame().unwrap().pc, tracing.frame().unwrap().registers().is_some())
        })
        .collect();
    assert_eq!(pcs, [(0x1000, true), (0x1004, false), (0x1005, false), (0x1006, false)]);
}

#[test]
fn a_full_buffer_ends_tracing_or_drops_the_oldest() {
    let packets = ["QTDP:1:1000:E:0:0-", "QTDP:-1:1000:M-1,1000,64"];
    for circular in [false, true] {
        let mut tracing = Tracing::default();
        send(&mut tracing, &packets);
        tracing.set_buffer_size(Some(300)).unwrap();
        tracing.set_circular(circular);
        tracing.start();
        for _ in 0..5 {
            hit(&mut tracing);
        }
        let status = tracing.status();
        assert_eq!((status.frames, status.ended), (2, (!circular).then_some(Ended::Full)));
        assert_eq!(status.created, if circular { 5 } else { 2 });
    }
}

#[test]
fn collecting_more_than_the_buffer_holds_fills_it() {
    let mut tracing = Tracing::default();
    send(&mut tracing, &["QTDP:1:1000:E:0:0-", "QTDP:-1:1000:M-1,1000,1000"]);
    tracing.set_buffer_size(Some(300)).unwrap();
    tracing.start();
    hit(&mut tracing);
    assert_eq!(tracing.status().ended, Some(Ended::Full));
}

#[test]
fn frames_are_found_by_what_they_are() {
    let mut tracing = started(&["QTDP:1:1000:E:0:0", "QTDP:2:1000:E:0:0"]);
    for pc in [0x1000, 0x2000] {
        tracing.hit(PLACE.address, &mut Thread { pc }, &mut Vec::new());
    }
    assert_eq!(tracing.find(Find::Tracepoint(2)), Some((1, 2)));
    assert_eq!(tracing.find(Find::Tracepoint(2)), Some((3, 2)));
    assert_eq!(tracing.find(Find::Tracepoint(2)), None);
    assert_eq!(tracing.find(Find::None), None);
    assert!(tracing.frame().is_none());
    assert_eq!(tracing.find(Find::ProgramCounter(0x2000)), Some((2, 1)));
    assert_eq!(tracing.find(Find::ProgramCounter(0x1000)), None);
    assert_eq!(tracing.find(Find::Number(0)), Some((0, 1)));
    assert_eq!(tracing.find(Find::Outside { start: 0, end: 0x1fff }), Some((2, 1)));
    tracing.find(Find::None);
    assert_eq!(tracing.find(Find::Range { start: 0x1001, end: 0x2000 }), Some((2, 1)));
    assert_eq!(tracing.find(Find::Number(4)), None);
}

#[test]
fn a_later_client_is_told_of_everything() {
    let mut tracing = Tracing::default();
    send(
        &mut tracing,
        &["QTDP:1:1000:E:1:0:X1,27-", "QTDP:-1:1000:R3f-", "QTDP:-1:1000:SM-1,10,4", "QTDPsrc:1:1000:at:0:1:66"],
    );
    let mut kinds = Vec::new();
    let mut first = true;
    while let Some(piece) = tracing.list_tracepoints(std::mem::take(&mut first)) {
        kinds.push(match piece {
            Piece::Tracepoint(definition) => format!("{:?}", definition.condition),
            Piece::Action { stepping, text, .. } => format!("{stepping} {}", text.escape_ascii()),
            Piece::Source(source) => format!("{}", source.text.escape_ascii()),
            Piece::Variable(_) => panic!("a variable"),
        });
    }
    assert_eq!(kinds, ["[39]", "false R3f", "true M-1,10,4", "f"]);
    let timestamp = Variable { number: 1, value: 0, builtin: true, name: b"trace_timestamp" };
    assert_eq!(tracing.list_variables(true), Some(Piece::Variable(timestamp)));
    assert_eq!(tracing.list_variables(false), None);
    assert!(tracing.value(1).is_some_and(|time| time > 1_500_000_000_000_000));
}

#[test]
fn what_needs_an_agent_in_the_program_is_refused() {
    let mut body = b"QTDP:1:1000:E:0:0:F5".to_vec();
    let Ok(Some(Any::Trace(Request::Define(definition)))) = Any::parse(&mut body) else { panic!("no definition") };
    assert!(matches!(Tracing::default().define(definition), Err(Error::Unsupported)));
}

#[test]
fn definitions_are_bounded() {
    let mut tracing = Tracing::default();
    let mut defined = 0;
    let refusal = loop {
        let mut body = format!("QTDP:{defined:x}:0:E:0:0").into_bytes();
        let Ok(Some(Any::Trace(Request::Define(definition)))) = Any::parse(&mut body) else { panic!("no definition") };
        if let Err(error) = tracing.define(definition) {
            break error;
        }
        defined += 1;
    };
    assert!(matches!(refusal, Error::TooMany(_)));
    assert_eq!(defined, MAX_TRACEPOINTS);
    tracing.reset();
    assert_eq!(tracing.addresses().count(), 0);
}
