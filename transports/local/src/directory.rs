//! The directories in which servers are found.

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use std::env;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions, set_permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What belongs to the whole machine.
const MACHINE: &str = "/run/dbgsrv";

/// What is kept together. Beside each folder there is a file that is locked while a name in it is taken or given back; there
/// it is in no name's way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Folder {
    /// Serial lines: a socket for each that processes share, and a file for each channel in use.
    Lines,
    /// The sockets of named pipes.
    Pipes,
    /// An entry for each running server.
    Servers,
}

impl Folder {
    const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Pipes => "pipes",
            Self::Servers => "servers",
        }
    }

    const fn lock(self) -> &'static str {
        match self {
            Self::Lines => "lines.lock",
            Self::Pipes => "pipes.lock",
            Self::Servers => "servers.lock",
        }
    }
}

/// A directory can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Somebody else could put things there.
    #[error("cannot use the directory {}: {problem}; allowed: a directory of this user, where nobody else can write", path.display())]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// Why it is not trusted.
        problem: String,
    },
    /// The system refuses.
    #[error("cannot make {}: {source}", path.display())]
    System {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One directory, with one folder in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directory {
    path: PathBuf,
    folder: Folder,
    /// Whether other users may get to what is in it.
    shared: bool,
}

impl Directory {
    /// The machine's.
    #[must_use]
    pub fn of_machine(folder: Folder) -> Self {
        Self { path: MACHINE.into(), folder, shared: true }
    }

    /// Those that this user's servers can use, the best first; never none.
    #[must_use]
    pub fn of_user(folder: Folder) -> Vec<Self> {
        let uid = geteuid();
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let mut parents: Vec<_> = runtime.into_iter().chain([format!("/run/user/{uid}").into()]).collect();
        parents.dedup();
        parents.retain(|parent: &PathBuf| parent.is_absolute() && check(parent).is_ok());
        let mut paths: Vec<_> = parents.iter().map(|parent| parent.join("dbgsrv")).collect();
        paths.push(format!("/tmp/dbgsrv-{uid}").into());
        paths.into_iter().map(|path| Self { path, folder, shared: false }).collect()
    }

    /// Where a client of this user looks: its user's, then the machine's.
    #[must_use]
    pub fn all(folder: Folder) -> Vec<Self> {
        let mut directories = Self::of_user(folder);
        directories.push(Self::of_machine(folder));
        directories
    }

    /// The one that a server of this user uses: the machine's where it may.
    #[must_use]
    pub fn of_server(folder: Folder) -> Self {
        let machine = Self::of_machine(folder);
        if geteuid().is_root() || check(&machine.path).is_ok() {
            return machine;
        }
        Self::of_user(folder).swap_remove(0)
    }

    /// A directory at a place of the caller's, such as a test's.
    #[must_use]
    pub fn at(path: &Path, folder: Folder) -> Self {
        Self { path: path.into(), folder, shared: true }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its folder is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.path.join(self.folder.name())
    }

    /// Whether other users may get to what is in it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether what is found here is to be believed: it was put here by this user, or by whom root gave the machine's
    /// directory.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.shared || check(&self.path).is_ok()
    }

    /// Makes the directory where there is none, and checks it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn prepare(&self) -> Result<(), DirectoryError> {
        let mode = if self.shared { 0o755 } else { 0o700 };
        make(&self.path, mode)?;
        make(&self.folder(), mode)
    }

    /// Waits until no other server takes or frees a name in the folder. The lock goes with the file.
    ///
    /// # Errors
    /// [`DirectoryError::System`].
    pub fn lock(&self) -> Result<Flock<File>, DirectoryError> {
        self.lock_with(FlockArg::LockExclusive)
    }

    /// As [`Self::lock`], without waiting.
    ///
    /// # Errors
    /// [`DirectoryError::System`]; where somebody else has the lock, with [`io::ErrorKind::WouldBlock`].
    pub fn try_lock(&self) -> Result<Flock<File>, DirectoryError> {
        self.lock_with(FlockArg::LockExclusiveNonblock)
    }

    fn lock_with(&self, how: FlockArg) -> Result<Flock<File>, DirectoryError> {
        let path = self.path.join(self.folder.lock());
        // For its owner alone: whoever can open it can hold up every server.
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let locked = file.and_then(|file| Flock::lock(file, how).map_err(|(_, errno)| errno.into()));
        locked.map_err(|source| DirectoryError::System { path, source })
    }
}

