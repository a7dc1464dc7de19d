//! Messages to bytes and back.

use super::strategy::{ask, from_server};
use crate::control::fuzzing::control;
use crate::control::{Ask, Codec, CodecError, FromServer, Request, encode};
use crate::limits::MAX_CONTROL;
use proptest::prelude::*;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

fn framed(json: &str) -> Vec<u8> {
    [&(json.len() as u32).to_be_bytes(), json.as_bytes()].concat()
}

/// What comes of one message.
fn poll(json: &str) -> Result<Option<Ask>, CodecError> {
    let mut codec = Codec::default();
    codec.receive(&framed(json));
    codec.poll()
}

fn malformed_id(json: &str) -> Option<u32> {
    match poll(json) {
        Err(CodecError::Malformed { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_come_whole_from_any_pieces_one_after_the_other() {
    let asks = [Request::ServerInfo, Request::EndSession { session: 3 }, Request::Doctor { pid: None }]
        .map(|request| Ask { id: 1, request });
    let mut stream = Vec::new();
    for ask in &asks {
        encode(ask, &mut stream).unwrap();
    }
    for size in 1..=stream.len() {
        let mut codec = Codec::default();
        let mut seen = Vec::new();
        for piece in stream.chunks(size) {
            codec.receive(piece);
            while let Some(ask) = codec.poll::<Ask>().unwrap() {
                seen.push(ask);
            }
        }
        assert_eq!(seen, asks);
    }
}

#[test]
fn a_message_that_is_too_long_ends_the_stream_at_its_length_already() {
    let mut codec = Codec::default();
    codec.receive(&(MAX_CONTROL as u32 + 1).to_be_bytes());
    for _ in 0..2 {
        assert_eq!(codec.poll::<Ask>(), Err(CodecError::TooLong(MAX_CONTROL as u32 + 1)));
        codec.receive(&framed(r#"{"id":1,"request":"sessions"}"#));
    }
}

#[test]
fn the_longest_message_is_taken_and_one_byte_more_is_not_sent() {
    let ask = |length| Ask { id: 1, request: Request::Digest { path: "x".repeat(length), length: None } };
    let mut bytes = Vec::new();
    encode(&ask(0), &mut bytes).unwrap();
    let longest = MAX_CONTROL + 4 - bytes.len();
    bytes.clear();
    encode(&ask(longest), &mut bytes).unwrap();
    assert_eq!(bytes.len(), MAX_CONTROL + 4);
    let mut codec = Codec::default();
    codec.receive(&bytes);
    assert_eq!(codec.poll(), Ok(Some(ask(longest))));

    let before = bytes.clone();
    assert_eq!(encode(&ask(longest + 1), &mut bytes), Err(CodecError::TooLong(MAX_CONTROL as u32 + 1)));
    assert_eq!(bytes, before);
}

#[test]
fn what_is_not_understood_bears_the_id_to_answer_to_where_it_has_one() {
    assert_eq!(malformed_id(r#"{"id":7,"request":"teleport","where":"home"}"#), Some(7));
    assert_eq!(malformed_id(r#"{"id":7,"request":"process-ids","after":-1}"#), Some(7));
    assert_eq!(malformed_id(r#"{"id":7,"request":"process-id-by-executable","executable":"a","by":"smell"}"#), Some(7));
    assert_eq!(malformed_id(r#"{"id":7}"#), Some(7));
    assert_eq!(malformed_id(r#"{"id":-7,"request":"sessions"}"#), None);
    assert_eq!(malformed_id(r#"{"request":"sessions"}"#), None);
    assert_eq!(malformed_id(r#"{"id":7,"request":"sessions"} trailing"#), None);
    assert_eq!(malformed_id("\u{0}"), None);
    assert_eq!(malformed_id(""), None);
}

#[test]
fn an_answer_of_a_later_release_bears_the_id_of_its_request() {
    let mut codec = Codec::default();
    codec.receive(&framed(r#"{"id":9,"ok":{"answer":"hologram","value":{}}}"#));
    codec.receive(&framed(r#"{"id":10,"maybe":{}}"#));
    for expected in [9, 10] {
        let message = codec.poll::<FromServer>();
        assert!(matches!(message, Err(CodecError::Malformed { id: Some(id), .. }) if id == expected), "{message:?}");
    }
}

#[test]
fn the_message_after_a_malformed_one_is_understood() {
    let mut codec = Codec::default();
    codec.receive(&framed("what"));
    codec.receive(&framed(r#"{"id":2,"request":"sessions"}"#));
    assert!(codec.poll::<Ask>().is_err());
    assert_eq!(codec.poll(), Ok(Some(Ask { id: 2, request: Request::Sessions { after: 0 } })));
    assert_eq!(codec.poll::<Ask>(), Ok(None));
}

#[test]
fn fields_of_a_later_release_are_passed_over() {
    let json = r#"{"mood":{"good":[true]},"id":1,"request":"sessions","after":3}"#;
    assert_eq!(poll(json), Ok(Some(Ask { id: 1, request: Request::Sessions { after: 3 } })));
    let json = r#"{"request":"end-session","session":4,"politely":true,"id":1}"#;
    assert_eq!(poll(json), Ok(Some(Ask { id: 1, request: Request::EndSession { session: 4 } })));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!(r#"{{"id":1,"request":"sessions","x":{}1{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
    assert!(matches!(poll(&deep), Err(CodecError::Malformed { .. })));
}

#[test]
fn a_small_corpus_passes() {
    let stream = [framed(r#"{"id":1,"request":"sessions"}"#), framed("{}"), vec![0, 0, 0]].concat();
    control(&stream);
    control(br#"{"id":1,"error":{"kind":"melancholy","text":""}}"#);
    control(br#"{"event":"sunrise","at":6}"#);
}

proptest! {
    #[test]
    fn every_request_comes_as_it_was_sent(ask in ask()) {
        let mut bytes = Vec::new();
        encode(&ask, &mut bytes).unwrap();
        let mut codec = Codec::default();
        codec.receive(&bytes);
        prop_assert_eq!(codec.poll(), Ok(Some(ask)));
    }

    #[test]
    fn every_answer_and_event_comes_as_it_was_sent(message in from_server()) {
        let mut bytes = Vec::new();
        encode(&message, &mut bytes).unwrap();
        let mut codec = Codec::default();
        codec.receive(&bytes);
        prop_assert_eq!(codec.poll(), Ok(Some(message)));
    }

    #[test]
    fn no_bytes_break_the_codec(data: Vec<u8>, json in r#"\{"id":[0-9]{1,3},"(request|ok|error|event)":("[a-z-]{0,9}"|\{\}|[0-9])\}"#) {
        control(&data);
        control(json.as_bytes());
        control(&framed(&String::from_utf8_lossy(&data)));
    }
}
