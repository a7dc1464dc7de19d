//! Packets as bytes: `$BODY#SUM`, notifications, acknowledgements, escapes, hex and run lengths (GDB manual,
//! "Overview" of the appendix "GDB Remote Serial Protocol").

mod deframe;
pub mod escape;
pub mod hex;
pub mod run_length;

use alloc::vec::Vec;

pub use deframe::{Deframer, Frame, Frames};

use super::field;

/// What a packet carries besides its body: the start, `#` and two digits.
pub const FRAMING: usize = 4;

/// The byte that interrupts what runs (`Ctrl-C`); it stands outside of packets.
pub const INTERRUPT: u8 = 0x03;

/// The sum of all bytes of a body, modulo 256.
#[must_use]
pub fn checksum(body: &[u8]) -> u8 {
    body.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

/// Whether the two digits after `#` are the checksum of `body`.
#[must_use]
pub fn is_intact(body: &[u8], digits: [u8; 2]) -> bool {
    field::whole(&digits) == Some(u64::from(checksum(body)))
}

/// Appends one packet to `out`: what `write` appends to the vector becomes its body.
pub fn emit(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    emit_as(b'$', out, write);
}

/// Appends one notification to `out`: `%`, the body that `write` appends, and its checksum.
pub fn emit_notification(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    emit_as(b'%', out, write);
}

fn emit_as(start: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(start);
    let body = out.len();
    write(out);
    let sum = checksum(&out[body..]);
    out.push(b'#');
    field::put_byte(out, sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_carries_the_sum_of_its_body() {
        let mut out = Vec::new();
        emit(&mut out, |body| body.extend_from_slice(b"OK"));
        emit_notification(&mut out, |body| body.extend_from_slice(b"Stop:N"));
        assert_eq!(out, b"$OK#9a%Stop:N#2e");
    }

    #[test]
    fn a_checksum_counts_in_either_case_and_only_if_it_is_right() {
        assert!(is_intact(b"OK", *b"9a"));
        assert!(is_intact(b"OK", *b"9A"));
        assert!(!is_intact(b"OK", *b"9b"));
        assert!(!is_intact(b"OK", *b"9 "));
    }
}
