//! Consistent overhead byte stuffing (Cheshire and Baker, 1999): bytes without a zero among them, so that zero ends a frame.
//!
//! Whatever happened before, the first zero that arrives ends it, and the frame behind it is whole again.

use alloc::vec::Vec;

/// The longest run of bytes behind one code.
const RUN: usize = 254;

/// Appends `bytes`, stuffed, to `out`: one byte more, and one for each 254 without a zero.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    loop {
        let run = rest.iter().take(RUN).position(|&byte| byte == 0).unwrap_or_else(|| rest.len().min(RUN));
        out.push(run as u8 + 1);
        out.extend_from_slice(&rest[..run]);
        if run == rest.len() {
            return;
        }
        // A full run stands for no zero behind it.
        rest = &rest[if run == RUN { run } else { run + 1 }..];
    }
}

/// Undoes [`encode`] in `out`, which is cleared first; false where it can't have come from there.
pub(super) fn decode(mut stuffed: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    while let [code, rest @ ..] = stuffed {
        let Some(run) = usize::from(*code).checked_sub(1) else { return false };
        let Some((bytes, rest)) = rest.split_at_checked(run) else { return false };
        out.extend_from_slice(bytes);
        if run < RUN && !rest.is_empty() {
            out.push(0);
        }
        stuffed = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    #[test]
    fn runs_end_where_the_paper_says() {
        let mut out = Vec::new();
        for (bytes, stuffed) in [
            (&b""[..], &b"\x01"[..]),
            (b"\0", b"\x01\x01"),
            (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33"),
            (b"\x11\0\0\0", b"\x02\x11\x01\x01\x01"),
        ] {
            out.clear();
            encode(bytes, &mut out);
            assert_eq!(out, stuffed);
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_has_no_zero_and_comes_back(
            bytes in prop::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..1200),
        ) {
            let (mut stuffed, mut back) = (Vec::new(), vec![1]);
            encode(&bytes, &mut stuffed);
            assert!(!stuffed.contains(&0));
            assert!(stuffed.len() <= bytes.len() + 1 + bytes.len() / RUN);
            assert!(decode(&stuffed, &mut back));
            assert_eq!(back, bytes);
        }

        #[test]
        fn a_full_run_needs_no_code_behind_it(extra in 0..3_usize) {
            let bytes = vec![7; RUN + extra];
            let (mut stuffed, mut back) = (Vec::new(), Vec::new());
            encode(&bytes, &mut stuffed);
            assert!(decode(&stuffed, &mut back));
            assert_eq!(back, bytes);
        }
    }
}
