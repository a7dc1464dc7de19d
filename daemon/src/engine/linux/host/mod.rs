//! The machine itself, whatever is debugged: its tables, its files, its processes, and whether they can be debugged.

mod awaited;
mod processes;

pub(crate) use self::awaited::Awaited;
pub(crate) use self::processes::Processes;
pub(crate) use super::doctor;
pub(crate) use super::files::{FileReply, HostFiles};
pub(crate) use super::launch::{LaunchSettings, find_program_past_links, start_undebugged};
pub(crate) use super::objects::osdata_table as table;
pub(crate) use super::platform;
pub(crate) use super::process_info::processes as pids;
pub(crate) use super::refusal::LaunchFailed;
