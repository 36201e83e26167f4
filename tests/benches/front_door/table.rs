//! The table that is printed, line by line as results come.

use std::io::Write;

use crate::estimate::Estimate;

/// What a line should reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    Below(f64),
    /// Stated beside the others, for comparison.
    None,
}

/// Prints lines of results.
pub(crate) struct Table {
    out: std::io::Stdout,
}

impl Table {
    pub(crate) fn begin(machine: &str) -> Self {
        let mut table = Self { out: std::io::stdout() };
        table.note(machine);
        table
    }

    pub(crate) fn section(&mut self, name: &str) {
        let (interval, goal) = ("95 % interval", "goal");
        self.note(&format!("\n{name:<58} {:>10}  {interval:^23}  {goal}", "median"));
    }

    pub(crate) fn line(&mut self, what: &str, estimate: Estimate, goal: Goal) {
        let Estimate { median, low, high } = estimate;
        let goal = match goal {
            Goal::AtLeast(wanted) => judged("at least", wanted, median >= wanted),
            Goal::Below(wanted) => judged("below", wanted, median < wanted),
            Goal::None => String::new(),
        };
        let [median, low, high] = [median, low, high].map(number);
        self.note(&format!("  {what:<56} {median:>10}  {low:>10} to {high:<9}  {goal}"));
    }

    pub(crate) fn note(&mut self, text: &str) {
        writeln!(self.out, "{}", text.trim_end()).expect("standard output is open");
    }
}

fn judged(relation: &str, wanted: f64, is_met: bool) -> String {
    format!("{relation} {wanted}: {}", if is_met { "met" } else { "MISSED" })
}

/// Three digits that count, thousands whole.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
