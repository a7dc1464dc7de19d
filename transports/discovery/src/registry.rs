//! The registry of one machine: writing an entry, keeping it, reading all.

use crate::Findings;
use crate::entry::{Entry, EntryError};
use dbgsrv_local::{Directory, DirectoryError, Folder};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::limits::{MAX_LISTED_SERVERS, MAX_REGISTRY_ENTRIES, MAX_REGISTRY_ENTRY};
use dbgsrv_protocol::options::ListedServer;
use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::unistd::getpid;
use std::fs::{File, OpenOptions, Permissions, read_dir, remove_file, rename};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A server can't be entered; nothing was left behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The directory can't be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// It is more than readers take.
    #[error("{0} servers of one process; allowed: {MAX_LISTED_SERVERS}")]
    TooMany(usize),
    /// The system refuses.
    #[error("cannot write {}: {source}", path.display())]
    System {
        /// The entry.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The entry of this process's servers, which goes with this.
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    /// Locked. A process that dies loses the lock, and nothing else does.
    _file: Flock<File>,
}

impl Registration {
    /// Enters `servers`: in the machine's registry where this user may, else in one of this user's own.
    ///
    /// May wait for another server that starts or is listed at the same moment.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn new(servers: Vec<ListedServer>) -> Result<Self, RegistrationError> {
        Self::new_in(&Directory::of_server(Folder::Servers), servers)
    }

    fn new_in(directory: &Directory, servers: Vec<ListedServer>) -> Result<Self, RegistrationError> {
        if servers.len() > MAX_LISTED_SERVERS {
            return Err(RegistrationError::TooMany(servers.len()));
        }
        let pid = Pid::new(getpid().as_raw()).expect("a process's own id is positive");
        directory.prepare()?;
        let _lock = directory.lock()?;
        sweep(directory);
        let path = free_name(directory, pid);
        let hidden = path.with_file_name(format!(".{}", file_name(&path)));
        let mode = if directory.is_shared() { 0o644 } else { 0o600 };
        let file = write(&hidden, &Entry { pid, servers }.to_string(), mode).and_then(|file| {
            rename(&hidden, &path)?;
            Ok(file)
        });
        match file {
            Ok(file) => Ok(Self { path, _file: file }),
            Err(source) => {
                // It may not have come to be.
                let _ = remove_file(&hidden);
                Err(RegistrationError::System { path, source })
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // What can't be removed is found dead by the next who looks.
        let _ = remove_file(&self.path);
    }
}

/// The process's number, and one more where the process has another server, or a process of another container the number.
fn free_name(directory: &Directory, pid: Pid) -> PathBuf {
    let folder = directory.folder();
    let names = (1_u32..).map(|count| folder.join(format!("{pid}-{count}")));
    names.into_iter().find(|path| path.symlink_metadata().is_err()).expect("a folder has fewer files than numbers")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Makes a file that is locked before anybody else can open it.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<Flock<File>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| io::Error::from(errno))?;
    file.write_all(text.as_bytes())?;
    // The umask may have taken from it.
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// A server of this machine, as its entry has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalServer {
    /// Its process.
    pub pid: Pid,
    /// Where it is reached.
    pub server: ListedServer,
}

/// The servers of this machine that this user may know of: this user's and those of the machine's registry, by their process
/// ids. What dead servers left is not among them, and removed where this user may.
#[must_use]
pub fn on_this_machine() -> Findings<LocalServer> {
    let mut findings = Findings::default();
    for directory in Directory::all(Folder::Servers) {
        if directory.is_trusted() {
            collect(&directory, &mut findings);
        }
    }
    findings.servers.sort_by_key(|found: &LocalServer| found.pid.raw());
    findings
}

/// Adds what is in one directory.
fn collect(directory: &Directory, findings: &mut Findings<LocalServer>) {
    let folder = directory.folder();
    let Ok(owner) = folder.symlink_metadata().map(|found| found.uid()) else { return };
    // Where it is another user's, or a server is just about to start, the dead stay for now.
    if let Ok(_lock) = directory.try_lock() {
        sweep(directory);
    }
    for path in files(&folder) {
        if file_name(&path).starts_with('.') {
            continue;
        }
        match read(&path, owner) {
            Ok(Some(Entry { pid, servers })) => {
                findings.servers.extend(servers.into_iter().map(|server| LocalServer { pid, server }));
            }
            Ok(None) => {}
            Err(problem) => findings.note(path.display(), problem),
        }
    }
}

/// Why a file is left out.
#[derive(Debug, Error)]
enum Unread {
    #[error("ignored: {0}")]
    System(#[from] io::Error),
    #[error("ignored: no file")]
    NoFile,
    #[error("ignored: belongs to user {0}")]
    Owner(u32),
    #[error("ignored: {0}")]
    Entry(#[from] EntryError),
}

/// The entry of a living server of `owner`'s; `None` where there is none any more.
fn read(path: &Path, owner: u32) -> Result<Option<Entry>, Unread> {
    let file = match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Unread::NoFile);
    }
    if found.uid() != owner {
        return Err(Unread::Owner(found.uid()));
    }
    let mut bytes = Vec::new();
    (&file).take(MAX_REGISTRY_ENTRY as u64 + 1).read_to_end(&mut bytes)?;
    if is_dead(file) { Ok(None) } else { Ok(Some(Entry::parse(&bytes)?)) }
}

/// Opens what may be anything, without waiting and without following a link.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Whether nobody has the file's lock. Others who only look share it.
fn is_dead(file: File) -> bool {
    Flock::lock(file, FlockArg::LockSharedNonblock).is_ok()
}

/// Removes what dead servers left. Call it under the directory's lock, or else a server that starts may seem dead.
fn sweep(directory: &Directory) {
    for path in files(&directory.folder()) {
        let regular = open(&path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()));
        if regular.is_some_and(is_dead) {
            // The next who looks tries again.
            let _ = remove_file(&path);
        }
    }
}

/// The files of a folder, as many as are looked at.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = read_dir(folder).into_iter().flatten().flatten();
    entries.take(MAX_REGISTRY_ENTRIES).map(|entry| entry.path())
}

#[cfg(test)]
mod tests;
