//! What a channel's driver shares with its listener and its streams.

use crate::random::SystemRandom;
use dbgsrv_protocol::serial::{Member, MemberEvent, Opening, Reason, Refusal};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How a conversation came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// As an end of a stream: all was said, or a debugger has left.
    Orderly,
    Reset(Reason),
}

/// One peer's time on the channel.
#[derive(Debug, Default)]
struct Talk {
    number: u64,
    /// Its stream was given out, or is not to be.
    is_taken: bool,
    /// The peer sends nothing more.
    has_finished: bool,
    end: Option<End>,
}

/// A channel, its user's wishes, and who waits for what.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) member: Member,
    opening: Opening,
    talk: Talk,
    /// Why nobody can be reached, for who waits for somebody.
    trouble: Option<io::Error>,
    /// The hub has taken the channel, or why it has not.
    pub(crate) joined: Option<Result<(), Refusal>>,
    /// Nobody has a handle any more.
    is_left: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    waiter: Option<Waker>,
    epoch: Instant,
}

/// The state behind its lock, which is never held across an await.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Told after each change that the driver does not make itself.
    pub(crate) changed: Notify,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(member: impl FnOnce(Duration) -> Member, opening: Opening) -> Self {
        let mut member = member(Duration::ZERO);
        member.open(&mut SystemRandom).expect("a new member has no life yet");
        let state = State {
            member,
            opening,
            talk: Talk::default(),
            trouble: None,
            joined: None,
            is_left: false,
            reader: None,
            writer: None,
            waiter: None,
            epoch: Instant::now(),
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Driver: works on the state, and takes note of what came of it.
    pub(crate) fn drive<R>(&self, work: impl FnOnce(&mut State, Duration) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.epoch.elapsed();
        let result = work(&mut state, now);
        state.attend();
        result
    }

    /// User: works on the state, which gives the driver something to do.
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let result = self.drive(|state, _| work(state));
        self.changed.notify_one();
        result
    }
}

impl State {
    /// Takes note of what has happened, and wakes who waits for it.
    pub(crate) fn attend(&mut self) {
        while let Some(event) = self.member.poll_event() {
            self.told(event);
        }
        // Both sides have said all, or the last peer was not even told of its end.
        if !self.member.is_open() && !self.member.is_plain() && self.talk.end.is_none() && self.talk.number > 0 {
            self.end_talk(End::Orderly);
        }
        if !self.member.is_open() && self.opening == Opening::Answer && !self.is_left {
            self.member.open(&mut SystemRandom).expect("its last life is over");
        }
        // Whether all has arrived is no event.
        self.writer.take_if(|_| self.member.is_drained()).into_iter().for_each(Waker::wake);
    }

    fn told(&mut self, event: MemberEvent) {
        match event {
            MemberEvent::Begun => {
                self.talk = Talk { number: self.talk.number + 1, ..Talk::default() };
                self.trouble = None;
                self.wake_all();
            }
            MemberEvent::Readable => wake(&mut self.reader),
            MemberEvent::Writable => wake(&mut self.writer),
            MemberEvent::Finished => {
                self.talk.has_finished = true;
                wake(&mut self.reader);
            }
            MemberEvent::Over(reason) => self.end_talk(reason.map_or(End::Orderly, End::Reset)),
            MemberEvent::Nobody if self.opening == Opening::Call => {
                let text = "at the other side of the line nobody has this channel";
                self.report(io::Error::new(io::ErrorKind::ConnectionRefused, text));
            }
            MemberEvent::Nobody => {}
            MemberEvent::Joined => self.joined = Some(Ok(())),
            MemberEvent::Refused(refusal) => {
                self.joined = Some(Err(refusal));
                self.report(io::Error::new(io::ErrorKind::ResourceBusy, refusal));
            }
        }
    }

    /// The port can't be had.
    pub(crate) fn report(&mut self, error: io::Error) {
        self.trouble = Some(error);
        wake(&mut self.waiter);
    }

    fn end_talk(&mut self, end: End) {
        self.talk.end = Some(end);
        self.wake_all();
    }

    fn wake_all(&mut self) {
        [&mut self.reader, &mut self.writer, &mut self.waiter].into_iter().for_each(wake);
    }

    /// Driver: whether nothing is left to be done.
    pub(crate) fn is_done(&self) -> bool {
        self.is_left && !self.member.is_open()
    }

    /// How the talk of this number stands: going on, or its end.
    fn end_of(&self, number: u64) -> Option<End> {
        if self.talk.number == number { self.talk.end } else { Some(End::Orderly) }
    }
}

fn wake(waker: &mut Option<Waker>) {
    waker.take().into_iter().for_each(Waker::wake);
}

/// A user's hold on a channel. When the last is dropped the channel is given up.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<Held>);

#[derive(Debug)]
struct Held {
    shared: Arc<Shared>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.with(|state| {
            state.is_left = true;
            state.member.close();
        });
    }
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Held { shared }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        self.0.shared.with(work)
    }

    /// Waits for the next peer: the number of its talk, and whether it is a plain debugger.
    pub(crate) fn poll_peer(&self, cx: &mut Context<'_>) -> Poll<io::Result<(u64, bool)>> {
        self.0.shared.drive(|state, _| {
            if let Some(error) = state.trouble.take() {
                return Poll::Ready(Err(error));
            }
            if state.talk.number > 0 && !state.talk.is_taken && state.talk.end.is_none() {
                state.talk.is_taken = true;
                return Poll::Ready(Ok((state.talk.number, state.member.is_plain())));
            }
            state.waiter = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    /// Calls `take` with what has come, at least one byte, or with nothing at the end.
    pub(crate) fn poll_read(
        &self,
        number: u64,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> Poll<io::Result<()>> {
        self.with(|state| {
            match state.end_of(number) {
                Some(End::Orderly) => return Poll::Ready(Ok(())),
                Some(End::Reset(reason)) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, reason)));
                }
                None => {}
            }
            let bytes = state.member.readable();
            if !bytes.is_empty() {
                let count = take(bytes);
                state.member.consumed(count);
                return Poll::Ready(Ok(()));
            }
            if state.talk.has_finished {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn poll_write(&self, number: u64, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|state| {
            if state.end_of(number).is_some() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            match state.member.send(bytes) {
                0 if !bytes.is_empty() => {
                    state.writer = Some(cx.waker().clone());
                    Poll::Pending
                }
                count => Poll::Ready(Ok(count)),
            }
        })
    }

    /// Sends the end of the stream, and waits until all has arrived: there is no kernel that would go on when this process ends.
    pub(crate) fn poll_shutdown(&self, number: u64, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|state| {
            if state.end_of(number).is_some() {
                return Poll::Ready(Ok(()));
            }
            state.member.finish();
            if state.member.is_drained() {
                return Poll::Ready(Ok(()));
            }
            state.writer = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    /// The talk's stream is dropped.
    pub(crate) fn leave(&self, number: u64) {
        self.with(|state| {
            if state.end_of(number).is_none() {
                state.member.leave();
                // What comes is nobody's.
                state.talk.end = Some(End::Orderly);
            }
        });
    }
}
