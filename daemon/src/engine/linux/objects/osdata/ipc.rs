//! System V message queues, semaphores and shared memory (sysvipc(7)), of the server's IPC namespace.

use std::fs;

use super::table::Table;
use crate::engine::linux::names::{Names, command};
use crate::engine::linux::process_info::ProcDirectory;

/// How a field is shown.
#[derive(Clone, Copy)]
enum Show {
    /// As the kernel writes it.
    AsIs,
    /// The name of the process that it numbers.
    Command,
    /// The name of the group that it numbers.
    Group,
    /// A date for its seconds since 1970.
    Time,
    /// The name of the user that it numbers.
    User,
}

/// The columns that name an object's users, alike in all three files.
const OWNERS: [(&str, Show); 4] =
    [("user", Show::User), ("group", Show::Group), ("creator user", Show::User), ("creator group", Show::Group)];

/// `msg`.
pub(super) fn message_queues() -> Vec<u8> {
    let before = [
        ("key", Show::AsIs),
        ("msqid", Show::AsIs),
        ("permissions", Show::AsIs),
        ("num used bytes", Show::AsIs),
        ("num messages", Show::AsIs),
        ("last msgsnd() command", Show::Command),
        ("last msgrcv() command", Show::Command),
    ];
    let after =
        [("last msgsnd() time", Show::Time), ("last msgrcv() time", Show::Time), ("last msgctl() time", Show::Time)];
    table("message queues", "/proc/sysvipc/msg", &[&before[..], &OWNERS, &after].concat())
}

/// `semaphores`.
pub(super) fn semaphores() -> Vec<u8> {
    let before =
        [("key", Show::AsIs), ("semid", Show::AsIs), ("permissions", Show::AsIs), ("num semaphores", Show::AsIs)];
    let after = [("last semop() time", Show::Time), ("last semctl() time", Show::Time)];
    table("semaphores", "/proc/sysvipc/sem", &[&before[..], &OWNERS, &after].concat())
}

/// `shm`.
pub(super) fn shared_memory() -> Vec<u8> {
    let before = [
        ("key", Show::AsIs),
        ("shmid", Show::AsIs),
        ("permissions", Show::AsIs),
        ("size", Show::AsIs),
        ("creator command", Show::Command),
        ("last op. command", Show::Command),
        ("num attached", Show::AsIs),
    ];
    let after =
        [("last shmat() time", Show::Time), ("last shmdt() time", Show::Time), ("last shmctl() time", Show::Time)];
    table("shared memory", "/proc/sysvipc/shm", &[&before[..], &OWNERS, &after].concat())
}

fn table(kind: &str, path: &str, columns: &[(&str, Show)]) -> Vec<u8> {
    from_text(kind, &fs::read_to_string(path).unwrap_or_default(), columns)
}

/// `columns` name the first fields of each line, in its order.
fn from_text(kind: &str, text: &str, columns: &[(&str, Show)]) -> Vec<u8> {
    let mut table = Table::new(kind);
    let Ok(proc) = ProcDirectory::root() else {
        return table.finish();
    };
    let mut names = Names::default();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if fields.len() < columns.len() {
            continue;
        }
        table.row(|row| {
            for ((column, show), field) in columns.iter().zip(fields) {
                row.text(column, &shown(*show, field, &mut names, &proc));
            }
        });
    }
    table.finish()
}

fn shown(show: Show, field: &str, names: &mut Names, proc: &ProcDirectory) -> Vec<u8> {
    let known = match show {
        Show::AsIs => None,
        Show::Command => field.parse().ok().map(|pid| command(proc, pid)),
        Show::Group => field.parse().ok().map(|id| names.group(id).to_vec()),
        Show::Time => field.parse().ok().map(|seconds| date(seconds).into_bytes()),
        Show::User => field.parse().ok().map(|id| names.user(id).to_vec()),
    };
    known.unwrap_or_else(|| field.as_bytes().to_vec())
}

/// A date in UTC, since the reader's clock may be in another place than ours; 0, which means never, stays 0.
fn date(seconds: u64) -> String {
    if seconds == 0 {
        return "0".to_owned();
    }
    let (mut day, second) = (seconds / 86_400, seconds % 86_400);
    // Years from March on have their leap day at the end. Day 719,468 counts from 1 March of year 0 to 1970, and
    // 400 years have 146,097 days. The bound keeps the arithmetic within its type.
    day = day.min(1 << 40) + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "0"),
            (1, "1970-01-01 00:00:01 UTC"),
            (68_169_599, "1972-02-28 23:59:59 UTC"),
            (68_169_600, "1972-02-29 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(date(seconds), expected);
        }
        assert!(!date(u64::MAX).is_empty());
    }

    #[test]
    fn a_line_of_the_kernels_is_a_row_with_names() {
        let text = "  key semid perms nsems uid gid cuid cgid otime ctime\n\
             305419896 7 660 3 0 0 0 0 0 1\n 1 2 short\n";
        let columns = [("key", Show::AsIs), ("semid", Show::AsIs), ("permissions", Show::AsIs), ("n", Show::AsIs)];
        let after = [("o", Show::Time), ("c", Show::Time)];
        let table = from_text("semaphores", text, &[&columns[..], &OWNERS, &after].concat());
        let table = String::from_utf8(table).expect("UTF-8");
        assert!(table.contains("<column name=\"permissions\">660</column>"), "{table}");
        assert!(table.contains("<column name=\"creator group\">root</column>"), "{table}");
        assert!(table.contains("<column name=\"o\">0</column><column name=\"c\">1970-01-01 00:00:01 UTC<"), "{table}");
        assert_eq!(table.matches("<item>").count(), 1);
    }
}
