//! Which program file a process runs.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dbgsrv_protocol::ids::Pid;

/// What the kernel appends to the path of a file that has been unlinked (`proc_pid_exe(5)`).
const DELETED: &[u8] = b" (deleted)";

/// `qXfer:exec-file`: the absolute path of the program that `pid` runs.
///
/// Where the file was unlinked or replaced, as a build does to a running program, the path that it had: that is the
/// file which the user means.
///
/// # Errors
/// The process is gone, is a kernel thread, or is not ours to look at.
pub(crate) fn exec_file(pid: Pid) -> io::Result<Vec<u8>> {
    let program = format!("/proc/{pid}/exe");
    let mut path = fs::read_link(&program)?.into_os_string().into_vec();
    if path.ends_with(DELETED) && !is_file_of(pid, &path, Path::new(&program)) {
        path.truncate(path.len() - DELETED.len());
    }
    Ok(path)
}

/// Whether `path`, as `pid` sees it, is the very file `program`: a file may really be called "… (deleted)".
fn is_file_of(pid: Pid, path: &[u8], program: &Path) -> bool {
    let seen = [format!("/proc/{pid}/root").as_bytes(), path].concat();
    let identity = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    identity(Path::new(OsStr::from_bytes(&seen))).is_some_and(|file| identity(program) == Some(file))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::engine::linux::test_program::Running;

    fn path_while_running(program: &Path, meddle: impl FnOnce()) -> Vec<u8> {
        let running = Running::start(&mut Command::new(program)).expect("the copy runs");
        meddle();
        exec_file(running.pid()).expect("a path")
    }

    #[test]
    fn our_own_path_is_the_one_the_library_knows() {
        let own = exec_file(Pid::new(nix::unistd::getpid().as_raw()).expect("a pid")).expect("a path");
        assert_eq!(own, std::env::current_exe().expect("a path").into_os_string().into_vec());
    }

    #[test]
    fn a_deleted_program_keeps_its_name() {
        let directory = std::env::temp_dir().join(format!("dbgsrv-exec-file-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for name in ["plain", "odd (deleted)"] {
            let program = directory.join(name);
            fs::copy("/bin/cat", &program).expect("a copy");
            let expected = program.clone().into_os_string().into_vec();
            assert_eq!(path_while_running(&program, || ()), expected);
            assert_eq!(path_while_running(&program, || fs::remove_file(&program).expect("removed")), expected);
        }
        fs::remove_dir_all(&directory).expect("removed");
    }
}
