//! Many processes at one port: hands frames on between the line and whoever has their channel.
//!
//! A switch knows nothing of streams. Each [`Member`](super::Member) has one end of a channel, with all that makes it reliable; so when the
//! process with the port dies, another opens the port and goes on, and what was lost with it is sent again. A member comes through a
//! socket of its own:
//!
//! ```text
//!   line  ──> receive_buffer(), received(n) ──> member_transmit(id), member_transmitted(id, n) ──> socket of a member
//!   line  <── transmit(), transmitted(n)    <── member_received(id, bytes)                     <── socket of a member
//! ```
//!
//! Where nobody has a channel that is called, the switch says so. Where a plain debugger speaks to the line, its bytes go to the
//! member with the lowest channel among those that would serve it, until somebody calls by frames.

mod place;
mod schedule;

pub use place::Misuse;

use super::cobs;
use super::deframe::Deframer;
use super::frame::{self, Frame, Gone, Hello};
use super::line::Line;
use super::local::{Join, Refusal, ToMember, ToSwitch};
use super::plain::{Conversation, Ear};
use crate::limits::{MAX_LINE_MEMBERS, MAX_LINE_NOTICES, SMALL_BUFFER};
use crate::options::{Baud, Channel};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;
use place::{Piece, Place, Seat};

/// A member, for as long as it is connected.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct MemberId(u64);

/// A debugger on the line, and who serves it.
#[derive(Debug)]
struct Plain {
    server: MemberId,
    conversation: Conversation,
}

/// One port with those who share it. Times are since any fixed moment.
#[derive(Debug)]
pub struct Switch {
    baud: Baud,
    line: Line,
    input: Box<[u8]>,
    deframer: Deframer,
    ear: Ear,
    plain: Option<Plain>,
    places: BTreeMap<MemberId, Place>,
    last: u64,
    /// What the switch itself has to say on the line.
    notices: VecDeque<(Channel, Gone)>,
    /// One frame, or what is left of it to be sent.
    output: Vec<u8>,
    sent: usize,
    /// Whose it is, where it is not the switch's own.
    sender: Option<MemberId>,
    /// The share of the line at which the last frame was sent.
    share: u64,
    now: Duration,
}

impl Switch {
    /// A line of this rate, and nobody there.
    #[must_use]
    pub fn new(baud: Baud, now: Duration) -> Self {
        Self {
            baud,
            line: Line::new(baud),
            input: vec![0; SMALL_BUFFER].into(),
            deframer: Deframer::default(),
            ear: Ear::default(),
            plain: None,
            places: BTreeMap::new(),
            last: 0,
            notices: VecDeque::new(),
            output: Vec::new(),
            sent: 0,
            sender: None,
            share: 0,
            now,
        }
    }

    /// Somebody has connected. `None` where there are [`MAX_LINE_MEMBERS`] already.
    pub fn join(&mut self) -> Option<MemberId> {
        if self.places.len() >= MAX_LINE_MEMBERS {
            return None;
        }
        self.last += 1;
        let id = MemberId(self.last);
        self.places.insert(id, Place::new());
        Some(id)
    }

    /// Somebody's connection has ended. Where it had not said so to the other side, the switch does.
    pub fn leave(&mut self, id: MemberId) {
        let Some(place) = self.places.remove(&id) else { return };
        if let Some(Seat { channel, met: Some((mine, to)), .. }) = place.seat {
            self.notify(channel, Gone { to, about: Some(mine), clean: false });
        }
        self.plain = self.plain.take().filter(|plain| plain.server != id);
    }

    /// Where to put bytes that come from the line; never empty.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// The first `count` bytes of [`Self::receive_buffer`] came from the line.
    ///
    /// # Panics
    /// If `count` is more than the buffer has.
    pub fn received(&mut self, count: usize, now: Duration) {
        self.now = self.now.max(now);
        let input = mem::take(&mut self.input);
        for &byte in &input[..count] {
            let mut deframer = mem::take(&mut self.deframer);
            if let Some(content) = deframer.push(byte) {
                self.came(content);
            }
            self.deframer = deframer;
            self.overheard(byte);
        }
        self.input = input;
        self.flush_plain();
    }

    /// A frame came, or what looks like one.
    fn came(&mut self, content: &[u8]) {
        let Some((channel, frame)) = frame::parse(content) else { return };
        match &frame {
            // Only a hello shows by itself that it is no accident.
            Frame::Hello(_) => self.end_plain(),
            _ if self.plain.is_some() => return,
            _ => {}
        }
        match (self.seated_at(channel), frame) {
            (Some(id), _) => self.hand_on(id, content),
            (None, Frame::Hello(Hello { mine, yours, want: true, .. })) => {
                self.notify(channel, Gone { to: mine, about: yours, clean: false });
            }
            (None, _) => {}
        }
    }

    fn seated_at(&self, channel: Channel) -> Option<MemberId> {
        let mut places = self.places.iter();
        places.find(|(_, place)| place.seat.as_ref().is_some_and(|seat| seat.channel == channel)).map(|(id, _)| *id)
    }

    fn hand_on(&mut self, id: MemberId, content: &[u8]) {
        let Some(place) = self.places.get_mut(&id) else { return };
        place.offer(|out| {
            cobs::encode(content, out);
            out.push(0);
        });
    }

    /// Where more are to be told than there is room for, they ask again.
    fn notify(&mut self, channel: Channel, gone: Gone) {
        if self.notices.len() < MAX_LINE_NOTICES {
            self.notices.push_back((channel, gone));
        }
    }

