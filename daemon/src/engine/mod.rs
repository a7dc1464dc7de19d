//! Runs typed requests against real processes. Nothing above this module knows ptrace.

#[cfg(target_os = "linux")]
mod linux;
