//! `qXfer:osdata`: tables about the whole system, as `info os` shows them (GDB manual, "Operating System Information").
//!
//! Tables, titles and columns are those that GDB's users know from other servers.

mod cpus;
mod files;
mod ipc;
mod modules;
mod processes;
mod sockets;
mod table;
mod threads;

use self::table::Table;

/// One table: the annex that asks for it, its type where that differs, what it is to people, and how it is made.
struct Entry {
    annex: &'static str,
    description: &'static str,
    title: &'static str,
    make: fn() -> Vec<u8>,
}

/// All tables, as `info os` lists them.
const TABLES: [Entry; 10] = [
    Entry { annex: "cpus", description: "Listing of all cpus/cores on the system", title: "CPUs", make: cpus::table },
    Entry {
        annex: "files",
        description: "Listing of all file descriptors",
        title: "File descriptors",
        make: files::table,
    },
    Entry {
        annex: "modules",
        description: "Listing of all loaded kernel modules",
        title: "Kernel modules",
        make: modules::table,
    },
    Entry {
        annex: "msg",
        description: "Listing of all message queues",
        title: "Message queues",
        make: ipc::message_queues,
    },
    Entry { annex: "processes", description: "Listing of all processes", title: "Processes", make: processes::table },
    Entry {
        annex: "procgroups",
        description: "Listing of all process groups",
        title: "Process groups",
        make: processes::groups,
    },
    Entry { annex: "semaphores", description: "Listing of all semaphores", title: "Semaphores", make: ipc::semaphores },
    Entry {
        annex: "shm",
        description: "Listing of all shared-memory regions",
        title: "Shared-memory regions",
        make: ipc::shared_memory,
    },
    Entry {
        annex: "sockets",
        description: "Listing of all internet-domain sockets",
        title: "Sockets",
        make: sockets::table,
    },
    Entry { annex: "threads", description: "Listing of all threads", title: "Threads", make: threads::table },
];

/// The table called `annex`; empty or `types`: the table of tables. `None`: there is no such table.
///
/// What cannot be read, because it is another user's or went away meanwhile, is left out.
pub(crate) fn table(annex: &[u8]) -> Option<Vec<u8>> {
    if annex.is_empty() || annex == b"types" {
        return Some(types());
    }
    TABLES.iter().find(|entry| entry.annex.as_bytes() == annex).map(|entry| (entry.make)())
}

fn types() -> Vec<u8> {
    let mut table = Table::new("types");
    for entry in &TABLES {
        table.row(|row| {
            row.text("Type", entry.annex.as_bytes());
            row.text("Description", entry.description.as_bytes());
            row.text("Title", entry.title.as_bytes());
        });
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::super::xml::tests::assert_well_formed;
    use super::*;

    #[test]
    fn every_table_of_the_list_exists_and_is_well_formed() {
        let types = table(b"").expect("the table of tables");
        assert_eq!(table(b"types").as_ref(), Some(&types));
        assert_well_formed(&types);
        for entry in &TABLES {
            assert!(String::from_utf8_lossy(&types).contains(&format!("<column name=\"Type\">{}<", entry.annex)));
            assert_well_formed(&table(entry.annex.as_bytes()).expect(entry.annex));
        }
    }

    #[test]
    fn other_names_have_no_table() {
        for annex in [&b"process"[..], b"processes ", b"PROCESSES", b"../etc/passwd", b"\0", b"\xff"] {
            assert_eq!(table(annex), None);
        }
    }
}
