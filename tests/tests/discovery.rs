//! Finding servers: `premote servers` and `premote -QR`, on one machine and across a network. The tests that have a table in
//! their names stand for the rows of the reference's table 4.3, of what is listed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use dbgsrv_tests::network::{FAR, Link, ip};
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::{premote, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

/// A user that is nobody, and that no other test is.
const STRANGER: u32 = 12_346;

/// A name that no other test has.
fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("found-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

/// A server on a pipe of that name, with more parameters. It listens on a port too, as the tests' support wants.
fn serve(name: &str, more: &str) -> Server {
    Server::start_with(&["-t", &format!("npipe:pipe={name}{more}"), "-t", "tcp:port=0,hidden"])
}

/// What is listed of this machine.
fn listed() -> String {
    premote::run(&["servers", "localhost"]).success()
}

fn has_line(list: &str, line: &str) -> bool {
    list.lines().any(|other| other == line)
}

fn line_of(name: &str) -> String {
    format!("Remote Process Server - npipe:Pipe={name}")
}

fn is_root() -> bool {
    let root = geteuid().is_root();
    if !root {
        eprintln!("skipped: only root can be somebody else, and make networks");
    }
    root
}

#[test]
fn table_4_3_elevated_neither_hidden_nor_reverse_is_listed_from_its_start_to_its_end() {
    let name = unique();
    let mut server = serve(&name, "");
    assert!(has_line(&listed(), &line_of(&name)));
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(!listed().contains(&name));
}

#[test]
fn table_4_3_hidden_is_not_listed_and_serves_whoever_knows_it() {
    let name = unique();
    let _server = serve(&name, ",hidden");
    assert!(!listed().contains(&name));
    let info = premote::run(&[&format!("npipe:server=localhost,pipe={name}"), "info"]).success();
    assert!(info.contains(&name), "{info}");
}

#[test]
fn table_4_3_clicon_is_not_listed() {
    let port = Reserved::new();
    let transport = format!("tcp:port={},clicon=127.0.0.1", port.port());
    let mut server = Command::new(dbgsrv());
    let mut server = Owned::spawn(server.args(["-t", &transport]).stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut line = String::new();
    BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!listed().contains(&format!("Port={}", port.port())));
}

#[test]
fn table_4_3_died_without_orderly_shutdown_is_not_listed_any_more_and_connecting_is_an_error() {
    let name = unique();
    let mut server = serve(&name, "");
    assert!(has_line(&listed(), &line_of(&name)));
    server.signal(Signal::SIGKILL);
    server.wait();
    assert!(!listed().contains(&name));
    let outcome = premote::run(&[&format!("npipe:server=localhost,pipe={name}"), "info"]);
    assert!(outcome.failure(255).contains("has ended"));
}

#[test]
fn table_4_3_not_elevated_is_not_listed_for_others_and_is_for_its_own_user() {
    if !is_root() {
        return;
    }
    // The build may be where that user can't look.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let command = |program: PathBuf, user: u32| {
        let copy = place.path().join(program.file_name().unwrap());
        if !copy.exists() {
            fs::copy(program, &copy).unwrap();
        }
        let mut command = Command::new(copy);
        command.uid(user).gid(user).env_remove("XDG_RUNTIME_DIR").stdin(Stdio::null());
        command
    };
    let list = |user| {
        let mut client = command(premote::path(), user);
        client.args(["-QR", "localhost"]);
        premote::finish(client).success()
    };
    let name = unique();
    let mut server = command(dbgsrv(), STRANGER);
    server.args(["-t", &format!("npipe:pipe={name}")]).stdout(Stdio::piped());
    let mut server = Owned::spawn(&mut server);
    let mut line = String::new();
    BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(has_line(&list(STRANGER), &line_of(&name)));
    assert!(!list(STRANGER + 1).contains(&name));
    assert!(!list(0).contains(&name), "root may look anywhere, but the list of another is not its own");
    // What root serves is listed for everybody.
    let elevated = unique();
    let _elevated = serve(&elevated, "");
    assert!(has_line(&list(STRANGER), &line_of(&elevated)));
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    fs::remove_dir_all(format!("/tmp/dbgsrv-{STRANGER}")).unwrap();
    // Only a lock's file, if at all: this user has looked, and left nothing.
    let _ = fs::remove_dir_all(format!("/tmp/dbgsrv-{}", STRANGER + 1));
}

#[test]
fn the_heading_is_the_machine_as_it_was_typed() {
    let name = unique();
    let _server = serve(&name, "");
    for machine in [r"\\localhost", "localhost", "127.0.0.42", r"\\127.0.0.42", ".", r"\\.", "[::1]"] {
        for arguments in [["-QR", machine], ["-qr", machine], ["servers", machine]] {
            let list = premote::run(&arguments).success();
            assert_eq!(list.lines().next(), Some(format!("Servers on {machine}:").as_str()), "{arguments:?}");
            assert!(has_line(&list, &line_of(&name)), "{list}");
            let other = list.lines().skip(1).find(|line| !line.starts_with("Remote Process Server - "));
            assert_eq!(other, None);
        }
    }
}

#[test]
fn a_password_is_shown_as_a_star_and_a_range_as_the_port_that_is_used_and_the_last() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let low = taken.local_addr().unwrap().port();
    let high = low.saturating_add(100);
    let transport = format!("tcp:port={low}:{high},bind=127.0.0.1,password=Sesame-17");
    let server = Server::start_with(&["-t", &transport]);
    let used = server.port();
    assert!(used > low);
    let list = listed();
    assert!(has_line(&list, &format!("Remote Process Server - tcp:Port={used}:{high},Password=*")), "{list}");
    assert!(!list.contains("Sesame"), "{list}");
}

