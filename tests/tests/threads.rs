//! Many threads at once: at one breakpoint, coming and going, without their leader.

use dbgsrv_tests::process::{self, Stray};
use dbgsrv_tests::program;
use dbgsrv_tests::rsp::{Client, hex};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::{self, Trial};
use nix::unistd::Pid;

/// Starts the program in a mode and returns its process id.
fn run(client: &mut Client, mode: &str, count: u32) -> Pid {
    let path = program::path("trials");
    Pid::from_raw(client.run(&[path.to_str().expect("the path is UTF-8"), mode, &count.to_string()]))
}

/// Sets a breakpoint whose condition is false: push 0, end.
fn never_stop_at(client: &mut Client, address: u64) {
    assert_eq!(client.request(&format!("Z0,{address:x},1;X3,220027")), "OK");
}

#[test]
fn every_hit_of_every_thread_is_reported_once() {
    if stand_in_lacks("stepping over a breakpoint by itself") {
        return;
    }
    let server = Server::start();
    for threads in [1, 3, 12] {
        let mut client = Client::greeted(server.port());
        let _stray = Stray(run(&mut client, "hits", threads));
        client.set_breakpoint(trial::symbol("counted"));
        let mut hits = 0;
        let end = loop {
            let stop = client.request("vCont;c");
            if !stop.starts_with("T05") {
                break stop;
            }
            assert!(stop.contains("swbreak"), "{stop}");
            hits += 1;
        };
        assert!(end.starts_with("W00"), "{end}");
        assert_eq!(hits, 50 * threads);
    }
    server.assert_still_serves();
}

#[test]
fn threads_that_hit_breakpoints_which_are_none_of_the_clients_business_all_go_on() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let _stray = Stray(run(&mut client, "hits", 12));
    never_stop_at(&mut client, trial::symbol("counted"));
    assert!(client.request("vCont;c").starts_with("W00"));
    server.assert_still_serves();
}

#[test]
fn the_others_go_on_while_a_thread_is_range_stepped_from_a_breakpoint() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let _stray = Stray(run(&mut client, "waits", 0));
    client.set_breakpoint(trial::symbol("counted"));
    let stop = client.request("vCont;c");
    // All of memory is in the range, and the thread waits for another one.
    let end = client.request(&format!("vCont;r1,{:x}:{};c", u64::MAX, thread(&stop)));
    assert!(end.starts_with("W06"), "{end}");
    server.assert_still_serves();
}

fn thread(stop: &str) -> &str {
    stop.split_once("thread:").and_then(|(_, rest)| rest.split(';').next()).expect("the stop names a thread")
}

#[test]
fn an_interrupt_reaches_a_program_whose_leader_has_ended() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let pid = run(&mut client, "leaderless", 2);
    let _stray = Stray(pid);
    client.send("vCont;c");
    dbgsrv_tests::wait_until("the leader has ended", || {
        process::threads(pid).iter().any(|thread| thread.state == 'Z') && process::threads(pid).len() == 3
    });
    for _ in 0..3 {
        let stop = client.interrupt();
        assert!(stop.starts_with("T02"), "{stop}");
        let text = client.request(&format!("m{:x},1", trial::symbol("counted")));
        assert_eq!(text, "31");
        client.send("vCont;c");
    }
    let stop = client.interrupt();
    assert!(stop.starts_with("T02"), "{stop}");
    assert_eq!(client.request(&format!("M{:x},1:01", trial::symbol("end"))), "OK");
    let end = client.request("vCont;c");
    assert!(end.starts_with("W05"), "{end}");
    server.assert_still_serves();
}

#[test]
fn an_interrupt_reaches_threads_that_do_nothing_but_start_others() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let pid = run(&mut client, "churns", 3);
    let _stray = Stray(pid);
    for _ in 0..100 {
        client.send("vCont;c");
        let stop = client.interrupt();
        assert!(stop.starts_with("T02"), "{stop}");
    }
    server.assert_still_serves();
}

#[test]
fn a_program_that_starts_and_ends_threads_all_the_time_is_attached_to_whole() {
    let server = Server::start();
    let target = Trial::start("churns", 4);
    for _ in 0..10 {
        let mut client = Client::greeted(server.port());
        client.attach(target.pid());
        let threads = process::threads(target.pid());
        assert!(threads.iter().all(|thread| thread.state == 't' || thread.state == 'X'), "{threads:?}");
        assert_eq!(client.request("D"), "OK");
        target.assert_left_as_it_was_found();
    }
    server.assert_still_serves();
}

#[test]
fn a_thread_that_executes_a_program_is_followed_with_interrupts_at_any_moment() {
    let server = Server::start();
    for mode in ["executes", "leaderless-executes"] {
        let mut client = Client::greeted(server.port());
        let _stray = Stray(run(&mut client, mode, 60));
        let end = loop {
            client.send("vCont;c");
            let _ = client.send_raw(b"\x03");
            let stop = client.reply();
            if !stop.starts_with("T02") {
                break stop;
            }
        };
        assert!(end.starts_with("W07"), "{end}");
    }
    server.assert_still_serves();
}

