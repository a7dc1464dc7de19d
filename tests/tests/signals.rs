//! Signals of the program: shown, passed on, held back.

use dbgsrv_tests::program;
use dbgsrv_tests::server::Server;

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