#[test]
fn a_pipes_name_is_listed_with_its_codes_expanded() {
    let name = unique();
    let server = serve(&format!("{name}-%d"), "");
    assert!(has_line(&listed(), &line_of(&format!("{name}-{}", server.pid()))));
}

#[test]
fn scripts_get_the_list_as_json_with_a_connection_string_that_works() {
    let name = unique();
    let server = serve(&name, ",password=Sesame-17");
    let list = premote::run(&["servers", "localhost", "--json"]).success();
    let row = list.split('{').find(|row| row.contains(&name)).unwrap_or_else(|| panic!("{list}"));
    for part in [
        r#""label": "Remote Process Server""#,
        &format!(r#""server": "npipe:Pipe={name},Password=*""#),
        &format!(r#""connection": "npipe:server=localhost,pipe={name}""#),
        r#""password": true"#,
        &format!(r#""pid": {}"#, server.pid()),
    ] {
        assert!(row.contains(part), "no {part} in {row}");
    }
    let info = premote::run(&[&format!("npipe:server=localhost,pipe={name},password=Sesame-17"), "info"]).success();
    assert!(info.contains(&name), "{info}");
}

#[test]
fn a_machine_that_nobody_knows_is_an_error_and_what_is_no_machine_a_mistake() {
    // Never given to a machine: RFC 6761, section 6.4.
    let error = premote::run(&["servers", "nobody.invalid"]).failure(255);
    assert!(error.starts_with("premote: cannot find the machine nobody.invalid: "), "{error}");
    for arguments in [
        &["servers", "two words"] as &[_],
        &["-QR"],
        &["-QR", "localhost", "ps"],
        &["-QR", "localhost", "--json"],
        &["tcp:server=localhost,port=1", "servers"],
    ] {
        assert_eq!(premote::run(arguments).status, 2, "{arguments:?}");
    }
}

/// What the near machine finds on the other, sorted.
fn found(link: &Link) -> Vec<String> {
    let mut client = Link::command(&link.near, &premote::path());
    client.args(["-QR", FAR]);
    let list = premote::finish(client).success();
    let mut lines = list.lines();
    assert_eq!(lines.next(), Some(format!("Servers on {FAR}:").as_str()), "{list}");
    let servers = lines.filter_map(|line| line.strip_prefix("Remote Process Server - "));
    let mut servers: Vec<_> = servers.map(str::to_owned).collect();
    servers.sort();
    servers
}

#[test]
fn across_a_network_those_are_found_that_other_machines_could_use() {
    if !is_root() {
        return;
    }
    let link = Link::new();
    let mut server = Link::command(&link.far, &dbgsrv());
    for transport in [
        "tcp:port=5005:5009,open",
        "tcp:port=5015,ipversion=4,password=Sesame-17",
        // Protected, hidden, for its own machine alone, on no port.
        "tcp:port=5025",
        "tcp:port=5035,open,hidden",
        "tcp:port=5045,open,bind=127.0.0.1",
        &format!("npipe:pipe={}", unique()),
    ] {
        server.args(["-t", transport]);
    }
    let mut server = Owned::spawn(server.stdout(Stdio::null()).stderr(Stdio::null()));
    let expected = ["tcp:Port=5005:5009", "tcp:Port=5015,Ipversion=4,Password=*"];
    wait_until("both servers are found", || found(&link) == expected);
    let mut client = Link::command(&link.near, &premote::path());
    client.args(["servers", FAR, "--json"]);
    let json = premote::finish(client).success();
    assert!(json.contains(&format!(r#""connection": "tcp:server={FAR},port=5005""#)), "{json}");
    // One connects with what was found.
    let mut client = Link::command(&link.near, &premote::path());
    client.args([&format!("tcp:server={FAR},port=5015,password=Sesame-17"), "info"]);
    assert!(premote::finish(client).success().contains("tcp:port=5015"));
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    wait_until("no server is found", || found(&link).is_empty());
}

#[test]
fn without_a_network_a_server_serves_and_is_found_on_its_machine() {
    if !is_root() {
        return;
    }
    let link = Link::new();
    ip(&format!("-n {0} link set {0} down", link.far));
    let name = unique();
    let mut server = Link::command(&link.far, &dbgsrv());
    server.args(["-t", "tcp:port=5005,open", "-t", &format!("npipe:pipe={name}")]);
    let mut server = Owned::spawn(server.stdout(Stdio::null()).stderr(Stdio::null()));
    wait_until("it is listed", || has_line(&listed(), &line_of(&name)));
    assert!(found(&link).is_empty());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
}
