//! Plain tables: aligned columns, no lines, nothing cut off but the last column.

use super::style::{HEADING, paint};

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A table that is being filled.
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    indent: usize,
}

impl Table {
    /// A table with these columns; one without any heading shows none.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Self { columns, rows: Vec::new(), indent: 0 }
    }

    /// The same table, moved to the right.
    pub(crate) fn indented(mut self, by: usize) -> Self {
        self.indent = by;
        self
    }

    /// Adds a row with a cell for every column.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Whether it has no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn widths(&self) -> Vec<usize> {
        let width = |text: &String| text.chars().count();
        (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(width);
                cells.max().unwrap_or(0).max(width(&self.columns[column].0))
            })
            .collect()
    }

    fn line(&self, widths: &[usize], cells: &[String]) -> String {
        let mut line = " ".repeat(self.indent);
        for (index, cell) in cells.iter().enumerate() {
            let padding = widths[index].saturating_sub(cell.chars().count());
            if index > 0 {
                line.push_str("  ");
            }
            match self.columns[index].1 {
                Align::Left => line.push_str(&format!("{cell}{}", " ".repeat(padding))),
                Align::Right => line.push_str(&format!("{}{cell}", " ".repeat(padding))),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widths = self.widths();
        let headings: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut lines = Vec::new();
        if headings.iter().any(|heading| !heading.is_empty()) {
            lines.push(paint(HEADING, &self.line(&widths, &headings)));
        }
        lines.extend(self.rows.iter().map(|row| self.line(&widths, row)));
        out.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]).indented(1);
        table.row(["a".to_owned(), "10".to_owned()]);
        table.row(["long".to_owned(), "9".to_owned()]);
        assert_eq!(table.to_string(), " a     10\n long   9");
    }
}
