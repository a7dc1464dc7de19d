//! Channels as byte streams.

use crate::support::{Pair, pattern};
use dbgsrv_protocol::mux::{Code, Kind};
use dbgsrv_session::{Channel, OpenError};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Sends `data` through an echo and wants it back.
pub(crate) async fn round_trip(channel: Channel, data: Vec<u8>) {
    let (mut from, mut to) = split(channel);
    let expected = data.clone();
    let sending = tokio::spawn(async move {
        to.write_all(&data).await.expect("the channel takes it");
        to.shutdown().await.expect("the channel ends");
    });
    let mut back = Vec::new();
    from.read_to_end(&mut back).await.expect("the echo comes back");
    sending.await.expect("all was sent");
    assert_eq!(back.len(), expected.len());
    assert!(back == expected);
}

#[tokio::test(start_paused = true)]
async fn bytes_come_back_from_an_echo_plain_and_sealed() {
    for sealed in [false, true] {
        let mut pair = Pair::new(sealed).await;
        pair.echo();
        let channel = pair.client.open(Kind::Debug, "echo").await.unwrap();
        round_trip(channel, pattern(3_000_000)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_channels_work_at_once_on_several_threads() {
    let mut pair = Pair::new(true).await;
    pair.echo();
    let mut trips = JoinSet::new();
    for turn in 1..=16 {
        let channel = pair.client.open(Kind::Debug, "echo").await.unwrap();
        trips.spawn(round_trip(channel, pattern(40_000 * turn)));
    }
    while let Some(trip) = trips.join_next().await {
        trip.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_channel_leaves_sixty_three_others_alone() {
    let mut pair = Pair::new(false).await;
    let (mut stalled, _unread) = pair.channel().await;
    let filling = timeout(Duration::from_secs(1), stalled.write_all(&pattern(10_000_000))).await;
    assert!(filling.is_err(), "the window is bounded");
    pair.echo();
    let mut trips = JoinSet::new();
    for _ in 0..63 {
        let channel = pair.client.open(Kind::Debug, "echo").await.unwrap();
        trips.spawn(round_trip(channel, pattern(400_000)));
    }
    while let Some(trip) = trips.join_next().await {
        trip.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_waits_goes_on_when_the_other_side_reads() {
    let mut pair = Pair::new(false).await;
    let (mut here, mut there) = pair.channel().await;
    let data = pattern(5_000_000);
    let expected = data.clone();
    let writing = tokio::spawn(async move {
        here.write_all(&data).await.unwrap();
        here
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut back = vec![0; expected.len()];
    there.read_exact(&mut back).await.unwrap();
    assert!(back == expected);
    writing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_direction_ends_and_the_other_goes_on() {
    let mut pair = Pair::new(false).await;
    let (mut here, mut there) = pair.channel().await;
    here.write_all(b"last words").await.unwrap();
    here.shutdown().await.unwrap();
    let mut heard = String::new();
    there.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "last words");
    assert_eq!(here.write_all(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    there.write_all(b"answer").await.unwrap();
    there.shutdown().await.unwrap();
    drop(there);
    heard.clear();
    here.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "answer");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_channel_is_reset() {
    let mut pair = Pair::new(false).await;
    let (here, mut there) = pair.channel().await;
    let reading = tokio::spawn(async move { there.read_u8().await });
    tokio::task::yield_now().await;
    drop(here);
    assert_eq!(reading.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_reset_tells_why() {
    let mut pair = Pair::new(false).await;
    let (mut here, there) = pair.channel().await;
    there.reset(Code::Failed, "the worker crashed");
    let error = here.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(error.to_string().contains("the worker crashed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_why() {
    let mut pair = Pair::new(false).await;
    let refuse = async { pair.incoming.recv().await.unwrap().refuse(Code::Busy, "64 sessions are enough") };
    let (opened, ()) = tokio::join!(pair.client.open(Kind::Debug, "one too many"), refuse);
    let Err(OpenError::Refused { code: Code::Busy, text }) = opened else { panic!("{opened:?}") };
    assert_eq!(text, "64 sessions are enough");
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_is_dropped_or_that_nobody_takes_is_refused() {
    let mut pair = Pair::new(false).await;
    let ignore = async { drop(pair.incoming.recv().await) };
    let (opened, ()) = tokio::join!(pair.client.open(Kind::Debug, "ignored"), ignore);
    assert!(matches!(opened, Err(OpenError::Refused { .. })), "{opened:?}");
    drop(pair.incoming);
    let opened = pair.client.open(Kind::Debug, "nobody there").await;
    assert!(matches!(opened, Err(OpenError::Refused { .. })), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn an_offer_tells_kind_and_label() {
    let mut pair = Pair::new(false).await;
    let asking = tokio::spawn({
        let client = pair.client.clone();
        async move { client.open(Kind::Debug, "gdb on desk").await }
    });
    let offer = pair.incoming.recv().await.unwrap();
    assert_eq!((offer.kind, offer.label.as_str()), (Kind::Debug, "gdb on desk"));
    let there = offer.accept();
    assert_eq!(asking.await.unwrap().unwrap().number(), there.number());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_channel_and_it_is_given_up() {
    let mut pair = Pair::new(false).await;
    let waited = timeout(Duration::from_secs(1), pair.client.open(Kind::Debug, "impatient")).await;
    assert!(waited.is_err());
    let mut late = pair.incoming.recv().await.unwrap().accept();
    assert_eq!(late.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let (mut here, mut there) = pair.channel().await;
    here.write_u8(7).await.unwrap();
    assert_eq!(there.read_u8().await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn all_numbers_are_given_out_and_come_back() {
    let mut pair = Pair::new(false).await;
    pair.echo();
    let mut channels = Vec::new();
    for _ in 0..254 {
        channels.push(pair.client.open(Kind::Debug, "one of many").await.unwrap());
    }
    assert!(matches!(pair.client.open(Kind::Debug, "one too many").await, Err(OpenError::NoChannel(_))));
    let freed = channels.pop().unwrap().number();
    // Until the other side has let it go too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = pair.client.open(Kind::Debug, "again").await.unwrap();
    assert_eq!(again.number(), freed);
    round_trip(again, pattern(10_000)).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_channels_come_and_go() {
    let mut pair = Pair::new(false).await;
    pair.echo();
    for turn in 0..10_000_u32 {
        let mut channel = pair.client.open(Kind::Debug, "short").await.unwrap();
        channel.write_u32(turn).await.unwrap();
        assert_eq!(channel.read_u32().await.unwrap(), turn);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_who_asks_gets_the_control_channel() {
    let pair = Pair::new(false).await;
    let (mut here, mut there) = (pair.client.control().unwrap(), pair.server.control().unwrap());
    assert!(pair.client.control().is_none());
    assert_eq!(here.number(), 0);
    here.write_all(b"ask").await.unwrap();
    let mut asked = [0; 3];
    there.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"ask");
}
