//! Bodies of fuzz targets.

use super::{Fault, Item, Program, Target, format};

/// Registers count up, memory repeats its address, and everything prints.
struct Anything;

impl Target for Anything {
    fn register(&mut self, number: u16) -> Option<u64> {
        (number != 0xdead).then(|| u64::from(number) << 3)
    }

    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        buffer.fill(address as u8);
        address >= 0x1000
    }

    fn variable(&mut self, number: u16) -> Option<u64> {
        (number < 0x100).then_some(u64::MAX)
    }

    fn set_variable(&mut self, number: u16, _: u64) -> Option<()> {
        (number < 0x100).then_some(())
    }

    fn collect(&mut self, item: Item) -> Result<(), Fault> {
        match item {
            Item::Memory { length: 0x1000.., .. } => Err(Fault::TooMuch),
            _ => Ok(()),
        }
    }

    fn printf(&mut self, format: &[u8], arguments: &[u64]) -> bool {
        format::render(format, arguments, self).is_some()
    }
}

/// Whatever the bytes are, the program is refused, or ends.
pub fn agent(data: &[u8]) {
    if let Ok(program) = Program::parse(data) {
        let _ = program.evaluate(&mut Anything, 2_000);
    }
}
