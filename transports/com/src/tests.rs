//! Ports that are ends of pseudo terminals, with a cable between.

use crate::{Listener, OpenError, Stream, dial};
use dbgsrv_protocol::options::{Baud, Channel, SerialPort};
use rustix::fs::{FlockOperation, flock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// One end of a cable.
struct Socket {
    path: String,
    master: File,
    /// Keeps the device alive while nobody has it open.
    _slave: File,
}

impl Socket {
    fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = File::options().read(true).write(true).open(&path).unwrap();
        let mut mode = tcgetattr(&slave).unwrap();
        mode.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &mode).unwrap();
        Self { path, master: master.into(), _slave: slave }
    }

    fn port(&self) -> SerialPort {
        self.path.parse().unwrap()
    }
}

/// Two ports with a cable between them. Its threads end with the process.
fn cable() -> [Socket; 2] {
    let ends = [Socket::new(), Socket::new()];
    for (from, to) in [(0, 1), (1, 0)] {
        let (mut from, mut to) = (ends[from].master.try_clone().unwrap(), ends[to].master.try_clone().unwrap());
        thread::spawn(move || {
            let mut bytes = [0; 512];
            while let Ok(count) = from.read(&mut bytes) {
                to.write_all(&bytes[..count]).unwrap();
            }
        });
    }
    ends
}

fn baud() -> Baud {
    Baud::new(921_600).unwrap()
}

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn listen(end: &Socket, number: u8) -> Listener {
    Listener::bind(&end.port(), baud(), channel(number)).unwrap()
}

async fn connect(ends: &[Socket; 2], listener: &mut Listener) -> (Stream, Stream) {
    let port = ends[1].port();
    let (dialed, accepted) = tokio::join!(dial(&port, baud(), listener.channel()), listener.accept());
    (dialed.unwrap(), accepted.unwrap())
}

/// Sends so much from one to the other, and the end.
async fn pass(mut from: Stream, mut to: Stream, count: usize) {
    let bytes: Vec<u8> = (0..count).map(|index| (index / 3) as u8).collect();
    let mut came = Vec::new();
    let (sent, read) = tokio::join!(
        async {
            from.write_all(&bytes).await?;
            from.shutdown().await
        },
        to.read_to_end(&mut came)
    );
    sent.unwrap();
    read.unwrap();
    assert!(came == bytes, "{} of {} bytes", came.len(), bytes.len());
    to.shutdown().await.unwrap();
    assert_eq!(from.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn channels_share_a_port_and_one_peer_comes_after_the_other() {
    let ends = cable();
    let (mut first, mut second) = (listen(&ends[0], 0), listen(&ends[0], 254));
    for _ in 0..2 {
        let (a, b) = connect(&ends, &mut first).await;
        let (c, d) = connect(&ends, &mut second).await;
        tokio::join!(pass(a, b, 30_000), pass(d, c, 30_000));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn whoever_has_the_port_may_leave_in_the_middle() {
    let ends = cable();
    // The first to come have the ports.
    let owner = listen(&ends[0], 7);
    let mut listener = listen(&ends[0], 8);
    let mut other = listen(&ends[1], 9);
    let (a, b) = connect(&ends, &mut listener).await;
    let leave = async {
        sleep(Duration::from_millis(200)).await;
        drop(owner);
        sleep(Duration::from_millis(200)).await;
        drop(std::mem::replace(&mut other, listen(&ends[1], 10)));
    };
    tokio::join!(pass(a, b, 100_000), leave);
}

#[tokio::test(flavor = "current_thread")]
async fn a_channel_that_is_in_use_and_a_port_of_somebody_else_are_refused_by_name() {
    let ends = cable();
    let _owner = listen(&ends[0], 3);
    let error = Listener::bind(&ends[0].port(), baud(), channel(3)).unwrap_err();
    assert!(error.to_string().contains("channel 3 of the serial port /dev/pts/"), "{error}");
    let stranger = File::open(&ends[1].path).unwrap();
    flock(&stranger, FlockOperation::NonBlockingLockExclusive).unwrap();
    let error = Listener::bind(&ends[1].port(), baud(), channel(3)).unwrap_err();
    assert!(matches!(error, OpenError::Busy { .. }), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_port_runs_at_the_rate_of_who_came_first() {
    let ends = cable();
    let _owner = listen(&ends[0], 3);
    let error = dial(&ends[0].port(), Baud::new(9600).unwrap(), channel(4)).await.unwrap_err();
    assert!(error.to_string().contains("921600"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_nobody_answers_fails_soon() {
    let ends = cable();
    let _listener = listen(&ends[0], 3);
    let error = dial(&ends[1].port(), baud(), channel(4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test(flavor = "current_thread")]
async fn a_debugger_that_speaks_straight_to_the_line_is_accepted_too() {
    let mut end = Socket::new();
    let mut listener = listen(&end, 3);
    // As debuggers do where nothing answers: the first question may come before anybody is there.
    let mut stream = loop {
        end.master.write_all(b"+$qSupported#37").unwrap();
        if let Ok(accepted) = timeout(Duration::from_secs(2), listener.accept()).await {
            break accepted.unwrap();
        }
    };
    assert!(stream.is_plain());
    let mut question = [0; 15];
    stream.read_exact(&mut question).await.unwrap();
    assert_eq!(&question, b"+$qSupported#37");
    stream.write_all(b"+$#00").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut reply = [0; 5];
    end.master.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+$#00");
}
