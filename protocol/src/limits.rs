//! Every limit that a peer can run into, with what it is for.

/// Largest RSP packet body that the server accepts, in bytes, as announced by `PacketSize`.
///
/// The receive buffer grows up to this and no further; a peer that sends more without `#` loses the packet.
pub const MAX_PACKET: usize = 0x4_0000;

/// Most actions accepted in one `vCont`.
pub const MAX_RESUME_ACTIONS: usize = 4096;
