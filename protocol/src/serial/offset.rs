//! Positions in a stream. On the line they have 24 bits: windows are far smaller than what these can tell apart.

/// The bits that go over the line.
const MASK: u32 = 0xff_ffff;

/// The low bits of `position`, big endian.
pub(super) const fn low(position: u64) -> [u8; 3] {
    let [.., a, b, c] = position.to_be_bytes();
    [a, b, c]
}

/// The position nearest to `reference` with these low bits, `None` where that would be before the stream's beginning.
pub(super) const fn near(reference: u64, low: [u8; 3]) -> Option<u64> {
    let low = u32::from_be_bytes([0, low[0], low[1], low[2]]);
    let ahead = low.wrapping_sub(reference as u32) & MASK;
    if ahead <= MASK / 2 { Some(reference + ahead as u64) } else { reference.checked_sub((MASK + 1 - ahead) as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_on_either_side_of_the_reference() {
        for reference in [0x10_0000, 0xff_fff0, 0x100_0000, 0x1234_5678_9abc] {
            for distance in [0, 1, 0x7f_ffff] {
                assert_eq!(near(reference, low(reference + distance)), Some(reference + distance));
            }
            assert_eq!(near(reference, low(reference - 0x8_0000)), Some(reference - 0x8_0000));
        }
    }

    #[test]
    fn nothing_is_before_the_beginning() {
        assert_eq!(near(5, low(u64::MAX)), None);
        assert_eq!(near(5, low(0)), Some(0));
    }
}
