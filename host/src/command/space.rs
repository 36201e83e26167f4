//! `nas space`: looks at a search space without training anything.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand as Derive};
use nas_core::network::NetworkSpace;
use nas_core::plugin::Registry;
use nas_core::settings::{ComponentSettings, PolicyMode, SpaceSettings};
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::template::Options;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use serde_json::{Map, json};

use crate::components;
use crate::configuration;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::network_space::network_space;
use crate::output::table::{Align, Table};
use crate::output::{self, number};
use crate::report::Page;

/// What can be done.
#[derive(Derive)]
pub(crate) enum Subcommand {
    /// Show what can be chosen
    Show {
        #[command(flatten)]
        which: Which,
        /// Print the template as JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw random genotypes and count what their networks cost
    Sample {
        #[command(flatten)]
        which: Which,
        /// How many
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        count: u32,
        /// Seed of the draw
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Print a line of JSON for each
        #[arg(long)]
        json: bool,
    },
}

/// Which space.
#[derive(Args)]
pub(crate) struct Which {
    /// A configuration (TOML), or the name of a space
    #[arg(value_name = "CONFIG|NAME")]
    space: String,
    /// Operations for a space that is given by name; those of the same name, or `basic`
    #[arg(long, value_name = "NAME")]
    operations: Option<String>,
    /// Channels of the first stage, for a space that is given by name
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=8192))]
    channels: Option<u32>,
    /// Cells, or cells a stage, for a space that is given by name
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    cells: Option<u32>,
}

/// Shows or samples.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    match subcommand {
        Subcommand::Show { which, json } => {
            let space = which.find()?;
            match json {
                true => output::data(format!("{:#}", json!(space.space().template()))),
                false => output::data(page(&space)),
            }
        }
        Subcommand::Sample { which, count, seed, json } => {
            sample(&which.find()?, *count, *seed, *json)?;
        }
    }
    Ok(ExitCode::Success)
}

impl Which {
    fn find(&self) -> Result<NetworkSpace, HostError> {
        let registry = components::registry()?;
        let path = Path::new(&self.space);
        if path.extension().is_some_and(|extension| extension == "toml") || path.is_file() {
            let configuration = configuration::read(&PathBuf::from(path), &[], &registry)?;
            return Ok(configuration::prepare(&configuration, &registry)?.space().clone());
        }
        registry.find(ComponentKind::Space, &self.space)?;
        let operations = ComponentSettings {
            name: self.operations_name(&registry),
            mode: PolicyMode::default(),
            config: Map::new(),
        };
        let space = SpaceSettings {
            name: self.space.clone(),
            channels: self.channels.map(|number| number as usize),
            cells: self.cells.map(|number| number as usize),
            auxiliary_head: false,
            config: Map::new(),
        };
        network_space(&operations, &space, None, &registry)
    }

    fn operations_name(&self, registry: &Registry) -> String {
        let same = registry.find(ComponentKind::Operations, &self.space).is_ok();
        match (&self.operations, same) {
            (Some(name), _) => name.clone(),
            (None, true) => self.space.clone(),
            (None, false) => "basic".to_owned(),
        }
    }
}

fn page(space: &NetworkSpace) -> Page {
    let space = space.space();
    let mut page = Page::default();
    page.field("Space", space.name());
    page.field("Genotypes", number::count(space.size()));
    page.field("Choices", space.n_choices());
    page.line("");
    let columns =
        [("choice", Align::Left), ("options", Align::Right), ("what is chosen", Align::Left)];
    let mut table = Table::new(&columns).indented(2);
    for (index, choice) in space.template().choices.iter().enumerate() {
        let options = space.n_options(index).to_string();
        table.row([choice.id.clone(), options, describe(&choice.options)]);
    }
    page.line(table);
    page
}

fn describe(options: &Options) -> String {
    let numbers = |all: &[usize]| all.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let several = |min: &usize, max: &usize| match min == max {
        true => min.to_string(),
        false => format!("{min} to {max}"),
    };
    match options {
        Options::Operation { candidates, search_only, min, max } => {
            let open: Vec<&str> = (0..candidates.len())
                .filter(|position| !search_only.contains(position))
                .map(|position| candidates[position].as_str())
                .collect();
            format!("{} of {}", several(min, max), open.join(", "))
        }
        Options::Inputs { n, min, max } => format!("{} of {n} inputs", several(min, max)),
        Options::Depth { repeats } => format!("repeats: {}", numbers(repeats)),
        Options::Width { values } => format!("width: {}", numbers(values)),
        _ => "of another kind".to_owned(),
    }
}

fn sample(space: &NetworkSpace, count: u32, seed: u64, json: bool) -> Result<(), HostError> {
    let mut rng = generator(seed);
    let columns = [
        ("parameters", Align::Right),
        ("multiply-adds", Align::Right),
        ("depth", Align::Right),
        ("fingerprint", Align::Left),
        ("genotype", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for _ in 0..count {
        let genotype = random_genotype(space.space(), &mut rng)
            .map_err(|error| HostError::Usage { message: format!("failed to {error}") })?;
        let cost = space.outline(&genotype)?.cost;
        let (text, fingerprint) =
            (space.space().text(&genotype), space.space().fingerprint(&genotype));
        if json {
            output::data(json!({
                "genotype": genotype, "text": text, "fingerprint": fingerprint, "cost": cost,
            }));
        } else {
            table.row([
                number::count(cost.parameters as f64),
                number::count(cost.multiply_adds as f64),
                cost.depth.to_string(),
                fingerprint,
                text,
            ]);
        }
    }
    if !json {
        output::data(table);
    }
    Ok(())
}
