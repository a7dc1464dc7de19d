//! A session's state: what its handles and its driver do to it.

use crate::limits::CLOSE_LIMIT;
use crate::link::Closed;
use crate::slots::{Key, Phase, Reason, Slots};
use crate::wire::{Stream, Wire};
use dbgsrv_protocol::mux::{Channel, Code, Event, Kind, Mux, Role};
use dbgsrv_protocol::session::{CloseCode, Established, Session, SessionError, State as SessionState};
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// A channel that the client has opened.
pub(crate) struct Offer {
    pub(crate) key: Key,
    pub(crate) number: u8,
    pub(crate) kind: Kind,
    pub(crate) label: String,
}

/// A session that is to be closed once what was sent before is on its way.
struct Closing {
    code: CloseCode,
    text: String,
    until: Instant,
}

/// What a round of reading and writing came to.
pub(crate) enum Round {
    /// Something was read; there may be more.
    More,
    /// Nothing is to be done until then, or until somebody wakes the driver.
    Idle(Option<Instant>),
    /// The session is cut or closed.
    Over,
}

/// Session, mux, connection, and who waits.
pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) mux: Mux,
    pub(crate) slots: Slots,
    /// Server: channels that the driver has not passed on yet.
    pub(crate) offers: Vec<Offer>,
    /// The control channel's slot, which is there before anybody asks for it: it may be finished or reset by then.
    control: Option<Key>,
    wire: Option<Wire>,
    closing: Option<Closing>,
    /// When the last connection was lost.
    lost: Instant,
    /// The driver, where it sleeps and has not been woken.
    driver: Option<Waker>,
    woken: Vec<Waker>,
    epoch: Instant,
}

impl State {
    pub(crate) fn new(established: Established, role: Role, stream: Box<dyn Stream>) -> Self {
        let mut slots = Slots::new();
        let control = Some(slots.insert(Channel::CONTROL, Phase::Open));
        Self {
            session: Session::new(established, Duration::ZERO),
            mux: Mux::new(role),
            slots,
            offers: Vec::new(),
            control,
            wire: Some(Wire::new(stream)),
            closing: None,
            lost: Instant::now(),
            driver: None,
            woken: Vec::new(),
            epoch: Instant::now(),
        }
    }

