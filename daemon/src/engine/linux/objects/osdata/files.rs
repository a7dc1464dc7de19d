//! Open files of all processes.

use std::os::unix::ffi::OsStrExt;

use super::table::Table;
use crate::engine::linux::names::command;
use crate::engine::linux::process_info::{self, ProcDirectory};

/// `files`: one row for each descriptor that we may look at.
pub(super) fn table() -> Vec<u8> {
    let mut table = Table::new("files");
    let Ok(proc) = ProcDirectory::root() else {
        return table.finish();
    };
    for pid in process_info::processes() {
        let mut descriptors = process_info::numbered_entries(&format!("/proc/{pid}/fd")).peekable();
        if descriptors.peek().is_none() {
            continue;
        }
        let command = command(&proc, pid.raw());
        for descriptor in descriptors {
            let Ok(name) = proc.link(&format!("{pid}/fd/{descriptor}")) else { continue };
            table.row(|row| {
                row.number("pid", pid.raw());
                row.text("command", &command);
                row.number("file descriptor", descriptor);
                row.text("name", name.as_bytes());
            });
        }
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_of_ours_is_listed_by_name() {
        let path = std::env::temp_dir().join(format!("dbgsrv <files> {}", std::process::id()));
        let file = std::fs::File::create(&path).expect("a file");
        let table = String::from_utf8(table()).expect("UTF-8");
        std::fs::remove_file(&path).expect("removed");
        drop(file);
        let name = format!("dbgsrv &lt;files&gt; {}</column>", std::process::id());
        let row = table.lines().find(|row| row.contains(&name)).expect("a row");
        assert!(row.contains(&format!("<column name=\"pid\">{}</column>", std::process::id())), "{row}");
    }
}