    /// Takes a byte of the line for a plain debugger's, if there is one.
    fn overheard(&mut self, byte: u8) {
        let Some(Plain { server, conversation }) = &mut self.plain else {
            if let Some(opening) = self.ear.push(byte, self.now) {
                self.begin_plain(&opening);
            }
            return;
        };
        let (server, heard) = (*server, conversation.push(byte));
        let Some(place) = self.places.get_mut(&server) else { return };
        place.said.extend(heard.old);
        if let Some(new) = heard.new.filter(|_| place.has_room()) {
            place.say_plain();
            place.tell(ToMember::PlainEnds);
            place.tell(ToMember::PlainBegins);
            place.said.extend(new);
        }
    }

    fn begin_plain(&mut self, opening: &[u8]) {
        let serving = |place: &&mut Place| place.has_room() && place.seat.as_ref().is_some_and(|seat| seat.serves);
        let server = self.places.iter_mut().filter_map(|(id, place)| Some((*id, Some(place).filter(serving)?)));
        let lowest = server.min_by_key(|(_, place)| place.seat.as_ref().map(|seat| seat.channel));
        let Some((server, place)) = lowest else { return };
        place.tell(ToMember::PlainBegins);
        place.said.extend_from_slice(opening);
        self.plain = Some(Plain { server, conversation: Conversation::begun(opening) });
        // The debugger would take them for noise, and nobody else is there.
        self.places.values_mut().for_each(|place| place.drop_pieces(|piece| !piece.is_plain));
    }

    fn end_plain(&mut self) {
        let Some(Plain { server, .. }) = self.plain.take() else { return };
        let Some(place) = self.places.get_mut(&server) else { return };
        place.say_plain();
        place.tell(ToMember::PlainEnds);
        place.drop_pieces(|piece| piece.is_plain);
    }

    /// Hands on what a debugger said, as much as has come at once.
    fn flush_plain(&mut self) {
        if let Some(place) = self.plain.as_ref().and_then(|plain| self.places.get_mut(&plain.server)) {
            place.say_plain();
        }
    }

    /// Bytes came from a member.
    ///
    /// # Errors
    /// [`Misuse`]: this member is to be disconnected.
    pub fn member_received(&mut self, id: MemberId, bytes: &[u8], now: Duration) -> Result<(), Misuse> {
        self.now = self.now.max(now);
        for &byte in bytes {
            let Some(place) = self.places.get_mut(&id) else { return Ok(()) };
            let mut deframer = mem::take(&mut place.deframer);
            let taken = deframer.push(byte).map_or(Ok(()), |content| self.asked(id, content));
            if let Some(place) = self.places.get_mut(&id) {
                place.deframer = deframer;
            }
            taken?;
        }
        Ok(())
    }

    /// A member says something, to the switch or to the line.
    fn asked(&mut self, id: MemberId, content: &[u8]) -> Result<(), Misuse> {
        let is_plain = self.plain.as_ref().is_some_and(|plain| plain.server == id);
        let has_plain = self.plain.is_some();
        let Some(place) = self.places.get_mut(&id) else { return Ok(()) };
        match ToSwitch::parse(content) {
            Some(ToSwitch::Join(join)) => self.seat(id, join),
            Some(ToSwitch::Leave) => {
                place.seat.as_mut().ok_or(Misuse::NotJoined)?.met = None;
                Ok(())
            }
            Some(ToSwitch::Say(bytes)) => place.queue(Piece { bytes: bytes.into(), is_plain: true }, is_plain),
            None => {
                place.sends(content)?;
                let mut bytes = Vec::new();
                cobs::encode(content, &mut bytes);
                bytes.push(0);
                place.queue(Piece { bytes, is_plain: false }, !has_plain)
            }
        }
    }

    /// A member wants a channel.
    fn seat(&mut self, id: MemberId, join: Option<Join>) -> Result<(), Misuse> {
        let refusal = match &join {
            None => Some(Refusal::OtherRelease),
            Some(join) if join.baud != self.baud => Some(Refusal::OtherRate(self.baud)),
            Some(join) => self.seated_at(join.channel).map(|_| Refusal::InUse),
        };
        let share = self.share;
        let Some(place) = self.places.get_mut(&id) else { return Ok(()) };
        if place.seat.is_some() {
            return Err(Misuse::JoinedTwice);
        }
        match (refusal, join) {
            (None, Some(join)) => {
                place.take_seat(join, share);
                if join.is_plain && self.plain.is_none() {
                    self.plain = Some(Plain { server: id, conversation: Conversation::under_way() });
                } else if join.is_plain {
                    place.tell(ToMember::PlainEnds);
                }
            }
            (refusal, _) => place.tell(ToMember::Refused(refusal.unwrap_or(Refusal::OtherRelease))),
        }
        Ok(())
    }

    /// Bytes for a member.
    #[must_use]
    pub fn member_transmit(&self, id: MemberId) -> &[u8] {
        self.places.get(&id).map_or(&[], |place| &place.output)
    }

    /// The first `count` bytes of [`Self::member_transmit`] were sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn member_transmitted(&mut self, id: MemberId, count: usize) {
        if let Some(place) = self.places.get_mut(&id) {
            place.output.drain(..count);
        }
    }

    /// Members that have [something to receive](Self::member_transmit).
    pub fn waiting(&self) -> impl Iterator<Item = MemberId> {
        self.places.iter().filter(|(_, place)| !place.output.is_empty()).map(|(id, _)| *id)
    }
}
