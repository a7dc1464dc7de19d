//! Bodies of fuzz targets; the unit tests run them on a few inputs, the fuzzer on many.

use alloc::vec::Vec;

use super::breakpoint::Kind;
use super::memory;
use super::packet::{Deframer, Frame, escape, hex, run_length};
use super::request::Request;
use super::server::{Config, Exchange, RegisterPart, Reply, Server};
use super::signal::Signal;
use super::stop::{Event, Reason, Stop};
use crate::ids::{Pid, ThreadId, Tid};
use crate::limits::{MAX_PACKET, MIN_PACKET, TRANSMIT_MARK};

/// Parses `data` as the body of a packet: a request that comes out of it comes out of its own packet again.
///
/// # Panics
/// If it does not, or if a decoder is not the inverse of its encoder.
pub fn packet(data: &[u8]) {
    let mut body = data.to_vec();
    if let Ok(Some(request)) = Request::parse(&mut body) {
        walk(&request);
        let mut emitted = Vec::new();
        request.emit(&mut emitted);
        assert_eq!(Request::parse(&mut emitted), Ok(Some(request)));
    }
    let mut text = Vec::new();
    escape::encode(&mut text, data);
    assert_eq!(escape::decode_in_place(&mut text).as_deref(), Some(data));
    text.clear();
    run_length::encode_hex(&mut text, data);
    let mut digits = Vec::new();
    assert!(run_length::expand(&mut digits, &text, 2 * data.len()));
    assert_eq!(hex::decode_in_place(&mut digits).as_deref(), Some(data));
}

/// Goes through the lists in a request.
fn walk(request: &Request<'_>) {
    use super::{breakpoint, process, resume, settings};
    match request {
        Request::Breakpoint(breakpoint::Request::Insert { conditions, commands, .. }) => {
            conditions.iter().chain(commands.iter()).for_each(drop);
        }
        Request::Process(process::Request::Run { arguments, .. }) => arguments.iter().for_each(drop),
        Request::Resume(resume::Request::Resume { actions, .. }) => assert!(actions.iter().next().is_some()),
        Request::Setting(settings::Request::CatchSyscalls(Some(list))) => list.iter().for_each(drop),
        Request::Setting(settings::Request::PassSignals(list)) => list.iter().for_each(drop),
        _ => {}
    }
}

/// A conversation: `data` is cut into steps of one byte that says what happens and, for those that bring bytes from
/// the client, the bytes.
///
/// # Panics
/// If what the server sends is no sequence of packets and acknowledgements, or if a buffer grows without bound.
pub fn server(data: &[u8]) {
    let mut server = Server::new(Config { packet_size: MIN_PACKET, ..Config::default() });
    let mut client = Deframer::new(4 * MAX_PACKET);
    let mut rest = data;
    while let Some((step, after)) = rest.split_first() {
        rest = after;
        match step {
            0..0xc0 => rest = receive(&mut server, rest, 1 + usize::from(*step)),
            0xc0..0xd0 => server.handle_event(&event(*step)),
            0xd0..0xe0 if server.is_non_stop() => server.push_event(&event(*step)),
            0xd0..0xe0 => server.console(&rest[..rest.len().min(3)]),
            0xe0..0xf0 => transmit(&mut server, &mut client, usize::from(*step)),
            _ => transmit(&mut server, &mut client, usize::MAX),
        }
        while let Some(Exchange { request, reply, .. }) = server.poll_request() {
            walk(&request);
            answer(reply, &request, *step);
        }
        assert!(server.transmit().len() <= TRANSMIT_MARK + 2 * MAX_PACKET + data.len() * 128);
        if server.violation().is_some() {
            return;
        }
    }
    transmit(&mut server, &mut client, usize::MAX);
}

/// The server receives up to `count` bytes; what is left of `bytes`.
fn receive<'a>(server: &mut Server, bytes: &'a [u8], count: usize) -> &'a [u8] {
    let buffer = server.receive_buffer();
    assert!(!buffer.is_empty());
    let count = count.min(bytes.len()).min(buffer.len());
    buffer[..count].copy_from_slice(&bytes[..count]);
    server.received(count);
    &bytes[count..]
}

/// The server sends up to `count` bytes, and the client looks at them.
fn transmit(server: &mut Server, client: &mut Deframer, count: usize) {
    let mut left = count.min(server.transmit().len());
    while left > 0 {
        let buffer = client.receive_buffer();
        let part = left.min(buffer.len());
        buffer[..part].copy_from_slice(&server.transmit()[..part]);
        client.received(part);
        server.transmitted(part);
        left -= part;
        for frame in client.frames() {
            match frame {
                Frame::Packet { body, checksum } => assert!(super::packet::is_intact(body, checksum)),
                Frame::Notification { body } => assert!(body.starts_with(b"Stop:")),
                Frame::Ack | Frame::Nack => {}
                Frame::Interrupt | Frame::Oversized => panic!("the server sent {frame:?}"),
            }
        }
    }
}

