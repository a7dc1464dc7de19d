//! Non-stop mode: each thread stops and goes on by itself.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::process::{self, Stray};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{program, trial, wait_until};
use nix::unistd::Pid;

fn non_stop(server: &Server) -> Client {
    let mut client = Client::greeted(server.port());
    assert_eq!(client.request("QNonStop:1"), "OK");
    client
}

/// Starts the program `trials` in a mode and returns its process id.
fn run(client: &mut Client, mode: &str, count: u32) -> Pid {
    let path = program::path("trials");
    Pid::from_raw(client.run(&[path.to_str().expect("the path is UTF-8"), mode, &count.to_string()]))
}

#[test]
fn attaching_to_a_process_leaves_the_threads_of_another_running() {
    let server = Server::start();
    let mut client = non_stop(&server);
    let running = run(&mut client, "churns", 2);
    let _stray = Stray(running);
    assert_eq!(client.request(&format!("vCont;c:p{:x}.-1", running.as_raw())), "OK");
    trial::assert_goes_on(running);
    let other = Beats::start(2);
    assert_eq!(client.request(&format!("vAttach;{:x}", other.pid().as_raw())), "OK");
    client.fetch_stops(3);
    trial::assert_goes_on(running);
    assert_eq!(client.request(&format!("D;{:x}", other.pid().as_raw())), "OK");
    other.assert_left_as_it_was_found();
    trial::assert_goes_on(running);
    server.assert_still_serves();
}

#[test]
fn who_asks_first_in_non_stop_mode_finds_one_thread_of_a_process_that_was_attached_to_before() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let beats = Beats::start(2);
    client.attach(beats.pid());
    assert_eq!(client.request("QNonStop:1"), "OK");
    let leader = beats.pid().as_raw();
    let stop = client.request("?");
    assert!(stop.starts_with('T') && stop.contains(&format!("thread:p{leader:x}.{leader:x};")), "{stop}");
    assert_eq!(client.request("vStopped"), "OK");
    let stopped = || process::threads(beats.pid()).iter().filter(|thread| thread.state == 't').count();
    wait_until("the other threads go on", || stopped() == 1);
    assert_eq!(client.request(&format!("vCont;t:p{leader:x}.-1")), "OK");
    client.fetch_stops(2);
    assert_eq!(client.request(&format!("D;{leader:x}")), "OK");
    beats.assert_left_as_it_was_found();
}

#[test]
fn a_thread_whose_stop_was_not_fetched_yet_is_not_meant_when_all_go_on() {
    let server = Server::start();
    let mut client = non_stop(&server);
    let pid = run(&mut client, "hits", 1);
    let _stray = Stray(pid);
    client.set_breakpoint(trial::symbol("counted"));
    let everybody = format!("vCont;c:p{:x}.-1", pid.as_raw());
    assert_eq!(client.request(&everybody), "OK");
    for _ in 0..10 {
        let stop = client.notification();
        assert!(stop.contains("swbreak"), "{stop}");
        for _ in 0..3 {
            assert_eq!(client.request(&everybody), "OK");
        }
        assert_eq!(client.request("vStopped"), "OK");
        assert_eq!(client.request(&everybody), "OK");
    }
    server.assert_still_serves();
}

#[test]
fn a_breakpoint_that_is_set_while_a_vforks_child_stands_still_is_hit_by_other_threads() {
    let server = Server::start();
    let mut client = Client::connect(server.port());
    client.request("qSupported:multiprocess+;vfork-events+;swbreak+");
    assert_eq!(client.request("QNonStop:1"), "OK");
    let pid = run(&mut client, "lends", 0);
    let _stray = Stray(pid);
    assert_eq!(client.request("vCont;c"), "OK");
    let stop = client.notification();
    assert!(stop.contains("vfork:"), "{stop}");
    assert_eq!(client.request("vStopped"), "OK");
    client.set_breakpoint(trial::symbol("turn"));
    let stop = client.notification();
    assert!(stop.contains("swbreak"), "{stop}");
    assert_eq!(client.request("vStopped"), "OK");
    server.assert_still_serves();
}
