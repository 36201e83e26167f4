//! The table of trials.

use nas_plugin_api::measurement::names;
use nas_plugin_api::trial::TrialId;

use super::RunView;
use crate::output::number;
use crate::output::table::{Align, Table};

/// A table of these trials.
pub(super) fn table(view: &RunView, trials: &[TrialId]) -> Table {
    let objective = view.objective(0);
    let columns = [
        ("trial", Align::Right),
        (objective.name.as_str(), Align::Right),
        ("train acc.", Align::Right),
        ("params", Align::Right),
        ("multiply-adds", Align::Right),
        ("CPU", Align::Right),
        ("outcome", Align::Left),
        ("genotype", Align::Left),
    ];
    let mut table = Table::new(&columns).indented(2);
    for trial in trials {
        let Some(result) = view.history.results.get(trial) else { continue };
        let number_of = |value: Option<f64>, show: fn(f64) -> String| {
            value.map_or_else(|| "—".to_owned(), show)
        };
        let usage = view.history.usage.get(trial).map(|usage| usage.cpu_seconds);
        let genotype = view.history.proposal(*trial).map(|proposal| &proposal.genotype);
        let fingerprint = genotype.and_then(|genotype| view.fingerprint(genotype));
        table.row([
            trial.to_string(),
            number_of(result.objectives.first().copied(), number::value),
            number_of(result.measurements.get(names::TRAIN_ACCURACY), number::value),
            number::count(result.cost.parameters as f64),
            number::count(result.cost.multiply_adds as f64),
            number_of(usage, number::seconds),
            result.outcome.name().replace('_', " "),
            fingerprint.unwrap_or_else(|| genotype.map(|one| view.text(one)).unwrap_or_default()),
        ]);
    }
    table
}