fn make(path: &Path, mode: u32) -> Result<(), DirectoryError> {
    let system = |source| DirectoryError::System { path: path.into(), source };
    match DirBuilder::new().mode(mode).create(path) {
        // The umask may have taken from it.
        Ok(()) => set_permissions(path, Permissions::from_mode(mode)).map_err(system)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(system(error)),
    }
    check(path)
}

/// Whether a directory is this user's, and nobody else can write there.
fn check(path: &Path) -> Result<(), DirectoryError> {
    // Not through a symbolic link, which somebody else may have put there.
    let found = path.symlink_metadata().map_err(|source| DirectoryError::System { path: path.into(), source })?;
    match problem(&found, geteuid().as_raw()) {
        None => Ok(()),
        Some(problem) => Err(DirectoryError::Unsafe { path: path.into(), problem }),
    }
}

fn problem(found: &Metadata, user: u32) -> Option<String> {
    if !found.is_dir() {
        Some("it is no directory".into())
    } else if found.uid() != user {
        Some(format!("it belongs to user {}", found.uid()))
    } else if found.mode() & 0o022 != 0 {
        Some(format!("others can write there (mode {:04o})", found.mode() & 0o7777))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    fn of_user(path: PathBuf) -> Directory {
        Directory { path, folder: Folder::Pipes, shared: false }
    }

    #[test]
    fn a_directory_is_made_for_its_owner_alone_or_for_all_to_look_in() {
        let parent = tempfile::tempdir().unwrap();
        for (shared, bits) in [(false, 0o700), (true, 0o755)] {
            let directory = Directory { path: parent.path().join(bits.to_string()), folder: Folder::Servers, shared };
            directory.prepare().unwrap();
            directory.prepare().unwrap();
            assert_eq!((mode(&directory.path), mode(&directory.folder())), (bits, bits));
            drop(directory.lock().unwrap());
            assert_eq!(mode(&directory.path.join("servers.lock")), 0o600);
        }
    }

    #[test]
    fn who_does_not_want_to_wait_for_the_lock_need_not() {
        let parent = tempfile::tempdir().unwrap();
        let directory = of_user(parent.path().join("dbgsrv"));
        directory.prepare().unwrap();
        let held = directory.lock().unwrap();
        let busy = directory.try_lock().unwrap_err();
        assert!(
            matches!(&busy, DirectoryError::System { source, .. } if source.kind() == io::ErrorKind::WouldBlock),
            "{busy}"
        );
        drop(held);
        assert!(directory.try_lock().is_ok());
    }

    #[test]
    fn what_somebody_else_prepared_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("dbgsrv");
        let refusal = || of_user(path.clone()).prepare().unwrap_err().to_string();
        symlink("/tmp", &path).unwrap();
        assert!(refusal().contains("it is no directory"), "{}", refusal());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        set_permissions(&path, Permissions::from_mode(0o770)).unwrap();
        assert!(refusal().contains("others can write there (mode 0770)"), "{}", refusal());
        set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        let stranger = geteuid().as_raw() + 1;
        let belongs = problem(&path.metadata().unwrap(), stranger).unwrap();
        assert_eq!(belongs, format!("it belongs to user {}", geteuid()));
    }

    #[test]
    fn a_user_always_has_a_place() {
        let last = Directory::of_user(Folder::Pipes).pop().unwrap();
        assert_eq!(last.path, Path::new(&format!("/tmp/dbgsrv-{}", geteuid())));
        assert_eq!(Directory::all(Folder::Pipes).pop().unwrap().path, Path::new(MACHINE));
    }
}
