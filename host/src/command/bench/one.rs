//! One strategy.

use std::fs;

use super::Arguments;
use super::scorer::{Entrant, Scorer};
use crate::bench::{Panel, as_json, front_page, page, picture};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;

/// Runs its searches on every data set and shows what they found.
pub(super) fn run(strategy: &str, arguments: &Arguments) -> Result<ExitCode, HostError> {
    let scorer = Scorer::new(arguments)?;
    let entrant = Entrant { strategy, sets: &[], seeds: arguments.seeds };
    let rows = arguments
        .datasets()?
        .into_iter()
        .map(|(dataset, budget)| scorer.score(&entrant, dataset, budget))
        .collect::<Result<Vec<_>, _>>()?;
    let benchmark = &arguments.benchmark;
    match (arguments.json, arguments.minimize.is_empty()) {
        (true, _) => rows.iter().for_each(|row| output::data(as_json(strategy, benchmark, row))),
        (false, true) => output::data(page(strategy, benchmark, &rows)),
        (false, false) => output::data(front_page(strategy, benchmark, &rows)),
    }
    if let Some(path) = &arguments.svg {
        let panels: Vec<Panel<'_>> = rows
            .iter()
            .map(|row| Panel { title: row.dataset.clone(), study: &row.study })
            .collect();
        let picture = picture(&format!("{strategy} on {benchmark}"), &panels);
        fs::write(path, picture).map_err(|source| HostError::File {
            what: "write",
            path: path.clone(),
            source,
        })?;
    }
    Ok(ExitCode::Success)
}
