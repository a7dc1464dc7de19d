//! The transport `npipe`: real debuggers on a pipe's socket, and whose a name is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::gdb::{self, Transcript};
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::{premote, program, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

const PASSWORD: &str = "Sesame-17";
/// In what a server answers to `monitor help`, and nobody else.
const ANSWER: &str = "why";
/// A user and a group that are nobody's.
const STRANGER: u32 = 12_345;

/// A name that no other test has.
fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

/// A server on a pipe, with more parameters after its name. It listens on a port too, as the tests' support wants.
fn serve(name: &str, more: &str) -> Server {
    Server::start_with(&["-t", &format!("npipe:pipe={name}{more}"), "-t", "tcp:port=0"])
}

/// The socket, from the line that says where the server listens.
fn socket(log: &str) -> PathBuf {
    let (_, rest) = log.split_once(": listening on npipe ").expect("the server says where it listens");
    rest.split_once(" (").and_then(|(_, rest)| rest.split_once(')')).expect("its path is in brackets").0.into()
}

fn connect(path: &Path) -> String {
    format!("target extended-remote {}", path.display())
}

fn at(name: &str, arguments: &[&str]) -> premote::Outcome {
    let connection = format!("npipe:server=.,pipe={name}");
    let mut all = vec![connection.as_str()];
    all.extend(arguments);
    premote::run(&all)
}

/// The exit status and the error output of a server that is not to start.
fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output().expect("the server starts and ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn is_root() -> bool {
    let root = geteuid().is_root();
    if !root {
        eprintln!("skipped: only root can be somebody else");
    }
    root
}

/// What gdb prints that another user starts, in a group, at a socket.
fn gdb_of(user: u32, group: u32, path: &Path) -> Transcript {
    let mut debugger = gdb::command(&["-batch"]);
    debugger.uid(user).gid(group);
    gdb::finish(debugger, &[connect(path), "monitor help".into()])
}

#[test]
fn gdb_debugs_over_the_sockets_path_as_the_server_says() {
    let name = unique();
    let server = serve(&name, "");
    let path = socket(&server.log());
    let advice = format!("connect with: gdb -ex '{}'", connect(&path));
    assert!(server.log().contains(&advice), "{}", server.log());
    assert!(path.ends_with(format!("pipes/{name}")), "{}", path.display());
    // No `set remote exec-file`: the server sees which program gdb was started with.
    let mut debugger = gdb::command(&["-batch"]);
    debugger.arg(program::path("basics"));
    let commands = [connect(&path), "break square".into(), "run".into(), "continue".into()];
    let transcript = gdb::finish(debugger, &commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn gdb_attaches_over_a_pipe_and_leaves_the_program_running() {
    let server = serve(&unique(), "");
    let target = Beats::start(1);
    let transcript =
        gdb::batch(&[connect(&socket(&server.log())), format!("attach {}", target.pid()), "detach".into()]);
    transcript.assert_has("[Inferior 1");
    target.shared.assert_goes_on();
    let log = server.log();
    assert!(log.contains("peer=pid=") && log.contains(&format!("uid={}", geteuid())), "{log}");
}

#[test]
fn premote_lists_processes_and_starts_gdb_over_a_pipe() {
    let name = unique();
    let server = serve(&name, "");
    let pid = server.pid().to_string();
    let table = at(&name, &["ps"]).success();
    assert!(table.lines().any(|line| line.split_whitespace().next() == Some(&pid)), "{table}");
    let info = at(&name, &["info"]).success();
    assert!(info.contains(&format!("npipe:pipe={name}")) && info.contains("tcp:port="), "{info}");
    let connection = format!("npipe:server=localhost,pipe={name}");
    let program = format!("set remote exec-file {}", program::path("basics").display());
    let command = ["gdb", "--", "-nx", "-nh", "-q", "-batch", "-ex", &program, "-ex", "run"];
    let outcome = premote::run(&[&[connection.as_str()], &command[..]].concat());
    assert!(outcome.stdout.contains("exited with code 03]"), "{outcome:#?}");
}

#[test]
fn a_password_is_wanted_on_a_pipe_as_on_a_port() {
    let name = unique();
    let server = serve(&name, &format!(",password={PASSWORD}"));
    let log = server.log();
    assert!(log.contains(&format!("connect with: premote npipe:server=localhost,pipe={name} ps")), "{log}");
    let transcript = gdb::batch(&[connect(&socket(&log))]);
    transcript.assert_has("premote npipe:server=localhost,pipe=NAME gdb");
    let with = |password: &str| premote::run(&[&format!("npipe:server=.,pipe={name},password={password}"), "info"]);
    let info = with(PASSWORD).success();
    assert!(info.contains(&format!("npipe:pipe={name},password=***")), "{info}");
    assert!(with("wrong").stderr.contains("wrong password"));
    wait_until("the wrong password is in the log", || server.log().contains("wrong password count=1"));
    // Who comes to the port has guessed nothing.
    server.assert_still_serves();
}

#[test]
fn a_name_in_use_is_refused_and_the_name_of_a_killed_server_is_not() {
    let name = unique();
    let transport = format!("npipe:pipe={name}");
    let mut first = serve(&name, "");
    let path = socket(&first.log());
    let (status, error) = refused(Command::new(dbgsrv()).args(["-t", &transport]));
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains(&format!("error: the pipe `{name}` is in use by another server")), "{error}");
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    first.signal(Signal::SIGKILL);
    first.wait();
    assert!(path.symlink_metadata().unwrap().file_type().is_socket());
    let error = at(&name, &["info"]).stderr;
    assert!(error.contains(&format!("pipe {name}: cannot connect")) && error.contains("has ended"), "{error}");
    let second = serve(&name, "");
    assert_eq!(socket(&second.log()), path);
    let info = at(&name, &["info"]).success();
    assert!(info.contains(&format!("pid:          {}\n", second.pid())), "{info}");
}

#[test]
fn a_pipe_is_gone_when_its_server_has_ended() {
    let name = unique();
    let mut server = serve(&name, "");
    let path = socket(&server.log());
    assert!(path.exists());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(!path.exists());
    let error = at(&name, &["info"]).stderr;
    assert!(error.contains("there is no pipe of that name in ") && error.contains("/run/dbgsrv/pipes"), "{error}");
    // Nor is there one where the server could not have all that it was to listen on.
    let taken = serve(&name, "");
    let other = unique();
    let arguments = ["-t", &format!("npipe:pipe={other}"), "-t", &format!("npipe:pipe={name}")];
    assert_eq!(refused(Command::new(dbgsrv()).args(arguments)).0, Some(1));
    assert!(!socket(&taken.log()).with_file_name(other).exists());
}

#[test]
fn the_codes_of_a_name_are_the_servers_process_and_thread() {
    let name = unique();
    let server = serve(&format!("{name}-%d-%08x"), "");
    let pid = server.pid();
    let info = at(&format!("{name}-{pid}-{:08x}", pid.as_raw()), &["info"]).success();
    assert!(info.contains(&format!("npipe:pipe={name}-{pid}-")), "{info}");
}

#[test]
fn groups_that_there_are_not_are_refused_by_name() {
    let (status, error) = refused(Command::new(dbgsrv()).args(["-t", "npipe:pipe=app,group=no-such-group"]));
    assert!(status == Some(1) && error.contains("there is no group `no-such-group`"), "{error}");
}

#[test]
fn other_users_are_let_in_by_the_mode_and_the_group_and_by_nothing_else() {
    if !is_root() {
        return;
    }
    let group = STRANGER + 1;
    for (more, mode, stranger, member) in [
        (String::new(), 0o600, false, false),
        (format!(",group={group}"), 0o660, false, true),
        (",mode=0666".into(), 0o666, true, true),
    ] {
        let server = serve(&unique(), &more);
        let path = socket(&server.log());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, mode);
        for (gid, admitted) in [(STRANGER, stranger), (group, member)] {
            let transcript = gdb_of(STRANGER, gid, &path);
            assert_eq!(transcript.0.contains("Permission denied"), !admitted, "{more}: {transcript:?}");
            assert_eq!(transcript.count(ANSWER) > 0, admitted, "{more}: {transcript:?}");
        }
        gdb::batch(&[connect(&path), "monitor help".into()]).assert_has(ANSWER);
    }
}

#[test]
fn whom_a_file_lets_in_by_mistake_is_turned_away_by_who_he_is() {
    if !is_root() {
        return;
    }
    let server = serve(&unique(), "");
    let path = socket(&server.log());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let transcript = gdb_of(STRANGER, STRANGER, &path);
    transcript.assert_has("this server's pipe is for the user who started the server, and for root");
    let log = server.log();
    assert!(log.contains(&format!("uid={STRANGER}")) && log.contains("group=NAME"), "{log}");
}

#[test]
fn a_user_without_rights_has_pipes_of_its_own_that_others_cannot_reach() {
    if !is_root() {
        return;
    }
    // The build may be where that user can't look.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let command = |program: PathBuf| {
        let copy = place.path().join(program.file_name().unwrap());
        fs::copy(program, &copy).unwrap();
        let mut command = Command::new(copy);
        command.uid(STRANGER).gid(STRANGER).env_remove("XDG_RUNTIME_DIR").stdin(Stdio::null());
        command
    };
    let name = unique();
    let (status, error) = refused(command(dbgsrv()).args(["-t", &format!("npipe:pipe={name},mode=0666")]));
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains(&format!("other users cannot reach /tmp/dbgsrv-{STRANGER}")), "{error}");
    let mut server = command(dbgsrv());
    server.args(["-t", &format!("npipe:pipe={name}")]).stdout(Stdio::piped());
    let mut server = Owned::spawn(&mut server);
    let mut line = String::new();
    BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
    let path = socket(&line);
    assert_eq!(path, Path::new(&format!("/tmp/dbgsrv-{STRANGER}/pipes/{name}")));
    let directory = path.ancestors().nth(2).unwrap().metadata().unwrap();
    assert_eq!((directory.mode() & 0o7777, directory.uid()), (0o700, STRANGER));
    let mut client = command(premote::path());
    client.args([&format!("npipe:server=localhost,pipe={name}"), "info"]);
    let info = premote::finish(client).success();
    assert!(info.contains(&format!("npipe:pipe={name}")), "{info}");
    // Root may go anywhere, but the names of others are not its own.
    assert!(at(&name, &["info"]).stderr.contains("there is no pipe of that name"));
    gdb::batch(&[connect(&path), "monitor help".into()]).assert_has(ANSWER);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    fs::remove_dir_all(format!("/tmp/dbgsrv-{STRANGER}")).unwrap();
}
