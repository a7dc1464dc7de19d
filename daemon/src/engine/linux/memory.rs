//! The memory of a debuggee.

use dbgsrv_protocol::ids::{Pid, Tid};
use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid as Task;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;

/// An address space, by the two ways into it.
///
/// `process_vm_readv` is the quicker one but honours page protections; `/proc/PID/mem` overrides them, as a debugger
/// must to plant breakpoints.
#[derive(Debug)]
pub(crate) struct Memory {
    task: Task,
    file: File,
}

impl Memory {
    /// Opens the memory that thread `tid` of `pid` runs in.
    ///
    /// # Errors
    /// What opening `/proc/PID/task/TID/mem` fails with: `EACCES` without the right to trace the process.
    pub(crate) fn open(pid: Pid, tid: Tid) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(format!("/proc/{pid}/task/{tid}/mem"))?;
        Ok(Self { task: Task::from_raw(tid.raw()), file })
    }

    /// Another thread of the same address space, where the one that this was opened by has ended.
    pub(crate) fn set_task(&mut self, tid: Tid) {
        self.task = Task::from_raw(tid.raw());
    }

    /// Reads from `address` on; the number of bytes up to the first that can't be read.
    pub(crate) fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let remote = [RemoteIoVec { base: address as usize, len: buffer.len() }];
        let mut done = process_vm_readv(self.task, &mut [IoSliceMut::new(buffer)], &remote).unwrap_or(0);
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], address.wrapping_add(done as u64)) {
                Ok(0) | Err(_) => break,
                Ok(n) => done += n,
            }
        }
        done
    }

    /// Writes all of `data`, whatever the protection of its pages.
    ///
    /// # Errors
    /// `EFAULT` where a page is not mapped; the bytes before it may have been written.
    pub(crate) fn write(&self, address: u64, data: &[u8]) -> Result<(), Errno> {
        // A patch of a few bytes is most likely code, where the first way always fails.
        const PATCH: usize = 16;
        let mut done = 0;
        if data.len() > PATCH {
            let remote = [RemoteIoVec { base: address as usize, len: data.len() }];
            done = process_vm_writev(self.task, &[IoSlice::new(data)], &remote).unwrap_or(0);
        }
        while done < data.len() {
            match self.file.write_at(&data[done..], address.wrapping_add(done as u64)) {
                Ok(n) if n > 0 => done += n,
                _ => return Err(Errno::EFAULT),
            }
        }
        Ok(())
    }

    /// Writes all of `data` as the program itself would; `false` where it would fault.
    pub(crate) fn store(&self, address: u64, data: &[u8]) -> bool {
        let remote = [RemoteIoVec { base: address as usize, len: data.len() }];
        process_vm_writev(self.task, &[IoSlice::new(data)], &remote) == Ok(data.len())
    }
}
