//! `nb201`: the topology space of NATS-Bench, which is that of NAS-Bench-201.

use nas_plugin_api::component::{Benchmark, Component, FileField};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::template::{Options, Space};
use nas_plugin_api::trial::Fidelity;

use crate::csv_table::{Column, CsvTable};
use crate::hardware::Hardware;
use crate::zero_cost::ZeroCost;

/// Choices of the space, in the order of the digits of the column `ops`.
const EDGES: [&str; 6] = ["edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3"];
/// Operations, in the order of the digits' values.
const OPERATIONS: [&str; 5] =
    ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
/// All cells: 5 operations on 6 edges.
const CELLS: usize = 15_625;
/// The shorter training, which searches use; a run with a learning-rate schedule of its own.
const SHORT: u32 = 12;
/// The longer training, whose test accuracy papers report.
const LONG: u32 = 200;
/// Longest plausible time of an epoch or an evaluation, in seconds.
const MAX_SECONDS: f64 = 1e6;

nas_plugin_api::configuration! {
    /// Settings of the table of NAS-Bench-201.
    pub struct Nb201TableConfig {
        /// The table: CSV, plain or compressed by gzip, with the columns that the book lists.
        pub file: FileField = FileField::default(),
        /// Which images the networks were trained on.
        pub dataset: Dataset = Dataset::Cifar10,
        /// The table of HW-NAS-Bench, for latency and energy; none where empty.
        pub hardware: FileField = FileField::default(),
        /// A table of zero-cost proxies, for proposals of untrained networks; none where empty.
        pub zero_cost: FileField = FileField::default(),
    }
}

nas_plugin_api::configuration! {
    /// Which images the networks were trained on.
    pub enum Dataset {
        /// CIFAR-10; the search trains on 25,000 images and validates on the others.
        Cifar10,
        /// CIFAR-100; the search validates on half of the test images.
        Cifar100,
        /// ImageNet of 16×16 pixels in 120 classes.
        #[serde(rename = "imagenet16-120")]
        ImageNet16,
    }
}

/// Accuracy and time of training all cells of NAS-Bench-201, as NATS-Bench has them.
///
/// At 12 epochs it delivers the validation accuracy that NATS-Bench's searches see, at 200 (CIFAR-10
/// only) that of the long training. `simulated_seconds` is what the query would have cost: the
/// epochs and one validation. `holdout_accuracy` is the test accuracy after 200 epochs, the mean
/// of up to three runs, whatever was asked for. Of untrained networks it delivers zero-cost proxies
/// alone; those of CIFAR-10 serve CIFAR-100 too.
///
/// # Source
/// Dong, Yang. NAS-Bench-201, ICLR 2020; Dong, Liu, Musial, Gabrys. NATS-Bench, TPAMI 2021.
pub struct Nb201Table {
    dataset: Dataset,
    path: String,
    /// By the number that `ops` is in base 5.
    rows: Vec<Row>,
    hardware: Hardware,
    zero_cost: ZeroCost,
    /// By edge: place of its choice in genotypes, and by option the digit.
    digits: Vec<(usize, Vec<usize>)>,
}

/// Of one cell. Accuracies are fractions.
#[derive(Clone, Copy, Debug)]
struct Row {
    short_validation: f64,
    /// NaN where the table has none.
    long_validation: f64,
    test: f64,
    epoch_seconds: f64,
    validation_seconds: f64,
}

impl Component for Nb201Table {
    const NAME: &'static str = "nb201";
    const SUMMARY: &'static str = "looks networks up in a table of NAS-Bench-201";
    type Config = Nb201TableConfig;
    type Context = ();

    fn create(config: Nb201TableConfig, (): ()) -> Result<Self, PluginError> {
        let table = CsvTable::read(&config.file)?;
        let (rows, places) = read(&table, config.dataset)?;
        let hardware = match config.hardware.path.is_empty() {
            true => Hardware::default(),
            false => {
                let prefix = format!("{}_", config.dataset.prefix());
                let place = |index: usize| places.get(index).copied();
                Hardware::read(&config.hardware, &prefix, CELLS, place)?
            }
        };
        let zero_cost = match config.zero_cost.path.is_empty() {
            true => ZeroCost::default(),
            false => {
                let prefix = config.dataset.zero_cost_prefix();
                ZeroCost::read(&config.zero_cost, prefix, &places, living)?
            }
        };
        let (dataset, path) = (config.dataset, config.file.path);
        Ok(Self { dataset, path, rows, hardware, zero_cost, digits: Vec::new() })
    }
}

