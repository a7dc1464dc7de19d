//! Serial lines for dbgsrv: a stream for each channel of a port, whichever processes have the others.
//!
//! No protocol logic and no policy: what makes a channel reliable, and a port common, is `dbgsrv_protocol::serial`'s. Here its
//! bytes are moved.
//!
//! ```text
//!  Listener, dial ─ Stream ─▶ driver (Member) ─ socket ─┐
//!            another process's driver ────────── socket ─┴─▶ hub (Switch) ─▶ tty
//! ```
//!
//! Every channel has a driver, and the driver a connection to the hub of its port. There is one hub for a port on a machine, in the process
//! that came first; its socket is in the directory of the user's lines, or of the machine's where root's came first. When the hub's
//! process ends, however it ends, the others' connections break, and the first to get the directory's lock opens the port and is the hub.
//! The streams notice nothing.

mod claim;
mod desk;
mod dial;
mod driver;
mod error;
mod hub;
mod listen;
mod port;
mod random;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod tty;

pub use dial::dial;
pub use error::OpenError;
pub use listen::Listener;
pub use stream::Stream;
