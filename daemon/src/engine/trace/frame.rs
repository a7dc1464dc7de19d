//! What was collected at one hit.
//!
//! Blocks are kept as GDB's trace files have them (GDB manual, "Trace File Format"), so that a client can save the buffer as it
//! is: `R` and the registers, `M` and an address, a length and the bytes, `V` and a variable's number and value.

use dbgsrv_protocol::rsp::agent::Fault;

/// Longest piece of memory in one block, in bytes.
const MAX_BLOCK: usize = u16::MAX as usize;

/// What was collected at one hit, or at one step after it.
#[derive(Debug)]
pub struct Frame {
    /// Whose it is.
    pub tracepoint: u32,
    /// Where the thread was.
    pub pc: u64,
    blocks: Box<[u8]>,
    /// How many bytes the registers take up in their block.
    registers: usize,
}

/// A piece of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Block<'a> {
    /// All registers, as in answer to `g`.
    Registers(&'a [u8]),
    /// Memory.
    Memory {
        /// The first byte's address.
        address: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A trace state variable.
    Variable {
        /// Its number.
        number: u32,
        /// Its value.
        value: u64,
    },
}

impl Frame {
    /// What it consists of, in the order of collection.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let mut rest = &self.blocks[..];
        std::iter::from_fn(move || {
            let (block, after) = self.one(rest)?;
            rest = after;
            Some(block)
        })
    }

    fn one<'a>(&self, text: &'a [u8]) -> Option<(Block<'a>, &'a [u8])> {
        let (kind, rest) = text.split_first()?;
        match kind {
            b'R' => rest.split_at_checked(self.registers).map(|(bytes, rest)| (Block::Registers(bytes), rest)),
            b'M' => {
                let (address, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first_chunk()?;
                let (bytes, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
                Some((Block::Memory { address: u64::from_le_bytes(*address), bytes }, rest))
            }
            _ => {
                let (number, rest) = rest.split_first_chunk()?;
                let (value, rest) = rest.split_first_chunk()?;
                let (number, value) = (u32::from_le_bytes(*number), u64::from_le_bytes(*value));
                Some((Block::Variable { number, value }, rest))
            }
        }
    }

    /// All registers, where they were collected.
    #[must_use]
    pub fn registers(&self) -> Option<&[u8]> {
        self.blocks().find_map(|block| if let Block::Registers(bytes) = block { Some(bytes) } else { None })
    }

    /// Memory from `address` on, as far as it was collected in one piece; empty: it was not.
    #[must_use]
    pub fn memory(&self, address: u64) -> &[u8] {
        let found = self.blocks().filter_map(|block| match block {
            Block::Memory { address: start, bytes } => bytes.get(usize::try_from(address.checked_sub(start)?).ok()?..),
            _ => None,
        });
        found.max_by_key(|bytes| bytes.len()).unwrap_or_default()
    }

    /// A trace state variable, where it was collected.
    #[must_use]
    pub fn variable(&self, wanted: u32) -> Option<u64> {
        let values = self.blocks().filter_map(|block| match block {
            Block::Variable { number, value } if number == wanted => Some(value),
            _ => None,
        });
        values.last()
    }

    /// What a trace file has for it: its tracepoint, its length, its blocks.
    pub(super) fn raw(&self) -> ([u8; 6], &[u8]) {
        let mut head = [0; 6];
        head[..2].copy_from_slice(&(self.tracepoint as u16).to_le_bytes());
        head[2..].copy_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        (head, &self.blocks)
    }

    /// Bytes that it takes up in the buffer.
    pub(super) fn size(&self) -> usize {
        let (head, blocks) = self.raw();
        head.len() + blocks.len()
    }
}

/// Makes a frame.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    blocks: Vec<u8>,
    registers: usize,
    /// Most bytes of blocks.
    limit: usize,
}

impl Recorder {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Adds what `fill` appends as the registers; once is enough.
    pub(super) fn registers(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> bool) -> Result<(), Fault> {
        if self.registers > 0 {
            return Ok(());
        }
        let before = self.blocks.len();
        self.blocks.push(b'R');
        if fill(&mut self.blocks) {
            self.registers = self.blocks.len() - before - 1;
        } else {
            self.blocks.truncate(before);
        }
        self.check()
    }

    /// Adds memory as far as `read` can read it.
    pub(super) fn memory(
        &mut self,
        mut address: u64,
        mut length: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> usize,
    ) -> Result<(), Fault> {
        if length > self.limit() {
            return Err(Fault::TooMuch);
        }
        while length > 0 {
            let piece = length.min(MAX_BLOCK as u64) as usize;
            let before = self.blocks.len();
            self.blocks.push(b'M');
            self.blocks.extend(address.to_le_bytes());
            let head = self.blocks.len();
            self.blocks.resize(head + 2 + piece, 0);
            let done = read(address, &mut self.blocks[head + 2..]);
            self.blocks[head..head + 2].copy_from_slice(&(done as u16).to_le_bytes());
            self.blocks.truncate(if done == 0 { before } else { head + 2 + done });
            self.check()?;
            if done < piece {
                break;
            }
            address = address.wrapping_add(piece as u64);
            length -= piece as u64;
        }
        Ok(())
    }

    pub(super) fn variable(&mut self, number: u32, value: u64) -> Result<(), Fault> {
        self.blocks.push(b'V');
        self.blocks.extend(number.to_le_bytes());
        self.blocks.extend(value.to_le_bytes());
        self.check()
    }

    /// Most bytes that there can be.
    pub(super) fn limit(&self) -> u64 {
        self.limit as u64
    }

    fn check(&self) -> Result<(), Fault> {
        if self.blocks.len() <= self.limit { Ok(()) } else { Err(Fault::TooMuch) }
    }

    pub(super) fn finish(self, tracepoint: u32, pc: u64) -> Frame {
        Frame { tracepoint, pc, blocks: self.blocks.into(), registers: self.registers }
    }
}