impl Benchmark for Nb201Table {
    fn begin(&mut self, space: &Space) -> Result<(), PluginError> {
        let other = |why: String| {
            let text = format!("look up networks of space `{}`: {why}", space.name());
            PluginError::unsupported(text).with_help("take space and operations `nb201`")
        };
        if space.n_choices() != EDGES.len() {
            return Err(other(format!("it has {} choices, not 6", space.n_choices())));
        }
        let digits = EDGES.map(|edge| {
            let choice =
                space.choice(edge).ok_or_else(|| other(format!("it has no choice `{edge}`")))?;
            let Options::Operation { candidates, .. } = &space.template().choices[choice].options
            else {
                return Err(other(format!("`{edge}` chooses no operation")));
            };
            let digit = |option: usize| match space.selection(choice, option as u16) {
                &[candidate] => {
                    let name = &candidates[candidate];
                    OPERATIONS
                        .iter()
                        .position(|known| known == name)
                        .ok_or_else(|| other(format!("the table has no operation `{name}`")))
                }
                several => Err(other(format!("`{edge}` takes {} operations", several.len()))),
            };
            let digits: Result<Vec<usize>, _> = (0..space.n_options(choice)).map(digit).collect();
            Ok((choice, digits?))
        });
        self.digits = digits.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        let own = [names::VALIDATION_ACCURACY, names::HOLDOUT_ACCURACY, names::SIMULATED_SECONDS];
        let others = self.hardware.names().iter().chain(self.zero_cost.names()).cloned();
        own.map(str::to_owned).into_iter().chain(others).collect()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        _seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        self.check_fidelity(fidelity)?;
        let [per_train, per_validation] = self.dataset.time_factors();
        let evaluate = |genotype: &Genotype| {
            let place = self.place(genotype)?;
            let row = &self.rows[place];
            let mut measurements = Measurements::default();
            self.zero_cost.measure(place, &mut measurements);
            if fidelity.is_untrained() {
                let seconds = ZeroCost::seconds(row.epoch_seconds);
                measurements.set(names::SIMULATED_SECONDS, seconds);
                return Ok(measurements);
            }
            let validation = match fidelity.epochs {
                SHORT => row.short_validation,
                _ => row.long_validation,
            };
            let seconds = f64::from(fidelity.epochs) * per_train * row.epoch_seconds
                + per_validation * row.validation_seconds;
            measurements.set(names::VALIDATION_ACCURACY, validation);
            measurements.set(names::HOLDOUT_ACCURACY, row.test);
            measurements.set(names::SIMULATED_SECONDS, seconds);
            self.hardware.measure(place, &mut measurements);
            Ok(measurements)
        };
        genotypes.iter().map(evaluate).collect()
    }
}

impl Nb201Table {
    /// Refuses what the table does not have.
    fn check_fidelity(&self, fidelity: &Fidelity) -> Result<(), PluginError> {
        if fidelity.is_untrained() && !self.zero_cost.names().is_empty() {
            return Ok(());
        }
        let has_long = self.dataset == Dataset::Cifar10;
        let is_there = match fidelity.epochs {
            SHORT => true,
            LONG => has_long,
            _ => false,
        };
        if is_there && fidelity.data_fraction == 1.0 {
            return Ok(());
        }
        let Fidelity { epochs, data_fraction } = fidelity;
        let known = if has_long { "12 or 200 epochs" } else { "12 epochs" };
        let data = self.dataset.prefix();
        let text = format!(
            "look up {epochs} epochs on {data_fraction} of the data: `{}` has {known} on all data \
             for {data}",
            self.path
        );
        Err(PluginError::unsupported(text).with_help("set `training.epochs` to 12"))
    }

    /// The row of a genotype.
    fn place(&self, genotype: &Genotype) -> Result<usize, PluginError> {
        let digit = |(choice, digits): &(usize, Vec<usize>)| {
            genotype.0.get(*choice).and_then(|&option| digits.get(usize::from(option))).copied()
        };
        let place = self.digits.iter().try_fold(0, |place, edge| Some(5 * place + digit(edge)?));
        match place {
            Some(place) if !self.digits.is_empty() => Ok(place),
            _ => Err(PluginError::internal("look up a genotype that is none of the space")),
        }
    }
}

impl Dataset {
    /// What its columns begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Cifar10 => "c10",
            Self::Cifar100 => "c100",
            Self::ImageNet16 => "in16",
        }
    }

    /// What the columns of its zero-cost proxies begin with: nobody took those of CIFAR-100, and
    /// they say little about the images.
    fn zero_cost_prefix(self) -> &'static str {
        match self {
            Self::Cifar10 | Self::Cifar100 => "c10_",
            Self::ImageNet16 => "in16_",
        }
    }

    /// How many times as long an epoch and a validation take as on CIFAR-10: of its 25,000 training
    /// images and, for the validation, of its 25,000 or 10,000 images ([`Dataset::time_column`]).
    ///
    /// # Source
    /// NATS-Bench scales one time per image: `D-X-Y/NATS-Bench`, nats_bench/api_utils.py. CIFAR-100
    /// trains on 50,000 images and validates on 5,000, ImageNet16-120 on 151,700 and 3,000.
    fn time_factors(self) -> [f64; 2] {
        match self {
            Self::Cifar10 => [1.0, 1.0],
            Self::Cifar100 => [2.0, 0.5],
            Self::ImageNet16 => [6.068, 0.3],
        }
    }

    /// The column that the time of a validation is a multiple of.
    fn time_column(self) -> &'static str {
        match self {
            Self::Cifar10 => "c10_valid_s_per_eval",
            Self::Cifar100 | Self::ImageNet16 => "c10_test_s_per_eval",
        }
    }
}

