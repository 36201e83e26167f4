//! Every strategy that fits, for a page that compares them.

use super::Arguments;
use super::scorer::{Entrant, Scorer};
use crate::bench::{Scored, comparison_page};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;

/// Runs all searches of all strategies and prints the page.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let scorer = Scorer::new(arguments)?;
    let datasets = arguments.datasets()?;
    let mut entrants: Vec<(String, Vec<String>)> =
        scorer.strategies().into_iter().map(|name| (name, Vec::new())).collect();
    for text in &arguments.also {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        entrants.push((name, words.map(|set| format!("strategy.{set}")).collect()));
    }
    let mut scored = Vec::new();
    let mut unfit = Vec::new();
    for (strategy, sets) in &entrants {
        let few = arguments.seeds_of.iter().find(|(name, _)| name == strategy);
        let seeds = few.map_or(arguments.seeds, |(_, seeds)| *seeds);
        let entrant = Entrant { strategy, sets, seeds };
        let settings = sets.iter().map(|set| set.replace("strategy.", "")).collect::<Vec<_>>();
        let rows: Result<Vec<_>, _> = datasets
            .iter()
            .map(|(dataset, budget)| scorer.score(&entrant, *dataset, *budget))
            .collect();
        match rows {
            Ok(rows) => {
                output::note(format!("{strategy} {}: scored", settings.join(", ")));
                scored.push(Scored {
                    strategy: strategy.clone(),
                    settings: settings.join(", "),
                    rows,
                });
            }
            Err(error) => unfit.push((strategy.clone(), error.to_string())),
        }
    }
    if scored.is_empty() {
        let reasons: Vec<String> =
            unfit.iter().map(|(strategy, reason)| format!("{strategy}: {reason}")).collect();
        let message = format!("no strategy fits the table; {}", reasons.join("; "));
        return Err(HostError::Usage { message });
    }
    output::data(comparison_page(&arguments.benchmark, &scored, &unfit));
    Ok(ExitCode::Success)
}
