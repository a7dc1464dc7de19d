//! Where a thread keeps its thread-local variables, for programs with the GNU C library.
//!
//! The thread's own block holds a vector with the address of each module's variables (Drepper, "ELF Handling For
//! Thread-Local Storage", 3.4). What is not fixed by the ABI is where a module's `link_map` has its number; the
//! library says that itself, in constants made for debuggers, which the client finds by their names.

use super::Engine;
use super::arch::Mode;
use super::process::Process;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;

/// The constants: each an array of three 32-bit numbers, the size in bits of a member, how many there are, and where.
pub(super) const SYMBOLS: [&str; 2] = ["_thread_db_link_map_l_tls_modid", "_thread_db_link_map_l_tls_offset"];

/// A vector's slot for a module whose variables the thread has not touched yet.
const UNALLOCATED: u64 = u64::MAX;

/// What a member of `link_map` is for a module that has no place in the static block.
const NO_STATIC_OFFSET: [u64; 3] = [0, u64::MAX, u64::MAX - 1];

/// Where the constants are, in the order of [`SYMBOLS`], as far as the client knows.
pub(super) type Symbols = [Option<u64>; SYMBOLS.len()];

impl Engine {
    /// The name of a symbol that is needed for [`Engine::tls_address`] and not known yet.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn wanted_symbol(&self, thread: ThreadSelector) -> Result<Option<&'static str>> {
        let known = &self.process_of(thread)?.tls_symbols;
        Ok(known.iter().position(Option::is_none).map(|index| SYMBOLS[index]))
    }

    /// The client has found a symbol.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn found_symbol(&mut self, thread: ThreadSelector, name: &[u8], address: u64) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        if let Some(index) = SYMBOLS.iter().position(|symbol| symbol.as_bytes() == name) {
            self.process_mut(pid)?.tls_symbols[index] = Some(address);
        }
        Ok(())
    }

    /// The address of a thread's variable at `offset` in the block of the module with this `link_map`; 0: a static
    /// program's only one.
    ///
    /// # Errors
    /// As for reading registers; [`Error::Unsupported`] where the library does not tell enough;
    /// `EAGAIN` for a block that the thread does not have yet.
    pub fn tls_address(&mut self, thread: ThreadSelector, offset: u64, link_map: u64) -> Result<u64> {
        let (thread, process) = self.stopped(thread)?;
        if process.mode != Mode::Bits64 {
            return Err(Error::Unsupported);
        }
        let block = thread.registers.general(thread.id.tid)?.thread_pointer();
        let [number, static_offset] = process.tls_symbols;
        let module = if link_map == 0 { 1 } else { member(process, link_map, number)? };
        let vector = word(process, block.wrapping_add(8))?;
        // Before the first slot stands how many there are.
        let slots = word(process, vector.wrapping_sub(16))?;
        if module <= slots {
            let base = word(process, vector.wrapping_add(module.wrapping_mul(16)))?;
            if base != UNALLOCATED {
                return Ok(base.wrapping_add(offset));
            }
        }
        let below = member(process, link_map, static_offset)?;
        if NO_STATIC_OFFSET.contains(&below) {
            return Err(Errno::EAGAIN.into());
        }
        Ok(block.wrapping_sub(below).wrapping_add(offset))
    }
}

/// The member of the structure at `address` that the constant at `symbol` describes.
fn member(process: &Process, address: u64, symbol: Option<u64>) -> Result<u64> {
    let symbol = symbol.ok_or(Error::Unsupported)?;
    let mut constant = [0; 12];
    if process.read(symbol, &mut constant) != constant.len() {
        return Err(Error::BadAddress(symbol));
    }
    let [bits, _, offset] = [0, 4, 8].map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|byte| constant[at + byte])));
    let value = word(process, address.wrapping_add(offset.into()))?;
    match bits {
        64 => Ok(value),
        32 => Ok(value & u64::from(u32::MAX)),
        _ => Err(Error::Unsupported),
    }
}

fn word(process: &Process, address: u64) -> Result<u64> {
    let mut bytes = [0; 8];
    match process.read(address, &mut bytes) {
        8 => Ok(u64::from_le_bytes(bytes)),
        _ => Err(Error::BadAddress(address)),
    }
}
