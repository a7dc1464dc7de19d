//! Why a process may not be attached to, or a program not be started, in a sentence that says what to do about it.

mod attach;
mod facts;
mod launch;
mod program_file;

pub use self::attach::{AttachRefused, Obstacle, Remedy, Tracer};
pub(crate) use self::attach::{CAPABILITY, diagnose, precondition};
pub(crate) use self::facts::{AttachFacts, Target, check_attach, explain_attach, gather, yama};
pub use self::launch::LaunchFailed;
pub(crate) use self::launch::{check_launch, explain_launch};
pub(crate) use self::program_file::{HEAD_LEN, architecture, identify, machine, machine_name};
