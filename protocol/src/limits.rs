//! Every limit that a peer can run into, with what it is for.

use core::time::Duration;

/// Largest RSP packet body that the server accepts, in bytes, as announced by `PacketSize`.
///
/// The receive buffer grows up to this and no further; a peer that sends more without `#` loses the packet.
pub const MAX_PACKET: usize = 0x4_0000;

/// Smallest `PacketSize` that a server may be set to: below it a register packet would not fit.
pub const MIN_PACKET: usize = 1024;

/// Most ranges in one `MultiMemRead`.
pub const MAX_MEMORY_RANGES: usize = 1024;

/// Most actions accepted in one `vCont`.
pub const MAX_RESUME_ACTIONS: usize = 4096;

/// Size in bytes that receive and transmit buffers start with, and come back to.
///
/// It holds every packet of ordinary stepping, so that a session which does nothing else never grows.
pub const SMALL_BUFFER: usize = 4096;

/// How many times in a row a grown buffer must have had use for no more than [`SMALL_BUFFER`] before it shrinks.
///
/// Without it, a client that dumps memory between small packets would make the buffer grow and shrink each time.
pub const QUIET_USES: u8 = 8;

/// Unsent reply bytes from which on no further request is taken out of the receive buffer.
///
/// A client that sends and never reads stops here. One more reply may come on top: at most twice [`MAX_PACKET`],
/// where every byte of it had to be escaped.
pub const TRANSMIT_MARK: usize = 2 * MAX_PACKET;

/// How often one packet is sent again at the client's `-` before the session is given up.
pub const MAX_RETRANSMISSIONS: u8 = 16;

/// Most stop events kept for a non-stop client that does not fetch them with `vStopped`.
///
/// Each thread has at most one at a time; this is Linux's default for the most threads of a machine.
pub const MAX_QUEUED_STOPS: usize = 0x8000;

/// Most modules that a client may ask about at once: a program with more libraries is asked about in pieces.
pub const MAX_MODULES: usize = 4096;

/// Longest text of an error reply, in bytes; the rest is cut off.
pub const MAX_ERROR_TEXT: usize = 1024;

/// Longest message of a handshake, in bytes, header included.
pub const MAX_HANDSHAKE: usize = 512;

/// Longest message of a session, in bytes: one frame of the mux.
pub const MAX_MESSAGE: usize = 0x8000;

/// Longest implicit command line, in bytes, one for each word counted in: escaped as JSON it takes six times as much at
/// most, and still fits into a message of the control protocol.
pub const MAX_IMPLICIT_COMMAND_LINE: usize = 0x2000;

/// Longest message of the control protocol, in bytes; longer lists come in pages.
pub const MAX_CONTROL: usize = 0x1_0000;

/// How much a side may send on a channel before it gets credit for more, in bytes.
///
/// It is there from the beginning: what is sent on a channel that is not accepted yet is held, 64 MiB where somebody opens
/// all and nobody accepts.
pub const INITIAL_WINDOW: usize = 0x4_0000;

/// Most unconsumed data of one channel, in bytes: what windows grow to where the way is long.
pub const MAX_WINDOW: usize = 0x40_0000;

/// Most unconsumed data of all channels of one connection, in bytes. Windows grow as long as what is left would still hold
/// [`INITIAL_WINDOW`] for each channel that may be opened.
pub const MAX_WINDOWS: usize = 0x600_0000;

/// Most data of one channel that is taken to be sent and waits for credit or its turn, in bytes.
pub const MAX_SEND_BUFFER: usize = 0x2_0000;

/// Longest text in a frame of the mux (label, reason), in bytes; the rest is cut off.
pub const MAX_CHANNEL_TEXT: usize = 256;

/// Longest description of one process in a message of the control protocol, in bytes; what is cut off is the command line.
pub const MAX_DESCRIPTION: usize = 0x4000;

/// Longest text of a refusal in the handshake, in bytes; the rest is cut off.
pub const MAX_REJECT_TEXT: usize = 200;

/// Longest text of a record that closes a session, in bytes; the rest is cut off.
pub const MAX_CLOSE_TEXT: usize = 256;

/// Longest record of a session, in bytes, without its two bytes of length: a message, its kind and the seal's tag.
pub const MAX_RECORD: usize = 1 + MAX_MESSAGE + 16;

/// What a session's receive buffer grows to while whole buffers come in, in bytes: a read of 64 KiB behind a record that
/// is not complete yet.
pub const BULK_BUFFER: usize = 0x1_0000 + 2 + MAX_RECORD;

/// Bytes of messages kept for a peer that has not acknowledged them; no message is taken beyond.
///
/// One more message may come on top. A peer that takes part acknowledges after [`ACK_BYTES`], so that only a line with more
/// than this on its way is ever held up.
pub const MAX_UNACKNOWLEDGED: usize = 8 << 20;

/// Unsent bytes of records from which on no further message is sealed.
///
/// What is sealed can't be overtaken by another channel's messages; one read of the peer's is enough.
pub const MAX_UNSENT: usize = 0x1_0000;

/// Received messages after which an acknowledgement is sent; after half as many one goes along with a message.
pub const ACK_MESSAGES: u64 = 32;

