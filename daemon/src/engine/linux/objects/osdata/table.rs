//! How a table is written (GDB manual, "Operating System Information").

use std::io::Write;

use crate::engine::linux::objects::xml;

/// A table that grows by rows.
pub(super) struct Table {
    document: Vec<u8>,
}

impl Table {
    /// An empty table of the given type.
    pub(super) fn new(kind: &str) -> Self {
        Self { document: format!("<osdata type=\"{kind}\">\n").into_bytes() }
    }

    /// Appends one row, which `fill` gives its cells. All rows of a table have the same columns in the same order.
    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        self.document.extend_from_slice(b"<item>");
        fill(&mut Row { document: &mut self.document });
        self.document.extend_from_slice(b"</item>\n");
    }

    /// The whole document.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.document.extend_from_slice(b"</osdata>\n");
        self.document
    }
}

/// A row that grows by cells.
pub(super) struct Row<'t> {
    document: &'t mut Vec<u8>,
}

impl Row<'_> {
    /// A cell with any bytes in it.
    pub(super) fn text(&mut self, column: &str, text: &[u8]) {
        self.cell(column, |document| xml::push_cell(document, text));
    }

    /// A cell with a number.
    pub(super) fn number(&mut self, column: &str, number: impl Into<i64>) {
        // Writing to a `Vec` does not fail.
        self.cell(column, |document| drop(write!(document, "{}", number.into())));
    }

    fn cell(&mut self, column: &str, push: impl FnOnce(&mut Vec<u8>)) {
        self.document.extend_from_slice(b"<column name=\"");
        // A column may be named by the system: /proc/cpuinfo does.
        xml::push_cell(self.document, column.as_bytes());
        self.document.extend_from_slice(b"\">");
        push(self.document);
        self.document.extend_from_slice(b"</column>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_rows_of_named_cells() {
        let mut table = Table::new("dogs");
        table.row(|row| {
            row.number("age", -3);
            row.text("na<me", b"Rex & \"co\"");
        });
        assert_eq!(
            String::from_utf8_lossy(&table.finish()),
            "<osdata type=\"dogs\">\n<item><column name=\"age\">-3</column>\
             <column name=\"na&lt;me\">Rex &amp; &quot;co&quot;</column></item>\n</osdata>\n"
        );
    }
}
