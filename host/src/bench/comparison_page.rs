//! All strategies beside each other and beside what was published, as Markdown for the book.

use std::fmt::Write;

use nas_core::bench::Unit;

use super::page::{Row, name, percent};

/// What a strategy found on each data set.
pub(crate) struct Scored {
    /// The strategy.
    pub(crate) strategy: String,
    /// Its settings that are not the defaults.
    pub(crate) settings: String,
    /// By data set.
    pub(crate) rows: Vec<Row>,
}

/// The page: results by data set, the best first, and then what deciding cost. `unfit` are strategies
/// that can't be scored on this table, with the reason.
pub(crate) fn comparison_page(
    benchmark: &str,
    scored: &[Scored],
    unfit: &[(String, String)],
) -> String {
    let mut page =
        format!("<!-- Written by `nas bench --all`; not to be edited. -->\n\n## {benchmark}\n");
    let n_datasets = scored.first().map_or(0, |one| one.rows.len());
    for dataset in 0..n_datasets {
        write_results(scored, dataset, &mut page);
    }
    write_costs(scored, &mut page);
    if !unfit.is_empty() {
        page.push_str("\nNot scored, because they do not fit this table:\n\n");
        for (strategy, reason) in unfit {
            // Writing to a string can't fail.
            let reason = without_folders(&reason.replace('\n', " "));
            let _ = writeln!(page, "- `{strategy}`: {reason}");
        }
    }
    page.truncate(page.trim_end().len());
    page
}

/// A message whose quoted paths are names of files: where a file lies is this machine's affair.
fn without_folders(message: &str) -> String {
    // Every second part is quoted.
    let short = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned(),
        _ => part.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    message.split('`').enumerate().map(short).collect::<Vec<String>>().join("`")
}

/// A line of a table, and the mean that it is sorted by.
struct Line {
    mean: f64,
    cells: Vec<String>,
}

fn write_results(scored: &[Scored], dataset: usize, page: &mut String) {
    let mut lines: Vec<Line> = Vec::new();
    for one in scored {
        let row = &one.rows[dataset];
        let (signal, verdict) = (row.study.signal(), row.study.verdict());
        lines.push(Line {
            mean: 100.0 * verdict.mean,
            cells: vec![
                one.name(),
                percent(&verdict),
                format!("± {:.3}", 100.0 * verdict.half_interval()),
                percent(&signal),
                row.study.found.len().to_string(),
            ],
        });
    }
    let Some(row) = scored.first().map(|one| &one.rows[dataset]) else { return };
    for published in &row.published {
        let mean = published.test.split('±').next().and_then(|mean| mean.trim().parse().ok());
        let source = match published.verified.as_str() {
            "yes" => String::new(),
            verified => format!(" (verified: {verified})"),
        };
        lines.push(Line {
            mean: mean.unwrap_or(f64::NEG_INFINITY),
            cells: vec![
                format!("*{}*{source}", published.method),
                published.test.clone(),
                String::new(),
                published.validation.clone(),
                format!("published; {}", published.budget),
            ],
        });
    }
    lines.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let budget = match row.study.unit {
        Unit::Seconds => format!("{:.0} s", row.study.budget),
        Unit::Evaluations => format!("{:.0} evaluations", row.study.budget),
    };
    let best = 100.0 * row.study.best_verdict;
    let _ = writeln!(page, "\n### {}, budget {budget}\n", name(&row.dataset));
    let _ = writeln!(page, "The best network of the table has a test accuracy of {best:.2}.\n");
    page.push_str("| Strategy | test | 95 % of the mean | validation | searches |\n");
    page.push_str("|---|---|---|---|---|\n");
    for Line { cells, .. } in lines {
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

fn write_costs(scored: &[Scored], page: &mut String) {
    page.push_str(
        "\n### What deciding costs\n\nThese depend on the machine. An *ask* is one call of the strategy \
         for one proposal, in the first search: in the first and in the last tenth of its asks.\n\n\
         | Strategy | ask, first tenth | ask, last tenth | evaluations a second and thread |\n\
         |---|---|---|---|\n",
    );
    for one in scored {
        let Some(row) = one.rows.first() else { continue };
        let [first, last] = row.study.ask_seconds.map(|seconds| format!("{:.1} µs", 1e6 * seconds));
        let rate = row.study.evaluations_per_second();
        let _ = writeln!(page, "| {} | {first} | {last} | {rate:.0} |", one.name());
    }
}

impl Scored {
    fn name(&self) -> String {
        match self.settings.is_empty() {
            true => format!("`{}`", self.strategy),
            false => format!("`{}`, {}", self.strategy, self.settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_files_and_no_folders() {
        let message = "read `/home/one/libx.so` and `../data/t.csv.gz` of a/b: `epochs` is 1";
        let expected = "read `libx.so` and `t.csv.gz` of a/b: `epochs` is 1";
        assert_eq!(without_folders(message), expected);
    }
}
