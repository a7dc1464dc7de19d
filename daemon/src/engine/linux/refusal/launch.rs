//! Why a program could not be started.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statvfs::{FsFlags, statvfs};
use thiserror::Error;

use super::program_file::{ProgramFile, machine_name};

/// `e_machine` of the programs that this build's kernel can run, its own first.
#[cfg(target_arch = "x86_64")]
const MACHINES: [u16; 2] = [62, 3];
/// `e_machine` of the programs that this build's kernel can run, its own first.
#[cfg(target_arch = "aarch64")]
const MACHINES: [u16; 2] = [183, 40];

/// `ET_REL` and `ET_CORE`: ELF files that are no programs.
const NOT_PROGRAMS: [u16; 2] = [1, 4];

/// Why a program could not be started.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum LaunchFailed {
    /// A path leads through a directory that is closed to us.
    #[error("{} may not be run by the user that the server runs as", path.display())]
    Denied {
        /// The program, or the directory to run it in.
        path: PathBuf,
    },
    /// The directory to run in is missing.
    #[error("the working directory {} does not exist on the server's machine; choose another with `set cwd` (gdb) or `process launch --working-dir` (lldb)", _0.display())]
    DirectoryMissing(PathBuf),
    /// It is a directory.
    #[error("{} is a directory, not a program", _0.display())]
    IsDirectory(PathBuf),
    /// What should interpret it is missing.
    #[error("{} needs {}, which does not exist on the server's machine", program.display(), interpreter.display())]
    InterpreterMissing {
        /// The program.
        program: PathBuf,
        /// Its dynamic linker, or what its `#!` line names.
        interpreter: PathBuf,
    },
    /// Its file system is mounted so that nothing on it can be run.
    #[error("{} is on a file system that is mounted with noexec; copy it to another", _0.display())]
    MountedNoExec(PathBuf),
    /// The directory to run in is something else.
    #[error("the working directory {} is not a directory; choose another with `set cwd` (gdb) or `process launch --working-dir` (lldb)", _0.display())]
    NotADirectory(PathBuf),
    /// It is an object file or a core dump.
    #[error("{} is an object file or a core dump, not a linked program", _0.display())]
    NotAProgram(PathBuf),
    /// Nobody may execute it.
    #[error("{} is not executable; run `chmod +x` on it", _0.display())]
    NotExecutable(PathBuf),
    /// It is missing.
    #[error("there is no program {} on the server's machine; give its path there with `set remote exec-file` (gdb) or `target create --remote-file` (lldb)", _0.display())]
    NotFound(PathBuf),
    /// Anything else the system may say.
    #[error("{} cannot be started: {}", program.display(), errno.desc())]
    System {
        /// The program.
        program: PathBuf,
        /// What the system said.
        errno: Errno,
    },
    /// Neither a program nor a script.
    #[error("{} is neither an ELF program nor a script that starts with #!", _0.display())]
    UnknownFormat(PathBuf),
    /// A program for other machines.
    #[error("{} is a program for {}, which this machine ({}) cannot run", program.display(), Machine(*machine), Machine(MACHINES[0]))]
    WrongMachine {
        /// The program.
        program: PathBuf,
        /// Its `e_machine`.
        machine: u16,
    },
}

impl LaunchFailed {
    /// The number for an RSP error reply, as errno(3) counts.
    #[must_use]
    pub fn errno(&self) -> u8 {
        let errno = match self {
            Self::Denied { .. } | Self::MountedNoExec(_) | Self::NotExecutable(_) => Errno::EACCES,
            Self::DirectoryMissing(_) | Self::InterpreterMissing { .. } | Self::NotFound(_) => Errno::ENOENT,
            Self::IsDirectory(_) => Errno::EISDIR,
            Self::NotADirectory(_) => Errno::ENOTDIR,
            Self::NotAProgram(_) | Self::UnknownFormat(_) | Self::WrongMachine { .. } => Errno::ENOEXEC,
            Self::System { errno, .. } => *errno,
        };
        errno as i32 as u8
    }
}

/// An `e_machine` for people.
struct Machine(u16);

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match machine_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "ELF machine {}", self.0),
        }
    }
}

