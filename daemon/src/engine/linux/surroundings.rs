//! What is around a stopped thread: what a client looks at next, all at once.

use super::{Engine, Expedited};
use dbgsrv_protocol::ids::ThreadId;

/// Bytes of the stack that are read from the stack pointer on: the frames of small functions.
const STACK_WINDOW: usize = 256;

/// Frames beyond the window whose records are read.
const FRAMES: usize = 3;

/// What is around a stopped thread.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Its name.
    pub name: Vec<u8>,
    /// Its general registers.
    pub registers: Vec<Expedited>,
    /// All threads of its process, with their program counters where these can be read.
    pub threads: Vec<(ThreadId, Option<u64>)>,
    /// The top of its stack, and the records of the frames above: saved frame pointer and return address.
    pub memory: Vec<(u64, Vec<u8>)>,
}

impl Engine {
    /// What is around a stopped thread. What can't be read is left out.
    pub fn surroundings(&mut self, id: ThreadId) -> Surroundings {
        Surroundings {
            name: self.thread_name(id.into()).unwrap_or_default(),
            registers: self.general_registers(id),
            threads: self.program_counters(id),
            memory: self.stack(id),
        }
    }

    /// The general registers of a stopped thread.
    fn general_registers(&mut self, id: ThreadId) -> Vec<Expedited> {
        let dialect = self.dialect;
        let Ok((thread, process)) = self.stopped(id.into()) else { return Vec::new() };
        let arch = process.arch.of(dialect);
        let mut content = Vec::with_capacity(8);
        let mut read = |number| {
            content.clear();
            let read = thread.registers.read(id.tid, arch, number, &mut content);
            read.is_ok().then(|| Expedited::new(number, &content))
        };
        arch.general().iter().filter_map(|&number| read(number)).collect()
    }

    /// The threads of the process that a thread belongs to.
    fn program_counters(&mut self, id: ThreadId) -> Vec<(ThreadId, Option<u64>)> {
        let threads = self.threads.values_mut().filter(|thread| thread.announced && thread.id.pid == id.pid);
        let pc = |thread: &mut super::Thread| {
            let stopped = thread.is_stopped();
            stopped.then(|| thread.registers.pc(thread.id.tid).ok()).flatten()
        };
        threads.map(|thread| (thread.id, pc(thread))).collect()
    }

    /// The top of a thread's stack, and the records that the chain of frame pointers leads to.
    fn stack(&mut self, id: ThreadId) -> Vec<(u64, Vec<u8>)> {
        let Ok((thread, process)) = self.stopped(id.into()) else { return Vec::new() };
        let Ok(general) = thread.registers.general(id.tid) else { return Vec::new() };
        let (top, mut frame) = (general.stack_pointer(), general.frame_pointer());
        let word = process.arch.pointer_size();
        let read = |address, length| {
            let mut bytes = vec![0; length];
            let length = process.read(address, &mut bytes);
            bytes.truncate(length);
            bytes
        };
        let mut memory = vec![(top, read(top, STACK_WINDOW))];
        let end = top.saturating_add(memory[0].1.len() as u64);
        for _ in 0..FRAMES {
            let inside = frame >= top && frame.saturating_add(2 * word as u64) <= end;
            let record = if inside {
                let start = (frame - top) as usize;
                memory[0].1[start..start + 2 * word].to_vec()
            } else {
                read(frame, 2 * word)
            };
            if record.len() < 2 * word {
                break;
            }
            let next = record[..word].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
            if !inside {
                memory.push((frame, record));
            }
            // Older frames lie higher: anything else is no chain.
            if next <= frame {
                break;
            }
            frame = next;
        }
        memory.retain(|(_, bytes)| !bytes.is_empty());
        memory
    }
}
