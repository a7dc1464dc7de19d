//! LLDB's platforms: the server's machine, as stock LLDB asks for it.

use std::fs;
use std::path::{Path, PathBuf};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::gdb::Transcript;
use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::rsp::hex;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use tempfile::TempDir;

/// A server, and a folder for what LLDB copies.
struct Machine {
    server: Server,
    folder: TempDir,
}

impl Machine {
    fn new(transport: &str) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        Self { server: Server::start_with(&["-t", transport]), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has an LLDB do `commands` with the platform connected; what follows `@` in a word is in the folder.
    fn run(&self, commands: &[&str]) -> Transcript {
        let folder = format!("{}/", self.folder.path().display());
        let commands: Vec<_> = commands.iter().map(|command| command.replace('@', &folder)).collect();
        Lldb::on_platform(self.server.port()).run_all(&commands)
    }
}

fn contents(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_platform_tells_what_machine_it_is_and_what_runs_there() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let machine = Machine::new("tcp:port=0");
    let target = Beats::start(1);
    let pid = target.pid();
    let transcript = machine.run(&[
        "platform status",
        &format!("platform process info {pid}"),
        &format!("platform process list --pid {pid}"),
        "platform process list --name beats",
        "platform process list --starts-with bea",
        "platform process list --regex ^b..ts$ --verbose",
        "platform process list --name no-such-program",
        "platform process list --all-users",
        "platform process info 2147483647",
    ]);
    transcript.assert_has("Connected: yes");
    transcript.assert_has("Triple: x86_64-pc-linux-gnu");
    transcript.assert_has("name = beats");
    // Once for each list that it fits, but for the description.
    let listed = transcript.0.lines().filter(|line| line.starts_with(&format!("{pid} ")) && line.contains("beats"));
    assert_eq!(listed.count(), 5, "{}", transcript.0);
    transcript.assert_has("no processes were found that matched \"no-such-program\"");
    transcript.assert_has("no process information is available for process 2147483647");
}

#[test]
fn files_are_copied_both_ways_and_looked_at() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let machine = Machine::new("tcp:port=0");
    let large = "more than fits into a packet\n".repeat(20_000);
    fs::write(machine.path("large"), &large).expect("written");
    fs::write(machine.path("small"), "small").expect("written");
    let transcript = machine.run(&[
        "platform mkdir @new",
        "platform mkdir @new",
        "platform mkdir @no/such",
        "platform put-file @large @new/large",
        "platform get-file @new/large @back",
        "platform get-file @nowhere @back2",
        "platform get-size @large",
        "platform get-size @nowhere",
        "platform get-permissions @small",
        "platform get-permissions @nowhere",
        "platform file-exists @small",
        "platform file-exists @nowhere",
        "platform file open @small",
        "platform file read 0 --offset 1 --count 3",
        "platform file write 0 --offset 5 --data er",
        "platform file close 0",
        "platform settings --working-dir @new",
        "platform status",
    ]);
    transcript.assert_has("error: File exists");
    assert_eq!(transcript.count("error: No such file or directory"), 2, "{}", transcript.0);
    assert!(contents(&machine.path("new/large")) == large && contents(&machine.path("back")) == large);
    assert!(!machine.path("back2").exists() || contents(&machine.path("back2")).is_empty());
    transcript.assert_has(&format!("(remote): {}", large.len()));
    transcript.assert_has("(remote): 0o06");
    transcript.assert_has("small (remote) exists");
    transcript.assert_has("nowhere (remote) does not exist");
    transcript.assert_has("Data = \"mal\"");
    assert_eq!(contents(&machine.path("small")), "smaller");
    transcript.assert_has(&format!("WorkingDir: {}", machine.path("new").display()));
}

