//! Connecting to a machine that may have several addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long one address may take to answer: three of the kernel's attempts (after 0, 1 and 3 seconds) and a long way.
const ADDRESS_LIMIT: Duration = Duration::from_secs(8);
/// How long an address is tried before the next one is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Most addresses tried: a name's owner can give it any number of them.
const MAX_ADDRESSES: usize = 16;

/// Connects to the first of `addresses` that answers, the IP versions taking turns (RFC 8305). Each address is given up
/// after 8 seconds, and one that says nothing holds the next one up for a quarter of a second only. Cancel safe.
///
/// # Errors
/// What the system says about the address that failed last; [`io::ErrorKind::TimedOut`] where it did not answer,
/// [`io::ErrorKind::AddrNotAvailable`] where there are no addresses.
pub async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = taking_turns(addresses).into_iter().take(MAX_ADDRESSES);
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(attempt(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => failure = error,
                Some(Err(panicked)) => failure = panicked.into(),
                None => return Err(failure),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, format!("{} does not answer", address.ip()));
    let stream = timeout(ADDRESS_LIMIT, TcpStream::connect(address)).await.map_err(silent)??;
    // Nobody listens, and the kernel picked the very port that is dialled as this end's: TCP then connects it to itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// The addresses, those of the two IP versions alternating, each version's in the order given.
fn taking_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut turns = [0; 2];
    let mut ordered: Vec<(usize, SocketAddr)> = Vec::with_capacity(addresses.len());
    for address in addresses {
        let turn = &mut turns[usize::from(address.is_ipv6())];
        ordered.push((*turn, *address));
        *turn += 1;
    }
    // Stable: within a turn the version that came first stays first.
    ordered.sort_by_key(|(turn, _)| *turn);
    ordered.into_iter().map(|(_, address)| address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    /// A listener, and the address of a port that nobody listens at.
    async fn served_and_not() -> (TcpListener, SocketAddr, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let served = listener.local_addr().unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        (listener, served, other)
    }

    #[test]
    fn the_ip_versions_take_turns_beginning_with_the_first() {
        let addresses: Vec<SocketAddr> =
            ["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"].iter().map(|text| text.parse().unwrap()).collect();
        let ordered: Vec<_> = taking_turns(&addresses).iter().map(|address| address.ip().to_string()).collect();
        assert_eq!(ordered, ["::1", "10.0.0.1", "::2", "::3"]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_that_refuses_is_passed_over() {
        let (_listener, served, refusing) = served_and_not().await;
        let stream = connect(&[refusing, served]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), served);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_that_says_nothing_does_not_hold_up_the_next() {
        let (_listener, served, _) = served_and_not().await;
        // TEST-NET-1 (RFC 5737): silent, or unreachable at once.
        let stream = connect(&["192.0.2.1:1".parse().unwrap(), served]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), served);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn when_all_refuse_the_error_says_so() {
        let (_listener, _, refusing) = served_and_not().await;
        let error = connect(&[refusing, refusing]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn no_addresses_are_an_error() {
        assert_eq!(connect(&[]).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
