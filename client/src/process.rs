//! How a process is found by its executable.

use crate::Error;
use bitflags::bitflags;
use dbgsrv_protocol::control::{ExecutableMatch, Matches};

bitflags! {
    /// How a process is found by its executable (`DEBUG_GET_PROC_XXX`, with dbgeng's values).
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub struct GetProc: u32 {
        /// The name is a full path; without it, directories are not compared.
        const FULL_MATCH = 1;
        /// Only one process may match.
        const ONLY_MATCH = 2;
    }
}

impl GetProc {
    /// What the server is to compare.
    pub(crate) fn by(self) -> ExecutableMatch {
        if self.contains(Self::FULL_MATCH) { ExecutableMatch::FullPath } else { ExecutableMatch::FileName }
    }
}

/// What became of a search by executable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProcessMatch {
    /// This is the first process that matches (`S_OK`).
    Found(u32),
    /// [`GetProc::ONLY_MATCH`] is set, and these match (`S_FALSE`): in ascending order, as many as a message holds.
    Several(Vec<u32>),
    /// None matches (`E_NOINTERFACE`).
    NotFound,
}

impl ProcessMatch {
    /// What `matches` are to who set `flags`.
    ///
    /// # Errors
    /// [`Error::Protocol`] where the server counts processes that it does not name.
    pub(crate) fn of(matches: Matches, flags: GetProc) -> Result<Self, Error> {
        match *matches.pids.as_slice() {
            [] if matches.total == 0 => Ok(Self::NotFound),
            [] => Err(Error::Protocol("matches are counted and none is named")),
            [_] if matches.total > 1 && flags.contains(GetProc::ONLY_MATCH) => {
                Err(Error::Protocol("several matches are counted and one is named"))
            }
            [_, _, ..] if flags.contains(GetProc::ONLY_MATCH) => Ok(Self::Several(matches.pids)),
            [first, ..] => Ok(Self::Found(first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pids: &[u32], total: u32, flags: GetProc) -> Result<ProcessMatch, Error> {
        ProcessMatch::of(Matches { pids: pids.to_vec(), total }, flags)
    }

    #[test]
    fn the_first_of_several_is_found_unless_only_one_may_match() {
        for flags in [GetProc::empty(), GetProc::FULL_MATCH] {
            assert_eq!(of(&[3, 5], 2, flags).unwrap(), ProcessMatch::Found(3));
        }
        for flags in [GetProc::ONLY_MATCH, GetProc::all()] {
            assert_eq!(of(&[3, 5], 2, flags).unwrap(), ProcessMatch::Several(vec![3, 5]));
        }
    }

    #[test]
    fn a_single_match_is_found_and_none_is_not() {
        for flags in [GetProc::empty(), GetProc::ONLY_MATCH] {
            assert_eq!(of(&[3], 1, flags).unwrap(), ProcessMatch::Found(3));
            assert_eq!(of(&[], 0, flags).unwrap(), ProcessMatch::NotFound);
        }
    }

    #[test]
    fn more_matches_than_a_message_holds_are_several() {
        assert_eq!(of(&[3, 5], 9000, GetProc::ONLY_MATCH).unwrap(), ProcessMatch::Several(vec![3, 5]));
    }

    #[test]
    fn matches_that_are_counted_and_not_named_are_an_error() {
        assert!(of(&[], 1, GetProc::empty()).is_err());
        assert!(of(&[3], 2, GetProc::ONLY_MATCH).is_err());
    }

    #[test]
    fn directories_count_with_a_full_match_only() {
        assert_eq!(GetProc::ONLY_MATCH.by(), ExecutableMatch::FileName);
        assert_eq!(GetProc::FULL_MATCH.by(), ExecutableMatch::FullPath);
    }
}