/// Nodes that each edge leads from and to.
const ENDS: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];

/// The place of the same network with `none` on every edge that no path takes from input to output.
fn living(place: usize) -> usize {
    let mut digits = [0; EDGES.len()];
    let mut rest = place;
    for digit in digits.iter_mut().rev() {
        (*digit, rest) = (rest % OPERATIONS.len(), rest / OPERATIONS.len());
    }
    let mut is_fed = [true, false, false, false];
    for (&digit, (from, to)) in digits.iter().zip(ENDS) {
        is_fed[to] |= digit != 0 && is_fed[from];
    }
    let mut is_read = [false, false, false, true];
    for (&digit, (from, to)) in digits.iter().zip(ENDS).rev() {
        is_read[from] |= digit != 0 && is_read[to];
    }
    digits.iter().zip(ENDS).fold(0, |place, (&digit, (from, to))| {
        5 * place + if is_fed[from] && is_read[to] { digit } else { 0 }
    })
}

/// Columns of one data set.
struct Columns {
    index: Column,
    ops: Column,
    short_validation: Column,
    long_validation: Option<Column>,
    test: Column,
    epoch_seconds: Column,
    validation_seconds: Column,
}

/// The rows in the order of their `ops`, and the place of each `index` among them.
fn read(table: &CsvTable, dataset: Dataset) -> Result<(Vec<Row>, Vec<usize>), PluginError> {
    let prefix = dataset.prefix();
    let of_dataset = |rest: &str| table.column(&format!("{prefix}{rest}"));
    let columns = Columns {
        index: table.column("index")?,
        ops: table.column("ops")?,
        short_validation: of_dataset("_valid_e12")?,
        long_validation: match dataset {
            Dataset::Cifar10 => Some(of_dataset("_valid_e200")?),
            _ => None,
        },
        test: of_dataset("_test_e200")?,
        epoch_seconds: table.column("c10_train_s_per_epoch")?,
        validation_seconds: table.column(dataset.time_column())?,
    };
    table.expect_rows(CELLS)?;
    let mut rows: Vec<Option<(u64, Row)>> = vec![None; CELLS];
    let mut places: Vec<Option<usize>> = vec![None; CELLS];
    for row in 0..CELLS {
        let place = place_of(table.text(row, columns.ops))
            .map_err(|what| table.cell(row, columns.ops, &what))?;
        if let Some((line, _)) = rows[place] {
            let ops = table.text(row, columns.ops);
            let what = format!("`{ops}` is there twice, first in line {line}");
            return Err(table.cell(row, columns.ops, &what));
        }
        let index = table.number(row, columns.index, 0.0, (CELLS - 1) as f64)?;
        if index.fract() != 0.0 || places[index as usize].is_some() {
            let what = format!("{index} is there twice, or no whole number");
            return Err(table.cell(row, columns.index, &what));
        }
        places[index as usize] = Some(place);
        let read = Row {
            short_validation: table.percent(row, columns.short_validation)?,
            long_validation: match columns.long_validation {
                Some(column) => table.percent(row, column)?,
                None => f64::NAN,
            },
            test: table.percent(row, columns.test)?,
            epoch_seconds: table.number(row, columns.epoch_seconds, 0.0, MAX_SECONDS)?,
            validation_seconds: table.number(row, columns.validation_seconds, 0.0, MAX_SECONDS)?,
        };
        rows[place] = Some((table.line(row), read));
    }
    // As many different rows as there are places: each place has one.
    Ok((
        rows.into_iter().flatten().map(|(_, row)| row).collect(),
        places.into_iter().flatten().collect(),
    ))
}

/// The number that six digits from 0 to 4 are in base 5.
fn place_of(ops: &str) -> Result<usize, String> {
    let digits = ops.bytes().map(|byte| usize::from(byte.wrapping_sub(b'0')));
    match ops.len() == EDGES.len() && digits.clone().all(|digit| digit < OPERATIONS.len()) {
        true => Ok(digits.fold(0, |place, digit| 5 * place + digit)),
        false => Err(format!(
            "`{ops}` is not six digits from 0 to 4 (a spreadsheet may have cut leading zeros)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ops: &str, expected: &str) {
        assert_eq!(living(place_of(ops).unwrap()), place_of(expected).unwrap());
    }

    #[test]
    fn what_no_path_takes_is_left_out() {
        check("123412", "123412");
        check("033333", "030303");
        check("300000", "000000");
        check("330300", "000300");
        check("303003", "303003");
        check("033003", "030003");
    }
}
