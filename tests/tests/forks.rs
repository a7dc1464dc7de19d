//! Programs that fork, with breakpoints set: followed, and left alone.

use dbgsrv_tests::process::{self, Stray};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::{program, wait_until};
use nix::unistd::Pid;

/// What a client says that wants to hear of forks.
const FEATURES: &str = "qSupported:multiprocess+;swbreak+;fork-events+;vfork-events+;exec-events+;no-resumed+";

fn following(server: &Server) -> Client {
    let mut client = Client::connect(server.port());
    client.request(FEATURES);
    client.request("!");
    without_sigchld(client)
}

/// Has SIGCHLD passed to the program without a stop.
fn without_sigchld(mut client: Client) -> Client {
    assert_eq!(client.request("QPassSignals:14"), "OK");
    client
}

/// The child that a stop tells of.
fn child<'s>(stop: &'s str, kind: &str) -> Option<&'s str> {
    let (_, rest) = stop.split_once(&format!(";{kind}:p"))?;
    rest.split('.').next()
}

/// The thread that a stop is about.
fn stopped_thread(stop: &str) -> &str {
    let (_, rest) = stop.split_once("thread:").expect("the stop names a thread");
    rest.split(';').next().expect("the id ends")
}

#[test]
fn children_that_nobody_asked_for_run_over_their_parents_breakpoints() {
    let server = Server::start();
    for mode in ["forks", "vforks"] {
        let target = Trial::start(mode, 3);
        let mut client = without_sigchld(Client::greeted(server.port()));
        client.attach(target.pid());
        client.set_breakpoint(trial::symbol("counted"));
        for _ in 0..10 {
            target.run_a_while(&mut client);
        }
        assert_eq!(client.request("D"), "OK");
        target.assert_left_as_it_was_found();
    }
    server.assert_still_serves();
}

#[test]
fn children_that_are_let_go_run_over_their_parents_breakpoints() {
    let server = Server::start();
    for (mode, kind) in [("forks", "fork"), ("vforks", "vfork")] {
        let target = Trial::start(mode, 2);
        let mut client = following(&server);
        client.attach(target.pid());
        client.set_breakpoint(trial::symbol("called"));
        let mut children = 0;
        while children < 40 {
            let stop = client.request("vCont;c");
            if let Some(child) = child(&stop, kind) {
                assert_eq!(client.request(&format!("D;{child}")), "OK");
                children += 1;
            } else {
                assert!(stop.contains("vforkdone"), "{stop}");
            }
        }
        assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
        target.assert_left_as_it_was_found();
    }
    server.assert_still_serves();
}

#[test]
fn no_thread_slips_past_a_breakpoint_when_another_begins_a_vfork() {
    let server = Server::start();
    let mut client = following(&server);
    let path = program::path("trials");
    let path = path.to_str().expect("the path is UTF-8");
    let _stray = Stray(Pid::from_raw(client.run(&[path, "hits-among-vforks", "3"])));
    client.set_breakpoint(trial::symbol("counted"));
    let mut hits = 0;
    let mut stop = client.request("vCont;c");
    while stop.starts_with("T05") {
        let next = if let Some(child) = child(&stop, "vfork") {
            assert_eq!(client.request(&format!("D;{child}")), "OK");
            // No other thread may run while the child does.
            format!("vCont;c:{}", stopped_thread(&stop))
        } else {
            hits += u32::from(stop.contains("swbreak"));
            "vCont;c".into()
        };
        stop = client.request(&next);
    }
    assert!(stop.starts_with("W00"), "{stop}");
    assert_eq!(hits, 150);
    server.assert_still_serves();
}

