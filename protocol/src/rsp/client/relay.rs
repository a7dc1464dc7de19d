//! From a client's reply to a server's: what stands between two machines that are back to back.

use super::super::server;
use super::reply::Reply;

/// `EIO`, where the failed request came back without a number.
const UNSPECIFIED: u8 = 5;

/// `EINVAL`, for answers that make no sense.
const INVALID: u8 = 22;

impl Reply<'_> {
    /// Answers the request that this is the reply to, where it came from another client.
    pub fn relay(self, answer: server::Reply<'_>) {
        match self {
            Self::Attached(attached) => answer.attached(attached),
            Self::Checksum(sum) => answer.crc(sum),
            Self::Error(failure) => {
                let text = alloc::string::String::from_utf8_lossy(failure.text);
                answer.error(failure.code.unwrap_or(UNSPECIFIED), &text);
            }
            Self::Event(event) => event.lend(|event| answer.event(event)),
            Self::File { result, attachment } => answer.file(result.cast_signed(), attachment),
            Self::FileError(errno) => answer.file_error(errno),
            Self::Found(address) => answer.search(address),
            Self::Malformed => answer.error(INVALID, "the server's answer makes no sense"),
            Self::Memory(bytes) => answer.memory(bytes),
            Self::Number(number) => answer.written(number),
            Self::Object { data, last } => answer.object_part(data, last),
            Self::Ok => answer.ok(),
            Self::Raw(body) => answer.raw(body),
            Self::Registers(registers) => answer.register_parts(registers.parts()),
            Self::Symbol(name) => answer.symbol_lookup(name),
            Self::Text(text) => answer.hex(text),
            Self::Thread(thread) => answer.current_thread(thread),
            Self::Threads(threads) => answer.threads(threads),
            Self::Unsupported => answer.unsupported(),
        }
    }
}