/// Whether `program` can be run in `directory`, as far as files tell: a shell makes less sense of those that can't, or
/// takes them for scripts. A name without a slash is the shell's to find.
///
/// # Errors
/// Why it can't.
pub(crate) fn check_launch(program: &Path, directory: Option<&Path>) -> Result<(), LaunchFailed> {
    directory.map_or(Ok(()), check_directory)?;
    if program.parent().is_none_or(|parent| parent.as_os_str().is_empty()) {
        return Ok(());
    }
    let program = directory.map_or_else(|| program.to_owned(), |directory| directory.join(program));
    check_file(&program)?;
    check_format(&program)
}

/// Why the system answered `errno` when `program` was to be run in `directory`, as things are on this machine now.
/// A relative `program` is meant from there.
pub(crate) fn explain_launch(program: &Path, directory: Option<&Path>, errno: Errno) -> LaunchFailed {
    let directory_fault = directory.and_then(|directory| check_directory(directory).err());
    let program = directory.map_or_else(|| program.to_owned(), |directory| directory.join(program));
    directory_fault
        .or_else(|| check_file(&program).err())
        .or_else(|| check_format(&program).err())
        .unwrap_or_else(|| by_errno(program, errno))
}

fn check_directory(directory: &Path) -> Result<(), LaunchFailed> {
    match fs::metadata(directory) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(LaunchFailed::NotADirectory(directory.into())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(LaunchFailed::Denied { path: directory.into() })
        }
        Err(_) => Err(LaunchFailed::DirectoryMissing(directory.into())),
    }
}

fn check_file(program: &Path) -> Result<(), LaunchFailed> {
    const ANY_EXECUTE: u32 = 0o111;
    match fs::metadata(program) {
        Ok(found) if found.is_dir() => Err(LaunchFailed::IsDirectory(program.into())),
        Ok(found) if !found.is_file() => Err(LaunchFailed::UnknownFormat(program.into())),
        Ok(found) if found.permissions().mode() & ANY_EXECUTE == 0 => Err(LaunchFailed::NotExecutable(program.into())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(LaunchFailed::Denied { path: program.into() })
        }
        Err(_) => Err(LaunchFailed::NotFound(program.into())),
    }
}

fn check_format(program: &Path) -> Result<(), LaunchFailed> {
    // A file that may be run but not read says nothing.
    let Ok(file) = ProgramFile::read(program) else { return Ok(()) };
    let interpreter = match file {
        ProgramFile::Elf { machine, .. } if !MACHINES.contains(&machine) => {
            return Err(LaunchFailed::WrongMachine { program: program.into(), machine });
        }
        ProgramFile::Elf { kind, .. } if NOT_PROGRAMS.contains(&kind) => {
            return Err(LaunchFailed::NotAProgram(program.into()));
        }
        ProgramFile::Elf { interpreter, .. } => interpreter,
        ProgramFile::Script { interpreter } => Some(interpreter),
        ProgramFile::Unknown => return Err(LaunchFailed::UnknownFormat(program.into())),
    };
    match interpreter {
        Some(interpreter) if !interpreter.exists() => {
            Err(LaunchFailed::InterpreterMissing { program: program.into(), interpreter })
        }
        _ => Ok(()),
    }
}

