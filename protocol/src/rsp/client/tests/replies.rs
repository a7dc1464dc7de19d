//! Every answer of a server, read by a client.

use std::string::String;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::reply::Kind;
use super::*;
use crate::rsp::breakpoint;
use crate::rsp::server::{Capabilities, Capability, Features, RegisterPart};
use crate::rsp::signal::Signal;
use crate::rsp::thread::ThreadSelector;
use crate::rsp::transfer::Object;
use crate::rsp::{file, memory, process, query, registers, resume, settings, stop, thread, transfer};

fn pair() -> Pair {
    Pair::connected(Capabilities::ALL, usize::MAX)
}

/// Asks `first`'s server, where a second client stands that asks the second server, and compares what both clients say.
fn relayed(request: &Request<'_>, answer: impl FnOnce(Exchange<'_>), expected: &Reply<'_>) {
    let (mut front, mut back) = (pair(), pair());
    let mut answer = Some(answer);
    front.ask(
        request,
        |exchange| {
            let Exchange { request, reply, .. } = exchange;
            back.ask(&request, answer.take().expect("asked once"), |answered| {
                assert_eq!(answered, *expected);
                answered.relay(reply);
            });
        },
        |reply| assert_eq!(reply, *expected),
    );
}

fn some_events() -> impl Strategy<Value = Event> {
    let thread = || (1..=i32::MAX, 1..=i32::MAX).prop_map(|(pid, tid)| id(pid, tid));
    let kind = prop::sample::select(vec![
        breakpoint::Kind::WriteWatch,
        breakpoint::Kind::ReadWatch,
        breakpoint::Kind::AccessWatch,
    ]);
    let reason = prop_oneof![
        Just(Reason::Create),
        any::<Vec<u8>>().prop_map(|path| Reason::Exec { path }),
        thread().prop_map(Reason::Fork),
        Just(Reason::HardwareBreakpoint),
        Just(Reason::Library),
        Just(Reason::Signal),
        Just(Reason::SoftwareBreakpoint),
        any::<i64>().prop_map(Reason::SyscallEntry),
        any::<i64>().prop_map(Reason::SyscallReturn),
        thread().prop_map(Reason::Vfork),
        Just(Reason::VforkDone),
        (kind, any::<u64>()).prop_map(|(kind, address)| Reason::Watchpoint { kind, address }),
    ];
    let registers = prop::collection::vec((any::<u32>(), any::<Vec<u8>>()), 0..9);
    let stopped = (thread(), any::<u8>(), reason, registers, any::<Option<u32>>()).prop_map(
        |(thread, signal, reason, registers, core)| {
            Event::Stopped(Stop { thread, signal: Signal(signal), reason, registers, core })
        },
    );
    prop_oneof![
        Just(Event::NoResumed),
        (thread(), any::<u8>()).prop_map(|(thread, status)| Event::Exited { pid: thread.pid, status }),
        (thread(), any::<u8>())
            .prop_map(|(thread, signal)| Event::Signaled { pid: thread.pid, signal: Signal(signal) }),
        (thread(), any::<u8>()).prop_map(|(thread, status)| Event::ThreadExited { thread, status }),
        stopped,
    ]
}

