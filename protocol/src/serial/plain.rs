//! A debugger that speaks RSP straight to the line: how it is known, and how the next one is told from it.
//!
//! No frame begins as RSP does: between its zeros a frame is a length, a channel and a kind, and the kind is no text.

use crate::limits::MAX_LINE_OPENING;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

/// A silence behind which something new may begin. A debugger that was not understood tries again after two seconds.
const PAUSE: Duration = Duration::from_secs(1);

/// What a debugger asks when it has just connected, and not again.
const OPENINGS: [&[u8]; 2] = [b"qSupported", b"QStartNoAckMode"];

/// How much of a packet is looked at: the longest of [`OPENINGS`].
const HEAD: usize = 15;

/// Where a byte of RSP stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    #[default]
    Between,
    Body,
    Check,
    LastCheck,
}

/// Finds packets.
#[derive(Debug, Default)]
struct Packets {
    stage: Stage,
    sum: u8,
    check: u8,
    head: Vec<u8>,
}

impl Packets {
    /// Takes a byte. Whether it ends a packet whose checksum is right.
    fn push(&mut self, byte: u8) -> bool {
        let digit = char::from(byte).to_digit(16).map(|digit| digit as u8);
        match (self.stage, byte) {
            (_, b'$') => {
                self.head.clear();
                (self.sum, self.stage) = (0, Stage::Body);
            }
            (Stage::Between, _) => {}
            (Stage::Body, b'#') => self.stage = Stage::Check,
            (Stage::Body, _) => {
                self.sum = self.sum.wrapping_add(byte);
                if self.head.len() < HEAD {
                    self.head.push(byte);
                }
            }
            (Stage::Check, _) => {
                self.check = digit.unwrap_or_default() << 4;
                self.stage = if digit.is_some() { Stage::LastCheck } else { Stage::Between };
            }
            (Stage::LastCheck, _) => {
                self.stage = Stage::Between;
                return digit.is_some_and(|digit| self.check | digit == self.sum);
            }
        }
        false
    }

    /// Which of [`OPENINGS`] the packet is.
    fn opening(&self) -> Option<usize> {
        OPENINGS.iter().position(|opening| self.head.starts_with(opening))
    }

    /// Whether the packet that has begun may still become one of [`OPENINGS`].
    fn may_open(&self) -> bool {
        self.stage != Stage::Between
            && OPENINGS.iter().any(|opening| opening.iter().zip(&self.head).all(|(a, b)| a == b))
    }
}

/// Listens for a debugger on a line where none is known to be.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// What came since the last zero or the last silence, as long as it may be a debugger's.
    run: Vec<u8>,
    is_hopeless: bool,
    packets: Packets,
    heard_at: Duration,
}

impl Ear {
    /// Takes a byte. Where it ends the first packet of a debugger, all that the debugger has said.
    pub(super) fn push(&mut self, byte: u8, now: Duration) -> Option<Vec<u8>> {
        if byte == 0 || now > self.heard_at + PAUSE {
            *self = Self::default();
        }
        self.heard_at = now;
        if byte == 0 {
            return None;
        }
        let is_text = match self.packets.stage {
            Stage::Between => matches!(byte, b'+' | b'-' | b'$' | 0x03),
            _ => matches!(byte, b' '..=b'~'),
        };
        self.is_hopeless |= !is_text || self.run.len() >= MAX_LINE_OPENING;
        if self.is_hopeless {
            self.run.clear();
            return None;
        }
        self.run.push(byte);
        self.packets.push(byte).then(|| mem::take(self).run)
    }
}

/// What a debugger is known to have said.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    packets: Packets,
    /// What may become the first packet of another debugger.
    held: Vec<u8>,
    asked: [bool; OPENINGS.len()],
    last: Option<usize>,
}

/// What came from the line.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    /// The rest of the debugger that was there.
    pub(super) old: Vec<u8>,
    /// What another one begins with.
    pub(super) new: Option<Vec<u8>>,
}

impl Conversation {
    /// One that goes on: all openings are behind it.
    pub(super) fn under_way() -> Self {
        Self { asked: [true; OPENINGS.len()], ..Self::default() }
    }

    /// One whose debugger has said `opening` so far.
    pub(super) fn begun(opening: &[u8]) -> Self {
        let mut conversation = Self::default();
        for &byte in opening {
            conversation.push(byte);
        }
        conversation
    }

    /// Takes a byte. A line does not tell when a debugger has left; but the next one begins with a question that is asked once.
    pub(super) fn push(&mut self, byte: u8) -> Heard {
        let is_packet = self.packets.push(byte);
        self.held.push(byte);
        if is_packet {
            let bytes = mem::take(&mut self.held);
            return if self.is_another() {
                Heard { old: Vec::new(), new: Some(bytes) }
            } else {
                Heard { old: bytes, new: None }
            };
        }
        if self.packets.may_open() && self.held.len() < MAX_LINE_OPENING {
            return Heard::default();
        }
        Heard { old: mem::take(&mut self.held), new: None }
    }

