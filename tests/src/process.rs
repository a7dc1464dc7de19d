//! Processes: started so that they end with the test, and looked at through `/proc`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::patience::Patience;

/// A child process that is killed when this is dropped, and by the kernel when the test's thread ends in any other way.
#[derive(Debug)]
pub struct Owned(Child);

impl Owned {
    /// Starts `command`. The thread that calls this must outlive the process.
    ///
    /// # Panics
    /// When the program does not start.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        die_with_parent(command);
        // A server that signals a process group must not reach the test.
        command.process_group(0);
        match command.spawn() {
            Ok(child) => Self(child),
            Err(error) => panic!("{} does not start: {error}", command.get_program().display()),
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id() as i32)
    }

    /// The handle, for its pipes and its status.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is not there any more.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the process has not been waited for, so it takes signals");
    }

    /// Waits for the end and returns the exit status, or minus the signal that ended it.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let mut status = None;
        let mut patience = Patience::new();
        while status.is_none() {
            assert!(patience.lasts(), "the process does not end:\n{}", about(self.pid()));
            std::thread::sleep(Duration::from_millis(5));
            status = self.0.try_wait().expect("the process is a child of the test");
        }
        status.and_then(|status| status.code().or_else(|| status.signal().map(|signal| -signal))).expect("it has ended")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It fails only when the process has ended and has been waited for, which is what is wanted.
        let _ = self.0.kill();
        // A process that is traced stays until its tracer has taken notice, and the tracer may be what has failed.
        for _ in 0..200 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What the kernel says of a process that hangs.
fn about(pid: Pid) -> String {
    let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    ["cmdline", "wchan", "syscall", "status"].map(|name| format!("{name}: {}", file(name))).join("\n")
}

/// Has the kernel kill the child when the thread that starts it ends, so that a failed test leaves nothing behind.
#[expect(unsafe_code, reason = "only a hook between fork and exec can ask for the parent's death signal")]
fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl is a plain system call: it allocates nothing and takes no lock, which is what a child of a process
    // with threads may do before exec.
    unsafe { command.pre_exec(|| prctl::set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from)) };
}

/// A process that the server or the debugger started, killed when this is dropped.
#[derive(Debug)]
pub struct Stray(pub Pid);

impl Drop for Stray {
    fn drop(&mut self) {
        // It fails when the process has ended by itself, as most do.
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

/// One thread as `/proc` shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Thread {
    /// The state's letter: `R` running, `S` sleeping, `T` stopped, `t` stopped by its tracer, `Z` ended, …
    pub state: char,
    /// Its tracer, 0 for none.
    pub tracer: i32,
}

/// The threads of a process; none when there is no such process.
#[must_use]
pub fn threads(pid: Pid) -> Vec<Thread> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    // A thread may end between the listing and the look at it.
    entries.filter_map(|entry| thread(&fs::read_to_string(entry.ok()?.path().join("status")).ok()?)).collect()
}

fn thread(status: &str) -> Option<Thread> {
    let state = field(status, "State")?.chars().next()?;
    Some(Thread { state, tracer: field(status, "TracerPid")?.parse().ok()? })
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

/// Whether the process exists and has not ended (a zombie has).
#[must_use]
pub fn is_alive(pid: Pid) -> bool {
    threads(pid).iter().any(|thread| !matches!(thread.state, 'Z' | 'X'))
}

/// Whether no thread of the process is stopped or traced.
#[must_use]
pub fn is_left_alone(pid: Pid) -> bool {
    threads(pid).iter().all(|thread| thread.tracer == 0 && !matches!(thread.state, 'T' | 't'))
}

/// The processes whose parent is `pid`.
#[must_use]
pub fn children(pid: Pid) -> Vec<Pid> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.map(Pid::from_raw).filter(|&child| parent(child) == Some(pid)).collect()
}

fn parent(pid: Pid) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    field(&status, "PPid")?.parse().ok().map(Pid::from_raw)
}

/// What `ps` calls the process, empty when it is gone.
#[must_use]
pub fn name(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// How many descriptors the process has open, 0 when it is gone.
#[must_use]
pub fn descriptors(pid: Pid) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Resident memory in KiB, 0 when the process is gone.
#[must_use]
pub fn resident_kib(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "VmRSS").and_then(|size| size.strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// One byte of a process's memory.
///
/// # Panics
/// When the process is gone or has nothing at `address`.
#[must_use]
pub fn memory_byte(pid: Pid, address: u64) -> u8 {
    let mut byte = [0];
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is there");
    memory.read_exact_at(&mut byte, address).expect("the address is mapped");
    byte[0]
}

/// Eight bytes of a process's memory as a number.
///
/// # Panics
/// When the process is gone or has nothing at `address`.
#[must_use]
pub fn memory_word(pid: Pid, address: u64) -> u64 {
    let mut bytes = [0; 8];
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is there");
    memory.read_exact_at(&mut bytes, address).expect("the address is mapped");
    u64::from_le_bytes(bytes)
}

/// Changes one byte of a process's memory.
///
/// # Panics
/// As [`memory_byte`].
pub fn set_memory_byte(pid: Pid, address: u64, byte: u8) {
    let memory = File::options().write(true).open(format!("/proc/{pid}/mem")).expect("the process is there");
    memory.write_all_at(&[byte], address).expect("the address is mapped");
}
