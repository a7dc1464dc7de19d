//! The test vectors of the specification.

use crate::control::{Ask, Codec, CodecError, FromServer, encode};
use crate::rsp::packet::hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../../docs/vectors/control.txt");

/// `json` is understood, and sent again as it is.
fn check<T: DeserializeOwned + Serialize + Debug>(json: &str) {
    let mut codec = Codec::default();
    let bytes = [&(json.len() as u32).to_be_bytes(), json.as_bytes()].concat();
    codec.receive(&bytes);
    let message = codec.poll::<T>().expect(json).expect("whole");
    let mut again = Vec::new();
    encode(&message, &mut again).unwrap();
    assert_eq!(again, bytes, "{message:?}");
}

fn check_refused(id: &str, json: &str) {
    let mut codec = Codec::default();
    codec.receive(&[&(json.len() as u32).to_be_bytes(), json.as_bytes()].concat());
    match codec.poll::<Ask>() {
        Err(CodecError::Malformed { id: found, .. }) => {
            let id = if id == "none" { None } else { Some(id.parse().expect(json)) };
            assert_eq!(found, id, "{json}");
        }
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn the_vectors_of_the_specification_hold() {
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (what, json) = line.split_once(' ').expect(line);
        match what {
            "client" => check::<Ask>(json),
            "server" => check::<FromServer>(json),
            "refused" => {
                let (id, json) = json.split_once(' ').expect(line);
                check_refused(id, json);
            }
            "bytes" => {
                let (digits, json) = json.split_once(' ').expect(line);
                let mut bytes = Vec::new();
                encode(&serde_json::from_str::<Ask>(json).expect(line), &mut bytes).unwrap();
                assert_eq!(Some(&mut bytes[..]), hex::decode_in_place(&mut Vec::from(digits)));
            }
            _ => panic!("{line}"),
        }
    }
}
