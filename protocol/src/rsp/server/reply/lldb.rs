//! Answers to what only LLDB asks of a session.

use alloc::format;

use super::error::put_text;
use super::{Reply, escape, field, hex, memory};
use crate::limits::MAX_ERROR_TEXT;
use crate::rsp::description::Register;
use crate::rsp::process::ProcessInfo;
use crate::rsp::stop::{Event, lldb};
use crate::rsp::thread::ThreadInfo;

impl Reply<'_> {
    /// In answer to `qMemoryRegionInfo`.
    pub fn memory_region(self, region: &memory::Region<'_>) {
        self.send(|out| {
            out.extend_from_slice(b"start:");
            field::put_number(out, region.start);
            out.extend_from_slice(b";size:");
            field::put_number(out, region.size);
            out.push(b';');
            if let Some(permissions) = region.permissions {
                out.extend_from_slice(b"permissions:");
                permissions.emit(out);
                out.push(b';');
            }
            if !region.name.is_empty() {
                out.extend_from_slice(b"name:");
                hex::encode(out, region.name);
                out.push(b';');
            }
        });
    }

    /// In answer to `MultiMemRead`: how many bytes of each range could be read, and these.
    pub fn memory_ranges(self, lengths: &[usize], bytes: &[u8]) {
        self.send(|out| {
            for (index, length) in lengths.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                field::put_number(out, *length as u64);
            }
            out.push(b';');
            escape::encode(out, bytes);
        });
    }

    /// Where something is: in answer to `_M`, `qFileLoadAddress`, `qShlibInfoAddr`.
    pub fn address(self, address: u64) {
        self.send(|out| out.extend_from_slice(format!("{address:016x}").as_bytes()));
    }

    /// In answer to `QSaveRegisterState`.
    pub fn saved(self, number: u32) {
        self.send(|out| out.extend_from_slice(format!("{number}").as_bytes()));
    }

    /// In answer to `qWatchpointSupportInfo`.
    pub fn watchpoints(self, count: usize) {
        self.send(|out| out.extend_from_slice(format!("num:{count};").as_bytes()));
    }

    /// In answer to `qThreadStopInfo`. The chosen thread stays.
    pub fn stop_info(self, event: &Event<'_>) {
        let (features, capabilities) = (self.state.features, self.state.capabilities);
        self.send(|out| event.emit_within(out, features, capabilities));
    }

    /// In answer to `qRegisterInfo`.
    pub fn register_info(self, register: &Register) {
        self.send(|out| out.extend_from_slice(register.to_lldb().as_bytes()));
    }

    /// In answer to `jThreadsInfo`.
    pub fn thread_infos(self, threads: &[ThreadInfo<'_>]) {
        let features = self.features();
        self.send(|out| escape::encode(out, &lldb::threads(threads, features)));
    }

    /// In answer to `qProcessInfo`.
    pub fn debuggee(self, info: &ProcessInfo<'_>) {
        let ProcessInfo { pid, parent, users, groups, triple, system, byte_order, pointer_size } = *info;
        self.send(|out| {
            let numbers = [
                ("pid", pid.raw().cast_unsigned()),
                ("parent-pid", parent),
                ("real-uid", users[0]),
                ("real-gid", groups[0]),
                ("effective-uid", users[1]),
                ("effective-gid", groups[1]),
            ];
            for (name, number) in numbers {
                out.extend_from_slice(format!("{name}:{number:x};").as_bytes());
            }
            out.extend_from_slice(b"triple:");
            hex::encode(out, triple.as_bytes());
            let rest = format!(";ostype:{system};endian:{byte_order};ptrsize:{pointer_size};");
            out.extend_from_slice(rest.as_bytes());
        });
    }

    /// In answer to `qLaunchSuccess`: why the program could not be started.
    pub fn launch_failed(self, why: &str) {
        let why = &why.as_bytes()[..why.floor_char_boundary(MAX_ERROR_TEXT)];
        self.send(|out| {
            out.push(b'E');
            put_text(out, why);
        });
    }
}