#[test]
fn a_parent_stands_still_when_the_child_that_borrowed_its_memory_has_ended() {
    let server = Server::start();
    let target = Trial::start("vforks", 1);
    let mut client = following(&server);
    client.attach(target.pid());
    let (mut ends, mut parent) = (0, String::new());
    while ends < 20 {
        let stop = client.request("vCont;c");
        if child(&stop, "vfork").is_some() {
            stopped_thread(&stop).clone_into(&mut parent);
        } else if stop.starts_with('W') {
            ends += 1;
            assert_eq!(client.request(&format!("Hg{parent}")), "OK");
            let registers = client.request("g");
            assert!(!registers.starts_with('E'), "{registers}");
        }
    }
    assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn detaching_from_the_parent_also_lets_a_child_go_that_was_not_told_of_yet() {
    let server = Server::start();
    let target = Trial::start("forks", 6);
    let mut client = following(&server);
    for _ in 0..20 {
        client.attach(target.pid());
        let stop = client.request("vCont;c");
        let child = child(&stop, "fork").expect("the stop tells of a fork");
        assert_eq!(client.request(&format!("D;{child}")), "OK");
        assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
        for child in process::children(target.pid()) {
            wait_until("the child is let go", || process::is_left_alone(child));
        }
    }
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

/// A program of which one thread waits in the kernel for a child to give its memory back.
fn lending() -> (Trial, Stray) {
    let target = Trial::start("lends", 0);
    wait_until("the child is there", || process::children(target.pid()).len() == 1);
    let child = Stray(process::children(target.pid())[0]);
    (target, child)
}

#[test]
fn threads_stop_while_another_lends_its_memory() {
    let server = Server::start();
    let (target, _child) = lending();
    let mut client = without_sigchld(Client::greeted(server.port()));
    client.attach(target.pid());
    target.run_a_while(&mut client);
    assert_eq!(client.request("D"), "OK");
    target.assert_goes_on();
    process::set_memory_byte(target.pid(), trial::symbol("returned"), 1);
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn a_child_that_borrowed_memory_before_the_parent_was_attached_to_meets_no_breakpoint() {
    let server = Server::start();
    let (target, child) = lending();
    let mut client = without_sigchld(Client::greeted(server.port()));
    client.attach(target.pid());
    client.set_breakpoint(trial::symbol("counted"));
    client.send("vCont;c");
    target.assert_goes_on();
    process::set_memory_byte(target.pid(), trial::symbol("returned"), 1);
    wait_until("the child has ended", || !process::is_alive(child.0));
    target.assert_goes_on();
    let stop = client.interrupt();
    assert!(stop.starts_with("T02"), "{stop}");
    assert_eq!(client.request("D"), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn the_end_of_a_vfork_is_told_only_to_who_was_told_of_its_beginning() {
    let server = Server::start();
    let (target, child) = lending();
    let mut client = following(&server);
    client.attach(target.pid());
    client.send("vCont;c");
    process::set_memory_byte(target.pid(), trial::symbol("returned"), 1);
    wait_until("the child has ended", || !process::is_alive(child.0));
    target.assert_goes_on();
    let stop = client.interrupt();
    assert!(stop.starts_with("T02"), "{stop}");
    assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn a_child_that_borrows_memory_is_stopped_while_its_parent_waits_for_it() {
    let server = Server::start();
    let target = Trial::start("vforks", 1);
    let mut client = following(&server);
    client.attach(target.pid());
    let stop = client.request("vCont;c");
    let child = child(&stop, "vfork").expect("the stop tells of a fork").to_owned();
    // Everybody goes on: the parent waits in the kernel, and cannot be stopped there.
    assert_eq!(client.request(&format!("Hgp{child}.{child}")), "OK");
    client.set_breakpoint(trial::symbol("counted"));
    let stop = client.request("vCont;c");
    assert!(stop.contains("swbreak") && stop.contains(&format!("thread:p{child}.")), "{stop}");
    // The child ends with the breakpoint set, and the parent's memory is clean.
    let stops = [client.request("vCont;c"), client.request("vCont;c")];
    assert!(stops.iter().any(|stop| stop.starts_with("W00")), "{stops:?}");
    assert!(stops.iter().any(|stop| stop.contains("vforkdone")), "{stops:?}");
    assert_eq!(process::memory_byte(target.pid(), trial::symbol("counted")), 0x31);
    assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}
