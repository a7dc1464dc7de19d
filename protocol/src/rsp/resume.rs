//! Resuming and interrupting: `vCont`, `c`, `C`, `s`, `S`, `Ctrl-C`, `vCtrlC`.

use super::signal::Signal;
use super::thread::ThreadSelector;

/// How a thread goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// `c`, or `C` with a signal to deliver.
    Continue(Option<Signal>),
    /// `r START,END`: step while `start <= pc < end`.
    RangeStep {
        /// First address of the range.
        start: u64,
        /// First address past it.
        end: u64,
    },
    /// `s`, or `S` with a signal to deliver.
    Step(Option<Signal>),
    /// `t`: stop (non-stop mode).
    Stop,
}

/// The actions of one `vCont`, leftmost first: for each thread the first that admits it counts.
///
/// Already checked: iterating cannot fail. `c`, `s`, `C` and `S` come as one action on the thread chosen with `Hc`,
/// and where that is a step or a signal for one thread, a second action continues all others as gdbserver does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Actions<'a> {
    // The helper that implements this module chooses the representation (packet text, or one or two ready actions).
    pub(crate) text: &'a [u8],
}

/// An action and whom it concerns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadAction {
    /// What to do.
    pub action: Action,
    /// To whom; `ALL` where the packet names no thread.
    pub thread: ThreadSelector,
}

/// A resume request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// The byte 0x03, or `vCtrlC`. 0x03 has no reply of its own: its effect is a stop. `vCtrlC` is answered with OK.
    Interrupt,
    /// Everything else. `address`, from the old packets, is where the thread is to go on.
    Resume {
        /// What each thread does.
        actions: Actions<'a>,
        /// `c ADDR`, `s ADDR`.
        address: Option<u64>,
    },
}