/// Received bytes of messages after which an acknowledgement is sent.
pub const ACK_BYTES: usize = 0x1_0000;

/// How long a received message may stay unacknowledged.
pub const ACK_DELAY: Duration = Duration::from_secs(1);

/// How long nothing may come from the peer before it is asked for a sign of life, and nothing go to it before it is given one
/// unasked.
pub const PING_AFTER: Duration = Duration::from_secs(15);

/// How long nothing may come from the peer before the connection is given up.
pub const DEAD_AFTER: Duration = Duration::from_secs(45);

/// Records after which the key of their direction is replaced.
pub const REKEY_RECORDS: u64 = 0x4000;
/// Packet size in bytes that an RSP client takes for granted (GDB does), and below which it takes no server's word.
pub const MIN_CLIENT_PACKET: usize = 400;

/// Longest reply body that an RSP client accepts, in bytes: data of the largest packet with each byte of it escaped.
pub const MAX_REPLY: usize = 2 * MAX_PACKET;

/// Most requests that an RSP client has under way at once, on a connection without acknowledgements.
pub const MAX_PIPELINED: usize = 64;

/// Most thread-ids that an RSP client takes from a server in one list: 8 MiB of them.
pub const MAX_LISTED_THREADS: usize = 0x10_0000;

/// Most registers that an RSP client takes from one stop reply.
pub const MAX_EXPEDITED_REGISTERS: usize = 1024;

/// Longest object (`qXfer`) and longest answer of a `monitor` command that an RSP client takes, in bytes.
pub const MAX_OBJECT: usize = 0x100_0000;

/// Most bytes of output that an RSP client keeps of a program whose user does not ask for events.
pub const MAX_KEPT_OUTPUT: usize = 0x10_0000;

/// Longest content of a frame on a serial line that is taken, in bytes.
pub const MAX_LINE_FRAME: usize = 0x800;

/// Most data in one frame that is sent on a serial line, in bytes; less where the line is slow or bad.
pub const MAX_LINE_DATA: usize = 1024;

/// Most data of one channel of a serial line that is received and not yet read, in bytes: as much as a line of 4,000,000 baud
/// carries in 160 ms. Slower lines have less.
pub const MAX_LINE_WINDOW: usize = 0x1_0000;

/// The same for the slowest lines.
pub const MIN_LINE_WINDOW: usize = 0x1000;

/// Most pieces of one channel of a serial line that are under way at once.
///
/// It bounds what a program costs that sends single bytes; large pieces fill the window first.
pub const MAX_LINE_PIECES: usize = 1024;

/// Most ranges in one acknowledgement on a serial line.
pub const MAX_LINE_RANGES: usize = 16;

/// Most ranges of one channel of a serial line that are received with something lacking before them.
pub const MAX_LINE_ISLANDS: usize = 256;

/// How long nothing may come from the other side of a serial line's channel before it is asked for a sign of life
/// by the end that called; the other waits twice as long.
pub const LINE_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Longest time between two attempts to reach the other side of a serial line.
pub const MAX_LINE_RETRY: Duration = Duration::from_secs(4);

/// Most processes that share a serial line of this machine, those included that have not said which channel they want: one for
/// each channel, and some that come and go.
pub const MAX_LINE_MEMBERS: usize = 0x120;

/// Most frames of one channel that are handed to whoever has the serial port and have not left it. More would only wait there.
pub const MAX_MEMBER_FRAMES: usize = 4;

/// Most bytes of a serial line that wait for the process that has their channel. What is more is lost to it as on a bad line, and
/// sent again.
pub const MAX_MEMBER_BACKLOG: usize = 0x2_0000;

/// Most answers to calls that nobody is here for which wait for a serial line.
pub const MAX_LINE_NOTICES: usize = 16;

/// Longest beginning of what a plain debugger says on a serial line, in bytes, by which it is known: its first packet.
pub const MAX_LINE_OPENING: usize = 0x1000;

/// Most bytes of a plain debugger on a serial line that wait to be read. It does not send more than a packet before there is an answer.
pub const MAX_PLAIN_INPUT: usize = 2 * MAX_PACKET;

/// Most bytes for a plain debugger on a serial line that wait to be sent.
pub const MAX_PLAIN_OUTPUT: usize = MAX_LINE_WINDOW;

/// How long the end of a serial line's channel that its user has left may take to send what is left.
pub const LINE_FAREWELL: Duration = Duration::from_secs(5);

/// Largest entry of one server in the registry of a machine, in bytes: its longest connection strings.
pub const MAX_REGISTRY_ENTRY: usize = 0x1_0000;

/// Most servers (connection strings) in one entry of the registry.
pub const MAX_LISTED_SERVERS: usize = 64;

/// Most entries of one registry that are looked at; who may write there could leave any number of them.
pub const MAX_REGISTRY_ENTRIES: usize = 1024;

/// Longest string of a text record of DNS-SD that is read, in bytes (RFC 6763, section 6.1).
pub const MAX_TEXT_RECORD: usize = 255;

/// Most addresses of one machine that are taken from multicast DNS.
pub const MAX_ADVERTISED_ADDRESSES: usize = 32;

/// Most servers that are taken from multicast DNS: anybody on the link can announce any number of them.
pub const MAX_NEAR_SERVERS: usize = 1024;
