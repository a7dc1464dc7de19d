//! Whole conversations.

use std::vec::Vec;

use super::*;
use crate::rsp::server::Capabilities;
use crate::rsp::signal::Signal;
use crate::rsp::{memory, process, registers, resume, settings, stop, thread};

const STOP: stop::Event<'static> = stop::Event::Stopped(stop::Stop {
    thread: THREAD,
    signal: Signal::TRAP,
    reason: stop::Reason::SoftwareBreakpoint,
    registers: &[(0x10, &[1, 2, 3, 4])],
    core: Some(2),
    surroundings: None,
});

fn resume_all() -> Request<'static> {
    let actions = resume::Actions::parse(b"c").expect("it is an action");
    resume::Request::Resume { actions, address: None }.into()
}

/// A program is started, looked at, and runs to its end.
fn session(pair: &mut Pair) {
    let arguments = process::Arguments::from_joined(Some(b"-x\0y"));
    let run = process::Request::Run { program: b"/bin/a b", arguments };
    pair.ask(
        &run.into(),
        |it| {
            assert_eq!(it.request, run.into());
            it.reply.event(&STOP);
        },
        |reply| {
            let Reply::Event(Event::Stopped(stop)) = reply else { panic!("{reply:?}") };
            assert_eq!((stop.thread, stop.register(0x10), stop.core), (THREAD, Some(&[1, 2, 3, 4][..]), Some(2)));
            assert_eq!(stop.reason, Reason::SoftwareBreakpoint);
        },
    );
    pair.ask(
        &registers::Request::ReadAll.into(),
        |it| it.reply.registers(&[7; 300]),
        |reply| {
            let Reply::Registers(registers) = reply else { panic!("{reply:?}") };
            assert_eq!(registers.values(), [7; 300]);
        },
    );
    let id = pair.client.request(&resume_all()).expect("it stands still");
    pair.carry(|it| it.reply.defer());
    assert!(pair.client.is_running());
    assert_eq!(pair.client.request(&registers::Request::ReadAll.into()), Err(Refused::Running));
    assert_eq!(pair.client.interrupt(), Ok(()));
    let mut interrupted = false;
    pair.carry(|it| {
        interrupted = it.request == resume::Request::Interrupt.into();
        it.reply.ok();
    });
    assert!(interrupted);
    pair.server.console(b"hello");
    pair.server.handle_event(&stop::Event::Exited { pid: THREAD.pid, status: 3 });
    pair.carry(|it| panic!("{:?}", it.request));
    assert_eq!(pair.client.poll(), Some(Output::Console(b"hello")));
    let reply = Reply::Event(Event::Exited { pid: THREAD.pid, status: 3 });
    assert_eq!(pair.client.poll(), Some(Output::Reply { request: id, reply }));
    assert!(!pair.client.is_running() && !pair.client.is_waiting());
    assert_eq!(pair.client.poll(), None);
}

#[test]
fn a_session_runs_to_its_end_in_pieces_of_any_size() {
    for piece in [1, 2, 7, 100_000] {
        session(&mut Pair::connected(Capabilities::ALL, piece));
        session(&mut Pair::connected(Capabilities::ALL.without(Capability::NoAck), piece));
    }
}

#[test]
fn many_requests_are_under_way_at_once_and_answered_in_order() {
    let mut pair = Pair::connected(Capabilities::ALL, 50);
    let read = |address| memory::Request::Read { address, length: 8, encoding: Encoding::Binary }.into();
    let ids: Vec<_> = (0..).map_while(|address| pair.client.request(&read(address)).ok()).collect();
    assert_eq!(ids.len(), crate::limits::MAX_PIPELINED);
    pair.carry(|it| {
        let Request::Memory(memory::Request::Read { address, .. }) = it.request else { panic!("{:?}", it.request) };
        it.reply.memory(&address.to_ne_bytes());
    });
    for (address, id) in ids.into_iter().enumerate() {
        let expected = address.to_ne_bytes();
        let reply = Reply::Memory(&expected);
        assert_eq!(pair.client.poll(), Some(Output::Reply { request: id, reply }));
    }
}

#[test]
fn nothing_follows_a_resume_or_a_list_of_threads() {
    let mut pair = Pair::connected(Capabilities::ALL, 50);
    assert!(pair.client.request(&registers::Request::ReadAll.into()).is_ok());
    assert!(pair.client.request(&thread::Request::List.into()).is_ok());
    assert_eq!(pair.client.request(&resume_all()), Err(Refused::Busy));
    pair.carry(|it| match it.request {
        Request::Thread(_) => it.reply.threads([THREAD]),
        _ => it.reply.registers(&[0; 8]),
    });
    assert!(matches!(pair.client.poll(), Some(Output::Reply { reply: Reply::Registers(_), .. })));
    assert_eq!(pair.client.poll(), None);
    assert_eq!(pair.client.request(&resume_all()), Err(Refused::Busy));
    pair.carry(|it| panic!("{:?}", it.request));
    assert!(matches!(pair.client.poll(), Some(Output::Reply { reply: Reply::Threads(_), .. })));
    assert!(pair.client.request(&resume_all()).is_ok());
    assert_eq!(pair.client.request(&resume_all()), Err(Refused::Running));
}

#[test]
fn what_the_server_would_not_take_is_not_sent() {
    let mut pair = Pair::connected(Capabilities::ALL, 1 << 20);
    let limit = pair.client.packet_size();
    let data = std::vec![0; limit];
    let write = memory::Request::Write { address: 0, data: &data }.into();
    assert_eq!(pair.client.request(&write), Err(Refused::TooLarge { length: limit + "X0,3fffc:".len(), limit }));
    assert_eq!(pair.client.request(&settings::Request::NonStop(true).into()), Err(Refused::NonStop));
    assert!(pair.client.transmit().is_empty() && !pair.client.is_waiting());
}

#[test]
fn requests_without_an_answer_are_waited_for_by_nobody() {
    let mut pair = Pair::connected(Capabilities::ALL, 50);
    assert!(pair.client.request(&process::Request::KillAll.into()).is_ok());
    assert!(!pair.client.is_waiting());
}

#[test]
fn requests_stop_when_nobody_sends_them() {
    let mut pair = Pair::connected(Capabilities::ALL, 50);
    let data = std::vec![0; 0x3_0000];
    let write = Request::from(memory::Request::Write { address: 0, data: &data });
    let taken = (0..99).take_while(|_| pair.client.request(&write).is_ok()).count();
    assert_eq!(taken, 3);
}