/// Some answer, fitting or not.
fn answer(mut reply: Reply<'_>, request: &Request<'_>, choice: u8) {
    let bytes = [choice; 70];
    let thread = thread(choice);
    match choice % 20 {
        0 => reply.ok(),
        1 => reply.unsupported(),
        2 => reply.error(choice, "no $#*} can\nbe sent as it is"),
        3 => match request {
            Request::Memory(memory::Request::Read { length, .. }) => {
                reply.memory(&[b'#'; MIN_PACKET][..*length as usize]);
            }
            _ => reply.memory(&bytes),
        },
        4 => reply.register_parts([RegisterPart::Known(&[0; 99]), RegisterPart::Unavailable(3)]),
        5 => reply.defer(),
        6 => reply.event(&event(choice)),
        7 => reply.events([event(choice), event(choice.wrapping_add(1))]),
        8 => reply.threads([thread; 200]),
        9 => reply.text("text"),
        10 => {
            reply.console(&[b'x'; 3 * MIN_PACKET]);
            reply.hex(b"");
        }
        11 => reply.object(&[b'}'; 3000]),
        12 => reply.written(choice.into()),
        13 => reply.current_thread(thread),
        14 => reply.search(Some(choice.into())),
        15 => reply.file(70, Some(&bytes)),
        16 => reply.file_error(choice.into()),
        17 => reply.symbol_lookup(&bytes),
        18 => reply.selected(thread),
        _ => reply.exited(),
    }
}

fn thread(choice: u8) -> ThreadId {
    let id = i32::from(choice) + 1;
    ThreadId { pid: Pid::new(id / 16 + 1).expect("positive"), tid: Tid::new(id).expect("positive") }
}

fn event(choice: u8) -> Event<'static> {
    let thread = thread(choice);
    let stop = |reason| {
        Event::Stopped(Stop { thread, signal: Signal(choice), reason, registers: &[(6, b"\0\x01")], core: Some(1) })
    };
    match choice % 8 {
        0 => Event::Exited { pid: thread.pid, status: choice },
        1 => Event::Signaled { pid: thread.pid, signal: Signal::KILL },
        2 => Event::NoResumed,
        3 => Event::ThreadExited { thread, status: 0 },
        4 => stop(Reason::Exec { path: b"/bin/true" }),
        5 => stop(Reason::Fork(thread)),
        6 => stop(Reason::Watchpoint { kind: Kind::ReadWatch, address: 1 << (choice % 64) }),
        _ => stop(Reason::SoftwareBreakpoint),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODIES: [&[u8]; 12] = [
        b"qSupported:multiprocess+;swbreak+;error-message+",
        b"vCont;s:p1.1;r401000,401010:p1.2;C0b:1;c",
        b"Z0,401000,1;X3,22002bX1,27;cmds:1,X2,3b27",
        b"vRun;2f62696e;;6162",
        b"X1000,3:a}\x03b",
        b"QCatchSyscalls:1;3b;1",
        b"QNonStop:1",
        b"?",
        b"vStopped",
        b"qXfer:features:read:target.xml:0,100",
        b"vFile:open:2f,0,1ff",
        b"qsThreadInfo",
    ];

    #[test]
    fn a_small_corpus_passes() {
        for (choice, body) in BODIES.iter().enumerate() {
            packet(body);
            let mut stream = Vec::new();
            for body in &BODIES[choice..] {
                let mut framed = Vec::new();
                crate::rsp::packet::emit(&mut framed, |out| out.extend_from_slice(body));
                framed.insert(0, framed.len() as u8 - 1);
                stream.extend_from_slice(&framed);
                stream.extend_from_slice(&[0xc0 + choice as u8, 0xd0 + choice as u8, 0xe0, 0xff]);
            }
            server(&stream);
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_parsers(
            start in prop::sample::select(&BODIES[..]), cut: prop::sample::Index, rest in "[-;:,.0-9a-zA-Z}+#*]*", noise: Vec<u8>,
        ) {
            let cut = cut.index(start.len() + 1);
            packet(&[&start[..cut], rest.as_bytes()].concat());
            packet(&[&start[..cut], &noise].concat());
        }

        #[test]
        fn no_conversation_breaks_the_machine(steps: Vec<(u8, prop::sample::Index, Vec<u8>)>) {
            let mut stream = Vec::new();
            for (step, body, noise) in steps {
                let mut framed = Vec::new();
                crate::rsp::packet::emit(&mut framed, |out| out.extend_from_slice(BODIES[body.index(BODIES.len())]));
                stream.push(framed.len() as u8 - 1);
                stream.extend_from_slice(&framed);
                stream.push(step);
                stream.extend_from_slice(&noise);
            }
            server(&stream);
        }
    }
}