    /// Whether the packet that just ended is another debugger's. Who gets no answer in time repeats its question.
    fn is_another(&mut self) -> bool {
        let opening = self.packets.opening();
        let is_repeated = self.last.replace(opening.unwrap_or(OPENINGS.len())) == opening;
        let Some(opening) = opening else { return false };
        let is_another = mem::replace(&mut self.asked[opening], true) && !is_repeated;
        if is_another {
            self.asked = [false; OPENINGS.len()];
            self.asked[opening] = true;
        }
        is_another
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    fn packet(body: &str) -> String {
        let sum = body.bytes().fold(0_u8, u8::wrapping_add);
        format!("${body}#{sum:02x}")
    }

    fn listen(ear: &mut Ear, bytes: &[u8], now: Duration) -> Option<Vec<u8>> {
        bytes.iter().filter_map(|&byte| ear.push(byte, now)).last()
    }

    #[test]
    fn a_debugger_is_known_by_its_first_packet() {
        let question = format!("+{}", packet("qSupported:multiprocess+"));
        let mut ear = Ear::default();
        let (start, rest) = question.split_at(7);
        assert_eq!(listen(&mut ear, start.as_bytes(), Duration::ZERO), None);
        assert_eq!(listen(&mut ear, rest.as_bytes(), Duration::from_millis(900)).as_deref(), Some(question.as_bytes()));
        // After a frame, and after noise and a silence.
        assert!(listen(&mut ear, b"noise\0", Duration::from_secs(2)).is_none());
        assert!(listen(&mut ear, question.as_bytes(), Duration::from_secs(2)).is_some());
        assert!(listen(&mut ear, b"noise", Duration::from_secs(4)).is_none());
        assert!(listen(&mut ear, question.as_bytes(), Duration::from_secs(4)).is_none());
        assert!(listen(&mut ear, question.as_bytes(), Duration::from_secs(6)).is_some());
    }

    #[test]
    fn what_is_no_packet_is_no_debugger() {
        for bytes in ["+++", "$g#68", "login: ", "$\x01g#68", "AT$g#67", "$g#6"] {
            assert_eq!(listen(&mut Ear::default(), bytes.as_bytes(), Duration::ZERO), None, "{bytes}");
        }
        let endless = [b"$".as_slice(), &[b'a'; 2 * MAX_LINE_OPENING]].concat();
        let mut ear = Ear::default();
        assert_eq!(listen(&mut ear, &endless, Duration::ZERO), None);
        assert!(ear.run.is_empty());
    }

    fn talk(conversation: &mut Conversation, text: &str) -> (String, Vec<String>) {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for byte in text.bytes() {
            let heard = conversation.push(byte);
            old.extend(heard.old);
            new.extend(heard.new.map(|bytes| String::from_utf8(bytes).unwrap()));
        }
        (String::from_utf8(old).unwrap(), new)
    }

    #[test]
    fn the_next_debugger_begins_with_the_question_of_the_last() {
        let mut gdb = Conversation::default();
        let [question, noack] = [packet("qSupported:xmlRegisters=i386"), packet("QStartNoAckMode")];
        let session =
            format!("{question}+{question}+{}+{noack}+{}", packet("vMustReplyEmpty"), packet("qXfer:features:read"));
        assert_eq!(talk(&mut gdb, &session), (session.clone(), Vec::new()));
        assert_eq!(talk(&mut gdb, &format!("+{question}")), ("+".into(), Vec::from([question.clone()])));
        assert_eq!(talk(&mut gdb, &noack), (noack.clone(), Vec::new()));
        // LLDB asks the other way round.
        assert_eq!(
            talk(&mut gdb, &format!("+{}+{noack}", packet("?"))),
            (format!("+{}+", packet("?")), Vec::from([noack]))
        );
        assert_eq!(talk(&mut gdb, &question), (question, Vec::new()));
    }

    #[test]
    fn what_follows_the_first_question_is_not_another_debuggers() {
        let mut gdb = Conversation::begun(packet("qSupported").as_bytes());
        let noack = packet("QStartNoAckMode");
        assert_eq!(talk(&mut gdb, &noack), (noack, Vec::new()));
        let question = packet("qSupported");
        assert_eq!(talk(&mut gdb, &question), (String::new(), Vec::from([question])));
    }

    #[test]
    fn one_that_goes_on_is_not_another_until_it_asks() {
        let mut gdb = Conversation::under_way();
        let step = packet("vCont;s:1");
        assert_eq!(talk(&mut gdb, &step), (step, Vec::new()));
        let question = packet("qSupported");
        assert_eq!(talk(&mut gdb, &question), (String::new(), Vec::from([question])));
    }
}
