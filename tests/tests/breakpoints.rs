//! Breakpoints and the memory that they are in.

use dbgsrv_tests::rsp::{Client, hex, unhex};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::{process, program};

#[test]
fn what_the_program_has_changed_under_a_breakpoint_stays_changed() {
    if stand_in_lacks("breakpoints that stay out of memory while a program is stepped") {
        return;
    }
    let server = Server::start();
    let target = Trial::start("calls", 0);
    let counted = trial::symbol("counted");
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    client.set_breakpoint(counted);
    client.set_breakpoint(trial::symbol("called"));
    let reply = client.request("vCont;c");
    let (_, thread) = reply.split_once("thread:").expect("the stop names a thread");
    let (thread, _) = thread.split_once(';').expect("more follows");
    let alone = format!("vCont;s:{thread}");
    assert!(client.request(&alone).starts_with("T05"));
    // As the program itself would, of which a single step may do a lot.
    process::set_memory_byte(target.pid(), counted, 0x90);
    assert!(client.request(&alone).starts_with("T05"));
    assert!(client.request("vCont;c").contains("swbreak"));
    assert_eq!(process::memory_byte(target.pid(), counted), 0x90);
    assert_eq!(client.request(&format!("m{counted:x},1")), "90");
    assert_eq!(client.request("D"), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

/// Where programs that are not position-independent have a few mapped pages.
const START: u64 = 0x40_0000;

#[test]
fn a_breakpoint_that_the_server_cannot_answer_for_is_refused() {
    if stand_in_lacks("a journal of its breakpoints") {
        return;
    }
    let server = Server::start();
    let targets = [Trial::start("beats", 1), Trial::start("beats", 1)];
    let mut client = Client::greeted(server.port());
    let mut set = 0;
    let refusal = targets.iter().find_map(|target| {
        client.attach(target.pid());
        let pid = target.pid().as_raw();
        assert_eq!(client.request(&format!("Hgp{pid:x}.{pid:x}")), "OK");
        (START..START + 5000).find_map(|address| {
            let answer = client.request(&format!("Z0,{address:x},1"));
            set += 1;
            (answer != "OK").then_some(answer)
        })
    });
    assert!(refusal.is_some_and(|refusal| refusal.starts_with('E')), "{set} breakpoints were set");
    for target in &targets {
        assert_eq!(client.request(&format!("D;{:x}", target.pid().as_raw())), "OK");
        target.assert_left_as_it_was_found();
    }
    server.assert_still_serves();
}

#[test]
fn a_dprintf_on_the_target_prints_in_gdb_and_stops_nothing() {
    if stand_in_lacks("what a dprintf prints, except on its own terminal") {
        return;
    }
    let server = Server::start();
    let commands = [
        "set dprintf-style agent",
        "dprintf square,\"square of %d\\n\", x",
        "dprintf outer,\"never\\n\"",
        "condition 2 x == 7",
        "break 9",
        "run",
        "continue",
    ];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("square of 6");
    transcript.assert_lacks("never");
    transcript.assert_has("exited with code 03]");
    assert_eq!(transcript.count("\nBreakpoint 3, "), 1, "{}", transcript.0);
    server.assert_still_serves();
}

/// The lengths of the instructions between `first` and `last` of the program `prologues`.
const PROLOGUE: [u64; 11] = [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3];

/// All registers, and what the prologue has pushed.
fn state(client: &mut Client) -> [String; 2] {
    let registers = client.request("g");
    let rsp = client.request("p7");
    let bytes = unhex(&rsp).try_into().expect("64 bits");
    [registers, client.request(&format!("m{:x},40", u64::from_le_bytes(bytes)))]
}

#[test]
fn a_breakpoint_on_each_instruction_of_a_prologue_leaves_it_what_it_does() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    client.run(&[program::path("prologues").to_str().expect("a path in UTF-8")]);
    let (first, last) = (program::symbol("prologues", "first"), program::symbol("prologues", "last"));
    let ends = PROLOGUE.iter().scan(first, |at, length| {
        *at += length;
        Some(*at)
    });
    let addresses: Vec<_> = std::iter::once(first).chain(ends).collect();
    assert_eq!(addresses.last(), Some(&last));

    client.set_breakpoint(first);
    assert!(client.request("vCont;c").contains("swbreak"));
    assert_eq!(client.request(&format!("z0,{first:x},1")), "OK");
    let mut stepped = vec![state(&mut client)];
    for _ in PROLOGUE {
        assert!(client.request("vCont;s").starts_with("T05"));
        stepped.push(state(&mut client));
    }

    // Away from where a breakpoint is about to be.
    assert!(client.request("vCont;s").starts_with("T05"));
    for &address in &addresses {
        client.set_breakpoint(address);
    }
    for _ in 0..3 {
        for (address, stepped) in addresses.iter().zip(&stepped) {
            assert!(client.request("vCont;c").contains("swbreak"));
            assert!(state(&mut client) == *stepped, "at {address:x} it is not as after single steps");
        }
    }
}

#[test]
fn a_push_at_a_breakpoint_faults_where_the_program_may_not_write() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    client.run(&[program::path("prologues").to_str().expect("a path in UTF-8"), "faults"]);
    let faulting = program::symbol("prologues", "faulting");
    client.set_breakpoint(faulting);
    assert!(client.request("vCont;c").contains("swbreak"));
    assert!(client.request("vCont;c").starts_with("T0b"));
    assert_eq!(client.request("p10"), hex(&faulting.to_le_bytes()));
}
