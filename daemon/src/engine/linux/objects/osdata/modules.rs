//! Kernel modules.

use std::fs;

use super::table::Table;

/// The fields of a line of `/proc/modules` (`proc_modules(5)`), in its order.
const COLUMNS: [&str; 6] = ["name", "size", "num uses", "dependencies", "status", "address"];

/// `modules`: empty where the kernel has none.
pub(super) fn table() -> Vec<u8> {
    from_text(&fs::read_to_string("/proc/modules").unwrap_or_default())
}

fn from_text(text: &str) -> Vec<u8> {
    let mut table = Table::new("modules");
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if fields.len() < COLUMNS.len() {
            continue;
        }
        table.row(|row| {
            for (column, field) in COLUMNS.iter().zip(fields) {
                row.text(column, shown(column, field).as_bytes());
            }
        });
    }
    table.finish()
}

/// The kernel's spelling without what only its own tools need: a comma at the end of the list, `0x`.
fn shown<'f>(column: &str, field: &'f str) -> &'f str {
    match column {
        "dependencies" => field.trim_end_matches(','),
        "address" => field.trim_start_matches("0x"),
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_row() {
        let text = "btrfs 1 2 raid6,xor, Live 0xffffffffc0a0 (E)\nshort 1 2\ndummy 16384 0 - Live 0x0000\n";
        let table = String::from_utf8(from_text(text)).expect("UTF-8");
        assert!(
            table.contains("<column name=\"dependencies\">raid6,xor</column><column name=\"status\">Live</column>")
        );
        assert!(table.contains("<column name=\"address\">ffffffffc0a0</column></item>"), "{table}");
        assert_eq!(table.matches("<item>").count(), 2);
    }
}
