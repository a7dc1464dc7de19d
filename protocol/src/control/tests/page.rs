//! How much of a list goes into one message.

use super::strategy::process;
use crate::control::{Answer, Codec, FromServer, Page, ProcessDescription, Response, encode};
use crate::limits::{MAX_CONTROL, MAX_DESCRIPTION};
use proptest::prelude::*;
use std::string::String;
use std::vec;
use std::vec::Vec;

fn answer(result: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&FromServer::Answer(Answer { id: u32::MAX, result: Ok(result) }), &mut bytes).unwrap();
    bytes
}

#[test]
fn fifty_thousand_ids_come_in_pages_that_are_nearly_full() {
    let all: Vec<u32> = (1..=50_000).map(|id| id * 80).collect();
    let mut got = Vec::new();
    let mut pages = 0;
    loop {
        let after = got.last().copied().unwrap_or_default();
        let page = Page::of(all.iter().copied().filter(|id| *id > after));
        got.extend_from_slice(&page.items);
        pages += 1;
        let length = answer(Response::ProcessIds { pids: page.items, more: page.more }).len();
        if !page.more {
            break;
        }
        assert!((MAX_CONTROL - 300..=MAX_CONTROL).contains(&length), "{length}");
    }
    assert_eq!(got, all);
    assert_eq!(pages, 6);
}

#[test]
fn an_item_that_no_message_could_hold_does_not_keep_the_others_back() {
    let items = [String::from("a"), "x".repeat(MAX_CONTROL), String::from("b")];
    assert_eq!(Page::of(items), Page { items: vec![String::from("a"), String::from("b")], more: false });
}

#[test]
fn a_long_command_line_is_cut_at_an_argument() {
    let argument = String::from("0123456789");
    let mut description =
        ProcessDescription { pid: 1, command_line: vec![argument.clone(); 100_000], ..ProcessDescription::default() };
    description.shorten();
    let (last, rest) = description.command_line.split_last().unwrap();
    assert_eq!(last, "…");
    assert!(rest.iter().all(|kept| *kept == argument));
    let length = serde_json::to_vec(&description).unwrap().len();
    assert!((MAX_DESCRIPTION - 30..=MAX_DESCRIPTION).contains(&length), "{length}");
}

#[test]
fn a_command_line_of_one_endless_argument_is_cut_too() {
    let mut description =
        ProcessDescription { command_line: vec!["\u{1}".repeat(MAX_DESCRIPTION)], ..ProcessDescription::default() };
    description.shorten();
    assert_eq!(description.command_line, ["…"]);
}

proptest! {
    #[test]
    fn a_page_of_shortened_descriptions_fits_into_a_message_and_is_never_empty(
        mut all in prop::collection::vec(process(), 1..40), lines in prop::collection::vec(0_usize..40_000, 40),
    ) {
        for (description, line) in all.iter_mut().zip(lines) {
            description.command_line.push("\"".repeat(line));
            description.shorten();
            prop_assert!(serde_json::to_vec(description).unwrap().len() <= MAX_DESCRIPTION);
        }
        let page = Page::of(all.clone());
        prop_assert!(!page.items.is_empty());
        prop_assert_eq!(page.more, page.items.len() < all.len());
        prop_assert_eq!(&page.items[..], &all[..page.items.len()]);
        let bytes = answer(Response::Processes { processes: page.items, more: page.more });
        let mut codec = Codec::default();
        codec.receive(&bytes);
        prop_assert!(codec.poll::<FromServer>().is_ok());
    }
}
