//! "Did you mean": the known name that is closest to a misspelt one.

use core::mem;

/// Longest name that is compared, in bytes, so that the work and the tables are small whatever was typed.
const MAX_NAME: usize = 20;

/// The one of `known` that `given` most likely means, by [`distance`], if any is close.
pub(super) fn closest<T: Copy>(
    given: &str,
    known: impl Iterator<Item = T>,
    name: impl Fn(T) -> &'static str,
) -> Option<T> {
    let given = given.trim();
    if given.len() > MAX_NAME {
        return None;
    }
    known
        .map(|candidate| (distance(given.as_bytes(), name(candidate).as_bytes()), candidate))
        .filter(|(distance, candidate)| distance * 2 < name(*candidate).len().max(given.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters were left out, added, changed or swapped with their neighbour, without regard to case.
///
/// Both are at most [`MAX_NAME`] bytes long.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let same = |i: usize, j: usize| a[i].eq_ignore_ascii_case(&b[j]);
    let mut before_last = [0; MAX_NAME + 1];
    let mut last: [usize; MAX_NAME + 1] = core::array::from_fn(|j| j);
    let mut row = [0; MAX_NAME + 1];
    for i in 0..a.len() {
        row[0] = i + 1;
        for j in 0..b.len() {
            row[j + 1] = (last[j] + usize::from(!same(i, j))).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(i, j - 1) && same(i - 1, j) {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        mem::swap(&mut before_last, &mut last);
        mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(given: &str) -> Option<&'static str> {
        closest(given, ["port", "password", "hidden", "IcfEnable"].into_iter(), |name| name)
    }

    #[test]
    fn a_slip_of_the_fingers_is_recognised() {
        assert_eq!(suggestion("prot"), Some("port"));
        assert_eq!(suggestion("ports"), Some("port"));
        assert_eq!(suggestion(" port"), Some("port"));
        assert_eq!(suggestion("PASWORD"), Some("password"));
        assert_eq!(suggestion("icf-enable"), Some("IcfEnable"));
    }

    #[test]
    fn what_resembles_nothing_gets_no_suggestion() {
        assert_eq!(suggestion("x"), None);
        assert_eq!(suggestion(""), None);
        assert_eq!(suggestion("somethingveryverydifferent"), None);
    }

    #[test]
    fn distance_counts_single_slips() {
        assert_eq!(distance(b"", b""), 0);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b""), 3);
        assert_eq!(distance(b"abc", b"ABC"), 0);
        assert_eq!(distance(b"abcd", b"acbd"), 1);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
