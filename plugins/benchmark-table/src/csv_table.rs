//! Reading a table, with errors that name line and column.

use std::io::Read;

use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use nas_plugin_api::component::FileField;
use nas_plugin_api::error::PluginError;

/// Largest table that is unpacked, in bytes; the largest published one here has 7 million.
const MAX_BYTES: u64 = 1 << 29;
/// The first bytes of a gzip file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A table with a header: texts until a column is asked for as numbers.
pub(crate) struct CsvTable {
    path: String,
    header: StringRecord,
    records: Vec<StringRecord>,
}

/// A column of a table, by its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(usize);

impl CsvTable {
    /// Reads a table whose rows have as many cells as its header.
    ///
    /// # Errors
    /// No file, a broken gzip stream, bytes that are no UTF-8, rows of another length.
    pub(crate) fn read(file: &FileField) -> Result<Self, PluginError> {
        let path = file.path.clone();
        let wrong = |what: String| PluginError::configuration(format!("read `{path}`: {what}"));
        if path.is_empty() {
            let help = "set `file` to the path of a CSV table (gzip is fine)";
            return Err(PluginError::configuration("read the table: none is named").with_help(help));
        }
        let bytes = unpacked(&file.bytes).map_err(|error| wrong(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        if header.iter().all(str::is_empty) {
            return Err(wrong("it is empty; the first line must name the columns".to_owned()));
        }
        if let Some(twice) =
            header.iter().find(|name| header.iter().filter(|n| n == name).count() > 1)
        {
            return Err(wrong(format!("two columns are named `{twice}`")));
        }
        let records = reader.records().collect::<Result<_, _>>();
        let records = records.map_err(|error| wrong(in_words(&error)))?;
        Ok(Self { path, header, records })
    }

    /// The path as the user wrote it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Number of rows below the header.
    pub(crate) fn n_rows(&self) -> usize {
        self.records.len()
    }

    /// The column of this name.
    ///
    /// # Errors
    /// None is named so; the message lists those that there are.
    pub(crate) fn column(&self, name: &str) -> Result<Column, PluginError> {
        let found = self.header.iter().position(|other| other == name).map(Column);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.header.iter().collect();
            self.wrong(format!("column `{name}` is missing (there are {})", known.join(", ")))
        })
    }

    /// What follows `prefix` in the names of the columns that begin with it.
    pub(crate) fn names_with(&self, prefix: &str) -> Vec<String> {
        self.header.iter().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect()
    }

    /// Refuses another number of rows.
    ///
    /// # Errors
    /// How many there are and how many there should be.
    pub(crate) fn expect_rows(&self, expected: usize) -> Result<(), PluginError> {
        match self.n_rows() {
            found if found == expected => Ok(()),
            found => Err(self.wrong(format!("it has {found} rows, the whole table {expected}"))),
        }
    }

    /// A cell as it is written.
    pub(crate) fn text(&self, row: usize, column: Column) -> &str {
        self.records[row].get(column.0).unwrap_or_default()
    }

    /// A cell as a number between two others, both included.
    ///
    /// # Errors
    /// No number, or one out of range.
    pub(crate) fn number(
        &self,
        row: usize,
        column: Column,
        min: f64,
        max: f64,
    ) -> Result<f64, PluginError> {
        let text = self.text(row, column);
        match text.trim().parse::<f64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            Ok(number) => {
                Err(self.cell(row, column, &format!("{number} is out of range ({min} to {max})")))
            }
            Err(_) => Err(self.cell(row, column, &format!("`{text}` is no number"))),
        }
    }

    /// A percentage as a fraction.
    ///
    /// # Errors
    /// Like [`CsvTable::number`].
    pub(crate) fn percent(&self, row: usize, column: Column) -> Result<f64, PluginError> {
        Ok(self.number(row, column, 0.0, 100.0)? / 100.0)
    }

    /// The line of a row in the file, from 1.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.records[row].position().map_or(0, csv::Position::line)
    }

    /// An error about one cell.
    pub(crate) fn cell(&self, row: usize, column: Column, what: &str) -> PluginError {
        let name = self.header.get(column.0).unwrap_or_default();
        self.wrong(format!("line {}, column `{name}`: {what}", self.line(row)))
    }

    /// An error about the table.
    pub(crate) fn wrong(&self, what: String) -> PluginError {
        PluginError::configuration(format!("read `{}`: {what}", self.path))
    }
}

/// A mistake in the form of the file, with its line.
fn in_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos: Some(position), expected_len, len } => {
            let line = position.line();
            format!("line {line} has {len} cells, the header {expected_len}")
        }
        _ => error.to_string(),
    }
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes.to_vec());
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes).take(MAX_BYTES + 1).read_to_end(&mut unpacked)?;
    match unpacked.len() as u64 > MAX_BYTES {
        true => Err(std::io::Error::other(format!("unpacked it has more than {MAX_BYTES} bytes"))),
        false => Ok(unpacked),
    }
}
