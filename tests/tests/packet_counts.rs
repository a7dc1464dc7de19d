//! The number of packets that gdb needs, which over a distance is what the user waits for: never more than with gdbserver.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::mi::Mi;
use dbgsrv_tests::program;
use dbgsrv_tests::proxy::Proxy;
use dbgsrv_tests::server::{Kind, Server};

/// The packets of each step of a script, by the step's name.
type Counts = Vec<(&'static str, Vec<String>)>;

/// Runs the script with both servers and compares step by step.
fn assert_no_more_than_gdbserver(script: impl Fn(&Proxy) -> Counts) {
    let counts = |kind| {
        let server = Server::start_as(kind);
        script(&Proxy::to(server.port()))
    };
    let (ours, theirs) = (counts(Kind::under_test()), counts(Kind::Gdbserver));
    for ((step, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        eprintln!("{step}: {} packets, {} with gdbserver", ours.len(), theirs.len());
    }
    for ((step, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let (more, than) = (ours.len(), theirs.len());
        assert!(more <= than, "{step}: {more} packets, {than} with gdbserver\n{ours:#?}\nwith gdbserver: {theirs:#?}");
    }
}

#[test]
fn connecting_breaking_and_stepping_need_no_more_packets_than_with_gdbserver() {
    assert_no_more_than_gdbserver(|proxy| {
        let mut gdb = Mi::connected(proxy.port(), Some(&program::path("basics")));
        let mut counts = vec![("connect", proxy.take())];
        gdb.console("break outer");
        gdb.command("-exec-run");
        gdb.wait_stop();
        counts.push(("break and run to it", proxy.take()));
        gdb.command("-exec-next");
        gdb.wait_stop();
        counts.push(("next", proxy.take()));
        gdb.command("-exec-finish");
        gdb.wait_stop();
        counts.push(("finish", proxy.take()));
        gdb.command("-exec-step-instruction");
        gdb.wait_stop();
        counts.push(("stepi", proxy.take()));
        gdb.command("-exec-continue");
        gdb.wait_stop();
        counts.push(("continue to the end", proxy.take()));
        counts
    });
}

#[test]
fn attaching_to_100_threads_and_their_backtraces_need_no_more_packets_than_with_gdbserver() {
    let target = Beats::start(99);
    assert_no_more_than_gdbserver(|proxy| {
        let mut gdb = Mi::connected(proxy.port(), Some(&program::path("beats")));
        proxy.take();
        gdb.attach(target.pid());
        let mut counts = vec![("attach", proxy.take())];
        gdb.console("info threads");
        counts.push(("info threads", proxy.take()));
        gdb.console("thread apply all backtrace");
        counts.push(("all backtraces", proxy.take()));
        gdb.console("detach");
        counts.push(("detach", proxy.take()));
        counts
    });
    target.assert_left_as_it_was_found();
}
