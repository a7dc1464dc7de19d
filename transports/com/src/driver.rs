//! The task of a channel: carries its frames to the hub of its port, whoever has that at the moment.

use crate::OpenError;
use crate::claim::Claim;
use crate::desk::{HubTask, Seat, attach};
use crate::port::Port;
use crate::state::{Shared, State};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::debug;

/// The pause before the port is tried again when its hub is gone. It doubles as long as that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause. A device that was unplugged may come back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long the last frames of a channel may take to leave the port.
const GOODBYE_TIME: Duration = Duration::from_secs(2);

/// How a time with one hub ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Parting {
    /// The channel is given up.
    Done,
    /// The hub is gone, or turns this channel away.
    Lost,
}

/// Opens the port, or joins those who have it. `claim` is kept until the channel has nothing more to say.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn start(shared: &Arc<Shared>, port: Port, claim: Claim) -> Result<(), OpenError> {
    let seat = attach(&port)?;
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        run(&shared, &port, seat).await;
        drop(claim);
    });
    Ok(())
}

/// Carries the channel's frames until it is given up.
async fn run(shared: &Shared, port: &Port, mut seat: Seat) {
    let mut pause = FIRST_PAUSE;
    loop {
        shared.drive(|state, now| state.member.attached(now));
        if converse(shared, &mut seat.stream, State::is_done).await == Parting::Done {
            return leave(shared, seat).await;
        }
        let joined = shared.drive(|state, _| {
            state.member.detached();
            state.joined.take()
        });
        pause = if joined == Some(Ok(())) { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        debug!(port = %port.given, "the process that has the serial port is gone, or has no place for this channel");
        // Its port, where that was here, is closed before it is opened again.
        drop(seat);
        let Some(next) = find(shared, port, &mut pause).await else { return };
        seat = next;
    }
}

/// Looks for the port's hub until there is one; `None` where the channel is given up meanwhile.
async fn find(shared: &Shared, port: &Port, pause: &mut Duration) -> Option<Seat> {
    loop {
        sleep(*pause).await;
        if shared.drive(|state, _| state.is_done()) {
            return None;
        }
        match attach(port) {
            Ok(seat) => return Some(seat),
            Err(error) => {
                *pause = (*pause * 2).min(LONGEST_PAUSE);
                debug!(port = %port.given, reason = %error, ?pause, "the serial port cannot be had; trying again");
                shared.drive(|state, _| state.report(error.into()));
            }
        }
    }
}

/// Sees the last frames off. A hub that is here ends with this, and others go on with the port.
async fn leave(shared: &Shared, seat: Seat) {
    let Seat { mut stream, hub } = seat;
    shared.drive(|state, _| state.member.say_goodbye());
    let all_gone = converse(shared, &mut stream, |state| state.member.is_idle());
    let _ = timeout(GOODBYE_TIME, all_gone).await;
    drop::<Option<HubTask>>(hub);
}

/// Moves bytes between the channel and the hub until that `is_done`.
async fn converse(shared: &Shared, stream: &mut UnixStream, is_done: impl Fn(&State) -> bool) -> Parting {
    loop {
        let wait = shared.drive(|state, now| state.member.deadline().map(|at| at.saturating_sub(now)));
        let timer = async {
            match wait {
                Some(wait) => sleep_until(Instant::now() + wait).await,
                None => pending().await,
            }
        };
        let (mut timer, mut changed) = (pin!(timer), pin!(shared.changed.notified()));
        let parting = poll_fn(|cx| {
            if shared.drive(|state, _| is_done(state)) {
                return Poll::Ready(Some(Parting::Done));
            }
            match round(shared, stream, cx) {
                Ok(true) => return Poll::Ready(None),
                Ok(false) => {}
                Err(_) => return Poll::Ready(Some(Parting::Lost)),
            }
            let is_due = changed.as_mut().poll(cx).is_ready() || timer.as_mut().poll(cx).is_ready();
            if is_due { Poll::Ready(None) } else { Poll::Pending }
        });
        if let Some(parting) = parting.await {
            return parting;
        }
        shared.drive(|state, now| {
            if state.member.deadline().is_some_and(|deadline| deadline <= now) {
                state.member.handle_timeout(now);
            }
        });
    }
}

/// Does what can be done at once. Whether that was anything.
fn round(shared: &Shared, stream: &mut UnixStream, cx: &mut Context<'_>) -> io::Result<bool> {
    shared.drive(|state, now| {
        let mut buffer = ReadBuf::new(state.member.receive_buffer());
        let mut has_moved = match Pin::new(&mut *stream).poll_read(cx, &mut buffer)? {
            Poll::Ready(()) if buffer.filled().is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(()) => {
                let count = buffer.filled().len();
                state.member.received(count, now);
                state.attend();
                if matches!(state.joined, Some(Err(_))) {
                    return Err(io::ErrorKind::ResourceBusy.into());
                }
                true
            }
            Poll::Pending => false,
        };
        loop {
            let bytes = state.member.transmit(now);
            if bytes.is_empty() {
                return Ok(has_moved);
            }
            let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(cx, bytes)? else { return Ok(has_moved) };
            state.member.transmitted(count);
            has_moved = true;
        }
    })
}
