//! Programs that tests look at.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use dbgsrv_protocol::ids::Pid;

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts a program that repeats its first line of input, as `cat` does, and waits until it has: the kernel lets
    /// us go on before it has given the child its new name, arguments and file. `None` where it ends before.
    pub(crate) fn start(command: &mut Command) -> Option<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut running = Self(child.expect("a program to start"));
        let mut line = String::new();
        // Writing to a program that has ended already fails; reading then says so too.
        let _ = running.0.stdin.as_mut().expect("its input").write_all(b"ready\n");
        BufReader::new(running.0.stdout.as_mut().expect("its output")).read_line(&mut line).expect("a line");
        (line == "ready\n").then_some(running)
    }

    /// Starts `cat`.
    pub(crate) fn cat() -> Self {
        Self::start(&mut Command::new("cat")).expect("cat runs")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::new(self.0.id() as i32).expect("a pid")
    }

    /// Ends it without taking note of that, and returns once it is dead.
    pub(crate) fn kill(&mut self) {
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        let _ = self.0.kill();
        let _ =
            waitid(Id::Pid(nix::unistd::Pid::from_raw(self.pid().raw())), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
