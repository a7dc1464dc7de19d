//! Signals of the program: shown, passed on, held back.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::program;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use nix::sys::signal::{Signal, kill};

#[test]
fn a_signal_stops_the_program_and_its_handler_runs_afterwards() {
    let server = Server::start();
    let commands = ["run", "print $_siginfo.si_signo", "break handler", "continue", "backtrace", "continue"];
    let transcript = server.gdb(Some(&program::path("signals")), &commands);
    transcript.assert_has("Program received signal SIGUSR1, User defined signal 1.");
    transcript.assert_has("$1 = 10");
    transcript.assert_has("Breakpoint 1, handler (signal=10)");
    transcript.assert_has("<signal handler called>");
    transcript.assert_has("exited with code 01]");
    server.assert_still_serves();
}

#[test]
fn a_signal_is_held_back_by_signal_0() {
    let server = Server::start();
    let transcript = server.gdb(Some(&program::path("signals")), &["run", "signal 0"]);
    transcript.assert_has("Program received signal SIGUSR1");
    transcript.assert_has("exited normally]");
    server.assert_still_serves();
}

#[test]
fn a_signal_set_to_nostop_goes_to_the_program_without_a_stop() {
    let server = Server::start();
    let transcript = server.gdb(Some(&program::path("signals")), &["handle SIGUSR1 nostop noprint pass", "run"]);
    transcript.assert_lacks("received signal");
    transcript.assert_has("exited with code 01]");
    server.assert_still_serves();
}

#[test]
fn a_signal_set_to_nopass_does_not_reach_the_program() {
    let server = Server::start();
    let transcript = server.gdb(Some(&program::path("signals")), &["handle SIGUSR1 nostop nopass", "run"]);
    transcript.assert_has("exited normally]");
    server.assert_still_serves();
}

#[test]
fn a_signal_is_sent_by_gdb() {
    let server = Server::start();
    let commands = ["break handler", "break main", "run", "next", "signal SIGUSR1", "continue", "continue", "continue"];
    let transcript = server.gdb(Some(&program::path("signals")), &commands);
    assert_eq!(transcript.count("Breakpoint 1, handler (signal=10)"), 2, "{}", transcript.0);
    transcript.assert_has("exited with code 02]");
    server.assert_still_serves();
}

#[test]
fn a_fault_is_shown_where_it_happens_and_ends_the_program() {
    let server = Server::start();
    let commands = ["set args fault", "run", "backtrace", "print $_siginfo._sifields._sigfault.si_addr", "continue"];
    let transcript = server.gdb(Some(&program::path("signals")), &commands);
    transcript.assert_has("Program received signal SIGSEGV, Segmentation fault.");
    transcript.assert_has("in fault () at");
    transcript.assert_has("$1 = (void *) 0x0");
    transcript.assert_has("Program terminated with signal SIGSEGV, Segmentation fault.");
    server.assert_still_serves();
}

#[test]
fn a_fault_is_told_of_even_where_its_signal_is_to_be_passed() {
    let server = Server::start();
    let target = Beats::start(0);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    // SIGILL and SIGSEGV, with which gdb learns that a function which it has called returns to where no code is.
    assert_eq!(client.request("QPassSignals:4;b"), "OK");
    let pc = client.request("p10");
    let stop = [client.request("P10=0000000000000000"), client.request("vCont;c")];
    assert!(stop[0] == "OK" && stop[1].starts_with("T0b"), "{stop:?}");
    // Held back, it has never been.
    assert_eq!(client.request(&format!("P10={pc}")), "OK");
    client.send("vCont;c");
    target.shared.assert_goes_on();
    assert!(client.interrupt().starts_with("T02"));
    assert_eq!(client.request("D"), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn a_signal_with_two_names_stops_the_program_unless_the_first_of_them_is_passed() {
    let server = Server::start();
    let target = Beats::start(0);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    // SIGPOLL is SIGIO's other name.
    assert_eq!(client.request("QPassSignals:21"), "OK");
    client.send("vCont;c");
    target.shared.assert_goes_on();
    kill(target.pid(), Signal::SIGIO).expect("the program is there");
    let stop = client.reply();
    assert!(stop.starts_with("T17"), "{stop}");
    client.send("vCont;c");
    target.shared.assert_goes_on();
    assert!(client.interrupt().starts_with("T02"));
    assert_eq!(client.request("D"), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}
