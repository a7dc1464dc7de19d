//! Runs typed requests against real processes. Nothing above this module knows ptrace.

pub mod error;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub mod trace;

#[cfg(target_os = "linux")]
pub use linux::{
    AttachRefused, Catch, Ending, Engine, Expedited, Interests, LaunchFailed, LaunchSettings, MemoryRegion, Obstacle,
    Remedy, Report, StandardStreams, Surroundings, Tracer, WATCHPOINTS, Wait, journal,
};
#[cfg(target_os = "linux")]
pub(crate) use linux::{host, interruptible};
