//! Input that no debugger sends: an error or a closed session, bounded memory, and the next session works.

use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{process, program};
use nix::unistd::Pid;

/// gdbserver ends with its first session if that was not switched to extended mode.
const NEXT_SESSION: &str = "a session after one that was not greeted";

/// What a worker may have resident, whatever its client sends.
const MOST_KIB: u64 = 64 << 10;

fn running_program(server: &Server) -> (Client, i32) {
    let mut client = Client::greeted(server.port());
    let program = program::path("basics");
    let pid = client.run(&[program.to_str().expect("the target directory has a plain name")]);
    (client, pid)
}

/// The memory of the daemon and of all its workers stays below the bound.
fn assert_bounded(server: &Server) {
    for pid in server.workers().into_iter().chain([server.pid()]) {
        let resident = process::resident_kib(pid);
        assert!(resident < MOST_KIB, "process {pid} of the server has {resident} KiB resident");
    }
}

#[test]
fn garbage_disturbs_nobody() {
    if stand_in_lacks(NEXT_SESSION) {
        return;
    }
    let server = Server::start();
    for seed in 1..20_u32 {
        let mut state = seed;
        let garbage: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(50_000)
        .collect();
        // The server may close the connection at any moment.
        let _ = server.rsp().send_raw(&garbage);
    }
    assert_bounded(&server);
    server.assert_still_serves();
}

#[test]
fn half_a_packet_and_a_closed_connection_disturb_nobody() {
    if stand_in_lacks(NEXT_SESSION) {
        return;
    }
    let server = Server::start();
    for half in ["$", "$qSup", "$qC#", "$qC#b", "$X1000,10:abc", "+$", "\x03", "$vRun;2f62", "}", "$}", "*", "$m0,4*"] {
        server.rsp().send_raw(half.as_bytes()).expect("the connection is open");
    }
    server.assert_still_serves();
}

#[test]
fn a_wrong_checksum_is_answered_with_a_minus_and_the_packet_may_be_sent_again() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    for wrong in ["$vMustReplyEmpty#00", "$#01"] {
        client.send_raw(wrong.as_bytes()).expect("the connection is open");
        assert_eq!(client.byte(), Some(b'-'), "{wrong}");
    }
    assert_eq!(client.request("vMustReplyEmpty"), "");
    drop(client);
    server.assert_still_serves();
}

#[test]
fn a_packet_longer_than_announced_takes_bounded_memory() {
    if stand_in_lacks("a bound on the length of packets") {
        return;
    }
    let server = Server::start();
    for body in [vec![b'a'; 100 << 20], vec![b'}'; 10 << 20], b"$".repeat(10 << 20), b"*".repeat(10 << 20)] {
        let mut client = server.rsp();
        let mut packet = b"$".to_vec();
        packet.extend(body);
        packet.extend(b"#00");
        // The server may close the connection before it has read all.
        let _ = client.send_raw(&packet);
        assert_bounded(&server);
    }
    server.assert_still_serves();
}

#[test]
fn a_client_that_never_reads_takes_bounded_memory() {
    let server = Server::start();
    let (mut client, _) = running_program(&server);
    assert_eq!(client.request("QStartNoAckMode"), "OK");
    let mut writer = client.stream().try_clone().expect("a socket can be duplicated");
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let flood = std::thread::spawn(move || {
        let requests = packet(b"g").repeat(100);
        while counter.load(Ordering::Relaxed) < 100_000 && writer.write_all(&requests).is_ok() {
            counter.fetch_add(100, Ordering::Relaxed);
        }
    });
    // The flood ends, or stands still since the server has stopped reading.
    let mut before = usize::MAX;
    while !flood.is_finished() && before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        assert_bounded(&server);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_bounded(&server);
    client.stream().shutdown(Shutdown::Both).expect("the connection is open");
    flood.join().expect("the flood does not panic");
    server.assert_still_serves();
}

#[test]
fn a_flood_of_interrupts_and_acknowledgements_disturbs_nobody() {
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    for _ in 0..1000 {
        client.send_raw(&[b'+'; 1000]).expect("the connection is open");
    }
    assert!(process::is_alive(Pid::from_raw(pid)));
    // To a stopped program, interrupts mean nothing; none may stay behind and stop it later.
    client.send_raw(&[b'\x03'; 1000]).expect("the connection is open");
    assert!(client.request("qC").starts_with("QC"));
    assert_bounded(&server);
    drop(client);
    server.assert_still_serves();
}

