//! Processors.

use std::fs;

use super::table::Table;

/// `cpus`: what the kernel says of each processor, under its own names for it.
pub(super) fn table() -> Vec<u8> {
    // A system without the file has nothing to tell.
    from_text(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
}

/// A blank line ends a processor; a paragraph about the whole machine, as some have it at the end, is none.
fn from_text(text: &str) -> Vec<u8> {
    let mut table = Table::new("cpus");
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| paragraph.starts_with("processor")) {
        table.row(|row| {
            for (column, value) in paragraph.lines().filter_map(|line| line.split_once(':')) {
                row.text(column.trim(), value.trim().as_bytes());
            }
        });
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_processor_is_a_row_with_the_kernels_names() {
        let text = "processor\t: 0\nmodel name\t: A & B: C\npower management:\n\nprocessor\t: 1\n\nHardware\t: Board\n";
        assert_eq!(
            String::from_utf8_lossy(&from_text(text)),
            "<osdata type=\"cpus\">\n<item><column name=\"processor\">0</column><column name=\"model name\">A &amp; B: C\
             </column><column name=\"power management\"></column></item>\n<item><column name=\"processor\">1</column>\
             </item>\n</osdata>\n"
        );
        assert_eq!(from_text(""), b"<osdata type=\"cpus\">\n</osdata>\n");
    }

    #[test]
    fn this_machine_has_a_processor() {
        assert!(String::from_utf8_lossy(&table()).contains("<item>"));
    }
}