proptest! {
    #[test]
    fn every_event_reads_back_as_emitted(event in some_events()) {
        let mut body = Vec::new();
        event.lend(|event| event.emit(&mut body, Features::ALL.without(Feature::Lldb)));
        prop_assert_eq!(Event::parse(&body, None), Some(event));
    }

    #[test]
    fn bytes_come_back_from_every_answer_that_has_them(bytes in prop::collection::vec(any::<u8>(), 1..2000), offset in 0u64..9) {
        for encoding in [Encoding::Hex, Encoding::Binary] {
            let read = memory::Request::Read { address: 1, length: 2000, encoding }.into();
            relayed(&read, |it| it.reply.memory(&bytes), &Reply::Memory(&bytes));
        }
        let monitor = query::Request::Monitor(b"x").into();
        relayed(&monitor, |it| it.reply.hex(&bytes), &Reply::Text(&bytes));
        let pread = file::Request::Pread { fd: 3, count: 2000, offset }.into();
        let expected = Reply::File { result: bytes.len() as u64, attachment: Some(&bytes) };
        relayed(&pread, |it| it.reply.file(bytes.len() as i64, Some(&bytes)), &expected);
        let symbol = query::Request::Symbol { value: None, name: b"" }.into();
        relayed(&symbol, |it| it.reply.symbol_lookup(&bytes), &Reply::Symbol(&bytes));
        let (start, length) = (bytes.len().min(offset as usize), 5);
        let part = &bytes[start..bytes.len().min(start + length)];
        let read = transfer::Request::Read { object: Object::Auxv, annex: b"", offset, length: length as u64 };
        let last = start + length >= bytes.len();
        relayed(&read.into(), |it| it.reply.object(&bytes), &Reply::Object { data: part, last });
    }

    #[test]
    fn registers_come_back_with_their_gaps(parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), 0usize..20), 1..9)) {
        let mut text = Vec::new();
        let mut gaps = Vec::new();
        let mut length = 0;
        for (known, gap) in &parts {
            for byte in known {
                text.extend_from_slice(std::format!("{byte:02x}").as_bytes());
            }
            text.resize(text.len() + 2 * gap, b'x');
            length += known.len();
            if *gap > 0 {
                gaps.push(length..length + gap);
            }
            length += gap;
        }
        let expected = Registers::parse(&mut text).unwrap();
        prop_assert_eq!(expected.gaps(), &gaps[..]);
        prop_assert_eq!(expected.get(0..1), Some(&parts[0].0[..1]));
        if let Some(gap) = gaps.first() {
            prop_assert_eq!(expected.get(gap.start - 1..gap.end), None);
        }
        let answer = parts.iter().flat_map(|(known, gap)| [RegisterPart::Known(known), RegisterPart::Unavailable(*gap)]);
        let request = registers::Request::ReadAll.into();
        relayed(&request, |it| it.reply.register_parts(answer), &Reply::Registers(expected));
    }
}

#[test]
fn every_other_answer_is_read_and_goes_through_two_machines() {
    let read = |object| Request::from(transfer::Request::Read { object, annex: b"", offset: 0, length: 99 });
    let search = Request::from(memory::Request::Search { address: 1, length: 2, pattern: b"a" });
    let fstat = Request::from(file::Request::Fstat { fd: 1 });
    relayed(&process::Request::WasAttached(None).into(), |it| it.reply.attached(true), &Reply::Attached(true));
    let checksum = memory::Request::Checksum { address: 1, length: 2 }.into();
    relayed(&checksum, |it| it.reply.crc(0xfedc_ba98), &Reply::Checksum(0xfedc_ba98));
    relayed(&search, |it| it.reply.search(Some(0x123)), &Reply::Found(Some(0x123)));
    relayed(&search, |it| it.reply.search(None), &Reply::Found(None));
    relayed(&fstat, |it| it.reply.file(0, None), &Reply::File { result: 0, attachment: None });
    relayed(&fstat, |it| it.reply.file_error(9999), &Reply::FileError(9999));
    relayed(&fstat, |it| it.reply.error(2, "lost on the way"), &Reply::FileError(2));
    let failure = Reply::Error(Failure { code: None, text: b"no such object" });
    relayed(&read(Object::OsData), |it| it.reply.error(2, "no such object"), &failure);
    relayed(&thread::Request::Current.into(), |it| it.reply.current_thread(THREAD), &Reply::Thread(THREAD));
    let tls = query::Request::TlsAddress { thread: THREAD.into(), offset: 1, link_map: 2 };
    relayed(&tls.into(), |it| it.reply.tls_address(u64::MAX), &Reply::Number(u64::MAX));
    relayed(&settings::Request::EnvironmentReset.into(), |it| it.reply.ok(), &Reply::Ok);
    relayed(&settings::Request::EnvironmentReset.into(), |it| it.reply.unsupported(), &Reply::Unsupported);
    relayed(&query::Request::Monitor(b"x").into(), |it| it.reply.hex(b""), &Reply::Text(b""));
    let exited = stop::Event::Exited { pid: THREAD.pid, status: 7 };
    let expected = Reply::Event(Event::Exited { pid: THREAD.pid, status: 7 });
    relayed(&process::Request::Status.into(), |it| it.reply.event(&exited), &expected);
}

