//! `nas-bench-macro`: eight layers, one of three blocks each.

use nas_plugin_api::component::{Benchmark, Component, FileField, OperationInfo, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::template::{Options, Scale, Space, Template, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;

use crate::csv_table::CsvTable;
use crate::one_training::check_fidelity;

/// Layers of a network.
const LAYERS: usize = 8;
/// Blocks, in the order of the digits' values.
const BLOCKS: [&str; 3] = ["identity", "mb3_k3", "mb6_k5"];
/// All networks: 3 blocks in 8 layers.
const NETWORKS: usize = 6_561;
/// Columns with the test accuracy of a training.
const RUNS: [&str; 3] = ["test_acc_1", "test_acc_2", "test_acc_3"];

nas_plugin_api::configuration! {
    /// Settings of the table of NAS-Bench-Macro.
    pub struct MacroTableConfig {
        /// The table: CSV, plain or compressed by gzip, with the columns that the book lists.
        pub file: FileField = FileField::default(),
        /// As how many epochs the table's one training counts.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 1_u32,
    }
}

/// Test accuracy on CIFAR-10 of all networks of NAS-Bench-Macro.
///
/// The table has no validation accuracy, so a search sees test accuracy here: that of one of three
/// trainings, which the trial's seed chooses. `holdout_accuracy` is the mean of the three.
///
/// # Source
/// Su, Huang, Li, You, Wang, Qian, Zhang, Xu. Prioritized architecture sampling with Monte-Carlo
/// tree search. CVPR 2021, section 4.
pub struct MacroTable {
    config: MacroTableConfig,
    /// By the number that `arch` is in base 3: fractions of each training, and their mean.
    rows: Vec<([f64; 3], f64)>,
    /// By layer, the place of its choice in genotypes.
    choices: Vec<usize>,
}

impl Component for MacroTable {
    const NAME: &'static str = "nas-bench-macro";
    const SUMMARY: &'static str = "looks networks up in the table of NAS-Bench-Macro";
    type Config = MacroTableConfig;
    type Context = ();

    fn create(mut config: MacroTableConfig, (): ()) -> Result<Self, PluginError> {
        let table = CsvTable::read(&std::mem::take(&mut config.file))?;
        config.file.path = table.path().to_owned();
        let arch = table.column("arch")?;
        let mut columns = Vec::new();
        for name in RUNS {
            columns.push(table.column(name)?);
        }
        let mean = table.column("mean_acc")?;
        table.expect_rows(NETWORKS)?;
        let mut rows = vec![None; NETWORKS];
        for row in 0..NETWORKS {
            let text = table.text(row, arch);
            let place = place_of(text).map_err(|what| table.cell(row, arch, &what))?;
            let mut runs = [0.0; 3];
            for (run, &column) in runs.iter_mut().zip(&columns) {
                *run = table.percent(row, column)?;
            }
            if rows[place].replace((runs, table.percent(row, mean)?)).is_some() {
                return Err(table.cell(row, arch, &format!("`{text}` is there twice")));
            }
        }
        // As many different rows as there are places: each place has one.
        Ok(Self { config, rows: rows.into_iter().flatten().collect(), choices: Vec::new() })
    }
}

impl Benchmark for MacroTable {
    fn begin(&mut self, space: &Space) -> Result<(), PluginError> {
        let choices = (0..LAYERS).map(|layer| {
            let choice = space.choice(&layer_id(layer))?;
            let is_known = match &space.template().choices[choice].options {
                Options::Operation { candidates, .. } => candidates.as_slice() == BLOCKS,
                _ => false,
            };
            (is_known && space.n_choices() == LAYERS).then_some(choice)
        });
        self.choices = choices.collect::<Option<_>>().ok_or_else(|| {
            let text = format!("look up networks of space `{}`", space.name());
            PluginError::unsupported(text).with_help("take the space `nas-bench-macro`")
        })?;
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        [names::VALIDATION_ACCURACY, names::HOLDOUT_ACCURACY].map(str::to_owned).to_vec()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        check_fidelity(&self.config.file.path, self.config.epochs, fidelity)?;
        let evaluate = |(genotype, &seed): (&Genotype, &u64)| {
            let digit = |&choice: &usize| genotype.0.get(choice).copied().map(usize::from);
            let place = self.choices.iter().try_fold(0, |place, c| Some(3 * place + digit(c)?));
            let found = place.and_then(|place| self.rows.get(place));
            let (runs, mean) = found.ok_or_else(|| {
                PluginError::internal("look up a genotype that is none of the space")
            })?;
            Ok(Measurements::from([
                (names::VALIDATION_ACCURACY, runs[(seed % 3) as usize]),
                (names::HOLDOUT_ACCURACY, *mean),
            ]))
        };
        genotypes.iter().zip(seeds).map(evaluate).collect()
    }
}

fn layer_id(layer: usize) -> String {
    format!("layer_{layer}")
}

/// The number that eight digits from 0 to 2 are in base 3.
fn place_of(arch: &str) -> Result<usize, String> {
    let digits = arch.bytes().map(|byte| usize::from(byte.wrapping_sub(b'0')));
    match arch.len() == LAYERS && digits.clone().all(|digit| digit < BLOCKS.len()) {
        true => Ok(digits.fold(0, |place, digit| 3 * place + digit)),
        false => Err(format!("`{arch}` is not eight digits from 0 to 2")),
    }
}

nas_plugin_api::configuration! {
    /// The space has nothing to set.
    pub struct MacroSpaceConfig {}
}

/// The choices of NAS-Bench-Macro, for `nas bench`: what can be chosen, without the networks.
#[derive(Debug)]
pub struct MacroSpace;

impl Component for MacroSpace {
    const NAME: &'static str = "nas-bench-macro";
    const SUMMARY: &'static str = "the choices of NAS-Bench-Macro, for its table alone";
    type Config = MacroSpaceConfig;
    type Context = ();

    fn create(_: MacroSpaceConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl SearchSpace for MacroSpace {
    fn template(&self, _: &[OperationInfo], _: &Scale) -> Result<Template, PluginError> {
        let mut network = TemplateBuilder::new(Self::NAME);
        let image = network.input([3, 32, 32]);
        let output =
            (0..LAYERS).fold(image, |x, layer| network.operation(&layer_id(layer), &BLOCKS, x));
        Ok(network.finish(output)?)
    }
}