#[test]
fn detaching_while_threads_run_into_breakpoints_kills_no_one() {
    let server = Server::start();
    let target = Trial::start("hits-for-ever", 2);
    let mut client = Client::greeted(server.port());
    for _ in 0..8 {
        client.attach(target.pid());
        never_stop_at(&mut client, trial::symbol("counted"));
        target.run_a_while(&mut client);
        assert_eq!(client.request("D"), "OK");
    }
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn steps_through_system_calls_end_where_they_should() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let pid = run(&mut client, "calls", 0);
    let _stray = Stray(pid);
    client.set_breakpoint(trial::symbol("called"));
    let stop = client.request("vCont;c");
    let thread = thread(&stop).to_owned();
    let returned = trial::symbol("called_returned");
    for _ in 0..3 {
        assert_eq!(client.request(&format!("z0,{:x},1", trial::symbol("called"))), "OK");
        client.set_breakpoint(trial::symbol("counted"));
        // With all threads, so that breakpoints are in memory.
        for _ in 0..2 {
            let stop = client.request(&format!("vCont;s:{thread};c"));
            assert!(stop.starts_with("T05") && !stop.contains("swbreak"), "{stop}");
        }
        assert_eq!(client.request("p10"), hex(&returned.to_le_bytes()));
        client.set_breakpoint(trial::symbol("called"));
        assert!(client.request("vCont;c").contains("swbreak"));
    }
    server.assert_still_serves();
}

#[test]
fn threads_that_start_later_are_watched_too() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let _stray = Stray(run(&mut client, "writes", 12));
    assert_eq!(client.request(&format!("Z2,{:x},8", trial::symbol("value"))), "OK");
    for _ in 0..12 {
        let stop = client.request("vCont;c");
        assert!(stop.contains("watch:"), "{stop}");
    }
    assert!(client.request("vCont;c").starts_with("W00"));
    server.assert_still_serves();
}

#[test]
fn a_thousand_threads_are_attached_to_interrupted_and_let_go() {
    let server = Server::start();
    let target = Trial::start("crowd", 1000);
    let mut client = Client::greeted(server.port());
    for _ in 0..2 {
        client.attach(target.pid());
        assert!(process::threads(target.pid()).iter().all(|thread| thread.state == 't'));
        for _ in 0..2 {
            client.send("vCont;c");
            target.assert_goes_on();
            assert!(client.interrupt().starts_with("T02"));
        }
        assert_eq!(client.request("D"), "OK");
        target.assert_left_as_it_was_found();
    }
    server.assert_still_serves();
}

#[test]
fn the_end_of_a_leader_that_goes_on_alone_is_told() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let pid = run(&mut client, "leaderless", 2);
    let _stray = Stray(pid);
    assert_eq!(client.request(&format!("vCont;c:p{pid:x}.{pid:x}", pid = pid.as_raw())), "N");
    // The threads that it has started are still there.
    client.send("vCont;c");
    let stop = client.interrupt();
    assert!(stop.starts_with("T02"), "{stop}");
    assert_eq!(client.request(&format!("M{:x},1:01", trial::symbol("end"))), "OK");
    let end = client.request("vCont;c");
    assert!(end.starts_with("W05"), "{end}");
    server.assert_still_serves();
}

#[test]
fn ids_in_the_list_of_threads_name_the_process_only_to_a_client_that_knows_of_several() {
    let server = Server::start();
    for (features, start) in [("multiprocess+;", "id=\"p"), ("", "id=\"")] {
        let mut client = Client::connect(server.port());
        client.request(&format!("qSupported:{features}swbreak+"));
        let path = program::path("basics");
        let stop = client.request(&format!("vRun;{}", hex(path.to_str().expect("the path is UTF-8").as_bytes())));
        let list = client.request("qXfer:threads:read::0,1000");
        let expected = format!("{}{}\"", start.trim_end_matches('p'), thread(&stop));
        assert!(list.contains(start) && list.contains(&expected), "{list} after {stop}");
    }
    server.assert_still_serves();
}

#[test]
fn gdb_finds_a_thread_by_its_pthread_t() {
    let server = Server::start();
    let find = |value: &str| {
        let value = format!("gdb.parse_and_eval('{value}')");
        format!("python print('it is', gdb.selected_inferior().thread_from_handle({value}).num)")
    };
    let commands = ["break counted", "run hits 1", "call (unsigned long) pthread_self()", "info threads"];
    let commands = [&commands.map(str::to_owned)[..], &[find("$$0"), find("$fs_base"), "kill".into()]].concat();
    let commands = commands.iter().map(String::as_str).collect::<Vec<_>>();
    let transcript = server.gdb(Some(&program::path("trials")), &commands);
    transcript.assert_has("* 2 ");
    assert_eq!(transcript.0.matches("it is 2").count(), 2, "{}", transcript.0);
}
