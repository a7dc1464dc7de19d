//! Which build a program or library is.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use dbgsrv_protocol::rsp::platform::{Identity, Module};
use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::{fits, triple};
use crate::engine::linux::files::md5;
use crate::engine::linux::refusal::identify;

/// The program or library at `path`, an absolute one, if it is made for what is `wanted`.
///
/// # Errors
/// There is no such file, it can't be read, or is none that `wanted` names: `ENOEXEC`.
pub(crate) fn module(path: &Path, wanted: &[u8]) -> io::Result<Module> {
    // Opening a pipe without this flag waits for who writes to it.
    let file = File::options().read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits()).open(path)?;
    let about = file.metadata()?;
    let (machine, build_id) = identify(&file).filter(|_| about.is_file()).ok_or(Errno::ENOEXEC)?;
    let triple = triple(machine).filter(|triple| fits(triple, wanted)).ok_or(Errno::ENOEXEC)?;
    let identity = match build_id {
        Some(id) => Identity::BuildId(id),
        None => Identity::Md5(md5(file)?),
    };
    Ok(Module { identity, triple, path: path.as_os_str().as_bytes().to_vec(), size: about.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str, wanted: &str) -> io::ErrorKind {
        module(Path::new(path), wanted.as_bytes()).expect_err("it is none").kind()
    }

    #[test]
    fn a_program_is_known_by_its_build_id() {
        let path = std::env::current_exe().expect("a path");
        let own = module(&path, b"x86_64--linux").expect("it is one");
        assert_eq!((own.triple, own.path), ("x86_64-pc-linux-gnu", path.as_os_str().as_bytes().to_vec()));
        assert_eq!(own.size, path.metadata().expect("a size").len());
    }

    #[test]
    fn what_is_no_program_for_the_machine_is_none() {
        let own = std::env::current_exe().expect("a path");
        let own = own.to_str().expect("text");
        let not_executable = io::Error::from(Errno::ENOEXEC).kind();
        assert_eq!(kind("/nonexistent", ""), io::ErrorKind::NotFound);
        for (path, wanted) in [("/etc/passwd", ""), ("/tmp", ""), ("/dev/null", ""), (own, "armv7-pc-linux-gnu")] {
            assert_eq!(kind(path, wanted), not_executable, "{path}");
        }
    }
}
