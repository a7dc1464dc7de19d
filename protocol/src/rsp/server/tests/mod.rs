//! Conversations in memory: what a client sends, and the answers it must get.

mod flow;
mod lldb;

use std::string::String;
use std::vec::Vec;

use super::*;
use crate::ids::{Pid, ThreadId, Tid};
use crate::rsp::memory;
use crate::rsp::packet::emit;
use crate::rsp::resume::{Action, ThreadAction};
use crate::rsp::signal::Signal;
use crate::rsp::stop::{Reason, Stop};
use crate::rsp::{file, process, query, registers, resume, settings, thread, transfer};

const THREAD: ThreadId = id(0x10, 0x1f);
const OTHER: ThreadId = id(0x10, 0x20);

const fn id(pid: i32, tid: i32) -> ThreadId {
    ThreadId { pid: Pid::new(pid).expect("positive"), tid: Tid::new(tid).expect("positive") }
}

const fn stop(thread: ThreadId) -> Event<'static> {
    Event::Stopped(Stop {
        thread,
        signal: Signal::TRAP,
        reason: Reason::Signal,
        registers: &[],
        core: None,
        surroundings: None,
    })
}

/// A server that has announced everything and does not acknowledge.
fn connected() -> Server {
    let mut server = Server::new(Config::default());
    let features = "qSupported:multiprocess+;swbreak+;hwbreak+;no-resumed+;error-message+";
    assert!(ask(&mut server, features).starts_with("+$PacketSize=40000;"));
    assert_eq!(ask(&mut server, "QStartNoAckMode"), "+$OK#9a");
    server
}

fn framed(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    emit(&mut out, |out| out.extend_from_slice(body.as_bytes()));
    out
}

fn feed(server: &mut Server, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let buffer = server.receive_buffer();
        let count = bytes.len().min(buffer.len());
        assert!(count > 0, "no room for more");
        buffer[..count].copy_from_slice(&bytes[..count]);
        server.received(count);
        bytes = &bytes[count..];
    }
}

/// Everything that the server has to send, which is thereby sent.
fn sent(server: &mut Server) -> String {
    let text = String::from_utf8_lossy(server.transmit()).into_owned();
    server.transmitted(server.transmit().len());
    text
}

/// Sends a packet that the machine answers itself.
fn ask(server: &mut Server, body: &str) -> String {
    feed(server, &framed(body));
    assert!(server.poll_request().is_none(), "{body} came out of the machine");
    sent(server)
}

