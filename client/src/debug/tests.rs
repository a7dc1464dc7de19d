//! Sessions with a server in memory, whose answers the test chooses.

use std::collections::VecDeque;
use std::time::Duration;

use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::limits::MAX_REPLY;
use dbgsrv_protocol::rsp::description::{self as served, X86Features};
use dbgsrv_protocol::rsp::packet::{Deframer, Frame, emit};
use dbgsrv_protocol::rsp::request::Request;
use dbgsrv_protocol::rsp::server::{Capabilities, Capability, Config, Exchange, Server};
use dbgsrv_protocol::rsp::{file, memory, process, registers, resume, stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const THREAD: ThreadId = ThreadId { pid: Pid::new(7).expect("positive"), tid: Tid::new(8).expect("positive") };

/// A session, and a task that answers its requests.
async fn session(
    capabilities: Capabilities,
    mut answer: impl FnMut(Exchange<'_>) -> Option<stop::Event<'static>> + Send + 'static,
) -> DebugSession<DuplexStream> {
    // Small, so that both sides have to wait for each other.
    let (near, mut far) = duplex(1000);
    tokio::spawn(async move {
        let mut server = Server::new(Config { packet_size: 0x1000, capabilities });
        loop {
            while let Some(exchange) = server.poll_request() {
                if let Some(event) = answer(exchange) {
                    server.handle_event(&event);
                }
            }
            while !server.transmit().is_empty() {
                let Ok(count) = far.write(server.transmit()).await else { return };
                server.transmitted(count);
            }
            match far.read(server.receive_buffer()).await {
                Ok(0) | Err(_) => return,
                Ok(count) => server.received(count),
            }
        }
    });
    DebugSession::new(near).await.expect("the server is ours")
}

/// 20,000 bytes of memory at address 1,000, and a file with the same.
fn content() -> Vec<u8> {
    (0..20_000_u32).map(|index| (index * 7 >> 3) as u8).collect()
}

fn part(address: u64, length: u64) -> Option<Vec<u8>> {
    let content = content();
    let start = usize::try_from(address).ok()?;
    let rest = content.get(start..)?;
    Some(rest[..rest.len().min(length as usize)].to_vec())
}

/// Answers for a target of that content; `short` bytes at most at a time.
fn target(short: u64) -> impl FnMut(Exchange<'_>) -> Option<stop::Event<'static>> {
    move |Exchange { request, reply, .. }| {
        match request {
            Request::Memory(memory::Request::Read { address, length, .. }) => {
                match address.checked_sub(1000).and_then(|start| part(start, length.min(short))) {
                    Some(bytes) if !bytes.is_empty() => reply.memory(&bytes),
                    _ => reply.error(14, "no memory is mapped there"),
                }
            }
            Request::File(file::Request::Open { .. }) => reply.file(3, None),
            Request::File(file::Request::Pread { offset, count, .. }) => {
                let bytes = part(offset, count.min(short)).unwrap_or_default();
                reply.file(bytes.len() as i64, Some(&bytes));
            }
            Request::File(file::Request::Pwrite { offset, data, .. }) => {
                assert_eq!(part(offset, data.len() as u64).as_deref(), Some(data));
                reply.file((data.len() as u64).min(short) as i64, None);
            }
            Request::File(file::Request::Close { .. }) => reply.file(0, None),
            Request::Resume(resume::Request::Resume { .. }) => reply.defer(),
            Request::Resume(resume::Request::Interrupt) => {
                reply.ok();
                return Some(stop::Event::Exited { pid: THREAD.pid, status: 1 });
            }
            Request::Process(process::Request::ExtendedMode) => reply.ok(),
            _ => reply.unsupported(),
        }
        None
    }
}

fn capabilities() -> [Capabilities; 2] {
    [Capabilities::ALL, Capabilities::ALL.without(Capability::NoAck).without(Capability::BinaryUpload)]
}

#[tokio::test]
async fn memory_and_files_come_whole_however_short_the_answers_are() {
    for capabilities in capabilities() {
        for short in [u64::MAX, 700] {
            let mut session = session(capabilities, target(short)).await;
            let mut bytes = vec![0; 20_010];
            assert_eq!(session.read_memory(1000, &mut bytes).await.expect("it is mapped"), 20_000);
            assert!(bytes[..20_000] == content());
            let refused = session.read_memory(999, &mut bytes).await;
            assert!(matches!(&refused, Err(DebugError::Target(error)) if error.text == "no memory is mapped there"));
            bytes.fill(0);
            let mut file = session.open("/a", flags::READ_WRITE, 0).await.expect("the server opens anything");
            assert_eq!(file.read_at(0, &mut bytes).await.expect("it is readable"), 20_000);
            assert!(bytes[..20_000] == content());
            file.write_at(0, &content()).await.expect("it is writable");
            file.close().await.expect("it is open");
        }
    }
}

#[tokio::test]
async fn dropped_futures_leave_the_session_as_it_was() {
    for capabilities in capabilities() {
        let mut session = session(capabilities, target(u64::MAX)).await;
        for polls in 0..30 {
            let mut bytes = vec![0; 20_000];
            {
                let mut file = session.open("/a", flags::READ, 0).await.expect("the server opens anything");
                let mut reading = Box::pin(file.read_at(0, &mut bytes));
                for _ in 0..polls {
                    tokio::select! {
                        biased;
                        _ = &mut reading => break,
                        () = tokio::task::yield_now() => {}
                    }
                }
            }
            assert_eq!(session.read_memory(1000, &mut bytes).await.expect("it is mapped"), 20_000);
            assert!(bytes == content());
        }
    }
}

#[tokio::test]
async fn an_event_is_not_lost_with_the_future_that_waited_for_it() {
    let mut session = session(Capabilities::ALL, target(u64::MAX)).await;
    assert!(matches!(session.wait_event().await, Err(DebugError::NotRunning)));
    session.resume_all().await.expect("it is stopped");
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(1), session.wait_event()).await.is_err());
    }
    assert!(matches!(session.monitor("help").await, Err(DebugError::Running)));
    session.interrupt().await.expect("it runs");
    assert_eq!(session.wait_event().await.expect("it ran"), Event::Exited { pid: THREAD.pid, status: 1 });
    assert!(matches!(session.monitor("help").await, Err(DebugError::Unsupported("qRcmd"))));
}

