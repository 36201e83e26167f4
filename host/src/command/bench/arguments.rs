//! What can be given.

use std::path::PathBuf;

use clap::Args;
use nas_plugin_api::measurement::names;

use super::{all, one};
use crate::arguments::Overrides;
use crate::error::HostError;
use crate::exit_code::ExitCode;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The strategy; its settings with `--set strategy.KEY=VALUE`
    #[arg(value_name = "STRATEGY", required_unless_present = "all", conflicts_with = "all")]
    pub(super) strategy: Option<String>,
    /// Score every strategy that fits, and print a page that compares them, in Markdown
    #[arg(long, conflicts_with_all = ["minimize", "svg", "json"])]
    pub(super) all: bool,
    /// With `--all`: a strategy with other settings as well; may be given several times
    #[arg(long, value_name = "NAME KEY=VALUE …", requires = "all")]
    pub(super) also: Vec<String>,
    /// With `--all`: fewer searches of a slow strategy; may be given several times
    #[arg(long, value_name = "NAME=NUMBER", value_parser = seeds_of, requires = "all")]
    pub(super) seeds_of: Vec<(String, u32)>,
    /// The benchmark's table, a CSV file, plain or compressed by gzip
    #[arg(long, value_name = "FILE")]
    pub(super) table: PathBuf,
    /// The benchmark; its settings with `--set benchmark.KEY=VALUE`
    #[arg(long, value_name = "NAME", default_value = "nb201")]
    pub(super) benchmark: String,
    /// The search space; the one of the benchmark's name where absent
    #[arg(long, value_name = "NAME")]
    pub(super) space: Option<String>,
    /// The operations; those of the space's name, or `basic`
    #[arg(long, value_name = "NAME")]
    pub(super) operations: Option<String>,
    /// A data set of the benchmark; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) dataset: Vec<String>,
    /// Simulated seconds of each search, or evaluations where the benchmark knows no seconds; once,
    /// or once for each data set
    #[arg(long, value_name = "SECONDS")]
    pub(super) budget: Vec<f64>,
    /// Most evaluations of each search
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) evaluations: Option<u64>,
    /// How many searches
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) seeds: u32,
    /// Seed of the first search; the others follow
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Epochs after which a network is evaluated
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) epochs: u32,
    /// The measurement that a search makes large
    #[arg(long, value_name = "NAME", default_value = names::VALIDATION_ACCURACY)]
    pub(super) signal: String,
    /// A measurement to make small besides, so that a front is looked for; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) minimize: Vec<String>,
    /// The worst acceptable value of an objective; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit)]
    pub(super) limit: Vec<(String, f64)>,
    /// Searches at once; one per processor where absent
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Published results to show beside, a CSV file (the book lists its columns)
    #[arg(long, value_name = "FILE")]
    pub(super) reference: Option<PathBuf>,
    /// Write regret over time as a picture
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Print a line of JSON for each data set
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

/// Runs all searches and shows what they found.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    match &arguments.strategy {
        Some(strategy) => one::run(strategy, arguments),
        None => all::run(arguments),
    }
}

impl Arguments {
    /// The data sets, none where the benchmark has but one, with their budgets.
    pub(super) fn datasets(&self) -> Result<Vec<(Option<&String>, f64)>, HostError> {
        let datasets = match self.dataset.as_slice() {
            [] => vec![None],
            several => several.iter().map(Some).collect(),
        };
        let n = datasets.len();
        let with_budget = |(index, dataset)| Ok((dataset, self.budget(index, n)?));
        datasets.into_iter().enumerate().map(with_budget).collect()
    }

    fn budget(&self, index: usize, n: usize) -> Result<f64, HostError> {
        let usage = |message: String| Err(HostError::Usage { message });
        let budget = match self.budget.as_slice() {
            [] if self.evaluations.is_some() => f64::INFINITY,
            [] => return usage("nothing limits a search; give `--budget SECONDS`".to_owned()),
            [one] => *one,
            several if several.len() == n => several[index],
            several => {
                let found = several.len();
                return usage(format!(
                    "there are {n} data sets but {found} budgets; give one for all or one for each"
                ));
            }
        };
        match budget > 0.0 {
            true => Ok(budget),
            false => usage(format!("`--budget {budget}` allows nothing; expected more than 0")),
        }
    }
}

/// `NAME=VALUE`
fn limit(text: &str) -> Result<(String, f64), String> {
    let parts = text.split_once('=').and_then(|(name, value)| {
        Some((name.to_owned(), value.parse::<f64>().ok().filter(|value| value.is_finite())?))
    });
    parts.ok_or_else(|| "expected NAME=VALUE, the value a number".to_owned())
}

/// `NAME=NUMBER`
fn seeds_of(text: &str) -> Result<(String, u32), String> {
    let parts = text.split_once('=').and_then(|(name, number)| {
        Some((name.to_owned(), number.parse::<u32>().ok().filter(|number| *number > 0)?))
    });
    parts.ok_or_else(|| "expected NAME=NUMBER, the number at least 1".to_owned())
}