/// Sends a packet, answers it with `reply`, and gives back the body of what the client gets.
fn exchange(server: &mut Server, body: &str, reply: impl FnOnce(Exchange<'_>)) -> String {
    feed(server, &framed(body));
    reply(server.poll_request().unwrap_or_else(|| panic!("{body} stayed in the machine")));
    assert!(server.poll_request().is_none());
    let text = sent(server);
    match text.strip_prefix('$').and_then(|text| text.rsplit_once('#')) {
        Some((body, _)) => body.into(),
        None => text,
    }
}

#[test]
fn a_session_from_connect_to_exit() {
    let mut server = connected();
    assert_eq!(exchange(&mut server, "!", |it| it.reply.ok()), "OK");
    assert_eq!(exchange(&mut server, "?", |it| it.reply.exited()), "W00");
    assert_eq!(ask(&mut server, "vMustReplyEmpty"), "$#00");
    assert_eq!(ask(&mut server, "vCont?"), "$vCont;c;C;s;S;t;r#be");
    let text = exchange(&mut server, "vRun;2f61;2d78", |it| {
        let Request::Process(process::Request::Run { program, arguments }) = it.request else { panic!() };
        assert_eq!(program, b"/a");
        assert!(arguments.iter().eq([b"-x"]));
        it.reply.event(&stop(THREAD));
    });
    assert_eq!(text, "T05thread:p10.1f;");
    let text = exchange(&mut server, "g", |it| {
        assert_eq!(it.thread, THREAD.into());
        assert_eq!(it.request, Request::Registers(registers::Request::ReadAll));
        it.reply.registers(&[0x12, 0, 0, 0, 0, 0x34]);
    });
    assert_eq!(text, "120*\"0034");
    assert_eq!(exchange(&mut server, "vCont;s:p10.1f;c", |it| it.reply.defer()), "");
    assert!(server.is_stop_reply_due());
    server.handle_event(&stop(OTHER));
    assert!(sent(&mut server).starts_with("$T05thread:p10.20;#"));
    assert_eq!(exchange(&mut server, "c", |it| it.reply.defer()), "");
    server.console(b"hi");
    assert_eq!(sent(&mut server), "$O6869#2c");
    server.handle_event(&Event::Exited { pid: THREAD.pid, status: 3 });
    assert!(sent(&mut server).starts_with("$W03;process:10#"));
    assert!(
        exchange(&mut server, "qC", |it| {
            assert_eq!(it.thread, ThreadSelector::ANY);
            it.reply.error(1, "no process");
        })
        .starts_with("E.no process")
    );
}

#[test]
fn every_answer_has_its_form() {
    let mut server = connected();
    let s = &mut server;
    assert_eq!(exchange(s, "m10,4", |it| it.reply.memory(&[1, 0xab])), "01ab");
    assert_eq!(exchange(s, "x10,4", |it| it.reply.memory(b"a#b")), "ba}\u{3}b");
    assert_eq!(exchange(s, "qC", |it| it.reply.current_thread(THREAD)), "QCp10.1f");
    assert_eq!(exchange(s, "qAttached:10", |it| it.reply.attached(true)), "1");
    assert_eq!(exchange(s, "qSearch:memory:0;10;ab", |it| it.reply.search(Some(0x1f))), "1,1f");
    assert_eq!(exchange(s, "qSearch:memory:0;10;ab", |it| it.reply.search(None)), "0");
    assert_eq!(exchange(s, "qCRC:0,10", |it| it.reply.crc(0xcbf4_3926)), "Ccbf43926");
    assert_eq!(exchange(s, "qGetTLSAddr:p10.1f,8,0", |it| it.reply.tls_address(0x7f00)), "7f00");
    assert_eq!(exchange(s, "qSymbol::", |it| it.reply.symbol_lookup(b"nptl")), "qSymbol:6e70746c");
    assert_eq!(exchange(s, "qXfer:siginfo:write::0:abc", |it| it.reply.written(0x10)), "10");
    assert_eq!(exchange(s, "vFile:open:2f,0,0", |it| it.reply.file(10, None)), "Fa");
    assert_eq!(exchange(s, "vFile:pread:a,10,0", |it| it.reply.file(2, Some(b"a*"))), "F2;a}\n");
    assert_eq!(exchange(s, "vFile:unlink:2f", |it| it.reply.file_error(13)), "F-1,d");
    assert_eq!(exchange(s, "vFile:unlink:2f", |it| it.reply.error(13, "permission denied")), "F-1,d");
    assert_eq!(exchange(s, "qThreadExtraInfo,p10.1f", |it| it.reply.text("idle")), "69646c65");
    assert_eq!(exchange(s, "qRcmd,68", |it| it.reply.text("")), "OK");
    assert_eq!(exchange(s, "p6", |it| it.reply.register_parts([RegisterPart::Unavailable(2)])), "xxxx");
    assert_eq!(exchange(s, "Z0,10,1", |it| it.reply.unsupported()), "");
    let console = exchange(s, "qRcmd,68656c70", |mut it| {
        assert_eq!(it.request, Request::Query(query::Request::Monitor(b"help")));
        it.reply.console(b"a\n");
        it.reply.ok();
    });
    assert!(console.starts_with("O610a#") && console.ends_with("$OK"), "{console}");
}

#[test]
fn an_object_is_cut_to_what_was_asked_for() {
    let mut server = connected();
    for (range, expected) in [("0,3", "mabc"), ("3,2", "mde"), ("3,3", "lde}\u{3}"), ("6,10", "l"), ("9,1", "l")] {
        let body = std::format!("qXfer:features:read:target.xml:{range}");
        assert_eq!(exchange(&mut server, &body, |it| it.reply.object(b"abcde#")), expected, "{range}");
    }
}

#[test]
fn lengths_are_lowered_to_what_a_packet_holds() {
    let mut server = connected();
    exchange(&mut server, "m0,ffffffffffffffff", |it| {
        let Request::Memory(memory::Request::Read { length, .. }) = it.request else { panic!() };
        assert_eq!(length, 0x2_0000);
        it.reply.ok();
    });
    exchange(&mut server, "vFile:pread:1,ffffffff,0", |it| {
        let Request::File(file::Request::Pread { count, .. }) = it.request else { panic!() };
        assert_eq!(count, 0x4_0000 - 4);
        it.reply.ok();
    });
    exchange(&mut server, "qXfer:auxv:read::0,ffffffff", |it| {
        let Request::Transfer(transfer::Request::Read { length, .. }) = it.request else { panic!() };
        assert_eq!(length, 0x4_0000 - 4);
        it.reply.ok();
    });
}

#[test]
fn errors_are_written_as_the_client_reads_them() {
    let text = "no such process: 5 #1";
    let mut plain = Server::new(Config::default());
    ask(&mut plain, "qSupported");
    ask(&mut plain, "QStartNoAckMode");
    assert_eq!(exchange(&mut plain, "m0,1", |it| it.reply.error(14, text)), "E0e");
    assert_eq!(exchange(&mut plain, "vAttach;5", |it| it.reply.error(3, text)), "E.no such process: 5 ?1");
    let monitor = exchange(&mut plain, "qRcmd,68", |it| it.reply.error(1, "no"));
    assert!(monitor.starts_with("O6e6f#") && monitor.ends_with("$E01"), "{monitor}");
    assert_eq!(ask(&mut plain, "QEnableErrorStrings"), "$OK#9a");
    assert_eq!(exchange(&mut plain, "vAttach;5", |it| it.reply.error(3, "no")), "E03;6e6f");
    let mut modern = connected();
    assert_eq!(exchange(&mut modern, "m0,1", |it| it.reply.error(14, "no\nmemory")), "E.no memory");
    assert_eq!(exchange(&mut modern, "qRcmd,68", |it| it.reply.error(1, "no")), "E.no");
    assert_eq!(exchange(&mut modern, "m0,1", |it| it.reply.error(14, &"ééé".repeat(1 << 20))).len(), 2 + 1024);
}

#[test]
fn malformed_packets_get_an_error_and_unknown_ones_nothing() {
    let mut server = connected();
    assert_eq!(ask(&mut server, "m0"), "$E.malformed memory read packet#37");
    assert_eq!(ask(&mut server, "Hgx"), "$E.malformed thread packet#5a");
    assert_eq!(ask(&mut server, ""), "$#00");
    assert_eq!(ask(&mut server, "qTSTMat:0"), "$#00");
    let mut plain = Server::new(Config::default());
    assert_eq!(ask(&mut plain, "vCont;"), "+$E16#ac");
}

#[test]
fn what_is_switched_off_is_unknown() {
    let capabilities =
        Capabilities::ALL.without(Capability::NonStop).without(Capability::OsData).without(Capability::NoAck);
    let mut server = Server::new(Config { capabilities, ..Config::default() });
    assert_eq!(ask(&mut server, "QNonStop:1"), "+$#00");
    assert_eq!(ask(&mut server, "qXfer:osdata:read::0,10"), "+$#00");
    assert_eq!(ask(&mut server, "QStartNoAckMode"), "+$#00");
    assert!(!server.is_no_ack());
}

#[test]
fn a_choice_of_threads_counts_once_the_engine_agrees() {
    let mut server = connected();
    let select = |thread| Request::Thread(thread::Request::Select { scope: thread::Scope::General, thread });
    exchange(&mut server, "Hgp10.1f", |it| {
        assert_eq!(it.request, select(THREAD.into()));
        it.reply.error(3, "no such thread");
    });
    exchange(&mut server, "Hgp10.0", |it| {
        assert_eq!(it.thread, ThreadSelector::ANY);
        it.reply.selected(OTHER);
    });
    exchange(&mut server, "Hg0", |it| {
        assert_eq!(it.thread, OTHER.into());
        it.reply.ok();
    });
    exchange(&mut server, "Hcp10.1f", |it| it.reply.ok());
    exchange(&mut server, "s", |it| {
        assert_eq!(it.thread, OTHER.into());
        let Request::Resume(resume::Request::Resume { actions, .. }) = it.request else { panic!() };
        let step = ThreadAction { action: Action::Step(None), thread: THREAD.into() };
        assert_eq!(actions.iter().collect::<Vec<_>>(), [step]);
        it.reply.defer();
    });
    server.handle_event(&stop(THREAD));
    sent(&mut server);
    exchange(&mut server, "D;10", |it| {
        assert_eq!(it.thread, THREAD.into());
        it.reply.ok();
    });
    exchange(&mut server, "?", |it| {
        assert_eq!(it.thread, ThreadSelector::ANY);
        it.reply.exited();
    });
}

#[test]
fn an_interrupt_and_a_kill_have_no_answer() {
    let mut server = connected();
    for bytes in [b"\x03".to_vec(), framed("k"), framed("R00")] {
        feed(&mut server, &bytes);
        server.poll_request().unwrap().reply.ok();
        assert_eq!(sent(&mut server), "");
    }
    assert_eq!(exchange(&mut server, "vCtrlC", |it| it.reply.ok()), "OK");
}

#[test]
fn a_stop_without_a_resume_is_not_written() {
    let mut server = connected();
    server.handle_event(&stop(THREAD));
    assert_eq!(sent(&mut server), "");
    let mut plain = Server::new(Config::default());
    feed(&mut plain, &framed("c"));
    plain.poll_request().unwrap().reply.defer();
    plain.handle_event(&Event::NoResumed);
    assert_eq!(sent(&mut plain), "+");
    plain.handle_event(&stop(THREAD));
    assert_eq!(sent(&mut plain), "$T05thread:1f;#3d");
}

#[test]
fn a_long_list_of_threads_is_split() {
    let mut server = connected();
    let threads: Vec<ThreadId> = (1..=30_000).map(|tid| id(0x7fff_ffff, tid)).collect();
    let mut text = exchange(&mut server, "qfThreadInfo", |it| it.reply.threads(threads.iter().copied()));
    let mut listed = Vec::new();
    while let Some(part) = text.strip_prefix('m') {
        assert!(part.len() < 0x4_0000);
        listed.extend(part.split(',').map(|id| ThreadSelector::parse(id.as_bytes()).unwrap().0));
        let packet = ask(&mut server, "qsThreadInfo");
        text = packet[1..packet.len() - 3].into();
    }
    assert_eq!(text, "l");
    assert!(listed.into_iter().eq(threads.into_iter().map(ThreadSelector::from)));
}

#[test]
fn non_stop_announces_the_first_stop_and_hands_out_the_others() {
    let mut server = connected();
    assert_eq!(exchange(&mut server, "QNonStop:1", |it| it.reply.ok()), "OK");
    assert!(server.is_non_stop());
    assert_eq!(exchange(&mut server, "vCont;c", |it| it.reply.defer()), "OK");
    server.push_event(&stop(THREAD));
    server.push_event(&stop(OTHER));
    assert!(sent(&mut server).starts_with("%Stop:T05thread:p10.1f;#"));
    assert!(ask(&mut server, "vStopped").starts_with("$T05thread:p10.20;#"));
    assert_eq!(ask(&mut server, "vStopped"), "$OK#9a");
    assert_eq!(ask(&mut server, "vStopped"), "$OK#9a");
    let status = exchange(&mut server, "?", |it| it.reply.events([stop(OTHER), stop(THREAD)]));
    assert_eq!(status, "T05thread:p10.20;");
    server.push_event(&stop(id(0x11, 0x11)));
    assert_eq!(exchange(&mut server, "D;10", |it| it.reply.ok()), "OK");
    assert!(ask(&mut server, "vStopped").starts_with("$T05thread:p11.11;#"));
    assert_eq!(ask(&mut server, "vStopped"), "$OK#9a");
    assert_eq!(exchange(&mut server, "QNonStop:0", |it| it.reply.ok()), "OK");
    assert!(!server.is_non_stop());
}

#[test]
fn stops_that_nobody_fetches_end_the_session() {
    let mut server = connected();
    while server.violation().is_none() {
        server.push_event(&stop(THREAD));
    }
    assert_eq!(server.violation(), Some(Violation::UnfetchedStops));
    assert!(server.poll_request().is_none());
}

#[test]
fn settings_reach_the_engine_decoded() {
    let mut server = connected();
    exchange(&mut server, "QSetWorkingDir:2f746d70", |it| {
        assert_eq!(it.request, Request::Setting(settings::Request::WorkingDirectory(b"/tmp")));
        it.reply.ok();
    });
}

#[test]
fn a_gdb_that_drops_error_texts_is_told_by_a_notification_why_it_may_not_attach() {
    let mut server = Server::new(Config::default());
    ask(&mut server, "qSupported:multiprocess+");
    ask(&mut server, "QStartNoAckMode");
    let refuse = |exchange: Exchange<'_>| exchange.reply.error(3, "no such process");
    assert_eq!(exchange(&mut server, "vAttach;10", refuse), "E.no such process");
    assert_eq!(ask(&mut server, "vMustReplyEmpty"), "$#00");
    let told = exchange(&mut server, "vAttach;10", refuse);
    assert!(told.starts_with("%Stop:X\nAttaching to process 16 failed: no such process#"), "{told}");
    let told = exchange(&mut server, "vRun;2f62", refuse);
    assert!(told.starts_with("%Stop:X\nRunning the program on the remote target failed: no such process#"), "{told}");
    let told = exchange(&mut server, "vRun;", refuse);
    assert!(told.starts_with("%Stop:X\nRunning the default executable on the remote target failed; "), "{told}");
    assert_eq!(exchange(&mut server, "vKill;10", refuse), "E.no such process");
}