#[tokio::test]
async fn registers_have_the_names_of_our_descriptions() {
    for features in [X86Features::default(), X86Features { avx: true, avx512: true, pkru: true }] {
        for description in [served::Description::x86_64(features), served::Description::i386(features)] {
            let expected = description.clone();
            let answer = move |Exchange { request, reply, .. }: Exchange<'_>| {
                match request {
                    Request::Transfer(_) => reply.object(description.to_xml().as_bytes()),
                    Request::Registers(registers::Request::ReadAll) => {
                        let values: Vec<u8> = (0..description.packet_len()).map(|at| at as u8).collect();
                        reply.registers(&values);
                    }
                    Request::Registers(_) => reply.unsupported(),
                    _ => reply.ok(),
                }
                None
            };
            let mut session = session(Capabilities::ALL, answer).await;
            let registers = session.registers(THREAD).await.expect("there is a thread");
            assert_eq!(registers.description().architecture, expected.architecture);
            assert_eq!(registers.iter().count(), expected.registers.len());
            for register in &expected.registers {
                let value: Vec<u8> = (register.offset..register.offset + register.bytes()).map(|at| at as u8).collect();
                assert_eq!(registers.get(&register.name), Some(&value[..]), "{}", register.name);
                assert_eq!(session.register(THREAD, &register.name).await.expect("it is there"), value);
            }
        }
    }
}

/// A session with a server that answers one packet after the other with these, and closes the connection at the next.
async fn scripted(answers: &[&str]) -> Result<DebugSession<DuplexStream>, DebugError> {
    let (near, mut far) = duplex(1 << 20);
    let mut answers: VecDeque<_> = answers.iter().map(|&answer| answer.to_owned()).collect();
    tokio::spawn(async move {
        let mut deframer = Deframer::new(MAX_REPLY);
        while let Ok(count @ 1..) = far.read(deframer.receive_buffer()).await {
            deframer.received(count);
            let mut said = Vec::new();
            let packets = deframer.frames().filter(|frame| matches!(frame, Frame::Packet { .. })).count();
            for _ in 0..packets {
                let Some(answer) = answers.pop_front() else { return };
                emit(&mut said, |out| out.extend_from_slice(answer.as_bytes()));
            }
            if far.write_all(&said).await.is_err() {
                return;
            }
        }
    });
    DebugSession::new(near).await
}

const GREETING: [&str; 4] = ["PacketSize=1000;QStartNoAckMode+", "OK", "OK", "vCont;c"];

async fn description(documents: &[&str]) -> Result<Arc<Description>, DebugError> {
    let mut answers = GREETING.map(String::from).to_vec();
    answers.push("OK".into());
    answers.extend(documents.iter().map(|document| format!("l{document}")));
    let answers: Vec<_> = answers.iter().map(String::as_str).collect();
    scripted(&answers).await?.description(THREAD).await
}

#[tokio::test]
async fn a_description_in_parts_is_put_together_in_its_order() {
    let description = description(&[
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target xmlns:xi=\"http://www.w3.org/2001/XInclude\">\
         <architecture>i386</architecture><xi:include href=\"core.xml\"/><feature name=\"b\">\
         <reg name=\"k\" bitsize=\"16\"/><reg name=\"first\" bitsize=\"8\" regnum=\"0\"/></feature></target>",
        "<feature name=\"a\"><reg name=\"eax\" bitsize=\"32\" type=\"int32\" regnum=\"1\"/></feature>",
    ])
    .await
    .expect("it is one");
    let places: Vec<_> = description.registers.iter().map(|it| (&*it.name, it.number, it.offset)).collect();
    assert_eq!(places, [("first", 0, 0), ("eax", 1, 1), ("k", 2, 5)]);
    assert_eq!(description.architecture, "i386");
}

#[tokio::test]
async fn descriptions_that_are_none_are_refused() {
    let itself = ["<target><include href=\"target.xml\"/></target>"; 65];
    for documents in [
        &["<target>"][..],
        &["<target><reg name=\"a\"/></target>"],
        &["<target><reg name=\"a\" bitsize=\"0\"/></target>"],
        &["<target><reg name=\"a\" bitsize=\"99999999\"/></target>"],
        &["<target><reg name=\"a\" bitsize=\"8\" regnum=\"1\"/><reg name=\"b\" bitsize=\"8\" regnum=\"1\"/></target>"],
        &["<target><include/></target>"],
        &itself,
    ] {
        let result = description(documents).await;
        assert!(matches!(result, Err(DebugError::Description(_))), "{:?}: {result:?}", documents[0]);
    }
}

#[tokio::test]
async fn a_server_that_ends_or_breaks_the_protocol_ends_the_session() {
    assert!(matches!(scripted(&[]).await, Err(DebugError::Closed)));
    let mut session = scripted(&GREETING).await.expect("it greets");
    assert!(matches!(session.threads().await, Err(DebugError::Closed)));
    let oversized = "0* ".repeat(300_000);
    let mut session = scripted(&[&GREETING[..], &[&oversized]].concat()).await.expect("it greets");
    assert!(matches!(session.threads().await, Err(DebugError::Violation(_))));
}
