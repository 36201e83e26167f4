//! Published results, to be put beside our own.

use std::path::Path;

use crate::error::HostError;

/// A published result on one data set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Published {
    /// The benchmark and the method.
    pub(crate) method: String,
    /// What it might spend, as the source says.
    pub(crate) budget: String,
    /// Validation accuracy, as written.
    pub(crate) validation: String,
    /// Test accuracy, as written.
    pub(crate) test: String,
    /// Whether the numbers were read in their source (`yes`, `partly`, `no`).
    pub(crate) verified: String,
}

/// The columns of a file of published results that do not belong to a data set.
const COLUMNS: [&str; 4] = ["benchmark", "method", "budget", "verified"];

/// Reads the results of a benchmark and a data set from a CSV file. Its columns are `benchmark`, `method`, `budget`,
/// `verified`, and `PREFIX_valid` and `PREFIX_test` for each data set.
///
/// # Errors
/// A file that can't be read, or that lacks one of these columns.
pub(crate) fn read_published(
    path: &Path,
    of_benchmark: &str,
    dataset: &str,
) -> Result<Vec<Published>, HostError> {
    let wrong = |what: String| HostError::Usage { message: format!("{}: {what}", path.display()) };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let place = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| wrong(format!("column `{name}` is missing")))
    };
    let prefix = prefix(dataset);
    let [benchmark, method, budget, verified] = COLUMNS.map(place);
    let (benchmark, method, budget, verified) = (benchmark?, method?, budget?, verified?);
    let (valid, test) = (place(&format!("{prefix}_valid"))?, place(&format!("{prefix}_test"))?);
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let text = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let is_meant = names(of_benchmark).contains(&text(benchmark).as_str());
        if is_meant && !text(test).is_empty() {
            found.push(Published {
                method: format!("{} {}", text(benchmark), text(method)),
                budget: text(budget),
                validation: text(valid),
                test: text(test),
                verified: text(verified),
            });
        }
    }
    Ok(found)
}

/// What the file calls a benchmark. NATS-Bench's topology space is that of NAS-Bench-201.
fn names(benchmark: &str) -> Vec<&str> {
    match benchmark {
        "nb201" => vec!["NB201", "NATS-tss"],
        "nas-bench-macro" => vec!["NB-Macro"],
        other => vec![other],
    }
}

/// What the columns of a data set begin with: its own name, but for the images of these benchmarks.
fn prefix(dataset: &str) -> &str {
    match dataset {
        "cifar10" | "" => "c10",
        "cifar100" => "c100",
        "imagenet16-120" => "in16",
        other => other,
    }
}
