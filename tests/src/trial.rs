//! The program `trials`: what is hard on a tracer, one mode each.

use std::process::{Command, Stdio};

use nix::unistd::Pid;

use crate::process::{self, Owned};
use crate::rsp::Client;
use crate::{program, wait_until};

/// The program, started by the test and running by itself.
#[derive(Debug)]
pub struct Trial(Owned);

impl Trial {
    /// Starts it, and waits until it does what it is meant to.
    #[must_use]
    pub fn start(mode: &str, count: u32) -> Self {
        let mut command = Command::new(program::path("trials"));
        command.args([mode, &count.to_string()]).stdin(Stdio::null());
        let trial = Self(Owned::spawn(&mut command));
        wait_until("the program runs", || trial.turns() > 0);
        trial
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.0.pid()
    }

    /// The process, for its signals and its end.
    pub fn process(&mut self) -> &mut Owned {
        &mut self.0
    }

    /// How often it has done what it is meant to do.
    #[must_use]
    pub fn turns(&self) -> u64 {
        turns(self.pid())
    }

    /// Waits until it has gone on from where it is.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_goes_on(&self) {
        assert_goes_on(self.pid());
    }

    /// Has the debugger let it run, sees it go on, and interrupts it.
    ///
    /// # Panics
    /// When it does not go on, or the stop is not that of an interrupt.
    #[track_caller]
    pub fn run_a_while(&self, client: &mut Client) {
        client.send("vCont;c");
        self.assert_goes_on();
        let stop = client.interrupt();
        assert!(stop.starts_with("T02"), "{stop}");
    }

    /// Waits until it is neither traced nor stopped, and runs.
    ///
    /// # Panics
    /// When it does not come to that.
    pub fn assert_left_as_it_was_found(&self) {
        wait_until("the program is not traced and not stopped", || process::is_left_alone(self.pid()));
        assert!(process::is_alive(self.pid()), "the program has ended");
        self.assert_goes_on();
        assert!(process::is_alive(self.pid()), "the program has ended");
    }
}

/// As [`Trial::turns`], for one that the server has started.
#[must_use]
pub fn turns(pid: Pid) -> u64 {
    process::memory_word(pid, symbol("turns"))
}

/// As [`Trial::assert_goes_on`], for one that the server has started.
///
/// # Panics
/// As there.
pub fn assert_goes_on(pid: Pid) {
    let before = turns(pid);
    wait_until("the program goes on", || turns(pid) > before + 1);
}

/// The address of one of its symbols.
#[must_use]
pub fn symbol(symbol: &str) -> u64 {
    program::symbol("trials", symbol)
}
