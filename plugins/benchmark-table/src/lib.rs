//! Published benchmarks as tables: what every network of a space is worth, looked up instead of
//! trained.
//!
//! Each benchmark reads a CSV file (plain, or compressed by gzip) that its configuration names, and
//! checks every row before anything is evaluated. Percent columns become fractions. What nobody
//! may see during a search, the accuracy on test data, is delivered as `holdout_accuracy`, which
//! the core withholds from strategies.

mod csv_table;
mod hardware;
mod one_training;
mod zero_cost;

mod nas_bench_graph;
mod nas_bench_macro;
mod nb201;

pub use nas_bench_graph::{
    GraphDataset, GraphSpace, GraphSpaceConfig, GraphTable, GraphTableConfig,
};
pub use nas_bench_macro::{MacroSpace, MacroSpaceConfig, MacroTable, MacroTableConfig};
pub use nb201::{Dataset, Nb201Table, Nb201TableConfig};

nas_plugin_api::export_plugin! {
    benchmarks: [Nb201Table, MacroTable, GraphTable],
    spaces: [MacroSpace, GraphSpace],
}
