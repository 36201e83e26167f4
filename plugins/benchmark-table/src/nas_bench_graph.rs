//! `nas-bench-graph`: networks on graphs, of four operations that each read an earlier node.

use std::collections::HashMap;

use nas_plugin_api::component::{Benchmark, Component, FileField, OperationInfo, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::template::{Options, Scale, Space, Template, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;

use crate::csv_table::CsvTable;
use crate::one_training::check_fidelity;

/// Nodes with an operation.
const NODES: usize = 4;
/// Operations, in the order of the digits' values.
const OPERATIONS: [&str; 9] = ["gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip"];
/// Largest plausible latency in seconds, and number of parameters in millions.
const MAX_SIZE: f64 = 1e6;

nas_plugin_api::configuration! {
    /// Settings of the table of NAS-Bench-Graph.
    pub struct GraphTableConfig {
        /// The table: CSV, plain or compressed by gzip, with the columns that the book lists.
        pub file: FileField = FileField::default(),
        /// Which graphs the networks were trained on.
        pub dataset: GraphDataset = GraphDataset::Cora,
        /// As how many epochs the table's one training counts.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 1_u32,
    }
}

nas_plugin_api::configuration! {
    /// Which graphs the networks were trained on.
    pub enum GraphDataset {
        /// Citations.
        Cora,
        /// Citations.
        Citeseer,
        /// Citations.
        Pubmed,
        /// Co-authors in computer science.
        Cs,
        /// Co-authors in physics.
        Physics,
        /// Photographic articles bought together.
        Photo,
        /// Computers bought together.
        Computers,
        /// Papers on arXiv.
        Arxiv,
        /// Proteins; a table of its own, whose columns have no prefix.
        Proteins,
    }
}

/// Validation and test accuracy of the networks of NAS-Bench-Graph.
///
/// The table has one of each set of networks that differ in the numbering of their nodes; the others
/// are found by renumbering. What is equal for other reasons than that may have no entry.
///
/// # Source
/// Qin, Zhang, Wang, Zhang, Zhu. NAS-Bench-Graph. NeurIPS 2022 (datasets and benchmarks).
pub struct GraphTable {
    config: GraphTableConfig,
    rows: HashMap<Network, Row>,
    /// By node, the places of its input and its operation in genotypes.
    choices: Vec<(usize, usize)>,
}

/// Of each node the input (0 for the graph's features, else a node from 1), and the operation.
type Network = [(u8, u8); NODES];

/// Accuracies are fractions.
#[derive(Clone, Copy, Debug)]
struct Row {
    validation: f64,
    test: f64,
    latency_seconds: f64,
    parameters: f64,
}

impl Component for GraphTable {
    const NAME: &'static str = "nas-bench-graph";
    const SUMMARY: &'static str = "looks graph networks up in the table of NAS-Bench-Graph";
    type Config = GraphTableConfig;
    type Context = ();

    fn create(mut config: GraphTableConfig, (): ()) -> Result<Self, PluginError> {
        let table = CsvTable::read(&std::mem::take(&mut config.file))?;
        config.file.path = table.path().to_owned();
        let prefix = config.dataset.prefix();
        let of_dataset = |name: &str| table.column(&format!("{prefix}{name}"));
        let (link, ops) = (table.column("link")?, table.column("ops")?);
        let (validation, test) = (of_dataset("valid")?, of_dataset("test")?);
        let (latency, parameters) = (of_dataset("latency_s")?, of_dataset("params_m")?);
        let mut rows = HashMap::with_capacity(table.n_rows());
        for row in 0..table.n_rows() {
            let links = digits(table.text(row, link), NODES)
                .filter(|links| (0..NODES).all(|node| usize::from(links[node]) <= node));
            let links = links.ok_or_else(|| {
                table.cell(row, link, "each of four digits must name an earlier node")
            })?;
            let operations = digits(table.text(row, ops), OPERATIONS.len())
                .ok_or_else(|| table.cell(row, ops, "expected four digits from 0 to 8"))?;
            let network: Network = std::array::from_fn(|node| (links[node], operations[node]));
            let read = Row {
                validation: table.number(row, validation, 0.0, 1.0)?,
                test: table.number(row, test, 0.0, 1.0)?,
                latency_seconds: table.number(row, latency, 0.0, MAX_SIZE)?,
                parameters: 1e6 * table.number(row, parameters, 0.0, MAX_SIZE)?,
            };
            if rows.insert(network, read).is_some() {
                return Err(table.cell(row, ops, "this network is there twice"));
            }
        }
        match rows.is_empty() {
            true => Err(table.wrong("it has no rows".to_owned())),
            false => Ok(Self { config, rows, choices: Vec::new() }),
        }
    }
}

impl Benchmark for GraphTable {
    fn begin(&mut self, space: &Space) -> Result<(), PluginError> {
        let choices = (1..=NODES).map(|node| {
            let input = space.choice(&input_id(node))?;
            let operation = space.choice(&operation_id(node))?;
            let is_known = match &space.template().choices[operation].options {
                Options::Operation { candidates, .. } => candidates.as_slice() == OPERATIONS,
                _ => false,
            };
            (is_known && space.n_options(input) == node).then_some((input, operation))
        });
        self.choices = choices.collect::<Option<_>>().ok_or_else(|| {
            let text = format!("look up networks of space `{}`", space.name());
            PluginError::unsupported(text).with_help("take the space `nas-bench-graph`")
        })?;
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        let own = [
            names::VALIDATION_ACCURACY,
            names::HOLDOUT_ACCURACY,
            names::LATENCY_MS,
            names::PARAMETERS,
        ];
        own.map(str::to_owned).to_vec()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        _seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        check_fidelity(&self.config.file.path, self.config.epochs, fidelity)?;
        let evaluate = |genotype: &Genotype| {
            let value = |choice: usize| genotype.0.get(choice).map_or(u8::MAX, |&v| v as u8);
            let read = |node: usize| {
                let &(input, operation) = self.choices.get(node).unwrap_or(&(usize::MAX, 0));
                (value(input), value(operation))
            };
            match self.find(std::array::from_fn(read)) {
                Some(row) => Measurements::from([
                    (names::VALIDATION_ACCURACY, row.validation),
                    (names::HOLDOUT_ACCURACY, row.test),
                    (names::LATENCY_MS, 1000.0 * row.latency_seconds),
                    (names::PARAMETERS, row.parameters),
                ]),
                None => Measurements::default(),
            }
        };
        Ok(genotypes.iter().map(evaluate).collect())
    }
}

impl GraphTable {
    /// The row of a network, or of one that differs in the numbering of its nodes.
    fn find(&self, network: Network) -> Option<&Row> {
        self.rows
            .get(&network)
            .or_else(|| orders().find_map(|order| self.rows.get(&renumbered(&network, &order)?)))
    }
}

/// A network whose node `n` (from 0) becomes node `order[n]`, if inputs still come before.
fn renumbered(network: &Network, order: &[u8; NODES]) -> Option<Network> {
    let mut result = *network;
    for (node, &(input, operation)) in network.iter().enumerate() {
        let input = match input {
            0 => 0,
            node => 1 + order.get(usize::from(node) - 1)?,
        };
        if input > order[node] {
            return None;
        }
        result[usize::from(order[node])] = (input, operation);
    }
    Some(result)
}

/// All orders of the nodes.
fn orders() -> impl Iterator<Item = [u8; NODES]> {
    let all = (0..=u8::MAX).map(|code| [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6]);
    all.filter(|order| order.iter().fold(0, |seen, node| seen | 1 << node) == 0b1111)
}

/// Four digits below `n`.
fn digits(text: &str, n: usize) -> Option<[u8; NODES]> {
    let digits: [u8; NODES] = text.as_bytes().try_into().ok()?;
    let digits = digits.map(|byte| byte.wrapping_sub(b'0'));
    digits.iter().all(|&digit| usize::from(digit) < n).then_some(digits)
}

impl GraphDataset {
    /// What its columns begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Cora => "cora_",
            Self::Citeseer => "citeseer_",
            Self::Pubmed => "pubmed_",
            Self::Cs => "cs_",
            Self::Physics => "physics_",
            Self::Photo => "photo_",
            Self::Computers => "computers_",
            Self::Arxiv => "arxiv_",
            Self::Proteins => "",
        }
    }
}

