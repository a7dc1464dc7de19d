//! The directories in which pipes are found.

use crate::BindError;
use dbgsrv_protocol::options::PipeName;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use std::env;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions, set_permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What belongs to the whole machine.
const MACHINE: &str = "/run/dbgsrv";
/// In a directory of ours, the one with the sockets, and beside it the file that is locked while a name is taken. There it is
/// in no pipe's way.
const PIPES: &str = "pipes";
const LOCK: &str = "pipes.lock";
/// Longest path of a socket, in bytes: 108 less the zero at the end (`unix(7)`).
const MAX_SOCKET_PATH: usize = 107;

/// One directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Whether other users may get to the pipes, if those let them.
    shared: bool,
}

impl Directory {
    /// The machine's.
    pub(crate) fn of_machine() -> Self {
        Self { path: MACHINE.into(), shared: true }
    }

    /// Those that this user's pipes can be in, the best first; never none.
    pub(crate) fn of_user() -> Vec<Self> {
        let uid = geteuid();
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let mut parents: Vec<_> = runtime.into_iter().chain([format!("/run/user/{uid}").into()]).collect();
        parents.dedup();
        parents.retain(|parent: &PathBuf| parent.is_absolute() && check(parent).is_ok());
        let mut paths: Vec<_> = parents.iter().map(|parent| parent.join("dbgsrv")).collect();
        paths.push(format!("/tmp/dbgsrv-{uid}").into());
        paths.into_iter().map(|path| Self { path, shared: false }).collect()
    }

    /// The one that a server of this user puts its pipe in: the machine's where it may. `others`: whether other users are to
    /// be able to open it.
    ///
    /// # Errors
    /// [`BindError::OutOfReach`].
    pub(crate) fn of_server(others: bool) -> Result<Self, BindError> {
        let machine = Self::of_machine();
        if geteuid().is_root() || check(&machine.path).is_ok() {
            return Ok(machine);
        }
        let own = Self::of_user().swap_remove(0);
        if others { Err(BindError::OutOfReach(own.path)) } else { Ok(own) }
    }

    #[cfg(test)]
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.into(), shared: true }
    }

    /// Where the sockets are.
    pub(crate) fn pipes(&self) -> PathBuf {
        self.path.join(PIPES)
    }

    /// The socket of a pipe.
    ///
    /// # Errors
    /// [`BindError::TooLong`].
    pub(crate) fn socket(&self, name: &PipeName) -> Result<PathBuf, BindError> {
        let path = self.pipes().join(name.as_str());
        if path.as_os_str().as_bytes().len() <= MAX_SOCKET_PATH {
            return Ok(path);
        }
        let directory = self.pipes();
        let most = MAX_SOCKET_PATH.saturating_sub(directory.as_os_str().as_bytes().len() + 1);
        Err(BindError::TooLong { name: name.clone(), most, directory })
    }

    /// Whether what is found here is to be believed: it was put here by this user, or by whom root gave the machine's
    /// directory.
    pub(crate) fn is_trusted(&self) -> bool {
        self.shared || check(&self.path).is_ok()
    }

    /// Makes the directory where there is none, and checks it.
    ///
    /// # Errors
    /// [`BindError::Unsafe`], [`BindError::System`].
    pub(crate) fn prepare(&self) -> Result<(), BindError> {
        let mode = if self.shared { 0o755 } else { 0o700 };
        make(&self.path, mode)?;
        make(&self.pipes(), mode)
    }

    /// Waits until no other server takes or frees a name here. The lock goes with the file.
    ///
    /// # Errors
    /// [`BindError::System`].
    pub(crate) fn lock(&self) -> Result<Flock<File>, BindError> {
        let path = self.path.join(LOCK);
        // For its owner alone: whoever can open it can hold up every server.
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let locked =
            file.and_then(|file| Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno.into()));
        locked.map_err(|source| BindError::System { path, source })
    }
}

fn make(path: &Path, mode: u32) -> Result<(), BindError> {
    let system = |source| BindError::System { path: path.into(), source };
    match DirBuilder::new().mode(mode).create(path) {
        // The umask may have taken from it.
        Ok(()) => set_permissions(path, Permissions::from_mode(mode)).map_err(system)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(system(error)),
    }
    check(path)
}

/// Whether a directory is this user's, and nobody else can write there.
fn check(path: &Path) -> Result<(), BindError> {
    // Not through a symbolic link, which somebody else may have put there.
    let found = path.symlink_metadata().map_err(|source| BindError::System { path: path.into(), source })?;
    match problem(&found, geteuid().as_raw()) {
        None => Ok(()),
        Some(problem) => Err(BindError::Unsafe { path: path.into(), problem }),
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

    #[test]
    fn a_directory_is_made_for_its_owner_alone_or_for_all_to_look_in() {
        let parent = tempfile::tempdir().unwrap();
        for (shared, bits) in [(false, 0o700), (true, 0o755)] {
            let directory = Directory { path: parent.path().join(bits.to_string()), shared };
            directory.prepare().unwrap();
            directory.prepare().unwrap();
            assert_eq!((mode(&directory.path), mode(&directory.pipes())), (bits, bits));
            drop(directory.lock().unwrap());
            assert_eq!(mode(&directory.path.join(LOCK)), 0o600);
        }
    }

    #[test]
    fn what_somebody_else_prepared_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("dbgsrv");
        let refusal = || Directory { path: path.clone(), shared: false }.prepare().unwrap_err().to_string();
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
    fn a_name_that_makes_no_socket_is_refused_with_what_there_is_room_for() {
        let directory = Directory::of_machine();
        let longest = "a".repeat(107 - "/run/dbgsrv/pipes/".len());
        assert!(directory.socket(&longest.parse().unwrap()).is_ok());
        let error = directory.socket(&(longest + "a").parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("allowed: 89 bytes") && error.contains("/run/dbgsrv/pipes"), "{error}");
    }

    #[test]
    fn a_user_always_has_a_place_for_pipes() {
        let last = Directory::of_user().pop().unwrap();
        assert_eq!(last.path, Path::new(&format!("/tmp/dbgsrv-{}", geteuid())));
    }
}
