//! The Pareto front of a run with several objectives.

use super::{Page, RunView};
use crate::output::number;
use crate::output::table::{Align, Table};

/// How many trials are shown.
const SHOWN: usize = 20;

/// Trials that no other one beats in every objective; nothing where there is one objective.
pub(super) fn write(view: &RunView, page: &mut Page) {
    let front = view.front();
    if view.n_objectives() < 2 || front.is_empty() {
        return;
    }
    let objectives: Vec<_> = (0..view.n_objectives()).map(|index| view.objective(index)).collect();
    page.heading(&format!(
        "Front: {} trials that no other one beats in every objective",
        front.len()
    ));
    let mut columns = vec![("trial", Align::Right)];
    columns.extend(objectives.iter().map(|objective| (objective.name.as_str(), Align::Right)));
    columns.push(("genotype", Align::Left));
    let mut table = Table::new(&columns).indented(2);
    for trial in front.iter().take(SHOWN) {
        let Some(result) = view.history.results.get(trial) else { continue };
        let mut cells = vec![trial.to_string()];
        cells.extend(result.objectives.iter().map(|value| number::value(*value)));
        let genotype = view.history.proposal(*trial).map(|proposal| &proposal.genotype);
        cells.push(genotype.map(|genotype| view.text(genotype)).unwrap_or_default());
        table.row(cells);
    }
    page.line(table);
    if front.len() > SHOWN {
        page.line(format!("  … and {} more", front.len() - SHOWN));
    }
}
