//! The x87 tag word: two bits per register in a debugger's eyes, one in the FXSAVE format.

/// Where the tags are in the legacy part: one bit per physical register, set when it is in use.
pub(super) const ABRIDGED_TAGS: usize = 4;
const STATUS: usize = 2;
const STACK: usize = 32;
const STACK_STRIDE: usize = 16;

/// All registers empty, as after FNINIT.
pub(super) const TAGS_INITIAL: u16 = 0xffff;
const VALID: u16 = 0;
const ZERO: u16 = 1;
const SPECIAL: u16 = 2;
const EMPTY: u16 = 3;

/// The full tag word, told from the registers' contents (Intel SDM volume 2, FXSAVE, "Recreating FSAVE Format").
pub(super) fn full_tags(area: &[u8]) -> u16 {
    let top = usize::from(area[STATUS + 1] >> 3 & 7);
    let mut tags = 0;
    for physical in 0..8 {
        let tag = if area[ABRIDGED_TAGS] >> physical & 1 == 0 {
            EMPTY
        } else {
            let start = STACK + STACK_STRIDE * ((physical + 8 - top) % 8);
            tag(&area[start..start + 10])
        };
        tags |= tag << (2 * physical);
    }
    tags
}

/// The tags that the area keeps: only empty or not.
pub(super) fn abridged_tags(full: u16) -> u8 {
    (0..8).filter(|physical| full >> (2 * physical) & 3 != EMPTY).fold(0, |tags, physical| tags | 1 << physical)
}

/// What the tag of a register with this content is: 64 bits of significand, then sign and exponent.
fn tag(content: &[u8]) -> u16 {
    let exponent = u16::from_le_bytes([content[8], content[9]]) & 0x7fff;
    let significand = &content[..8];
    match exponent {
        0 if significand.iter().all(|&byte| byte == 0) => ZERO,
        0 | 0x7fff => SPECIAL,
        _ if significand[7] & 0x80 != 0 => VALID,
        _ => SPECIAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(top: u8, abridged: u8, first: [u8; 10]) -> Vec<u8> {
        let mut area = vec![0; 512];
        area[STATUS + 1] = top << 3;
        area[ABRIDGED_TAGS] = abridged;
        area[STACK..STACK + 10].copy_from_slice(&first);
        area
    }

    #[test]
    fn an_empty_stack_has_all_tags_set() {
        assert_eq!(full_tags(&area(0, 0, [0; 10])), TAGS_INITIAL);
        assert_eq!(abridged_tags(TAGS_INITIAL), 0);
    }

    #[test]
    fn tags_follow_the_physical_register_and_the_content() {
        let one = [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f];
        assert_eq!(full_tags(&area(7, 0x80, one)), 0x3fff);
        assert_eq!(full_tags(&area(7, 0x80, [0; 10])), 0x7fff);
        let infinity = [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x7f];
        assert_eq!(full_tags(&area(3, 0x08, infinity)), 0xffbf);
        let denormal = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(full_tags(&area(0, 0x01, denormal)), 0xfffe);
        let unnormal = [0, 0, 0, 0, 0, 0, 0, 0x40, 0xff, 0x3f];
        assert_eq!(full_tags(&area(0, 0x01, unnormal)), 0xfffe);
    }

    #[test]
    fn abridging_full_tags_gives_the_tags_they_came_from() {
        for abridged in 0..=u8::MAX {
            assert_eq!(abridged_tags(full_tags(&area(5, abridged, [7; 10]))), abridged);
        }
    }
}
