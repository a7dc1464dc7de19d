//! LLDB attaches to programs that run, or will run, and lets go of them.

use std::process::{Command, Stdio};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::process::{self, Owned};
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::Trial;
use dbgsrv_tests::wait_until;
use tempfile::TempDir;

#[test]
fn a_running_program_is_attached_to_interrupted_and_let_go() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let target = Beats::start(3);
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("beats")));
    let stop = lldb.run_to_stop(&format!("process attach --pid {}", target.pid()));
    assert!(stop.contains("stop reason = signal SIGSTOP"), "{stop}");
    let threads = lldb.run("thread list");
    assert_eq!(threads.matches("tid = ").count(), 4, "{threads}");
    lldb.run("process continue");
    target.shared.assert_goes_on();
    let stop = lldb.run_to_stop("process interrupt");
    assert!(stop.contains("stop reason = signal SIGSTOP"), "{stop}");
    let backtraces = lldb.run("thread backtrace all");
    assert_eq!(backtraces.matches("`worker(").count(), 3, "{backtraces}");

    // A breakpoint is set while the program runs, and is hit by one of its threads.
    lldb.run("process continue");
    lldb.run("breakpoint set --name rarely");
    target.shared.call_rarely();
    let stop = lldb.wait_stop();
    assert!(stop.contains("stop reason = breakpoint 1.1") && stop.contains("rarely"), "{stop}");
    let stop = lldb.run_to_stop("thread step-over");
    assert!(stop.contains("stop reason = step over"), "{stop}");
    lldb.run("process detach");
    target.assert_left_as_it_was_found();
    assert!(target.has_original_text());
}

#[test]
fn a_program_that_is_let_go_can_be_left_stopped_and_one_that_is_killed_ends() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut target = Trial::start("beats", 1);
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("trials")));
    lldb.run_to_stop(&format!("process attach --pid {}", target.pid()));
    lldb.run("process detach --keep-stopped true");
    let stopped = |thread: &process::Thread| thread.state == 'T' && thread.tracer == 0;
    wait_until("the program is stopped and not traced", || process::threads(target.pid()).iter().all(stopped));

    let mut lldb = Lldb::connected(server.port(), Some(&program::path("trials")));
    lldb.run_to_stop(&format!("process attach --pid {}", target.pid()));
    let told = lldb.run("process kill");
    assert!(!told.contains("error:"), "{told}");
    assert!(target.process().wait() < 0, "a signal has ended it");
    server.assert_still_serves();
}

/// A copy of a program under a name that no other has, running.
fn running_copy(directory: &TempDir, name: &str) -> Owned {
    let copy = directory.path().join(name);
    let mut command = Command::new(copy);
    Owned::spawn(command.args(["beats", "0"]).stdin(Stdio::null()))
}

/// A process that becomes such a copy when a server has had time to begin to wait for it.
fn future_copy(directory: &TempDir, name: &str) -> Owned {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 1; exec \"$0\" beats 0"]).arg(directory.path().join(name));
    Owned::spawn(command.stdin(Stdio::null()))
}

#[test]
fn programs_are_found_by_their_names_and_waited_for() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let name = format!("dbgsrv-named-{}", std::process::id());
    let path = directory.path().join(&name);
    std::fs::copy(program::path("trials"), &path).expect("the directory is writable");

    let mut lldb = Lldb::connected(server.port(), None);
    let refused = lldb.run(&format!("process attach --name {name}"));
    assert!(refused.contains("error:"), "there is none yet: {refused}");
    let mut lldb = Lldb::connected(server.port(), None);
    let refused = lldb.run(&format!("process attach --pid {}", server.pid()));
    assert!(refused.contains("attach failed: ") && refused.contains("server"), "the reason is shown: {refused}");

    let mut first = running_copy(&directory, &name);
    let mut lldb = Lldb::connected(server.port(), None);
    lldb.run_to_stop(&format!("process attach --name {name}"));
    assert_eq!(lldb.debuggee(), first.pid());
    lldb.run("process detach");

    let mut lldb = Lldb::connected(server.port(), None);
    lldb.send(&format!("process attach --name {name} --waitfor"));
    wait_until("lldb waits", || lldb.packets_sent("vAttachWait"));
    let mut second = future_copy(&directory, &name);
    lldb.wait_stop();
    assert_eq!(lldb.debuggee(), second.pid(), "the one that was there before is none that was waited for");
    lldb.run("process detach");
    for process in [&mut first, &mut second] {
        assert!(process::is_alive(process.pid()));
        process.signal(nix::sys::signal::Signal::SIGKILL);
        process.wait();
    }

    // One that is there already is as good as one that comes; either is attached to.
    let wait_or_take = format!("process attach --name {name} --waitfor --include-existing");
    let mut third = None;
    for is_there in [false, true] {
        let mut lldb = Lldb::connected(server.port(), None);
        lldb.send(&wait_or_take);
        if !is_there {
            wait_until("lldb waits", || lldb.packets_sent("vAttachOrWait"));
        }
        let process = third.get_or_insert_with(|| future_copy(&directory, &name));
        lldb.wait_stop();
        assert_eq!(lldb.debuggee(), process.pid());
        lldb.run("process detach");
    }
}

#[test]
fn one_thread_is_stepped_while_the_others_stand_still() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let target = Beats::start(2);
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("beats")));
    lldb.run_to_stop(&format!("process attach --pid {}", target.pid()));
    lldb.run("thread select 2");
    let threads = lldb.run("thread list");
    assert!(threads.contains("* thread #2"), "{threads}");
    let before = target.shared.beats();
    for _ in 0..3 {
        let stop = lldb.run_to_stop("thread step-inst --run-mode this-thread");
        assert!(stop.contains("thread #2") && stop.contains("stop reason = instruction step into"), "{stop}");
    }
    assert_eq!(target.shared.beats(), before, "the main thread has not run");
    lldb.run("process detach");
    target.assert_left_as_it_was_found();
}
