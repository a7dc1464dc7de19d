//! Objects that a client reads whole: `qXfer` (GDB manual, "General Query Packets").

mod auxv;
mod exec_file;
mod libraries;
mod osdata;
mod threads;
mod xml;

pub(crate) use auxv::auxv;
pub(crate) use exec_file::exec_file;
pub(crate) use libraries::{PointerSize, libraries_svr4, library_list};
pub(crate) use osdata::table as osdata_table;
pub(crate) use threads::threads_xml;

/// Memory of an inferior, as far as the objects need it.
pub(crate) trait ReadMemory {
    /// Fills `buffer` from `address` on and returns how many bytes from the start of it could be read.
    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> usize;
}
