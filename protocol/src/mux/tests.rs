use super::fuzzing::mux_ops;
use proptest::prelude::*;
use std::vec::Vec;
proptest! {
    #[test]
    fn x(data: Vec<u8>) { mux_ops(&data); }
    #[test]
    fn y(data in prop::collection::vec(any::<u8>(), 300..1500)) { mux_ops(&data); }
}
