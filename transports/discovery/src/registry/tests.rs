use super::*;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, chown, geteuid, mkfifo};
use std::os::unix::fs::symlink;
use tempfile::TempDir;

struct Place {
    _root: TempDir,
    directory: Directory,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::at(&root.path().join("dbgsrv"), Folder::Servers);
        directory.prepare().unwrap();
        Self { _root: root, directory }
    }

    fn register(&self, servers: &[&str]) -> Registration {
        let servers = servers.iter().map(|text| text.parse().unwrap()).collect();
        Registration::new_in(&self.directory, servers).unwrap()
    }

    /// What a server wrote that is dead.
    fn leave(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file that a living process holds.
    fn hold(&self, name: &str, text: &str) -> (PathBuf, Flock<File>) {
        let path = self.leave(name, text);
        let file = Flock::lock(File::open(&path).unwrap(), FlockArg::LockExclusiveNonblock).unwrap();
        (path, file)
    }

    fn findings(&self) -> Findings<LocalServer> {
        let mut findings = Findings::default();
        collect(&self.directory, &mut findings);
        findings
    }

    fn servers(&self) -> Vec<String> {
        let mut servers: Vec<_> = self.findings().servers.iter().map(|found| found.server.to_string()).collect();
        servers.sort();
        servers
    }

    fn names(&self) -> Vec<String> {
        files(&self.directory.folder()).map(|path| file_name(&path)).collect()
    }
}

const GOOD: &str = "dbgsrv-server 1\npid 7\ntcp:Port=7\n";

#[test]
fn a_server_is_listed_as_long_as_it_lives() {
    let place = Place::new();
    let first = place.register(&["npipe:Pipe=a", "tcp:Port=53:60,Password=*"]);
    let second = place.register(&["tcp:Port=5005"]);
    assert_eq!(place.servers(), ["npipe:Pipe=a", "tcp:Port=5005", "tcp:Port=53:60,Password=*"]);
    let own = std::process::id() as i32;
    assert!(place.findings().servers.iter().all(|found| found.pid.raw() == own));
    drop(first);
    assert_eq!(place.servers(), ["tcp:Port=5005"]);
    drop(second);
    assert_eq!((place.servers().len(), place.names().len()), (0, 0));
}

#[test]
fn others_may_read_the_machines_entries_and_none_of_a_users() {
    let place = Place::new();
    let registration = place.register(&["tcp:Port=1"]);
    assert_eq!(registration.path.metadata().unwrap().mode() & 0o777, 0o644);
}

#[test]
fn what_dead_servers_left_is_not_listed_and_is_cleaned() {
    let place = Place::new();
    place.leave("7-1", GOOD);
    place.leave(".8-1", "dbgsrv-se");
    let living = place.register(&["tcp:Port=1"]);
    assert_eq!(place.names(), [file_name(&living.path)], "a server that starts cleans");
    place.leave("7-1", GOOD);
    assert_eq!(place.servers(), ["tcp:Port=1"]);
    assert_eq!(place.names(), [file_name(&living.path)], "a client that looks cleans");
}

#[test]
fn the_dead_are_not_listed_while_a_server_starts_either() {
    let place = Place::new();
    place.leave("7-1", GOOD);
    let _starting = place.directory.lock().unwrap();
    assert!(place.servers().is_empty());
    assert_eq!(place.names(), ["7-1"]);
}

#[test]
fn a_server_of_the_same_number_in_another_container_keeps_its_entry() {
    let place = Place::new();
    let own = std::process::id();
    let (path, _held) = place.hold(&format!("{own}-1"), GOOD);
    let registration = place.register(&["tcp:Port=1"]);
    assert!(path.exists() && registration.path.ends_with(format!("{own}-2")));
    assert_eq!(place.servers(), ["tcp:Port=1", "tcp:Port=7"]);
}

#[test]
fn hostile_files_are_ignored_with_a_note_and_hold_up_nobody() {
    let place = Place::new();
    let folder = place.directory.folder();
    let _good = place.register(&["tcp:Port=1"]);
    let _malformed = place.hold("malformed", "dbgsrv-server 1\npid 7\ntcp:Port=70000\n");
    let _huge = place.hold("huge", &"x".repeat(MAX_REGISTRY_ENTRY + 1));
    symlink("/etc/passwd", folder.join("link")).unwrap();
    mkfifo(&folder.join("fifo"), Mode::S_IRWXU).unwrap();
    std::fs::create_dir(folder.join("directory")).unwrap();
    let Findings { servers, mut notes } = place.findings();
    assert_eq!(servers.len(), 1);
    notes.sort();
    let expected = [
        ("directory", "no file"),
        ("fifo", "no file"),
        ("huge", "bytes that an entry may have"),
        ("link", "symbolic link"),
        ("malformed", "line 3: parameter `port` of tcp: `70000` is not a port"),
    ];
    assert_eq!(notes.len(), expected.len(), "{notes:#?}");
    for (note, (name, problem)) in notes.iter().zip(expected) {
        assert!(note.contains(&format!("/{name}: ignored: ")) && note.contains(problem), "{note}");
    }
}

#[test]
fn a_file_of_somebody_else_is_ignored() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let place = Place::new();
    let (path, _held) = place.hold("7-1", GOOD);
    chown(&path, Some(Uid::from_raw(12_345)), None).unwrap();
    let findings = place.findings();
    assert!(findings.servers.is_empty());
    assert!(findings.notes[0].ends_with("7-1: ignored: belongs to user 12345"), "{findings:?}");
}

#[test]
fn notes_and_files_are_bounded() {
    let place = Place::new();
    let held: Vec<_> = (0..40).map(|number| place.hold(&number.to_string(), "no entry")).collect();
    assert_eq!(place.findings().notes.len(), crate::MAX_NOTES);
    drop(held);
    let servers = vec!["tcp:Port=1".parse().unwrap(); MAX_LISTED_SERVERS + 1];
    let error = Registration::new_in(&place.directory, servers).unwrap_err().to_string();
    assert_eq!(error, format!("{} servers of one process; allowed: {MAX_LISTED_SERVERS}", MAX_LISTED_SERVERS + 1));
}

#[test]
fn a_registry_that_nobody_made_is_empty_and_stays_unmade() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::at(&root.path().join("dbgsrv"), Folder::Servers);
    let mut findings = Findings::default();
    collect(&directory, &mut findings);
    assert_eq!(findings, Findings::default());
    assert!(!directory.path().exists());
}