#[test]
fn a_list_of_threads_comes_back_whole_however_many_packets_it_takes() {
    let threads: Vec<_> = (1..40_000).map(|tid| id(0x7fff_ffff, tid)).collect();
    let expected = Reply::Threads(threads.clone());
    relayed(&thread::Request::List.into(), |it| it.reply.threads(threads.iter().copied()), &expected);
    relayed(&thread::Request::List.into(), |it| it.reply.threads([]), &Reply::Threads(Vec::new()));
}

#[test]
fn each_form_of_error_is_told_from_data() {
    let parse = |kind, text: &str| {
        let mut body = text.as_bytes().to_vec();
        std::format!("{:?}", Reply::parse(kind, &mut body, None))
    };
    let hex = Kind::Memory(Encoding::Hex);
    let failure = |code, text: &[u8]| std::format!("{:?}", Reply::Error(Failure { code, text }));
    assert_eq!(parse(hex, "E0e"), failure(Some(14), b""));
    assert_eq!(parse(hex, "E0e;6e6f"), failure(Some(14), b"no"));
    assert_eq!(parse(hex, "E.no"), failure(None, b"no"));
    assert_eq!(parse(hex, "E0e1"), std::format!("{:?}", Reply::Memory(&[0xe0, 0xe1])));
    assert_eq!(parse(hex, "E0e;6"), "Malformed");
    assert_eq!(parse(Kind::File, "F-1"), std::format!("{:?}", Reply::FileError(9999)));
    for (kind, text) in [
        (hex, "123"),
        (hex, "OK"),
        (Kind::Memory(Encoding::Binary), "xabc"),
        (Kind::Object, "x"),
        (Kind::File, "F"),
        (Kind::File, "F1;}"),
        (Kind::File, "F-1,zz"),
        (Kind::Event, "T05thread"),
        (Kind::Event, "T0"),
        (Kind::Event, "T05thread:p0.0;"),
        (Kind::Event, "T05watch:q;"),
        (Kind::Event, "W100"),
        (Kind::Event, "W00;process:0"),
        (Kind::Event, "OK"),
        (Kind::Search, "1"),
        (Kind::Thread, "QC-1"),
        (Kind::Threads, "mx"),
        (Kind::Registers, "0x"),
        (Kind::Done, "yes"),
    ] {
        assert_eq!(parse(kind, text), "Malformed", "{kind:?} {text}");
    }
}

#[test]
fn what_a_server_leaves_out_is_filled_in() {
    let home = Pid::new(0x20);
    let stop = |body: &[u8], home| match Event::parse(body, home) {
        Some(Event::Stopped(stop)) => stop,
        other => panic!("{other:?}"),
    };
    assert_eq!(stop(b"S05", home).thread, id(0x20, 0x20));
    assert_eq!(stop(b"T05thread:21;", home).thread, id(0x20, 0x21));
    assert_eq!(stop(b"T05thread:21;", None).thread, id(0x21, 0x21));
    assert_eq!(stop(b"T05", None).thread, id(1, 1));
    assert_eq!(stop(b"T0506:xxxx;07:0102;unheard:of;", None).registers, [(7, vec![1, 2])]);
    assert_eq!(Event::parse(b"W0", home), Some(Event::Exited { pid: Pid::new(0x20).unwrap(), status: 0 }));
}

#[test]
fn a_write_goes_out_in_hex_once_binary_turned_out_to_be_unknown() {
    let mut pair = Pair::connected(Capabilities::ALL.without(Capability::NoAck), 3);
    let write = memory::Request::Write { address: 0x10, data: b"}#" }.into();
    pair.ask(&write, |it| it.reply.unsupported(), |reply| assert_eq!(reply, Reply::Unsupported));
    assert_eq!(pair.client.write_encoding(), Encoding::Hex);
    assert!(pair.client.request(&write).is_ok());
    assert!(String::from_utf8_lossy(pair.client.transmit()).contains("$M10,2:7d23#"));
    let select = thread::Request::Select { scope: thread::Scope::General, thread: ThreadSelector::ANY };
    assert_eq!(pair.client.request(&select.into()), Err(Refused::Busy));
    assert_eq!(pair.client.request(&resume::Request::Interrupt.into()), Err(Refused::Busy));
}
