//! Zero-cost proxies of the cells of NAS-Bench-201.

use nas_plugin_api::component::FileField;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Measurements, names};

use crate::csv_table::CsvTable;

/// Columns that are read, after the prefix of their data set, and what they are called here.
const COLUMNS: [(&str, &str); 5] = [
    ("nwot", names::NASWOT),
    ("jacov", names::JACOV),
    ("synflow", names::SYNFLOW),
    ("snip", names::SNIP),
    ("grad_norm", names::GRAD_NORM),
];
/// What the table says where a proxy could not be computed.
const NOT_COMPUTED: f64 = -1e8;
/// Images of the batch that the proxies were taken from: `jacov` is at most about minus as many.
const BATCH: f64 = 64.0;
/// Training steps that take as long as all five: two passes there and three back, one of them with
/// 64-bit floats.
const STEPS: f64 = 3.0;
/// Images of the epoch whose time the table has.
const EPOCH_IMAGES: f64 = 25_000.0;

/// Proxies by row of the accuracy table.
///
/// # Source
/// Krishnakumar, White, Zela, Tu, Safari, Hutter. NAS-Bench-Suite-Zero. NeurIPS 2022.
#[derive(Default)]
pub(crate) struct ZeroCost {
    /// Empty where there is no table of proxies.
    names: Vec<String>,
    /// Row by row; NaN where a proxy was not computed.
    values: Vec<f64>,
}

impl ZeroCost {
    /// Reads the columns that begin with `prefix`. `places` has the accuracy table's row of each
    /// `index`, and `living` for each row the row of the same network without the operations that
    /// nothing reaches, which has the same proxies: the table has that one alone.
    ///
    /// # Errors
    /// A missing column, a cell that is no number, an index twice or out of range.
    pub(crate) fn read(
        file: &FileField,
        prefix: &str,
        places: &[usize],
        living: impl Fn(usize) -> usize,
    ) -> Result<Self, PluginError> {
        let table = CsvTable::read(file)?;
        let index = table.column("index")?;
        let columns = COLUMNS.map(|(name, _)| table.column(&format!("{prefix}{name}")));
        let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut rows: Vec<Option<Vec<f64>>> = vec![None; places.len()];
        for row in 0..table.n_rows() {
            let found = table.number(row, index, 0.0, (places.len() - 1) as f64)?;
            let place = places[found as usize];
            if found.fract() != 0.0 || rows[place].is_some() {
                let what = format!("{found} is there twice, or no whole number");
                return Err(table.cell(row, index, &what));
            }
            let value = |&column| match table.number(row, column, NOT_COMPUTED, f64::MAX)? {
                NOT_COMPUTED => Ok(f64::NAN),
                value => Ok(value),
            };
            rows[place] = Some(columns.iter().map(value).collect::<Result<_, PluginError>>()?);
        }
        let none = vec![f64::NAN; columns.len()];
        let values = (0..rows.len()).flat_map(|place| {
            let row = rows[place].as_ref().or(rows[living(place)].as_ref());
            row.unwrap_or(&none).iter().copied()
        });
        let values = values.collect();
        Ok(Self { names: COLUMNS.map(|(_, name)| name.to_owned()).to_vec(), values })
    }

    /// Names of the measurements.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds those of a row that were computed.
    pub(crate) fn measure(&self, row: usize, measurements: &mut Measurements) {
        let values = self.values.chunks_exact(self.names.len().max(1)).nth(row);
        for (name, &value) in self.names.iter().zip(values.unwrap_or_default()) {
            if !value.is_nan() {
                measurements.set(name, value);
            }
        }
    }

    /// How long taking them is said to take, in seconds; the table does not know. `epoch_seconds`
    /// is the time of an epoch of 25,000 images.
    pub(crate) fn seconds(epoch_seconds: f64) -> f64 {
        STEPS * BATCH / EPOCH_IMAGES * epoch_seconds
    }
}