#[test]
fn reads_and_writes_where_nothing_is_mapped_are_errors() {
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    for request in
        ["m0,8", "mffffffffffffffff,8", "mffffffffffffff00,200", "M0,1:00", "X0,1:a", "mzz,1", "m10", "m,", "M10,2:0"]
    {
        let reply = client.request(request);
        assert!(reply.starts_with('E') || reply.is_empty(), "{request} is answered {reply}");
    }
    let end = end_of_stack(pid);
    assert_eq!(client.request(&format!("m{:x},2", end - 2)).len(), 4);
    let reply = client.request(&format!("M{:x},4:01020304", end - 2));
    assert!(reply.starts_with('E'), "a write over the end is answered {reply}");
    let part = client.request(&format!("m{:x},4", end - 2));
    assert!(part.len() == 4 || part.starts_with('E'), "a read over the end is answered {part}");
    assert!(client.request("qC").starts_with("QC"));
    drop(client);
    server.assert_still_serves();
}

/// The end of the stack's mapping, behind which nothing is mapped.
fn end_of_stack(pid: i32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the program is stopped");
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).expect("every program has a stack");
    let (_, rest) = stack.split_once('-').expect("a range has an end");
    u64::from_str_radix(&rest[..rest.find(' ').expect("the range is followed by more")], 16).expect("it is hexadecimal")
}

#[test]
fn reads_of_absurd_lengths_take_bounded_memory() {
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    let address = end_of_stack(pid) - 64;
    for length in ["40000000", "7fffffff", "ffffffff", "ffffffffffffffff", "10000000000000000"] {
        // As many bytes as there are, or an error.
        let reply = client.request(&format!("m{address:x},{length}"));
        assert!(reply.len() <= 128, "{length} bytes are answered with {} characters", reply.len());
        assert_bounded(&server);
    }
    drop(client);
    server.assert_still_serves();
}

#[test]
fn thread_ids_that_are_none_are_errors() {
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    for request in ["Tp7ffffff0.7ffffff0", "T7ffffff0", "Hgp7ffffff0.7ffffff0", "Tzz", "Tp1", "T99999999999999999999"] {
        let reply = client.request(request);
        assert!(reply.starts_with('E') || reply.is_empty(), "{request} is answered {reply}");
    }
    assert_eq!(client.request(&format!("Tp{pid:x}.{pid:x}")), "OK");
    drop(client);
    server.assert_still_serves();
}

#[test]
fn resuming_threads_that_are_none_is_an_error() {
    if stand_in_lacks("a look at the thread ids in vCont") {
        return;
    }
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    for request in [
        "vCont;c:p7ffffff0.7ffffff0",
        "vCont;s:zz",
        "vCont;q",
        "vCont;",
        "vCont;C",
        "vCont;r1,2:p1.1",
        "vCont;s:p1.-1;c:",
    ] {
        let reply = client.request(request);
        assert!(reply.starts_with('E') || reply.is_empty(), "{request} is answered {reply}");
    }
    assert!(client.request(&format!("vCont;s:p{pid:x}.{pid:x}")).starts_with("T05"));
    drop(client);
    server.assert_still_serves();
}

#[test]
fn requests_that_need_a_process_are_errors_without_one() {
    if stand_in_lacks("a check that there is a process") {
        return;
    }
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    for request in [
        "g",
        "p0",
        "P0=00",
        "G00",
        "m1000,4",
        "M1000,1:00",
        "vCont;c",
        "vCont;s",
        "Z0,1000,1",
        "z0,1000,1",
        "Z2,1000,4",
        "vKill;7ffffff0",
        "D;7ffffff0",
        "T1",
        "qXfer:auxv:read::0,100",
        "qXfer:libraries-svr4:read::0,100",
        "qSearch:memory:0;100;a",
        "qCRC:0,100",
    ] {
        let reply = client.request(request);
        assert!(reply.starts_with('E') || reply.is_empty() || reply == "l", "{request} is answered {reply}");
    }
    assert_eq!(client.request("?"), "W00");
    drop(client);
    server.assert_still_serves();
}

