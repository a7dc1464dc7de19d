//! The machine itself, whatever is debugged: its tables and its files.

pub(crate) use super::files::{FileReply, HostFiles};
pub(crate) use super::objects::osdata_table as table;