#[test]
fn a_shell_takes_the_servers_leave() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let refusing = Machine::new("tcp:port=0");
    let transcript = refusing.run(&["platform shell echo hello > @ran"]);
    transcript.assert_has("this server runs no shell commands; start it with `shell`");
    transcript.assert_has("error: command returned with status 126");
    assert!(!refusing.path("ran").exists());

    let running = Machine::new("tcp:port=0,shell");
    let transcript = running.run(&["platform shell echo hello; exit 3", "platform shell --timeout 1 -- sleep 1000"]);
    transcript.assert_has("hello\nerror: command returned with status 3");
    transcript.assert_has("unable to run remote process");
}

#[test]
fn relative_paths_begin_in_the_platforms_working_directory() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let machine = Machine::new("tcp:port=0");
    fs::write(machine.path("small"), "small").expect("written");
    let transcript = machine.run(&[
        "platform mkdir @new",
        "platform settings --working-dir @new",
        "platform put-file @small copy",
        "platform get-size copy",
        "platform file-exists copy",
        "platform get-file copy @back",
    ]);
    assert_eq!(contents(&machine.path("new/copy")), "small", "{}", transcript.0);
    assert_eq!(contents(&machine.path("back")), "small", "{}", transcript.0);
    transcript.assert_has("copy (remote): 5");
    transcript.assert_has("copy (remote) exists");
}

#[test]
fn folders_files_and_links_are_installed() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let machine = Machine::new("tcp:port=0");
    fs::create_dir(machine.path("folder")).expect("made");
    fs::write(machine.path("folder/file"), "small").expect("written");
    std::os::unix::fs::symlink("folder/file", machine.path("link")).expect("made");
    let transcript = machine.run(&[
        "platform target-install @folder @installed",
        // A link within a folder LLDB 14 opens, against its own flag.
        "platform target-install @link @installed/link",
    ]);
    assert_eq!(contents(&machine.path("installed/file")), "small", "{}", transcript.0);
    let link = fs::read_link(machine.path("installed/link"));
    assert_eq!(link.expect("a link"), Path::new("folder/file"), "{}", transcript.0);
}

/// What LLDB 14 has no command for, as packets: answers, and what has become of the files.
#[test]
fn what_later_lldbs_ask_of_a_platform_is_answered() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let machine = Machine::new("tcp:port=0");
    fs::write(machine.path("small"), "small").expect("written");
    let mut client = machine.server.rsp();
    let here = |name: &str| hex(machine.path(name).to_str().expect("the path is text").as_bytes());
    let folder = here("");
    assert_eq!(client.request("QThreadSuffixSupported"), "OK");
    assert!(client.request("qHostInfo").contains("ptrsize:8;"));
    for (packet, reply) in [
        (format!("vFile:MD5:{}", here("small")), "F,1c2171a899135ceb8b3a5ed132d77e7e"),
        (format!("vFile:MD5:{}", here("nowhere")), "F,x"),
        (format!("vFile:exists:{}", here("small")), "F,1"),
        (format!("vFile:exists:{}", here("nowhere")), "F,0"),
        (format!("vFile:size:{}", here("small")), "F5"),
        (format!("qPlatform_chmod:000001c0,{}", here("small")), "F0"),
        (format!("vFile:mode:{}", here("small")), "F1c0"),
        (format!("vFile:symlink:{},{}", hex(b"small"), here("link")), "F0"),
        (format!("vFile:unlink:{}", here("small")), "F0"),
        ("qUserName:0".to_owned(), "726f6f74"),
        ("qGroupName:0".to_owned(), "726f6f74"),
        (format!("QSetWorkingDir:{folder}"), "OK"),
        ("qGetWorkingDir".to_owned(), &folder),
        (format!("vFile:unlink:{}", hex(b"link")), "F0"),
        ("qKillSpawnedProcess:1".to_owned(), "E44"),
    ] {
        assert_eq!(client.request(&packet), reply, "{packet}");
    }
    assert_eq!(fs::read_dir(machine.folder.path()).expect("it is there").count(), 0);
}