#[test]
fn malformed_packets_of_every_family_are_errors_and_the_session_goes_on() {
    if stand_in_lacks("checks of what it parses") {
        return;
    }
    let server = Server::start();
    let (mut client, _) = running_program(&server);
    let packets = [
        "H",
        "Hx0",
        "p",
        "pzz",
        "pffffffff",
        "P",
        "P0",
        "P0=",
        "P0=0",
        "Pffff=00",
        "G",
        "G0",
        "Gzz",
        "Z",
        "Z0",
        "Z9,0,1",
        "Z0,",
        "Z0,0",
        "Z2,0,10000",
        "Z1,1,7",
        "z",
        "vRun;zz",
        "vRun",
        "vAttach",
        "vAttach;",
        "vAttach;zz",
        "vAttach;-1",
        "vAttach;0",
        "vKill",
        "vKill;zz",
        "D;",
        "D;zz",
        "qXfer:",
        "qXfer:features:read:",
        "qXfer:features:read:target.xml:",
        "qXfer:features:read:target.xml:0",
        "qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff",
        "qXfer:features:read:nothing:0,10",
        "qXfer:nothing:read::0,10",
        "qXfer:osdata:read:nothing:0,100",
        "vFile:",
        "vFile:open:",
        "vFile:open:zz,0,0",
        "vFile:pread:99,10,0",
        "vFile:close:99",
        "vFile:pread:-1,ffffffffffffffff,ffffffffffffffff",
        "QEnvironmentHexEncoded:zz",
        "QSetWorkingDir:zz",
        "QDisableRandomization:9",
        "qRcmd,zz",
        "qSearch:memory:",
        "qCRC:",
        "vNothing",
        "qNothing",
        "QNothing",
        "!!",
        "_",
        "\u{7f}",
    ];
    for request in packets {
        let reply = client.request(request);
        let refused = reply.starts_with('E')
            || reply.starts_with("F-1")
            || reply.is_empty()
            || matches!(reply.as_str(), "OK" | "l");
        assert!(refused, "{request} is answered {reply}");
    }
    assert!(client.request("qC").starts_with("QC"));
    drop(client);
    server.assert_still_serves();
}

/// Whether `requests` are accepted for a while and then refused, in bounded memory, and the session goes on.
fn assert_has_its_limit(server: &Server, client: &mut Client, requests: impl Iterator<Item = String>) {
    let mut replies = requests.map(|request| client.request(&request));
    assert_eq!(replies.next().as_deref(), Some("OK"));
    let refused = replies.find(|reply| reply != "OK");
    assert!(refused.is_some_and(|reply| reply.starts_with("E.this session holds no more ")));
    assert_bounded(server);
    assert!(client.request("qC").starts_with("QC"));
}

#[test]
fn an_environment_has_its_limit() {
    if stand_in_lacks("a bound on the environment") {
        return;
    }
    let server = Server::start();
    let (mut client, _) = running_program(&server);
    let value = "61".repeat(100_000);
    let large = (0..30).map(|index| format!("QEnvironmentHexEncoded:{:02x}3d{value}", 0x41 + index));
    assert_has_its_limit(&server, &mut client, large);
    assert_eq!(client.request("QEnvironmentReset"), "OK");
    let (small, name) = (0..1 << 20, "QEnvironmentUnset:");
    assert_has_its_limit(&server, &mut client, small.map(|index| format!("{name}{index:08x}")));
    assert_eq!(client.request("QEnvironmentReset"), "OK");
    drop(client);
    server.assert_still_serves();
}

#[test]
fn conditions_have_their_limit() {
    if stand_in_lacks("a bound on conditions") {
        return;
    }
    let server = Server::start();
    let (mut client, pid) = running_program(&server);
    let stack = end_of_stack(pid) - 1000;
    // 1, dropped, a thousand times, and the end.
    let expression = format!("X{:x},{}27", 3 * 1000 + 1, "220129".repeat(1000));
    let many = (0..1000).map(|index| format!("Z0,{:x},1;{}", stack + index, expression.repeat(20)));
    assert_has_its_limit(&server, &mut client, many);
    drop(client);
    server.assert_still_serves();
}
