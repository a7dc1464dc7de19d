//! Stop replies in LLDB's dialect: what happened goes by a `reason`, and what LLDB would ask next comes along.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::super::field;
use super::super::packet::hex;
use super::super::server::{Feature, Features};
use super::super::signal::Signal;
use super::super::thread::{ThreadInfo, put_thread};
use super::{Reason, Stop};
use crate::ids::ThreadId;

/// What a client that speaks LLDB's dialect is told with a stop, so that it need not ask.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Surroundings<'a> {
    /// The name of the stopped thread.
    pub name: &'a [u8],
    /// All threads of its process, with their program counters where these can be read.
    pub threads: &'a [(ThreadId, Option<u64>)],
    /// Memory that the client is about to ask for: address and content.
    pub memory: &'a [(u64, &'a [u8])],
}

/// What LLDB's JSON says of a thread.
#[derive(Debug, Serialize)]
struct ThreadEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Values in hex by the registers' numbers in decimal.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    registers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    tid: i32,
}

/// The body of a stop reply, which follows the letter and the signal.
pub(super) fn emit(stop: &Stop<'_>, surroundings: &Surroundings<'_>, out: &mut Vec<u8>, features: Features) {
    // LLDB 14 wants bare ids here, and has one process at a time; where it takes others it takes these too.
    out.extend_from_slice(b"thread:");
    put_thread(out, stop.thread, false);
    put_name(out, surroundings.name);
    if features.has(Feature::ThreadsInStops) {
        put_threads(stop, surroundings, out, features);
    }
    out.push(b';');
    super::put_registers(out, stop.registers);
    for (address, content) in surroundings.memory {
        out.extend_from_slice(b"memory:0x");
        field::put_number(out, *address);
        out.push(b'=');
        hex::encode(out, content);
        out.push(b';');
    }
    if let Some(name) = name(stop.signal, &stop.reason) {
        out.extend_from_slice(b"reason:");
        out.extend_from_slice(name.as_bytes());
        out.push(b';');
    }
    if let Some(text) = description(&stop.reason) {
        out.extend_from_slice(b"description:");
        hex::encode(out, text.as_bytes());
        out.push(b';');
    }
    if let Reason::Fork(child) | Reason::Vfork(child) = stop.reason {
        out.extend_from_slice(if matches!(stop.reason, Reason::Fork(_)) { b"fork:" } else { b"vfork:" });
        put_thread(out, child, true);
        out.push(b';');
    }
}

/// `;name:TEXT`, or in hex where the text would not get through.
fn put_name(out: &mut Vec<u8>, name: &[u8]) {
    if name.iter().all(|byte| byte.is_ascii_graphic() && !b"#$}*;:,".contains(byte) || *byte == b' ') {
        out.extend_from_slice(b";name:");
        out.extend_from_slice(name);
    } else {
        out.extend_from_slice(b";hexname:");
        hex::encode(out, name);
    }
}

/// `;threads:…;jstopinfo:…;thread-pcs:…`, of which LLDB wants the one in the middle where there are several.
fn put_threads(stop: &Stop<'_>, surroundings: &Surroundings<'_>, out: &mut Vec<u8>, features: Features) {
    let stopped = stop.thread;
    out.extend_from_slice(b";threads:");
    for (index, (thread, _)) in surroundings.threads.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        put_thread(out, *thread, false);
    }
    if surroundings.threads.len() > 1 {
        out.extend_from_slice(b";jstopinfo:");
        // Only threads that have a reason count; all others have none.
        let stop = Some((stop.signal, stop.reason));
        let info = ThreadInfo { thread: stopped, name: surroundings.name, registers: &[], stop };
        hex::encode(out, &threads(&[info], features));
    }
    out.extend_from_slice(b";thread-pcs:");
    for (index, (_, pc)) in surroundings.threads.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!("{:016x}", pc.unwrap_or_default()).as_bytes());
    }
}

/// What LLDB's JSON says of `threads`.
pub(crate) fn threads(threads: &[ThreadInfo<'_>], features: Features) -> Vec<u8> {
    let entry = |info: &ThreadInfo<'_>| {
        let stop = info.stop.and_then(|(signal, reason)| Some((signal, reason, name(signal, &reason)?)));
        ThreadEntry {
            description: stop.and_then(|(_, reason, _)| description(&reason)),
            name: String::from_utf8_lossy(info.name).into_owned(),
            reason: stop.map(|(.., name)| name),
            registers: info.registers.iter().map(|(number, value)| (number.to_string(), in_hex(value))).collect(),
            signal: stop.map(|(signal, ..)| features.numbering().write(signal)),
            tid: info.thread.tid.raw(),
        }
    };
    json(&threads.iter().map(entry).collect::<Vec<_>>())
}

fn in_hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(2 * bytes.len());
    hex::encode(&mut digits, bytes);
    String::from_utf8_lossy(&digits).into_owned()
}

/// `value` as JSON text.
fn json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("it has string keys only, and writing to memory does not fail")
}

