//! The results as a page, and as JSON.

use nas_core::bench::{Quantiles, Spread, Study, Unit};
use serde_json::{Value, json};

use super::Published;
use crate::output::table::{Align, Table};
use crate::report::Page;

/// Shares of the budget at which regret is shown.
const SHARES: [f64; 5] = [0.05, 0.1, 0.25, 0.5, 1.0];

/// What was found on one data set.
pub(crate) struct Row {
    /// The data set; empty where the benchmark has but one.
    pub(crate) dataset: String,
    /// What the searches found.
    pub(crate) study: Study,
    /// Published results on the same data set.
    pub(crate) published: Vec<Published>,
    /// With several objectives, what the first search found.
    pub(crate) front: Vec<OnFront>,
}

/// A network on a front.
pub(crate) struct OnFront {
    /// Its genotype, as text.
    pub(crate) genotype: String,
    /// Its objectives, in their order.
    pub(crate) objectives: Vec<f64>,
}

/// Everything that was found, accuracies in percent as the papers have them.
pub(crate) fn page(strategy: &str, benchmark: &str, rows: &[Row]) -> Page {
    let mut page = Page::default();
    let seeds = rows.first().map_or(0, |row| row.study.found.len());
    page.field("Strategy", format!("{strategy}, {seeds} seeds"));
    page.field("Benchmark", benchmark);
    page.line("");
    let columns = [
        ("data set", Align::Left),
        ("budget", Align::Right),
        ("evaluations", Align::Right),
        ("validation", Align::Right),
        ("test", Align::Right),
        ("95 % of the mean", Align::Right),
        ("best test", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for Row { dataset, study, .. } in rows {
        let found = &study.found;
        let evaluations = Spread::of(found.iter().map(|found| found.evaluations as f64));
        table.row([
            name(dataset),
            amount(study.budget, study.unit),
            format!("{:.1}", evaluations.mean),
            percent(&study.signal()),
            percent(&study.verdict()),
            format!("± {:.3}", 100.0 * study.verdict().half_interval()),
            format!("{:.2}", 100.0 * study.best_verdict),
        ]);
    }
    page.line(table);
    page.heading("Regret of test, in points: median (a tenth – nine tenths)");
    page.line(regrets(rows));
    for Row { dataset, published, study, .. } in rows.iter().filter(|row| !row.published.is_empty())
    {
        page.heading(&format!("Published on {}, and this", name(dataset)));
        page.line(comparison(strategy, published, study));
    }
    write_ends(rows, &mut page);
    page
}

/// Why searches ended early, and how fast all of them were.
pub(super) fn write_ends(rows: &[Row], page: &mut Page) {
    for (reason, n) in early_ends(rows) {
        page.line(format!("\n{n} searches ended before their budget was spent: {reason}"));
    }
    let evaluations: u64 = rows.iter().map(|row| row.study.evaluations()).sum();
    let seconds: f64 = rows.iter().map(|row| row.study.wall_seconds).sum();
    let threads = rows.first().map_or(1, |row| row.study.threads);
    page.line(format!(
        "\n{evaluations} evaluations in {seconds:.2} s on {threads} threads: {:.0} a second and \
         thread",
        evaluations as f64 / seconds / threads as f64
    ));
}

/// A line for each data set.
pub(crate) fn as_json(strategy: &str, benchmark: &str, row: &Row) -> Value {
    let Row { dataset, study, .. } = row;
    let spread = |spread: Spread| {
        json!({
            "mean": spread.mean, "deviation": spread.deviation,
            "half_interval": spread.half_interval(),
        })
    };
    let regret: Vec<Value> = (0..study.grid.len())
        .filter_map(|point| Some((study.grid[point], study.regret(point)?)))
        .map(|(time, Quantiles { mean, tenth, quarter, median, three_quarters, nine_tenths })| {
            json!({
                "time": time, "mean": mean, "tenth": tenth, "quarter": quarter, "median": median,
                "three_quarters": three_quarters, "nine_tenths": nine_tenths,
            })
        })
        .collect();
    let mut line = json!({
        "strategy": strategy,
        "benchmark": benchmark,
        "dataset": dataset,
        "budget": study.budget,
        "unit": match study.unit { Unit::Seconds => "seconds", Unit::Evaluations => "evaluations" },
        "seeds": study.found.len(),
        "evaluations": study.evaluations(),
        "validation": spread(study.signal()),
        "test": spread(study.verdict()),
        "best_test": study.best_verdict,
        "regret": regret,
        "ask_seconds_of_first_and_last_tenth": study.ask_seconds,
        "wall_seconds": study.wall_seconds,
        "threads": study.threads,
        "evaluations_per_second_and_thread": study.evaluations_per_second(),
    });
    if let Some(tradeoffs) = &study.tradeoffs {
        let shares: Vec<f64> = study.found.iter().map(|found| found.verdict).collect();
        line["test"] = Value::Null;
        line["objectives"] = json!(study.objectives);
        line["hypervolume_share"] = spread(study.verdict());
        line["hypervolume_share"]["median"] = json!(Quantiles::of(shares).map(|q| q.median));
        line["front_of_the_table"] = json!(tradeoffs.front().len());
        let front = row.front.iter().map(|one| json!([one.genotype, one.objectives]));
        line["front_of_the_first_search"] = front.collect();
    }
    line
}

pub(super) fn regrets(rows: &[Row]) -> Table {
    let shares = SHARES.map(|share| format!("{:.0} % of budget", 100.0 * share));
    let mut columns = vec![("data set", Align::Left)];
    columns.extend(shares.iter().map(|share| (share.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    for Row { dataset, study, .. } in rows {
        let at = |share: f64| {
            let point = (share * study.grid.len() as f64) as usize;
            study.regret(point.saturating_sub(1)).map_or_else(
                || "—".to_owned(),
                |Quantiles { median, tenth, nine_tenths, .. }| {
                    let [median, tenth, nine] = [median, tenth, nine_tenths].map(|x| 100.0 * x);
                    format!("{median:.2} ({tenth:.2} – {nine:.2})")
                },
            )
        };
        let [a, b, c, d, e] = SHARES.map(at);
        table.row([name(dataset), a, b, c, d, e]);
    }
    table
}

/// The published results and ours, in their order by test accuracy.
fn comparison(strategy: &str, published: &[Published], study: &Study) -> Table {
    let columns = [
        ("method", Align::Left),
        ("validation", Align::Right),
        ("test", Align::Right),
        ("its budget", Align::Left),
        ("verified", Align::Left),
    ];
    let (validation, test) = (percent(&study.signal()), percent(&study.verdict()));
    let own = [format!("→ {strategy}"), validation, test, String::new(), "measured".to_owned()];
    let mut lines = vec![(100.0 * study.verdict().mean, own)];
    for Published { method, budget, validation, test, verified } in published {
        let mean = test.split('±').next().and_then(|mean| mean.trim().parse().ok());
        let texts = [method, validation, test, budget, verified].map(Clone::clone);
        lines.push((mean.unwrap_or(f64::NEG_INFINITY), texts));
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut table = Table::new(&columns);
    lines.into_iter().for_each(|(_, texts)| table.row(texts));
    table
}

/// Why searches ended early, with how many did.
fn early_ends(rows: &[Row]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for reason in rows.iter().flat_map(|row| &row.study.found).filter_map(|run| run.done.as_ref()) {
        match found.iter_mut().find(|(known, _)| known == reason) {
            Some((_, n)) => *n += 1,
            None => found.push((reason.clone(), 1)),
        }
    }
    found
}

pub(super) fn name(dataset: &str) -> String {
    if dataset.is_empty() { "all".to_owned() } else { dataset.to_owned() }
}

pub(super) fn amount(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => format!("{number:.0} s"),
        Unit::Evaluations => format!("{number:.0}"),
    }
}

pub(super) fn percent(spread: &Spread) -> String {
    format!("{:.2} ± {:.2}", 100.0 * spread.mean, 100.0 * spread.deviation)
}
