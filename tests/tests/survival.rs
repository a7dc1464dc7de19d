//! Whatever dies, a program that was attached to is left as it was found, and a program that the session created ends.
//!
//! The matrix is {attached, created} × {stopped at a breakpoint, running with one planted} × {the client gets SIGKILL, the
//! worker gets SIGKILL, the daemon gets SIGTERM, the daemon gets SIGKILL}. A watchpoint is set as well in each.

use dbgsrv_tests::beats::{Beats, Shared};
use dbgsrv_tests::mi::Mi;
use dbgsrv_tests::process::{self, Stray};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{program, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[derive(Clone, Copy)]
enum When {
    Stopped,
    Running,
}

#[derive(Clone, Copy)]
enum Dies {
    Client,
    Worker,
    DaemonAsked,
    DaemonKilled,
}

/// Brings the program into the state in which something is to die. `always-inserted` is the hard case: gdb leaves its
/// breakpoint in place while the program is stopped.
fn prepare(gdb: &mut Mi, shared: &Shared, pid: Pid, when: When) {
    gdb.console("set breakpoint always-inserted on");
    // Its very first byte, which is what is looked at.
    gdb.console("break *rarely");
    gdb.console("watch rare_value");
    gdb.command("-exec-continue");
    match when {
        When::Stopped => {
            shared.call_rarely();
            assert_eq!(gdb.wait_stop().reason(), "breakpoint-hit");
        }
        When::Running => {
            wait_until("the breakpoint is in", || process::memory_byte(pid, shared.rarely_address()) == 0xcc);
            shared.assert_goes_on();
        }
    }
}

/// Lets the one that is to die do so, and checks what must hold for the server afterwards. `pid` is the debugged program.
fn strike(server: &mut Server, gdb: Mi, pid: Pid, dies: Dies) {
    let worker = server.worker_of(pid);
    // A client that dies of the server's death would hide what the server does by itself, so it stays until the end.
    match dies {
        Dies::Client => gdb.kill(),
        Dies::Worker => {
            kill(worker, Signal::SIGKILL).expect("the worker runs");
            wait_until("the program is not traced by the worker", || {
                process::is_left_alone(pid) || !process::is_alive(pid)
            });
            drop(gdb);
        }
        Dies::DaemonAsked | Dies::DaemonKilled => {
            let signal = if matches!(dies, Dies::DaemonAsked) { Signal::SIGTERM } else { Signal::SIGKILL };
            let workers = server.workers();
            server.signal(signal);
            server.wait();
            wait_until("the workers are gone", || workers.iter().all(|&worker| !process::is_alive(worker)));
            drop(gdb);
        }
    }
}

fn assert_serves_unless_dead(server: &Server, dies: Dies) {
    if matches!(dies, Dies::Client | Dies::Worker) {
        server.assert_still_serves();
    }
}

fn attached_program_is_left_as_it_was_found(when: When, dies: Dies) {
    if stand_in_lacks("a session's end that leaves the program as it was found") {
        return;
    }
    let mut server = Server::start();
    let target = Beats::start(3);
    let mut gdb = server.mi(Some(&program::path("beats")));
    gdb.attach(target.pid());
    prepare(&mut gdb, &target.shared, target.pid(), when);
    strike(&mut server, gdb, target.pid(), dies);
    target.assert_left_as_it_was_found();
    assert_serves_unless_dead(&server, dies);
}

fn created_program_ends(when: When, dies: Dies) {
    if stand_in_lacks("a session's end that ends what it created") {
        return;
    }
    let mut server = Server::start();
    let shared = Shared::new();
    let mut gdb = server.mi(Some(&program::path("beats")));
    gdb.console(&format!("set args {} 3", shared.path()));
    gdb.console("tbreak main");
    gdb.command("-exec-run");
    gdb.wait_stop();
    gdb.command("-exec-continue");
    shared.wait_until_running(3);
    let program = Stray(shared.pid());
    gdb.command("-exec-interrupt");
    gdb.wait_stop();
    prepare(&mut gdb, &shared, program.0, when);
    strike(&mut server, gdb, program.0, dies);
    wait_until("the program has ended", || !process::is_alive(program.0));
    assert_serves_unless_dead(&server, dies);
}

/// One test for each row of the matrix.
macro_rules! matrix {
    ($($name:ident: $check:ident($when:ident, $dies:ident);)*) => {$(
        #[test]
        fn $name() {
            $check(When::$when, Dies::$dies);
        }
    )*};
}

matrix! {
    attached_and_stopped_survives_the_clients_sigkill: attached_program_is_left_as_it_was_found(Stopped, Client);
    attached_and_stopped_survives_the_workers_sigkill: attached_program_is_left_as_it_was_found(Stopped, Worker);
    attached_and_stopped_survives_the_daemons_sigterm: attached_program_is_left_as_it_was_found(Stopped, DaemonAsked);
    attached_and_stopped_survives_the_daemons_sigkill: attached_program_is_left_as_it_was_found(Stopped, DaemonKilled);
    attached_and_running_survives_the_clients_sigkill: attached_program_is_left_as_it_was_found(Running, Client);
    attached_and_running_survives_the_workers_sigkill: attached_program_is_left_as_it_was_found(Running, Worker);
    attached_and_running_survives_the_daemons_sigterm: attached_program_is_left_as_it_was_found(Running, DaemonAsked);
    attached_and_running_survives_the_daemons_sigkill: attached_program_is_left_as_it_was_found(Running, DaemonKilled);
    created_and_stopped_ends_at_the_clients_sigkill: created_program_ends(Stopped, Client);
    created_and_stopped_ends_at_the_workers_sigkill: created_program_ends(Stopped, Worker);
    created_and_stopped_ends_at_the_daemons_sigterm: created_program_ends(Stopped, DaemonAsked);
    created_and_stopped_ends_at_the_daemons_sigkill: created_program_ends(Stopped, DaemonKilled);
    created_and_running_ends_at_the_clients_sigkill: created_program_ends(Running, Client);
    created_and_running_ends_at_the_workers_sigkill: created_program_ends(Running, Worker);
    created_and_running_ends_at_the_daemons_sigterm: created_program_ends(Running, DaemonAsked);
    created_and_running_ends_at_the_daemons_sigkill: created_program_ends(Running, DaemonKilled);
}