/// LLDB's word for the reason; none for a thread that stopped because another one did.
fn name(signal: Signal, reason: &Reason<'_>) -> Option<&'static str> {
    Some(match reason {
        Reason::Exec { .. } => "exec",
        Reason::Fork(_) => "fork",
        Reason::HardwareBreakpoint | Reason::SoftwareBreakpoint => "breakpoint",
        Reason::Step => "trace",
        Reason::Vfork(_) => "vfork",
        Reason::VforkDone => "vforkdone",
        Reason::Watchpoint { .. } => "watchpoint",
        Reason::Signal if signal == Signal::NONE => return None,
        // What LLDB has no word for.
        Reason::Create | Reason::Library | Reason::Signal | Reason::SyscallEntry(_) | Reason::SyscallReturn(_) => {
            "signal"
        }
    })
}

/// What LLDB reads out of the description of a watchpoint: its address, and its place among the debug registers, which
/// LLDB shows.
fn description(reason: &Reason<'_>) -> Option<String> {
    match reason {
        Reason::Watchpoint { address, register, .. } => Some(format!("{address} {register}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::super::super::breakpoint::Kind;
    use super::super::Event;
    use super::*;
    use crate::ids::{Pid, Tid};

    fn id(pid: i32, tid: i32) -> ThreadId {
        ThreadId { pid: Pid::new(pid).unwrap(), tid: Tid::new(tid).unwrap() }
    }

    fn text(signal: Signal, reason: Reason<'_>, surroundings: Surroundings<'_>, features: Features) -> String {
        let registers: &[(u32, &[u8])] = &[(6, &[1, 2]), (0x10, &[0xff])];
        let thread = id(0x10, 0x1f);
        let surroundings = Some(&surroundings);
        let event = Event::Stopped(Stop { thread, signal, reason, registers, core: None, surroundings });
        let mut out = Vec::new();
        event.emit(&mut out, features);
        String::from_utf8(out).unwrap()
    }

    fn lldb() -> Features {
        Features::NONE.with(Feature::Lldb).with(Feature::Multiprocess)
    }

    #[test]
    fn a_stop_tells_what_lldb_asks_next() {
        let threads = [(id(0x10, 0x1f), Some(0x40_1000))];
        let surroundings = Surroundings { name: b"a b", threads: &threads, memory: &[(0x7ff0, &[1, 2])] };
        let listing = lldb().with(Feature::ThreadsInStops);
        assert_eq!(
            text(Signal::TRAP, Reason::SoftwareBreakpoint, surroundings, listing),
            "T05thread:1f;name:a b;threads:1f;thread-pcs:0000000000401000;06:0102;10:ff;memory:0x7ff0=0102;\
             reason:breakpoint;"
        );
        assert_eq!(
            text(Signal::USR1, Reason::Signal, Surroundings { name: b"x", ..surroundings }, lldb()),
            "T0athread:1f;name:x;06:0102;10:ff;memory:0x7ff0=0102;reason:signal;"
        );
    }

    #[test]
    fn of_several_threads_the_one_that_stopped_has_its_reason_in_json() {
        let threads = [(id(0x10, 0x1f), Some(1)), (id(0x10, 0x20), None)];
        let surroundings = Surroundings { name: b"\xffq", threads: &threads, memory: &[] };
        let text = text(Signal::SEGV, Reason::Signal, surroundings, lldb().with(Feature::ThreadsInStops));
        let json = text.split_once("jstopinfo:").and_then(|(_, rest)| rest.split_once(';')).unwrap().0;
        let mut json = json.to_string().into_bytes();
        let json = hex::decode_in_place(&mut json).unwrap();
        assert_eq!(json, "[{\"name\":\"\u{fffd}q\",\"reason\":\"signal\",\"signal\":11,\"tid\":31}]".as_bytes());
        assert!(text.starts_with("T0bthread:1f;hexname:ff71;threads:1f,20;"), "{text}");
        assert!(text.contains(";thread-pcs:0000000000000001,0000000000000000;"), "{text}");
    }

    #[test]
    fn threads_are_told_with_registers_and_only_one_with_a_reason() {
        let info = |thread, stop| ThreadInfo { thread, name: b"q\"", registers: &[(16, &[0xab, 1])], stop };
        let stopped = info(id(1, 1), Some((Signal::STOP, Reason::Signal)));
        let text = threads(&[stopped, info(id(1, 2), None)], lldb());
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "[{\"name\":\"q\\\"\",\"reason\":\"signal\",\"registers\":{\"16\":\"ab01\"},\"signal\":19,\"tid\":1},\
             {\"name\":\"q\\\"\",\"registers\":{\"16\":\"ab01\"},\"tid\":2}]"
        );
    }

    #[test]
    fn a_thread_that_stopped_with_another_has_no_reason() {
        let text = text(Signal::NONE, Reason::Signal, Surroundings::default(), lldb());
        assert_eq!(text, "T00thread:1f;name:;06:0102;10:ff;");
    }

    #[test]
    fn every_reason_has_a_word() {
        let watch = Reason::Watchpoint { kind: Kind::WriteWatch, address: 0x10, register: 2 };
        for (reason, end) in [
            (Reason::Exec { path: b"/a" }, "reason:exec;"),
            (Reason::Fork(id(2, 2)), "reason:fork;fork:p2.2;"),
            (Reason::HardwareBreakpoint, "reason:breakpoint;"),
            (Reason::Step, "reason:trace;"),
            (Reason::Vfork(id(2, 2)), "reason:vfork;vfork:p2.2;"),
            (Reason::VforkDone, "reason:vforkdone;"),
            (watch, "reason:watchpoint;description:31362032;"),
            (Reason::SyscallEntry(1), "reason:signal;"),
        ] {
            let text = text(Signal::TRAP, reason, Surroundings::default(), lldb());
            assert_eq!(text, format!("T05thread:1f;name:;06:0102;10:ff;{end}"));
        }
    }
}
