//! The page of searches for several objectives.

use nas_core::bench::{Quantiles, Spread};

use super::page::{Row, amount, name, percent, regrets, write_ends};
use crate::output::number;
use crate::output::table::{Align, Table};
use crate::report::Page;

/// How many networks of a front are shown.
const SHOWN: usize = 12;

/// Which share of the hypervolume was found, over time, and a front.
pub(crate) fn front_page(strategy: &str, benchmark: &str, rows: &[Row]) -> Page {
    let mut page = Page::default();
    let seeds = rows.first().map_or(0, |row| row.study.found.len());
    page.field("Strategy", format!("{strategy}, {seeds} seeds"));
    page.field("Benchmark", benchmark);
    if let Some(row) = rows.first() {
        let names: Vec<&str> = row.study.objectives.iter().map(|o| o.name.as_str()).collect();
        page.field("Objectives", names.join(", "));
    }
    page.line("");
    page.line(shares(rows));
    page.heading("Hypervolume that is missing, in percent: median (a tenth – nine tenths)");
    page.line(regrets(rows));
    for row in rows {
        page.heading(&format!("Front of the first search on {}", name(&row.dataset)));
        page.line(front(row));
        if row.front.len() > SHOWN {
            page.line(format!("  … and {} more", row.front.len() - SHOWN));
        }
    }
    write_ends(rows, &mut page);
    page
}

fn shares(rows: &[Row]) -> Table {
    let columns = [
        ("data set", Align::Left),
        ("budget", Align::Right),
        ("evaluations", Align::Right),
        ("hypervolume, %", Align::Right),
        ("95 % of the mean", Align::Right),
        ("median", Align::Right),
        ("front of the table", Align::Right),
        ("of it found", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for Row { dataset, study, .. } in rows {
        let found = &study.found;
        let evaluations = Spread::of(found.iter().map(|found| found.evaluations as f64));
        let median = Quantiles::of(found.iter().map(|found| found.verdict).collect());
        let whole = study.tradeoffs.as_ref().map(|tradeoffs| tradeoffs.front()).unwrap_or_default();
        let shared = found
            .iter()
            .map(|found| found.front.iter().filter(|place| whole.contains(place)).count() as f64);
        table.row([
            name(dataset),
            amount(study.budget, study.unit),
            format!("{:.1}", evaluations.mean),
            percent(&study.verdict()),
            format!("± {:.3}", 100.0 * study.verdict().half_interval()),
            median.map_or_else(|| "—".to_owned(), |q| format!("{:.2}", 100.0 * q.median)),
            format!("{} networks", whole.len()),
            format!("{:.1}", Spread::of(shared).mean),
        ]);
    }
    table
}

fn front(row: &Row) -> Table {
    let mut columns: Vec<(&str, Align)> =
        row.study.objectives.iter().map(|o| (o.name.as_str(), Align::Right)).collect();
    columns.push(("genotype", Align::Left));
    let mut table = Table::new(&columns).indented(2);
    for network in row.front.iter().take(SHOWN) {
        let mut cells: Vec<String> =
            network.objectives.iter().map(|value| number::value(*value)).collect();
        cells.push(network.genotype.clone());
        table.row(cells);
    }
    table
}
