//! Lists that come in pages.

use crate::Error;

/// Most pages of one list: a quarter of a gigabyte, which describes half a million processes. A server that has more is
/// not to be believed.
const MAX_PAGES: usize = 0x1000;

/// The pages of one list so far, in ascending order of their items' ids.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    items: Vec<T>,
    taken: usize,
    /// The last id so far.
    last: Option<u32>,
}

impl<T> Pages<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), taken: 0, last: None }
    }

    /// Where the next page begins: behind this id.
    pub(crate) fn after(&self) -> u32 {
        self.last.unwrap_or_default()
    }

    /// Takes a page whose items' ids `id` tells. True where another page follows.
    ///
    /// # Errors
    /// [`Error::Protocol`] where the pages would never end, or the order is broken.
    pub(crate) fn take(&mut self, page: Vec<T>, more: bool, id: impl Fn(&T) -> u32) -> Result<bool, Error> {
        if more && page.is_empty() {
            return Err(Error::Protocol("an empty page that is not the last"));
        }
        for item in &page {
            let id = id(item);
            if self.last.is_some_and(|last| id <= last) {
                return Err(Error::Protocol("a list that is not in order"));
            }
            self.last = Some(id);
        }
        self.items.extend(page);
        self.taken += 1;
        if more && self.taken == MAX_PAGES {
            return Err(Error::Protocol("a list without end"));
        }
        Ok(more)
    }

    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pages: &mut Pages<u32>, page: &[u32], more: bool) -> Result<bool, Error> {
        pages.take(page.to_vec(), more, |id| *id)
    }

    #[test]
    fn each_page_begins_behind_the_one_before() {
        let mut pages = Pages::new();
        assert_eq!(pages.after(), 0);
        assert!(take(&mut pages, &[1, 2, 7], true).unwrap());
        assert_eq!(pages.after(), 7);
        assert!(!take(&mut pages, &[8], false).unwrap());
        assert_eq!(pages.into_items(), [1, 2, 7, 8]);
    }

    #[test]
    fn a_list_may_be_empty_and_so_may_its_last_page() {
        assert!(!take(&mut Pages::new(), &[], false).unwrap());
        let mut pages = Pages::new();
        assert!(take(&mut pages, &[1], true).unwrap());
        assert!(!take(&mut pages, &[], false).unwrap());
    }

    #[test]
    fn an_empty_page_before_the_last_is_refused() {
        assert!(matches!(take(&mut Pages::new(), &[], true), Err(Error::Protocol(_))));
    }

    #[test]
    fn ids_that_come_again_are_refused() {
        assert!(matches!(take(&mut Pages::new(), &[2, 2], false), Err(Error::Protocol(_))));
        let mut pages = Pages::new();
        assert!(take(&mut pages, &[1, 2], true).unwrap());
        assert!(matches!(take(&mut pages, &[1, 2], true), Err(Error::Protocol(_))));
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let mut pages = Pages::new();
        let most = MAX_PAGES as u32;
        let end = (1..=most).find(|id| take(&mut pages, &[*id], true).is_err());
        assert_eq!(end, Some(most));
    }
}
