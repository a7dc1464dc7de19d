//! One member of a line, as the switch knows it.

use super::super::deframe::Deframer;
use super::super::frame::{self, Frame};
use super::super::incarnation::Incarnation;
use super::super::local::{Join, ToMember};
use crate::limits::{MAX_LINE_DATA, MAX_MEMBER_BACKLOG, MAX_MEMBER_FRAMES};
use crate::options::Channel;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use thiserror::Error;

/// A member does what none of ours does.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Misuse {
    /// It speaks before it has a channel.
    #[error("it has joined no channel")]
    NotJoined,
    /// It wants a second channel.
    #[error("it has joined a channel already")]
    JoinedTwice,
    /// It sends frames of a channel that is not its own, or no frames at all.
    #[error("it sends what is no frame of its channel")]
    ForeignFrame,
    /// It sends more frames than there is room for.
    #[error("it sends more than {MAX_MEMBER_FRAMES} frames at once")]
    Flood,
    /// It reads nothing of what concerns it.
    #[error("it does not read")]
    Deaf,
}

/// What is to be put on the line at once.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// For a plain debugger.
    pub(super) is_plain: bool,
}

/// A channel, and who has it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) channel: Channel,
    /// It would serve a plain debugger.
    pub(super) serves: bool,
    /// The two ends of the channel, as far as they have met: the member's and the other.
    pub(super) met: Option<(Incarnation, Incarnation)>,
}

/// A member.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) deframer: Deframer,
    pub(super) seat: Option<Seat>,
    pieces: VecDeque<Piece>,
    /// How much of the line it has had, in bytes, beginning with what the others had when it began.
    pub(super) share: u64,
    /// What a plain debugger has said, to be handed on.
    pub(super) said: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            deframer: Deframer::default(),
            seat: None,
            pieces: VecDeque::new(),
            share: 0,
            said: Vec::new(),
            output: Vec::new(),
        }
    }

    pub(super) fn take_seat(&mut self, join: Join, share: u64) {
        self.seat = Some(Seat { channel: join.channel, serves: join.serves, met: None });
        self.share = share;
        self.tell(ToMember::Joined);
    }

    /// Tells the member what must not get lost. There is little of it: it answers what the member sends.
    pub(super) fn tell(&mut self, what: ToMember<'_>) {
        what.emit(&mut self.output);
    }

    /// Whether it reads what it gets.
    pub(super) fn has_room(&self) -> bool {
        self.output.len() < MAX_MEMBER_BACKLOG
    }

    /// Has the member get a frame, unless it has too much to read already.
    pub(super) fn offer(&mut self, emit: impl FnOnce(&mut Vec<u8>)) {
        if self.has_room() {
            emit(&mut self.output);
        }
    }

    /// Hands on what a plain debugger has said.
    pub(super) fn say_plain(&mut self) {
        for bytes in mem::take(&mut self.said).chunks(MAX_LINE_DATA) {
            self.offer(|out| ToMember::Plain(bytes).emit(out));
        }
    }

    /// Looks at a frame that the member sends.
    pub(super) fn sends(&mut self, content: &[u8]) -> Result<(), Misuse> {
        let seat = self.seat.as_mut().ok_or(Misuse::NotJoined)?;
        let (channel, frame) = frame::parse(content).ok_or(Misuse::ForeignFrame)?;
        if channel != seat.channel {
            return Err(Misuse::ForeignFrame);
        }
        match frame {
            Frame::Hello(hello) => seat.met = hello.yours.map(|yours| (hello.mine, yours)),
            Frame::Gone(_) => seat.met = None,
            Frame::Stream(_) => {}
        }
        Ok(())
    }

    /// Takes a piece for the line, or, where it is not wanted, for nobody.
    pub(super) fn queue(&mut self, piece: Piece, is_wanted: bool) -> Result<(), Misuse> {
        if self.seat.is_none() {
            return Err(Misuse::NotJoined);
        }
        if self.pieces.len() >= MAX_MEMBER_FRAMES {
            return Err(Misuse::Flood);
        }
        if self.output.len() > 2 * MAX_MEMBER_BACKLOG {
            return Err(Misuse::Deaf);
        }
        if is_wanted {
            self.pieces.push_back(piece);
        } else {
            self.tell(ToMember::Taken);
        }
        Ok(())
    }

    /// Whether there is something for the line.
    pub(super) fn has_piece(&self) -> bool {
        !self.pieces.is_empty()
    }

    pub(super) fn take_piece(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }

    /// Forgets pieces that nobody would understand any more.
    pub(super) fn drop_pieces(&mut self, is_vain: impl Fn(&Piece) -> bool) {
        let count = self.pieces.len();
        self.pieces.retain(|piece| !is_vain(piece));
        for _ in self.pieces.len()..count {
            self.tell(ToMember::Taken);
        }
    }
}
