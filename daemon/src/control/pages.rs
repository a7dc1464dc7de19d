//! Long lists in pages, so that no message is large.

use dbgsrv_protocol::control::encode;
use dbgsrv_protocol::limits::MAX_CONTROL;
use serde::Serialize;

/// Ids in one page, of at most 11 bytes each.
const IDS: usize = 4096;
/// Bytes in one page; the rest of a message is for what stands around it.
const BYTES: usize = MAX_CONTROL - 1024;

/// The first of `ids`, in ascending order, that are greater than `after`; and whether there are more.
pub(super) fn ids(ids: &[u32], after: u32) -> (Vec<u32>, bool) {
    let rest = &ids[ids.partition_point(|id| *id <= after)..];
    let page = &rest[..rest.len().min(IDS)];
    (page.to_vec(), page.len() < rest.len())
}

/// As many of `entries` as a page holds, and whether there are more. An entry that no page holds is left out.
pub(super) fn fill<T: Serialize>(entries: impl Iterator<Item = T>) -> (Vec<T>, bool) {
    let (mut page, mut used, mut encoded) = (Vec::new(), 0, Vec::new());
    for entry in entries {
        encoded.clear();
        if encode(&entry, &mut encoded).is_err() || encoded.len() > BYTES {
            continue;
        }
        used += encoded.len();
        if used > BYTES {
            return (page, true);
        }
        page.push(entry);
    }
    (page, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_protocol::control::ProcessDescription;

    #[test]
    fn fifty_thousand_ids_come_in_pages_each_id_once() {
        let all: Vec<u32> = (1..=50_000).map(|index| index * 80).collect();
        let (mut found, mut after, mut pages) = (Vec::new(), 0, 0);
        loop {
            let (page, more) = ids(&all, after);
            after = *page.last().unwrap();
            found.extend(page);
            pages += 1;
            if !more {
                break;
            }
        }
        assert_eq!(found, all);
        assert_eq!(pages, 50_000_usize.div_ceil(IDS));
        assert_eq!(ids(&all, after), (vec![], false));
    }

    fn process(pid: u32, length: usize) -> ProcessDescription {
        ProcessDescription { pid, command_line: vec!["x".repeat(length)], ..Default::default() }
    }

    #[test]
    fn a_page_holds_as_many_entries_as_fit_and_says_that_there_are_more() {
        let (page, more) = fill((1..1000).map(|pid| process(pid, 1000)));
        assert!(more);
        let mut message = Vec::new();
        encode(&page, &mut message).unwrap();
        assert!(message.len() > BYTES - 2000 && message.len() < MAX_CONTROL);
        assert!(!fill((1..3).map(|pid| process(pid, 1000))).1);
    }

    #[test]
    fn an_entry_larger_than_a_page_stands_in_nobodys_way() {
        let (page, more) = fill([process(1, 10), process(2, MAX_CONTROL), process(3, 10)].into_iter());
        assert_eq!(page.iter().map(|process| process.pid).collect::<Vec<_>>(), [1, 3]);
        assert!(!more);
    }
}
