//! Some answer to any request.

use super::super::breakpoint::Kind;
use super::super::platform::{HostInfo, Identity, Module, ProcessInfo};
use super::super::request::Request;
use super::super::server::{RegisterPart, Reply};
use super::super::signal::Signal;
use super::super::stop::{Event, Reason, Stop, Surroundings};
use super::super::thread::ThreadInfo;
use super::super::{memory, platform, process, query, resume, thread};
use crate::ids::{Pid, ThreadId, Tid};
use crate::limits::MIN_PACKET;
use alloc::vec::Vec;

/// The longest answer in bytes, with everything in it escaped, and console text before it.
pub(super) const MOST: usize = 16 * MIN_PACKET;

/// Answers `request`, with what `choice` says where that depends on nothing else. `due`: a resume waits for its answer.
pub(super) fn answer(mut reply: Reply<'_>, request: &Request<'_>, choice: u8, due: bool) {
    let resumes = matches!(request, Request::Resume(resume::Request::Resume { .. }));
    let arrives = matches!(request, Request::Process(process::Request::Attach(_) | process::Request::Run { .. }));
    match (choice % 4, request) {
        (0, _) if resumes && !due => reply.defer(),
        (1, _) if arrives && !due => reply.defer(),
        (0, _) if arrives => reply.event(&event(choice / 4)),
        (0 | 1, Request::Process(process::Request::Status)) => {
            reply.events([event(choice), event(choice.wrapping_add(1))]);
        }
        (2, Request::Process(process::Request::Status)) => reply.exited(),
        (0, Request::Thread(thread::Request::List)) => reply.threads([thread(choice); 200]),
        (1, Request::Thread(thread::Request::List)) => reply.threads([]),
        (0 | 1, Request::Memory(memory::Request::Read { length, .. })) => {
            reply.memory(&[b'#'; MIN_PACKET][..*length as usize]);
        }
        (0, Request::Query(query::Request::Monitor(_))) => {
            reply.console(&[b'x'; 3 * MIN_PACKET]);
            reply.hex(b"");
        }
        (0 | 1, Request::Platform(request)) => answer_platform(reply, request, choice / 4),
        (0, Request::Transfer(_)) => reply.object(&[b'}'; 3000]),
        _ => answer_with_anything(reply, choice / 4),
    }
}

fn answer_platform(reply: Reply<'_>, request: &platform::Request<'_>, choice: u8) {
    let module = || Module { identity: Identity::Md5([choice; 16]), triple: "x", path: b"/}#".to_vec(), size: 1 };
    match request {
        platform::Request::Modules(json) => match platform::ModuleName::list(json) {
            Ok(names) => reply.modules(&names.iter().map(|_| module()).collect::<Vec<_>>()),
            Err(error) => reply.error(22, &alloc::format!("{error}")),
        },
        platform::Request::HostInfo => reply.host_info(&HostInfo {
            triple: "x",
            pointer_size: 8,
            distribution: Vec::new(),
            os_version: b"1".to_vec(),
            os_build: Vec::new(),
            os_kernel: Vec::new(),
            host_name: b"#".to_vec(),
        }),
        platform::Request::NextProcess | platform::Request::Process(_) | platform::Request::Processes(_) => {
            reply.process_info(&ProcessInfo {
                pid: thread(choice).pid,
                parent: 0,
                user: 0,
                group: 0,
                effective_user: 0,
                effective_group: 0,
                triple: Some("x"),
                executable: b"/#".to_vec(),
                arguments: [b"#".to_vec(), Vec::new()].into(),
            });
        }
        _ => match choice % 6 {
            0 => reply.module(&module()),
            1 => reply.launched_server(thread(choice).pid, 1, b"/#"),
            2 => reply.paths([&b"/#"[..]; 20]),
            3 => reply.shell(if choice.is_multiple_of(2) { Ok(choice) } else { Err(choice) }, &[b'#'; 300]),
            4 => reply.system_result(choice.into()),
            _ => reply.file_digest(choice.is_multiple_of(2).then_some([choice; 16])),
        },
    }
}

/// Fitting or not.
fn answer_with_anything(reply: Reply<'_>, choice: u8) {
    let bytes = [choice; 70];
    match choice % 20 {
        0 => reply.ok(),
        1 => reply.unsupported(),
        2 => reply.error(choice, "no $#*} can\nbe sent as it is"),
        3 => reply.memory(&bytes),
        4 => reply.register_parts([RegisterPart::Known(&[0; 99]), RegisterPart::Unavailable(3)]),
        5 => reply.text("text"),
        6 => reply.object(&bytes),
        7 => reply.written(choice.into()),
        8 => reply.current_thread(thread(choice)),
        9 => reply.search(Some(choice.into())),
        10 => reply.file(70, Some(&bytes)),
        11 => reply.file_error(choice.into()),
        12 => reply.symbol_lookup(&bytes),
        13 => reply.selected(thread(choice)),
        14 => reply.crc(choice.into()),
        15 => reply.memory_ranges(&[1, 69], &bytes),
        16 => reply.address(choice.into()),
        17 => reply.thread_infos(&[INFO]),
        18 => reply.launch_failed("no $#*}"),
        _ => reply.attached(true),
    }
}

fn thread(choice: u8) -> ThreadId {
    let id = i32::from(choice) + 1;
    ThreadId { pid: Pid::new(id / 16 + 1).expect("positive"), tid: Tid::new(id).expect("positive") }
}

const REGISTERS: [(u32, &[u8]); 1] = [(6, b"\0\x01")];

const INFO: ThreadInfo<'_> = ThreadInfo {
    thread: ThreadId { pid: Pid::new(1).expect("positive"), tid: Tid::new(1).expect("positive") },
    name: b"\"",
    registers: &REGISTERS,
    stop: None,
};

/// What LLDB is told of every stop.
const SURROUNDINGS: Surroundings<'_> = Surroundings { name: b"a;b", threads: &[], memory: &[(1, b"x")] };

/// Some event.
pub(super) fn event(choice: u8) -> Event<'static> {
    let thread = thread(choice);
    let stop = |reason| {
        let signal = Signal(choice);
        let (registers, surroundings) = (&REGISTERS[..], Some(&SURROUNDINGS));
        Event::Stopped(Stop { thread, signal, reason, registers, core: Some(1), surroundings })
    };
    match choice % 8 {
        0 => Event::Exited { pid: thread.pid, status: choice },
        1 => Event::Signaled { pid: thread.pid, signal: Signal::KILL },
        2 => Event::NoResumed,
        3 => Event::ThreadExited { thread, status: 0 },
        4 => stop(Reason::Exec { path: b"/bin/true" }),
        5 => stop(Reason::Fork(thread)),
        6 => stop(Reason::Watchpoint { kind: Kind::ReadWatch, address: 1 << (choice % 64), register: choice % 4 }),
        _ => stop(Reason::SoftwareBreakpoint),
    }
}