    /// The session goes on over `stream`, and the old connection is given up.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub(crate) fn resume(&mut self, established: Established, stream: Box<dyn Stream>) -> Result<(), SessionError> {
        let resumed = self.session.resume(established, self.epoch.elapsed());
        if resumed != Err(SessionError::Overtaken) {
            // A session that does not go on has something to say on the new connection.
            self.wire = Some(Wire::new(stream));
            self.wake_driver();
        }
        resumed
    }

    /// The control channel, to the first who asks.
    pub(crate) const fn take_control(&mut self) -> Option<Key> {
        self.control.take()
    }

    /// The session as a client may continue it.
    pub(crate) fn resumable(&self) -> Option<&Session> {
        (!self.is_closed()).then_some(&self.session)
    }

    /// Whether nothing more can be sent.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some() || self.is_closed()
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.session.state(), SessionState::Closed { .. })
    }

    /// Since when there is no connection, where one is waited for.
    pub(crate) fn cut_since(&self) -> Option<Instant> {
        (*self.session.state() == SessionState::Cut).then_some(self.lost)
    }

    /// How the session ended, if it has.
    pub(crate) fn closed(&self) -> Option<Closed> {
        match self.session.state() {
            SessionState::Closed { here, code, text } => Some(Closed { here: *here, code: *code, text: text.clone() }),
            SessionState::Connected | SessionState::Cut => None,
        }
    }

    /// Closes the session: at once where it has no connection, else when what was sent before is on its way.
    pub(crate) fn close(&mut self, code: CloseCode, text: &str) {
        if self.is_closing() {
            return;
        }
        if self.wire.is_some() {
            self.closing = Some(Closing { code, text: text.into(), until: Instant::now() + CLOSE_LIMIT });
        } else {
            self.session.close(code, text);
        }
        self.wake_all();
        self.wake_driver();
    }

    /// Driver: nobody comes back, unless somebody did at the last moment.
    pub(crate) fn lose(&mut self, why: &str) {
        if *self.session.state() == SessionState::Cut {
            self.session.close(CloseCode::Lost, why);
        }
    }

    /// The driver does not run any more: a session that it leaves behind is over.
    pub(crate) fn abandon(&mut self) {
        self.wire = None;
        if !self.is_closed() {
            self.session.close(CloseCode::Lost, "the program ends");
        }
        self.wake_all();
    }

    /// Wakes everybody who waits on a channel.
    pub(crate) fn wake_all(&mut self) {
        self.slots.wake_all(&mut self.woken);
    }

    /// Who is to be woken once the lock is free.
    pub(crate) fn take_woken(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.woken)
    }

    /// Wakes the driver. Until it has run, that costs nothing more.
    pub(crate) fn wake_driver(&mut self) {
        self.woken.extend(self.driver.take());
    }

    /// Wakes the driver where there is something to send.
    pub(crate) fn wake_to_send(&mut self) {
        if self.mux.has_frame() {
            self.wake_driver();
        }
    }

    /// Driver: it is to be woken from now on.
    pub(crate) fn attend(&mut self, cx: &Context<'_>) {
        match &mut self.driver {
            Some(driver) => driver.clone_from(cx.waker()),
            None => self.driver = Some(cx.waker().clone()),
        }
    }

    /// The handle of a channel is gone: gives the channel up where it is not done both ways.
    pub(crate) fn release(&mut self, key: Key) {
        let Some(slot) = self.slots.remove(key) else { return };
        match slot.phase {
            Phase::Open if slot.finished_here && slot.finished_there => return,
            Phase::Asked | Phase::Open => self.mux.reset(slot.channel, Code::Cancelled, ""),
            Phase::Offered => self.mux.refuse(slot.channel, Code::Cancelled, ""),
            Phase::Refused(_) | Phase::Reset(_) => return,
        }
        self.wake_driver();
    }

    /// Driver: takes in what was received, sends what is to be sent, reads once.
    pub(crate) fn round(&mut self, cx: &mut Context<'_>) -> Round {
        let now = self.epoch.elapsed();
        self.take_messages();
        self.dispatch();
        if *self.session.state() == SessionState::Connected {
            self.write(cx, now);
            self.settle_closing();
        }
        let Self { wire: Some(wire), session, .. } = self else { return Round::Over };
        if *session.state() != SessionState::Connected {
            return self.over();
        }
        match wire.poll_read(cx, session, now) {
            Poll::Ready(Ok(())) => Round::More,
            Poll::Ready(Err(error)) => self.cut(&error),
            Poll::Pending => Round::Idle(self.deadline()),
        }
    }

    /// Driver: the moment that [`Round::Idle`] told is there.
    pub(crate) fn handle_timeout(&mut self) {
        self.session.handle_timeout(self.epoch.elapsed());
    }

    /// Driver: sends what a closed session has left. Ready: nothing is left.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { session, wire: Some(wire), .. } = self else { return Poll::Ready(Ok(())) };
        wire.poll_write_all(cx, session, self.epoch.elapsed())
    }

    /// Driver: takes the connection of a closed session.
    pub(crate) fn take_stream(&mut self) -> Option<Box<dyn Stream>> {
        self.wire.take().map(Wire::into_stream)
    }

    /// What happened to the channels: notes it and wakes who waited for it.
    pub(crate) fn dispatch(&mut self) {
        while let Some(event) = self.mux.poll_event() {
            let Self { slots, woken, .. } = self;
            match event {
                Event::Opened { channel, kind, label } => {
                    let key = slots.insert(channel, Phase::Offered);
                    self.offers.push(Offer { key, number: channel.number(), kind, label });
                }
                Event::Readable(channel) => {
                    slots.at(channel).into_iter().for_each(|slot| slot.wake_reader(woken));
                }
                Event::Writable(channel) => {
                    slots.at(channel).into_iter().for_each(|slot| slot.wake_writer(woken));
                }
                Event::Finished(channel) => {
                    let Some(slot) = slots.at(channel) else { continue };
                    slot.finished_there = true;
                    slot.wake_reader(woken);
                }
                Event::Accepted(channel) => self.change(channel, Phase::Open),
                Event::Refused { channel, code, text } => self.change(channel, Phase::Refused(Reason { code, text })),
                Event::Reset { channel, code, text } => self.change(channel, Phase::Reset(Reason { code, text })),
            }
        }
    }

    fn change(&mut self, channel: Channel, phase: Phase) {
        let Some(slot) = self.slots.at(channel) else { return };
        slot.phase = phase;
        slot.wake_reader(&mut self.woken);
        slot.wake_writer(&mut self.woken);
    }

    fn take_messages(&mut self) {
        let Self { session, mux, .. } = self;
        let violation = loop {
            match session.poll_message() {
                Ok(Some(frame)) => {
                    if let Err(error) = mux.received(frame) {
                        break error;
                    }
                }
                // A session that the peer broke has closed itself.
                Ok(None) | Err(_) => return,
            }
        };
        session.close(CloseCode::Protocol, &violation.to_string());
    }

    /// Makes messages of the channels' bytes and writes as much as goes.
    fn write(&mut self, cx: &mut Context<'_>, now: Duration) {
        let Self { session, mux, wire: Some(wire), .. } = self else { return };
        loop {
            while mux.has_frame() && session.can_send() {
                session.send(|out| mux.write_frame(out));
            }
            let written = wire.poll_write(cx, session, now);
            if written.is_pending() || !mux.has_frame() || !session.can_send() {
                return;
            }
        }
    }

    /// Closes a session that is to be closed, where nothing is left to be sent or it has taken too long.
    fn settle_closing(&mut self) {
        let Self { closing, mux, session, .. } = self;
        let due = |closing: &mut Closing| mux.is_drained() || closing.until <= Instant::now();
        if let Some(Closing { code, text, .. }) = closing.take_if(due) {
            session.close(code, &text);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let session = self.session.deadline().map(|deadline| self.epoch + deadline);
        let closing = self.closing.as_ref().map(|closing| closing.until);
        session.into_iter().chain(closing).min()
    }

    fn cut(&mut self, error: &io::Error) -> Round {
        tracing::debug!(session = %self.session.id(), %error, "connection cut");
        self.session.cut();
        self.over()
    }

    /// The session is cut or closed.
    fn over(&mut self) -> Round {
        if *self.session.state() == SessionState::Cut {
            self.wire = None;
            self.lost = Instant::now();
            // Nobody is there any more to wait for.
            if let Some(Closing { code, text, .. }) = self.closing.take() {
                self.session.close(code, &text);
            }
        }
        Round::Over
    }
}
