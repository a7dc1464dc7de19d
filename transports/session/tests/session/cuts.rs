//! Sessions whose connections are cut and which go on.

use crate::channels::round_trip;
use crate::support::{Fate, Pair, pattern};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_session::Accepted;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// A conversation of small messages, then a large one.
async fn converse(pair: &mut Pair) {
    pair.echo();
    let mut channel = pair.client.open(Kind::Debug, "echo").await.expect("a channel");
    for turn in 0..20_u64 {
        channel.write_u64(turn).await.expect("the channel takes it");
        assert_eq!(channel.read_u64().await.expect("the echo comes back"), turn);
    }
    round_trip(channel, pattern(50_000)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_doubled_wherever_the_first_cut_is() {
    for sealed in [false, true] {
        for place in (0..2_000).step_by(if sealed { 13 } else { 7 }) {
            let mut pair = Pair::new(sealed).await;
            pair.network.befall(Fate::BreaksAfter(place));
            converse(&mut pair).await;
            assert!(pair.network.dialled() >= 2, "cut after {place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_doubled_where_each_connection_is_cut_too() {
    for place in (0..120_000).step_by(1_009) {
        let mut pair = Pair::new(true).await;
        pair.network.befall(Fate::BreaksAfter(place));
        pair.network.plan((1..12).map(|turn| Fate::BreaksAfter(place % 7_919 * turn % 6_007)));
        converse(&mut pair).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_seen_and_passes() {
    let mut pair = Pair::new(false).await;
    let (mut here, mut there) = pair.channel().await;
    pair.network.set_down(true);
    pair.network.befall(Fate::BreaksAfter(0));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(pair.client.is_cut() && pair.server.is_cut());
    here.write_u8(1).await.unwrap();
    there.write_u8(2).await.unwrap();
    pair.network.set_down(false);
    assert_eq!(here.read_u8().await.unwrap(), 2);
    assert_eq!(there.read_u8().await.unwrap(), 1);
    assert!(!pair.client.is_cut() && !pair.server.is_cut());
    let Some(Ok(Accepted::Resumed(id))) = pair.arrivals.recv().await else { panic!("not resumed") };
    assert_eq!(id, pair.client.id());
}

#[tokio::test(start_paused = true)]
async fn attempts_to_come_back_are_spaced_out() {
    let pair = Pair::new(false).await;
    pair.network.set_down(true);
    pair.network.befall(Fate::BreaksAfter(0));
    tokio::time::sleep(Duration::from_secs(20)).await;
    // At 0, 0.1, 0.3, 0.7, 1.5, 3.1 seconds, then every two.
    assert_eq!(pair.network.dialled() - 1, 6 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_client_comes_back_before_the_server_has_noticed_the_cut() {
    for sealed in [false, true] {
        let mut pair = Pair::new(sealed).await;
        pair.network.befall(Fate::HalfOpenAfter(100));
        pair.network.plan([Fate::HalfOpenAfter(2_000), Fate::HalfOpenAfter(3_000)]);
        let began = Instant::now();
        converse(&mut pair).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_resumption_is_not_answered_tries_again() {
    for sealed in [false, true] {
        let mut pair = Pair::new(sealed).await;
        pair.network.befall(Fate::BreaksAfter(100));
        pair.network.plan([Fate::Deaf, Fate::Deaf]);
        converse(&mut pair).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_anywhere_in_a_resumption_does_not_end_the_session() {
    for place in 0..600 {
        let mut pair = Pair::new(true).await;
        pair.network.befall(Fate::HalfOpenAfter(100));
        pair.network.plan([Fate::HalfOpenAfter(place), Fate::BreaksAfter(place / 2)]);
        converse(&mut pair).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_up_and_replaced() {
    let mut pair = Pair::new(true).await;
    pair.network.befall(Fate::Deaf);
    converse(&mut pair).await;
}
