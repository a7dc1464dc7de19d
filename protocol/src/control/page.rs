//! How much of a list goes into one message.

use super::ProcessDescription;
use crate::limits::{MAX_CONTROL, MAX_DESCRIPTION};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

/// Room for what is around the list in an answer: 82 bytes at most, today.
const MARGIN: usize = 256;

/// As much of a list as one answer holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The first items.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T: Serialize> Page<T> {
    /// Takes items as long as they fit into one message. One that no message could hold is left out; of process
    /// descriptions there are none once they went through [`ProcessDescription::shorten`].
    pub fn of(items: impl IntoIterator<Item = T>) -> Self {
        let mut page = Self { items: Vec::new(), more: false };
        let mut room = MAX_CONTROL - MARGIN;
        for item in items {
            let size = encoded(&item) + 1;
            if size > MAX_CONTROL - MARGIN {
                continue;
            }
            let Some(left) = room.checked_sub(size) else {
                page.more = true;
                break;
            };
            room = left;
            page.items.push(item);
        }
        page
    }
}

impl ProcessDescription {
    /// Cuts the command line so that the whole takes [`MAX_DESCRIPTION`] bytes at most: the last argument is `…` then. What
    /// else is in it the system bounds.
    pub fn shorten(&mut self) {
        let Some(excess) = encoded(self).checked_sub(MAX_DESCRIPTION).filter(|excess| *excess > 0) else {
            return;
        };
        let ellipsis = String::from("…");
        let mut excess = excess + encoded(&ellipsis) + 1;
        while let Some(argument) = self.command_line.pop() {
            let size = encoded(&argument) + 1;
            if size >= excess {
                break;
            }
            excess -= size;
        }
        self.command_line.push(ellipsis);
    }
}

/// How long it is as JSON, in bytes; what JSON cannot tell is too long for anything.
fn encoded(item: &impl Serialize) -> usize {
    serde_json::to_vec(item).map_or(usize::MAX / 2, |json| json.len())
}
