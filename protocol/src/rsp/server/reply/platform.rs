//! Answers about the machine ([`platform`]).

use super::{Reply, escape, field, hex};
use crate::ids::Pid;
use crate::limits::MAX_PACKET;
use crate::rsp::platform::{self, HostInfo, Module, ProcessInfo};

/// What the shell has for a command that did not come to its own end.
const NO_STATUS: u32 = u32::MAX;

impl Reply<'_> {
    /// What another server has answered, word for word.
    pub fn raw(self, body: &[u8]) {
        self.send(|out| out.extend_from_slice(body));
    }

    /// In answer to `qHostInfo`.
    pub fn host_info(self, info: &HostInfo) {
        self.send(|out| info.emit(out));
    }

    /// A process, in answer to a request that asks for one.
    pub fn process_info(self, info: &ProcessInfo) {
        self.send(|out| info.emit(out));
    }

    /// In answer to `qModuleInfo`.
    pub fn module(self, module: &Module) {
        self.send(|out| module.emit(out));
    }

    /// In answer to `jModulesInfo`.
    pub fn modules(self, modules: &[Module]) {
        self.send(|out| escape::encode(out, &Module::list(modules)));
    }

    /// In answer to `qLaunchGDBServer`: process `pid` serves debuggers on this port of the machine, or on this named
    /// socket.
    pub fn launched_server(self, pid: Pid, port: u16, socket: &[u8]) {
        self.send(|out| {
            platform::put_field(out, "pid", |out| field::put_decimal(out, pid.raw() as u64));
            platform::put_field(out, "port", |out| field::put_decimal(out, port.into()));
            if !socket.is_empty() {
                platform::put_field(out, "socket_name", |out| hex::encode(out, socket));
            }
        });
    }

    /// In answer to `qPathComplete`, as many of them as a packet holds.
    pub fn paths<'p>(self, paths: impl IntoIterator<Item = &'p [u8]>) {
        self.send(|out| {
            out.push(b'M');
            let start = out.len();
            for path in paths {
                if out.len() - start + 2 * path.len() + 1 > MAX_PACKET {
                    return;
                }
                if out.len() > start {
                    out.push(b',');
                }
                hex::encode(out, path);
            }
        });
    }

    /// In answer to `qPlatform_shell`: the command's exit status, or the signal that ended it, and what it has printed.
    pub fn shell(self, status: Result<u8, u8>, output: &[u8]) {
        let (status, signal) = status.map_or_else(|signal| (NO_STATUS, signal), |status| (status.into(), 0));
        self.send(|out| {
            out.extend_from_slice(b"F,");
            field::put_number(out, status.into());
            out.push(b',');
            field::put_number(out, signal.into());
            out.push(b',');
            escape::encode(out, output);
        });
    }

    /// In answer to `qPlatform_mkdir` and `qPlatform_chmod`: 0, or an error number (errno(3)).
    pub fn system_result(self, errno: u32) {
        self.send(|out| {
            out.push(b'F');
            field::put_number(out, errno.into());
        });
    }

    /// In answer to `vFile:exists`.
    pub fn file_exists(self, exists: bool) {
        self.send(|out| {
            out.extend_from_slice(b"F,");
            field::put_switch(out, exists);
        });
    }

    /// In answer to `vFile:MD5`: the digest, `None` where the file can't be read.
    ///
    /// LLDB takes it as two numbers of 64 bits, each of which it has read in the order of a little-endian machine.
    pub fn file_digest(self, digest: Option<[u8; 16]>) {
        self.send(|out| {
            out.extend_from_slice(b"F,");
            match digest {
                Some(digest) => {
                    for half in digest.as_chunks::<8>().0 {
                        hex::encode(out, &u64::from_le_bytes(*half).to_be_bytes());
                    }
                }
                None => out.push(b'x'),
            }
        });
    }
}
