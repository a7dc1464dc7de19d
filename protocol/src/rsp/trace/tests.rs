//! What GDB sends, and what it is answered.

use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::rsp::request::Request as Any;
use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

const PLACE: Place = Place { number: 1, address: 0x40_1136 };

fn emitted(emit: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    emit(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_tracepoint_of_gdb_is_read_with_its_actions() {
    let definition =
        Definition { place: PLACE, enabled: true, steps: 0, passes: 0, kind: Kind::Trap, condition: &[], more: true };
    parses(b"QTDP:1:0000000000401136:E:0:0-", &Request::Define(definition).into());
    let mut body = b"QTDP:1:401136:D:a:5:X4,22032b27".to_vec();
    let expected = Definition { enabled: false, steps: 10, passes: 5, condition: &[0x22, 3, 0x2b, 0x27], ..definition };
    let Ok(Some(Any::Trace(Request::Define(read)))) = Any::parse(&mut body) else { panic!("no definition") };
    assert_eq!(read, Definition { more: false, ..expected });

    let mut body = b"QTDP:-1:401136:SR03FFM-1,4040,8M6,ffffffffffffffec,4X3,22052f-".to_vec();
    let Ok(Some(Any::Trace(Request::AddActions { place, stepping: true, actions, more: true }))) =
        Any::parse(&mut body)
    else {
        panic!("no actions")
    };
    assert_eq!(place, PLACE);
    let expected = [
        Action::Registers(b"03FF"),
        Action::Memory { base: Base::Absolute, offset: 0x4040, length: 8 },
        Action::Memory { base: Base::Register(6), offset: -20_i64 as u64, length: 4 },
        Action::Expression(&[0x22, 5, 0x2f]),
    ];
    assert!(actions.iter().eq(expected));
    let absolute = Action::Memory { base: Base::Absolute, offset: 0, length: 1 };
    let mut body = b"QTDP:-1:401136:MFFFFFFFF,0,1".to_vec();
    let Ok(Some(Any::Trace(Request::AddActions { actions, .. }))) = Any::parse(&mut body) else { panic!("no actions") };
    assert!(actions.iter().eq([absolute]));
}

#[test]
fn other_kinds_of_tracepoints_are_told_apart() {
    for (body, kind) in [("QTDP:1:0:E:0:0:F5", Kind::Fast(5)), ("QTDP:1:0:E:0:0:S:X1,27", Kind::Static)] {
        let mut body = body.as_bytes().to_vec();
        let Ok(Some(Any::Trace(Request::Define(read)))) = Any::parse(&mut body) else { panic!("no definition") };
        assert_eq!(read.kind, kind);
    }
}

#[test]
fn what_is_broken_is_refused_and_what_is_new_unknown() {
    for body in [
        "QTDP:",
        "QTDP:1",
        "QTDP:1:0",
        "QTDP:1:0:X:0:0",
        "QTDP:1:0:E:0",
        "QTDP:1:0:E:0:0:X2,27",
        "QTDP:1:0:E:0:0junk",
        "QTDP:-1:0:Y",
        "QTDP:-1:0:R",
        "QTDP:-1:0:M1,2",
        "QTDP:-1:0:X5,00",
        "QTDP:-1:0:Xffffffffffffffff,",
        "QTDP:-1:0:M10000,0,1",
        "QTDP:100000000:0:E:0:0",
        "QTDPsrc:1:0:at:0",
        "QTDPsrc:1:0:at:0:4:zz",
        "QTDV:1:0:2:41",
        "QTDV:1",
        "QTFrame:",
        "QTFrame:pc:",
        "QTFrame:range:1",
        "QTBuffer:size:",
        "QTBuffer:circular:2",
        "QTEnable:1",
        "QTro:1",
        "QTro:1,2:",
        "QTNotes:user",
        "QTNotes:user:zz;",
        "qTP:1",
        "qTV:",
        "qTBuffer:0",
        "QTDisconnected:",
    ] {
        malformed(body.as_bytes());
    }
    for body in ["QTSave:2f", "qTMinFTILen", "QTBuffer:color:1", "QTinit2", "QT", "qTfSTM", "qTSTMat:1"] {
        unknown(body.as_bytes());
    }
    parses(b"QTFrame:ffffffff", &Request::Find(Find::None).into());
    parses(b"QTBuffer:size:-1", &Request::BufferSize(None).into());
}

fn places() -> impl Strategy<Value = Place> {
    (any::<u32>(), any::<u64>()).prop_map(|(number, address)| Place { number, address })
}

proptest! {
    #[test]
    fn every_request_reads_back_as_emitted(
        place in places(), numbers: (u64, u64), on: bool, text: Vec<u8>, kind in "[a-z]+", frame in 0..u32::MAX, user: Option<Vec<u8>>,
    ) {
        let (start, end) = numbers;
        let definition = Definition {
            place, enabled: on, steps: start, passes: end, kind: Kind::Trap, condition: &text, more: on,
        };
        let mut actions = Vec::new();
        let list = [
            Action::Registers(b"ff"),
            Action::Expression(&text),
            Action::Memory { base: Base::Register(frame as u16), offset: start, length: end },
            Action::Memory { base: Base::Absolute, offset: start, length: end },
        ];
        for action in &list {
            action.emit(&mut actions);
        }
        let actions = Actions::parse(&mut actions).unwrap();
        prop_assert!(actions.iter().eq(list));
        let mut ranges = emitted(|out| Request::Buffer { offset: start, length: end }.emit(out));
        let ranges = ranges.split_off(BUFFER.len());
        for request in [
            Request::AddActions { place, stepping: on, actions, more: on },
            Request::Buffer { offset: start, length: end },
            Request::BufferSize(on.then_some(start)),
            Request::Circular(on),
            Request::Define(definition),
            Request::Define(Definition { kind: Kind::Fast(start), ..definition }),
            Request::Define(Definition { kind: Kind::Static, ..definition }),
            Request::DefineVariable(Variable { number: frame, value: start, builtin: on, name: &text }),
            Request::Disconnected(on),
            Request::Enable { place, enable: on },
            Request::Find(Find::None),
            Request::Find(Find::Number(frame)),
            Request::Find(Find::Outside { start, end }),
            Request::Find(Find::ProgramCounter(start)),
            Request::Find(Find::Range { start, end }),
            Request::Find(Find::Tracepoint(frame)),
            Request::ListTracepoints { first: on },
            Request::ListVariables { first: on },
            Request::Notes(Notes { user: user.as_deref(), notes: Some(&text), stop: None }),
            Request::ReadOnly(Ranges::parse(ranges.as_bytes()).unwrap()),
            Request::Reset,
            Request::Source(Source { place, kind: kind.as_bytes(), start, length: end, text: &text }),
            Request::Start,
            Request::Status,
            Request::Stop,
            Request::TracepointStatus(place),
            Request::Value(frame),
        ] {
            round_trip(&request.into());
        }
    }
}

const STATUS: Status<'_> = Status {
    ended: None,
    frames: 2,
    created: 3,
    free: 0x100,
    size: 0x500,
    circular: true,
    disconnected: false,
    started: 0x10,
    stopped: 0,
    notes: Notes { user: Some(b"me"), notes: None, stop: Some(b"why") },
};

#[test]
fn the_status_says_whether_anything_is_traced_and_why_not() {
    let rest =
        ";tframes:2;tcreated:3;tfree:100;tsize:500;circular:1;disconn:0;starttime:10;stoptime:0;username:6d65;notes::";
    let text = |ended| emitted(|out| Status { ended, ..STATUS }.emit(out));
    assert_eq!(text(None), std::format!("T1{rest}"));
    for (ended, reason) in [
        (Ended::Disconnected, "tdisconnected:0"),
        (Ended::Error { text: "no", tracepoint: 17 }, "terror:6e6f:11"),
        (Ended::Full, "tfull:0"),
        (Ended::NotRun, "tnotrun:0"),
        (Ended::Passed(3), "tpasscount:3"),
        (Ended::Requested, "tstop:776879:0"),
    ] {
        assert_eq!(text(Some(ended)), std::format!("T0;{reason}{rest}"));
    }
}

#[test]
fn a_later_client_is_told_of_what_there_is() {
    let definition = Definition {
        place: PLACE,
        enabled: true,
        steps: 2,
        passes: 0,
        kind: Kind::Trap,
        condition: &[0x27],
        more: false,
    };
    for (piece, text) in [
        (Piece::Tracepoint(definition), "T1:401136:E:2:0:X1,27"),
        (Piece::Action { place: PLACE, stepping: true, text: b"R0" }, "S1:401136:R0"),
        (Piece::Action { place: PLACE, stepping: false, text: b"R0" }, "A1:401136:R0"),
        (Piece::Source(Source { place: PLACE, kind: b"at", start: 0, length: 1, text: b"f" }), "Z1:401136:at:0:1:66"),
        (Piece::Variable(Variable { number: 2, value: 1, builtin: false, name: b"n" }), "2:1:0:6e"),
    ] {
        assert_eq!(emitted(|out| piece.emit(out)), text);
    }
}