fn by_errno(program: PathBuf, errno: Errno) -> LaunchFailed {
    let no_exec = || statvfs(&program).is_ok_and(|mount| mount.flags().contains(FsFlags::ST_NOEXEC));
    match errno {
        Errno::EACCES if no_exec() => LaunchFailed::MountedNoExec(program),
        Errno::EACCES => LaunchFailed::Denied { path: program },
        errno => LaunchFailed::System { program, errno },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("dbgsrv-launch-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a directory");
            Self(path)
        }

        fn file(&self, name: &str, mode: u32, content: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, content).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// The sentence for what running the program really ends in, without the path of `scratch`.
    fn says(scratch: &Scratch, program: &str, directory: Option<&Path>) -> (String, u8) {
        let mut command = std::process::Command::new(scratch.0.join(program));
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        let errno =
            command.spawn().err().and_then(|error| error.raw_os_error()).map_or(Errno::UnknownErrno, Errno::from_raw);
        let failed = explain_launch(&scratch.0.join(program), directory, errno);
        (failed.to_string().replace(&format!("{}/", scratch.0.display()), ""), failed.errno())
    }

    fn elf(kind: u16, machine: u16, interpreter: &str) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(64 + 56, 0);
        for (at, value) in [(16, kind), (18, machine), (54, 56), (56, 1)] {
            file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [(32, 64), (64, 3), (64 + 8, 120), (64 + 32, interpreter.len() as u64 + 1)] {
            file[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
        }
        file.extend_from_slice(interpreter.as_bytes());
        file.push(0);
        file
    }

    #[test]
    fn files_that_cannot_be_run_are_told_apart() {
        let scratch = Scratch::new("files");
        fs::create_dir(scratch.0.join("folder")).expect("a directory");
        scratch.file("plain", 0o644, b"#!/bin/sh\n");
        scratch.file("text", 0o755, b"hello\n");
        scratch.file("empty", 0o755, b"");
        scratch.file("script", 0o755, b"#!/nonexistent/sh -x\n");
        for (program, sentence, errno) in [
            ("folder", "folder is a directory, not a program", 21),
            ("plain", "plain is not executable; run `chmod +x` on it", 13),
            ("text", "text is neither an ELF program nor a script that starts with #!", 8),
            ("empty", "empty is neither an ELF program nor a script that starts with #!", 8),
            ("script", "script needs /nonexistent/sh, which does not exist on the server's machine", 2),
            (
                "missing",
                "there is no program missing on the server's machine; give its path there with `set remote exec-file` (gdb) or `target create --remote-file` (lldb)",
                2,
            ),
        ] {
            assert_eq!(says(&scratch, program, None), (sentence.to_owned(), errno));
        }
    }

    #[test]
    fn programs_of_other_machines_are_named() {
        let scratch = Scratch::new("machines");
        let ours = machine_name(MACHINES[0]).expect("a name");
        scratch.file("sparc", 0o755, &elf(2, 43, "/lib/ld.so"));
        scratch.file("odd", 0o755, &elf(2, 0x1234, "/lib/ld.so"));
        scratch.file("object", 0o755, &elf(1, MACHINES[0], "/lib/ld.so"));
        scratch.file("linker", 0o755, &elf(2, MACHINES[0], "/nonexistent/ld.so"));
        for (program, sentence, errno) in [
            ("sparc", format!("sparc is a program for sparc64, which this machine ({ours}) cannot run"), 8),
            ("odd", format!("odd is a program for ELF machine 4660, which this machine ({ours}) cannot run"), 8),
            ("object", "object is an object file or a core dump, not a linked program".to_owned(), 8),
            ("linker", "linker needs /nonexistent/ld.so, which does not exist on the server's machine".to_owned(), 2),
        ] {
            assert_eq!(says(&scratch, program, None), (sentence, errno));
        }
    }

    #[test]
    fn the_working_directory_is_looked_at_first() {
        let scratch = Scratch::new("cwd");
        let file = scratch.file("file", 0o755, b"#!/bin/sh\n");
        let sentence = "the working directory gone does not exist on the server's machine; choose another with `set cwd` (gdb) or `process launch --working-dir` (lldb)";
        assert_eq!(says(&scratch, "file", Some(&scratch.0.join("gone"))), (sentence.to_owned(), 2));
        let sentence = "the working directory file is not a directory; choose another with `set cwd` (gdb) or `process launch --working-dir` (lldb)";
        assert_eq!(says(&scratch, "file", Some(&file)), (sentence.to_owned(), 20));
        let relative = explain_launch(Path::new("nothing"), Some(&scratch.0), Errno::ENOENT);
        assert_eq!(relative, LaunchFailed::NotFound(scratch.0.join("nothing")));
    }

    #[test]
    fn what_the_file_does_not_tell_the_system_does() {
        let sh = Path::new("/bin/sh");
        let failed = explain_launch(sh, None, Errno::E2BIG);
        assert_eq!(
            (failed.to_string(), failed.errno()),
            ("/bin/sh cannot be started: Argument list too long".to_owned(), 7)
        );
        assert_eq!(explain_launch(sh, None, Errno::EACCES), LaunchFailed::Denied { path: sh.into() });
        // The kernel's own file system is mounted so wherever a distribution does as is usual.
        if statvfs("/proc").is_ok_and(|mount| mount.flags().contains(FsFlags::ST_NOEXEC)) {
            let failed = by_errno("/proc/version".into(), Errno::EACCES);
            assert!(failed.to_string().contains("noexec"), "{failed}");
        }
    }
}
