//! Programs that are stopped and continued by others than their debugger.

use dbgsrv_tests::process::{self, Stray};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::wait_until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn all_are(pid: Pid, state: char) -> bool {
    process::threads(pid).iter().all(|thread| thread.state == state)
}

/// Stops the program as a shell would, while nobody traces it.
fn stopped(target: &Trial) {
    kill(target.pid(), Signal::SIGSTOP).expect("the program runs");
    wait_until("the program is stopped", || all_are(target.pid(), 'T'));
}

fn assert_continues(target: &Trial) {
    kill(target.pid(), Signal::SIGCONT).expect("the program is there");
    target.assert_left_as_it_was_found();
}

#[test]
fn a_stopped_program_is_stopped_again_after_attach_and_detach() {
    if stand_in_lacks("leaving a program stopped") {
        return;
    }
    let server = Server::start();
    let target = Trial::start("beats", 2);
    stopped(&target);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    assert_eq!(client.request("D"), "OK");
    wait_until("the program is stopped as before", || all_are(target.pid(), 'T'));
    assert_continues(&target);
    server.assert_still_serves();
}

#[test]
fn a_stopped_program_runs_under_its_debugger_and_is_interrupted() {
    let server = Server::start();
    let target = Trial::start("beats", 12);
    stopped(&target);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    for _ in 0..3 {
        target.run_a_while(&mut client);
    }
    assert_eq!(client.request("D"), "OK");
    assert_continues(&target);
    server.assert_still_serves();
}

#[test]
fn a_stopped_program_that_starts_threads_under_its_debugger_runs_on() {
    let server = Server::start();
    let target = Trial::start("churns", 2);
    stopped(&target);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    for _ in 0..3 {
        target.run_a_while(&mut client);
    }
    assert_eq!(client.request("D"), "OK");
    assert_continues(&target);
    server.assert_still_serves();
}

#[test]
fn a_stop_that_the_client_lets_through_holds_until_it_is_continued() {
    let server = Server::start();
    let target = Trial::start("beats", 3);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    for interrupted in [false, true] {
        client.send("vCont;c");
        kill(target.pid(), Signal::SIGSTOP).expect("the program runs");
        // SIGSTOP and SIGCONT as the protocol numbers them.
        let stop = client.reply();
        assert!(stop.starts_with("T11"), "{stop}");
        // For all threads, though the signal stops the process once.
        client.send("vCont;C11");
        let before = target.turns();
        if interrupted {
            let stop = client.interrupt();
            assert!(stop.starts_with("T02"), "{stop}");
            break;
        }
        kill(target.pid(), Signal::SIGCONT).expect("the program is there");
        let stop = client.reply();
        assert!(stop.starts_with("T13"), "{stop}");
        assert!(target.turns() <= before + 3, "the program has run while it was stopped");
        client.send("vCont;C13");
        target.assert_goes_on();
        assert!(client.interrupt().starts_with("T02"));
    }
    assert_eq!(client.request("D"), "OK");
    assert_continues(&target);
    server.assert_still_serves();
}

#[test]
fn a_signal_that_came_while_the_program_stood_still_is_not_lost_by_detaching() {
    let server = Server::start();
    let target = Trial::start("beats", 2);
    let signals = || process::memory_word(target.pid(), trial::symbol("signals"));
    let mut client = Client::greeted(server.port());
    for told in [true, false] {
        let before = signals();
        client.attach(target.pid());
        if !told {
            // SIGUSR1 needs no report.
            assert_eq!(client.request("QPassSignals:1e"), "OK");
        }
        client.send("vCont;c");
        target.assert_goes_on();
        if told {
            kill(target.pid(), Signal::SIGUSR1).expect("the program runs");
            let stop = client.reply();
            assert!(stop.starts_with("T1e"), "{stop}");
        } else {
            kill(target.pid(), Signal::SIGUSR1).expect("the program runs");
            assert!(client.interrupt().starts_with("T02"));
        }
        assert_eq!(client.request("D"), "OK");
        wait_until("the signal is handled", || signals() == before + 1);
    }
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn a_kill_from_outside_is_reported_whatever_the_program_does() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    // SIGCHLD.
    assert_eq!(client.request("QPassSignals:14"), "OK");
    for mode in ["beats", "churns", "forks", "hits-for-ever"] {
        for running in [false, true] {
            let target = Trial::start(mode, 3);
            client.attach(target.pid());
            client.set_breakpoint(trial::symbol("called"));
            if running {
                client.send("vCont;c");
                target.assert_goes_on();
                kill(target.pid(), Signal::SIGKILL).expect("the program runs");
            } else {
                kill(target.pid(), Signal::SIGKILL).expect("the program runs");
                client.send("vCont;c");
            }
            let end = client.reply();
            assert!(end.starts_with("X09"), "{mode}: {end}");
        }
    }
    server.assert_still_serves();
}

#[test]
fn a_kill_from_outside_that_meets_an_interrupt_is_reported() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    assert_eq!(client.request("QPassSignals:14"), "OK");
    for round in 0..30 {
        let target = Trial::start(["churns", "forks", "vforks"][round % 3], 3);
        let _stray = Stray(target.pid());
        client.attach(target.pid());
        client.send("vCont;c");
        client.send_raw(b"\x03").expect("the server reads");
        kill(target.pid(), Signal::SIGKILL).expect("the program runs");
        let mut stop = client.reply();
        if stop.starts_with("T02") {
            stop = client.request("vCont;c");
        }
        assert!(stop.starts_with("X09"), "{stop}");
    }
    server.assert_still_serves();
}
