//! The checksum of frames: CRC-32C (Castagnoli), least significant bit first, as a serial line sends its bytes.
//!
//! It detects any five flipped bits in up to 655 bytes; the polynomial of Ethernet and of RSP's `qCRC` does so in up to 33 only
//! (Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", 2002).

/// 0x1edc6f41, reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 0 { value >> 1 } else { value >> 1 ^ POLYNOMIAL };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

/// A checksum of the bytes seen so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc(u32);

impl Crc {
    pub(super) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// With these bytes too.
    pub(super) fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |sum, &byte| sum >> 8 ^ TABLE[usize::from(sum as u8 ^ byte)]))
    }

    /// The checksum.
    pub(super) const fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_algorithm_comes_out() {
        // "CRC-32/ISCSI" in the catalogue of parametrised CRC algorithms.
        assert_eq!(Crc::new().with(b"1234").with(b"56789").value(), 0xe306_9283);
    }
}
