//! stand-in
use dbgsrv_protocol::control::{Failure, FailureKind, Program};
pub(crate) fn create(_: &Program) -> Result<u32, Failure> {
    Err(super::failure(FailureKind::System, "stand-in"))
}
