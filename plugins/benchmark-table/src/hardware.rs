//! Latency and energy of the cells of NAS-Bench-201 on devices.

use nas_plugin_api::component::FileField;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::Measurements;

use crate::csv_table::CsvTable;

/// What the table says of a device that does not support an operation of the network.
const UNSUPPORTED: f64 = -1.0;

/// Measurements of devices by row of the accuracy table.
///
/// # Source
/// Li, Yu, Fu, Zhang, Zhao, You, Yu, Wang, Lin. HW-NAS-Bench. ICLR 2021. `fpga` and `eyeriss` are
/// modelled there, the other devices measured.
#[derive(Default)]
pub(crate) struct Hardware {
    names: Vec<String>,
    /// Row by row; NaN where the device does not support the network.
    values: Vec<f64>,
}

impl Hardware {
    /// Reads the columns that begin with `prefix`; `place` gives the accuracy table's row of an
    /// `index`.
    ///
    /// # Errors
    /// Another number of rows, cells that are no numbers, an index twice or out of range.
    pub(crate) fn read(
        file: &FileField,
        prefix: &str,
        rows: usize,
        place: impl Fn(usize) -> Option<usize>,
    ) -> Result<Self, PluginError> {
        let table = CsvTable::read(file)?;
        table.expect_rows(rows)?;
        let index = table.column("index")?;
        let named = table.names_with(prefix);
        if named.is_empty() {
            return Err(table.wrong(format!("no column begins with `{prefix}`")));
        }
        let columns = named.iter().map(|name| table.column(&format!("{prefix}{name}")));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut values = vec![f64::NAN; rows * columns.len()];
        let mut seen = vec![false; rows];
        for row in 0..rows {
            let found = table.number(row, index, 0.0, (rows - 1) as f64)?;
            let place = place(found as usize)
                .filter(|_| found.fract() == 0.0)
                .ok_or_else(|| table.cell(row, index, "the other table has no such index"))?;
            if std::mem::replace(&mut seen[place], true) {
                return Err(table.cell(row, index, &format!("{found} is there twice")));
            }
            for (offset, &column) in columns.iter().enumerate() {
                let value = table.number(row, column, UNSUPPORTED, 1e12)?;
                if value < 0.0 && value != UNSUPPORTED {
                    return Err(table.cell(row, column, "neither −1 (unsupported) nor at least 0"));
                }
                let value = if value == UNSUPPORTED { f64::NAN } else { value };
                values[place * columns.len() + offset] = value;
            }
        }
        Ok(Self { names: named, values })
    }

    /// Names of the measurements: `edgegpu_latency_ms`, ….
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds those of a row; nothing where a device does not support the network.
    pub(crate) fn measure(&self, row: usize, measurements: &mut Measurements) {
        let values = self.values.chunks_exact(self.names.len().max(1)).nth(row);
        for (name, &value) in self.names.iter().zip(values.unwrap_or_default()) {
            if !value.is_nan() {
                measurements.set(name, value);
            }
        }
    }
}
