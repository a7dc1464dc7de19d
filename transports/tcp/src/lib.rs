//! TCP for dbgsrv: listening on a port, or on the first free one of a range, in every address family asked for.
//!
//! No protocol logic and no policy: who may connect and what a connection carries is decided by the caller. Binding and
//! accepting are two phases because they fail differently: a port that can't be bound ends the program, a connection
//! that can't be accepted must not.
#![forbid(unsafe_code)]

mod listen;
mod ports;
mod tune;

pub use listen::Listener;
pub use ports::BindError;
pub use tune::tune;
