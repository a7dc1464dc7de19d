//! Calling a client that waits for its server: the connection is made by the server.

use crate::machine::Machine;
use dbgsrv_protocol::options::Port;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tracing::{debug, info};

/// The pause after a first call that nobody takes.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two calls: who starts the client is not kept waiting for long, and a network that the client
/// is not on yet sees no more than a packet now and then.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Calls one client's machine, one call after the other. `Display` says whom: `tcp port 5005 of BOX17`.
#[derive(Debug)]
pub struct Caller {
    machine: Machine,
    port: Port,
    pause: Duration,
    /// When the last call was taken.
    taken: Option<Instant>,
}

impl Caller {
    pub(crate) const fn new(machine: Machine, port: Port) -> Self {
        Self { machine, port, pause: FIRST_PAUSE, taken: None }
    }

    /// Calls until the call is taken, with pauses that grow to 5 seconds. A call that was over at once counts as one that
    /// nobody took. Cancel safe.
    pub(crate) async fn call(&mut self) -> (TcpStream, SocketAddr) {
        match self.taken {
            Some(taken) if taken.elapsed() < LONGEST_PAUSE => self.rest().await,
            Some(_) => self.pause = FIRST_PAUSE,
            None => {}
        }
        let mut failures = 0_u64;
        loop {
            match self.attempt().await {
                Ok(called) => {
                    self.taken = Some(Instant::now());
                    return called;
                }
                Err(error) if failures == 0 => {
                    info!(client = %self, reason = %error, "nobody takes the call yet; calling again");
                }
                Err(error) => debug!(client = %self, reason = %error, failures, "nobody takes the call"),
            }
            failures += 1;
            self.rest().await;
        }
    }

    async fn attempt(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = dbgsrv_tcp::connect(&self.machine.addresses(self.port.get()).await?).await?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    async fn rest(&mut self) {
        sleep(self.pause).await;
        self.pause = next_pause(self.pause);
    }

    /// The port that the client waits at.
    pub(crate) const fn port(&self) -> Port {
        self.port
    }
}

fn next_pause(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp port {} of {}", self.port, self.machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn caller(port: u16) -> Caller {
        let machine = Machine { host: "127.0.0.1".parse().unwrap(), ip_version: None };
        Caller::new(machine, Port::new(port).unwrap())
    }

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let pauses: Vec<_> =
            std::iter::successors(Some(FIRST_PAUSE), |pause| Some(next_pause(*pause))).take(9).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn it_calls_until_somebody_waits_for_it() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let call = tokio::spawn(async move { caller(port).call().await.1 });
        // It may have found nobody by now; either way somebody is there from now on.
        tokio::task::yield_now().await;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        listener.accept().await.unwrap();
        assert_eq!(call.await.unwrap().port(), port);
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn calls_that_are_over_at_once_get_rarer_and_one_that_lasted_makes_up_for_them() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut caller = caller(listener.local_addr().unwrap().port());
        for _ in 0..9 {
            drop(caller.call().await);
        }
        assert_eq!(caller.pause, LONGEST_PAUSE);
        tokio::time::advance(LONGEST_PAUSE).await;
        drop(caller.call().await);
        assert_eq!(caller.pause, FIRST_PAUSE);
    }
}
