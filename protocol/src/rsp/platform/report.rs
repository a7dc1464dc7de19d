//! What is told of the machine and of its processes.

use alloc::vec::Vec;

use super::{field, hex, put_field};
use crate::ids::Pid;

/// A machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostInfo {
    /// What its programs are made for.
    pub triple: &'static str,
    /// The size of a pointer, in bytes.
    pub pointer_size: u32,
    /// The distribution, as os-release(5) has it in `ID`; empty: not known.
    pub distribution: Vec<u8>,
    /// The system's version, numbers between points.
    pub os_version: Vec<u8>,
    /// The kernel's release, as uname(2) has it.
    pub os_build: Vec<u8>,
    /// The kernel's version, as uname(2) has it.
    pub os_kernel: Vec<u8>,
    /// The machine's name.
    pub host_name: Vec<u8>,
}

impl HostInfo {
    /// Appends the answer to `qHostInfo`.
    pub(crate) fn emit(&self, out: &mut Vec<u8>) {
        put_field(out, "triple", |out| hex::encode(out, self.triple.as_bytes()));
        put_field(out, "ptrsize", |out| field::put_decimal(out, self.pointer_size.into()));
        if !self.distribution.is_empty() {
            put_field(out, "distribution_id", |out| hex::encode(out, &self.distribution));
        }
        put_field(out, "watchpoint_exceptions_received", |out| out.extend_from_slice(b"after"));
        put_field(out, "endian", |out| out.extend_from_slice(b"little"));
        put_field(out, "os_version", |out| out.extend_from_slice(&self.os_version));
        put_field(out, "os_build", |out| hex::encode(out, &self.os_build));
        put_field(out, "os_kernel", |out| hex::encode(out, &self.os_kernel));
        put_field(out, "hostname", |out| hex::encode(out, &self.host_name));
    }
}

/// A process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: Pid,
    /// Its parent; 0: none.
    pub parent: u32,
    /// Real user.
    pub user: u32,
    /// Real group.
    pub group: u32,
    /// Effective user.
    pub effective_user: u32,
    /// Effective group.
    pub effective_group: u32,
    /// What its program is made for; `None`: not known, or it has none.
    pub triple: Option<&'static str>,
    /// Its executable, an absolute path; empty: it has none.
    pub executable: Vec<u8>,
    /// Its arguments, from the zeroth on.
    pub arguments: Vec<Vec<u8>>,
}

impl ProcessInfo {
    /// Appends an answer to `qfProcessInfo`, `qsProcessInfo` or `qProcessInfoPID`. Numbers are decimal.
    pub(crate) fn emit(&self, out: &mut Vec<u8>) {
        let numbers = [
            ("pid", self.pid.raw() as u32),
            ("ppid", self.parent),
            ("uid", self.user),
            ("gid", self.group),
            ("euid", self.effective_user),
            ("egid", self.effective_group),
        ];
        for (key, number) in numbers {
            put_field(out, key, |out| field::put_decimal(out, number.into()));
        }
        put_field(out, "name", |out| hex::encode(out, &self.executable));
        put_field(out, "args", |out| {
            for (index, argument) in self.arguments.iter().enumerate() {
                if index > 0 {
                    out.push(b'-');
                }
                hex::encode(out, argument);
            }
        });
        if let Some(triple) = self.triple {
            put_field(out, "triple", |out| hex::encode(out, triple.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    #[test]
    fn a_machine_is_described_in_the_keys_that_lldb_knows() {
        let info = HostInfo {
            triple: "x86_64-pc-linux-gnu",
            pointer_size: 8,
            distribution: Vec::new(),
            os_version: b"6.1.0".to_vec(),
            os_build: b"6".to_vec(),
            os_kernel: b"#1".to_vec(),
            host_name: b"box".to_vec(),
        };
        let mut out = Vec::new();
        info.emit(&mut out);
        let expected = "triple:7838365f36342d70632d6c696e75782d676e75;ptrsize:8;watchpoint_exceptions_received:after;\
            endian:little;os_version:6.1.0;os_build:36;os_kernel:2331;hostname:626f78;";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_process_has_its_arguments_one_by_one() {
        let info = ProcessInfo {
            pid: Pid::new(17).unwrap(),
            parent: 1,
            user: 10,
            group: 11,
            effective_user: 12,
            effective_group: 13,
            triple: None,
            executable: b"/a".to_vec(),
            arguments: [b"a".to_vec(), Vec::new(), b"-x".to_vec()].into(),
        };
        let mut out = Vec::new();
        info.emit(&mut out);
        let expected = "pid:17;ppid:1;uid:10;gid:11;euid:12;egid:13;name:2f61;args:61--2d78;";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