fn input_id(node: usize) -> String {
    format!("input_{node}")
}

fn operation_id(node: usize) -> String {
    format!("operation_{node}")
}

nas_plugin_api::configuration! {
    /// The space has nothing to set.
    pub struct GraphSpaceConfig {}
}

/// The choices of NAS-Bench-Graph, for `nas bench`: what can be chosen, without the networks.
#[derive(Debug)]
pub struct GraphSpace;

impl Component for GraphSpace {
    const NAME: &'static str = "nas-bench-graph";
    const SUMMARY: &'static str = "the choices of NAS-Bench-Graph, for its table alone";
    type Config = GraphSpaceConfig;
    type Context = ();

    fn create(_: GraphSpaceConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl SearchSpace for GraphSpace {
    fn template(&self, _: &[OperationInfo], _: &Scale) -> Result<Template, PluginError> {
        let mut network = TemplateBuilder::new(Self::NAME);
        let mut nodes: Vec<NodeIndex> = vec![network.input([64])];
        for node in 1..=NODES {
            let input = network.chosen_inputs(&input_id(node), &nodes, 1, 1);
            nodes.push(network.operation(&operation_id(node), &OPERATIONS, input));
        }
        let output = network.concat(&nodes[1..]);
        Ok(network.finish(output)?)
    }
}
