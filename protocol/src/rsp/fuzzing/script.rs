//! What a fuzz input says: the bytes of a client, and what happens meanwhile.

use alloc::vec::Vec;

use super::super::packet::checksum;
use crate::rsp::field;

/// A step of a conversation.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Action {
    /// A thread stops; the byte says how.
    Event(u8),
    /// In non-stop mode a thread stops, else there is text for the user.
    Push(u8),
    /// The client sends this.
    Receive(Vec<u8>),
    /// The client reads so many bytes.
    Transmit(usize),
}

/// The next byte is one of the client's, whatever it is.
const VERBATIM: u8 = 0xc0;
/// Stands for `#` and the right checksum of the packet.
const END: u8 = 0xc1;
/// From here on no byte is the client's.
const FIRST: u8 = VERBATIM;

/// The steps in `data`. Bytes below [`FIRST`] are the client's, so that any text of RSP is a script; so are those that
/// [`VERBATIM`] and [`END`] stand for.
pub(super) fn script(data: &[u8]) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut bytes = Vec::new();
    let mut data = data.iter().copied();
    while let Some(byte) = data.next() {
        let action = match byte {
            ..FIRST => {
                bytes.push(byte);
                continue;
            }
            VERBATIM => {
                bytes.extend(data.next());
                continue;
            }
            END => {
                end_packet(&mut bytes);
                continue;
            }
            // A pause.
            0xc2..0xd0 => None,
            0xd0..0xe0 => Some(Action::Event(byte)),
            0xe0..0xf0 => Some(Action::Push(byte)),
            0xf0..0xff => Some(Action::Transmit((byte - 0xef).into())),
            0xff => Some(Action::Transmit(usize::MAX)),
        };
        actions.push(Action::Receive(core::mem::take(&mut bytes)));
        actions.extend(action);
    }
    actions.push(Action::Receive(bytes));
    actions
}

fn end_packet(bytes: &mut Vec<u8>) {
    let start = bytes.iter().rposition(|byte| *byte == b'$').map_or(0, |at| at + 1);
    let sum = checksum(&bytes[start..]);
    bytes.push(b'#');
    field::put_byte(bytes, sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_what_the_client_sends() {
        assert_eq!(script(b"+$g#67"), [Action::Receive(b"+$g#67".to_vec())]);
    }

    #[test]
    fn actions_stand_between_the_pieces_that_they_cut_the_text_into() {
        let expected = [
            Action::Receive(b"$qC#b4".to_vec()),
            Action::Transmit(1),
            Action::Receive(b"\xffa".to_vec()),
            Action::Receive(b"b".to_vec()),
            Action::Event(0xd1),
            Action::Receive(Vec::new()),
        ];
        assert_eq!(script(b"$qC\xc1\xf0\xc0\xffa\xc2b\xd1"), expected);
    }
}
