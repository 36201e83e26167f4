//! What may change when a run is resumed: the budget.

use nas_core::budget::Budget;
use nas_core::launch::Problem;
use nas_core::plugin::check_config;
use nas_core::settings::Settings;
use serde_json::{Map, Value};

use super::check::placed;
use super::document::Document;
use super::fault::{Fault, Faults};
use super::overrides::{Override, apply};
use super::strict::settings_info;
use crate::error::HostError;
use crate::exit_code::ExitCode;

/// The budget of a run with what the command line changes of it.
///
/// # Errors
/// Keys outside of the budget, and what is wrong with it.
pub(crate) fn change_budget(
    settings: &Settings,
    overrides: &[Override],
) -> Result<Budget, HostError> {
    let faults: Vec<Fault> = overrides
        .iter()
        .filter(|each| !each.key().starts_with("budget."))
        .map(|each| {
            let text = "a run's settings can't change: its results would not be comparable";
            each.fault(Problem::new(each.key(), text).expecting("`budget.…`; or begin a new run"))
        })
        .collect();
    if !faults.is_empty() {
        return Err(wrong(faults));
    }
    let old = serde_json::to_value(&settings.budget).unwrap_or_default();
    let table = Map::from_iter([("budget".to_owned(), old)]);
    let mut document = Document { table, ..Document::default() };
    apply(&mut document, overrides).map_err(HostError::Configuration)?;
    let Document { table, origins } = document;
    let located = |problem| Fault::at(problem, &origins);
    if let Err(problems) = check_config(&settings_info(), &table) {
        return Err(wrong(problems.into_iter().map(|one| located(placed("", one))).collect()));
    }
    let budget = table.get("budget").cloned().unwrap_or(Value::Null);
    serde_json::from_value(budget)
        .map_err(|error| wrong(vec![located(Problem::new("budget", error.to_string()))]))
}

fn wrong(faults: Vec<Fault>) -> HostError {
    HostError::Configuration(Faults::new(faults, ExitCode::Configuration))
}
