//! Whoever has the port: hands frames on between it and the processes that share it.

use crate::desk::Place;
use crate::port::Port;
use crate::tty::Tty;
use dbgsrv_protocol::limits::SMALL_BUFFER;
use dbgsrv_protocol::serial::{MemberId, Switch};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{debug, warn};

/// Rounds in a row before other tasks of the runtime have their turn.
const ROUNDS: usize = 16;

/// A port, and connections to those who share it.
pub(crate) struct Hub {
    switch: Switch,
    tty: Tty,
    members: BTreeMap<MemberId, UnixStream>,
    listener: UnixListener,
    name: String,
    epoch: Instant,
    timer: Pin<Box<Sleep>>,
    _place: Place,
}

impl Hub {
    /// Over an open port, for those who connect to `listener`.
    pub(crate) fn new(tty: Tty, listener: UnixListener, port: &Port, place: Place) -> Self {
        let epoch = Instant::now();
        Self {
            switch: Switch::new(port.baud, Duration::ZERO),
            tty,
            members: BTreeMap::new(),
            listener,
            name: port.given.to_string(),
            epoch,
            timer: Box::pin(sleep_until(epoch)),
            _place: place,
        }
    }

    /// Works until the device is gone.
    pub(crate) async fn run(mut self) {
        debug!(port = self.name, "this process has the serial port");
        let error = poll_fn(|cx| self.poll_rounds(cx)).await;
        warn!(port = self.name, reason = %error, "the serial port is gone");
    }

    fn poll_rounds(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        for _ in 0..ROUNDS {
            match self.round(cx) {
                Ok(true) => {}
                Ok(false) if self.poll_timer(cx) => {}
                Ok(false) => return Poll::Pending,
                Err(error) => return Poll::Ready(error),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what can be done at once. Whether that was anything.
    fn round(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut has_moved = self.admit(cx);
        has_moved |= self.read_line(cx)?;
        has_moved |= self.read_members(cx);
        has_moved |= self.write_line(cx)?;
        has_moved |= self.write_members(cx);
        Ok(has_moved)
    }

    fn admit(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(accepted) = self.listener.poll_accept(cx) else { return false };
        match (accepted, self.switch.join()) {
            (Ok((stream, _)), Some(id)) => _ = self.members.insert(id, stream),
            (Ok(_), None) => warn!(port = self.name, "too many processes share the serial port; one was turned away"),
            (Err(error), id) => {
                if let Some(id) = id {
                    self.switch.leave(id);
                }
                warn!(port = self.name, reason = %error, "cannot accept who wants to share the serial port");
            }
        }
        true
    }

    fn read_line(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let Poll::Ready(count) = self.tty.poll_read(cx, self.switch.receive_buffer()) else { return Ok(false) };
        match count? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.switch.received(count, self.epoch.elapsed());
                Ok(true)
            }
        }
    }

    fn write_line(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut has_moved = false;
        loop {
            let bytes = self.switch.transmit(self.epoch.elapsed());
            if bytes.is_empty() {
                return Ok(has_moved);
            }
            let Poll::Ready(count) = self.tty.poll_write(cx, bytes) else { return Ok(has_moved) };
            self.switch.transmitted(count?, self.epoch.elapsed());
            has_moved = true;
        }
    }

    fn read_members(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_moved = false;
        let mut lost = Vec::new();
        let Self { members, switch, epoch, name, .. } = self;
        for (&id, stream) in members.iter_mut() {
            let mut bytes = [0; SMALL_BUFFER];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(stream).poll_read(cx, &mut buffer) {
                Poll::Pending => continue,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    if let Err(misuse) = switch.member_received(id, buffer.filled(), epoch.elapsed()) {
                        warn!(port = name, reason = %misuse, "a process that shares the serial port is turned away");
                        lost.push(id);
                    }
                }
                Poll::Ready(_) => lost.push(id),
            }
            has_moved = true;
        }
        for id in lost {
            self.part_with(id);
        }
        has_moved
    }

    fn write_members(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_moved = false;
        let waiting: Vec<_> = self.switch.waiting().collect();
        for id in waiting {
            let Some(stream) = self.members.get_mut(&id) else { continue };
            match Pin::new(stream).poll_write(cx, self.switch.member_transmit(id)) {
                Poll::Pending => continue,
                Poll::Ready(Ok(count)) => self.switch.member_transmitted(id, count),
                Poll::Ready(Err(_)) => self.part_with(id),
            }
            has_moved = true;
        }
        has_moved
    }

    fn part_with(&mut self, id: MemberId) {
        self.members.remove(&id);
        self.switch.leave(id);
    }

    /// Whether it is time to go on.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.switch.deadline() else { return false };
        self.timer.as_mut().reset(self.epoch + deadline);
        self.timer.as_mut().poll(cx).is_ready()
    }
}
