//! `nas check`: finds everything that is wrong with a configuration, and runs nothing.

use std::path::PathBuf;

use clap::Args;

use nas_core::organisation::{FoundBy, Organisation};

use crate::arguments::Overrides;
use crate::components;
use crate::configuration::{self, Override};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output::{self, number};
use crate::report::Page;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The configuration (TOML)
    config: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
}

/// Checks the configuration, makes every component and splits the data.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let registry = components::registry()?;
    let overrides: Vec<Override> =
        arguments.overrides.set.iter().map(|set| Override::set(set)).collect();
    let configuration = configuration::read(&arguments.config, &overrides, &registry)?;
    let prepared = configuration::prepare(&configuration, &registry)?;
    let (settings, space) = (prepared.settings(), prepared.space().space());
    let mut page = Page::default();
    page.line(format!("{} is ready to run.", arguments.config.display()));
    page.line("");
    let count = number::count(space.size());
    page.field(
        "Space",
        format!("{}: {} choices, {count} genotypes", space.name(), space.n_choices()),
    );
    if let Some(data) = prepared.data() {
        let images = [&data.train, &data.validation, &data.holdout].map(|split| split.images);
        let [train, validation, holdout] = images;
        page.field(
            "Data",
            format!("{train} training, {validation} validation, {holdout} holdout images"),
        );
        if data.duplicates_across_splits > 0 {
            let count = data.duplicates_across_splits;
            page.field("", format!("{count} images appear in more than one split"));
        }
    }
    if let (Some(search), Some(supernet)) = (prepared.one_shot(), &settings.supernet) {
        let order = if search.plan.second_order { ", second order" } else { "" };
        page.field(
            "Supernet",
            format!(
                "{} epochs of {} steps, batches of {}, {} paths{order}, {}",
                search.plan.epochs,
                search.steps_per_epoch,
                search.batch_size,
                search.n_paths,
                threads(supernet.threads)
            ),
        );
        page.field(
            "Then",
            format!(
                "{} derived and {} random genotypes are trained",
                supernet.derive, supernet.baseline
            ),
        );
    }
    if let Some(organisation) = prepared.organisation() {
        write_organisation(organisation, &mut page);
    }
    let training = &settings.training;
    if let Some(benchmark) = &settings.benchmark {
        let epochs = training.epochs;
        page.field("Benchmark", format!("{}, at {epochs} epochs", benchmark.name));
        output::data(page);
        return Ok(ExitCode::Success);
    }
    page.field(
        "Trial",
        format!("{} epochs, batches of {}", training.epochs, training.recipe.batch_size),
    );
    let execution = &settings.execution;
    page.field("Workers", format!("{} on {}", execution.workers, execution.device));
    output::data(page);
    Ok(ExitCode::Success)
}

/// Which organisation's policy holds, and what it adds.
fn write_organisation(organisation: &Organisation, page: &mut Page) {
    let found = match organisation.found_by {
        FoundBy::System => "the system's",
        FoundBy::Environment => "named by NAS_POLICY",
        FoundBy::Run => "named by the configuration",
    };
    page.field("Held to", format!("{}, {found}", organisation.title()));
    let signed = match &organisation.signed {
        Some(comment) => format!("signed: {comment}"),
        None => "not signed, as no trusted key is configured".to_owned(),
    };
    page.field("", format!("sha256 {}, {signed}", organisation.sha256));
    let required: Vec<&str> =
        organisation.rules.policies.iter().map(|policy| policy.name.as_str()).collect();
    if !required.is_empty() {
        page.field("", format!("requires {}", required.join(", ")));
    }
    for path in &organisation.unused {
        page.field("", format!("`{}` was named too and does not count", path.display()));
    }
}

fn threads(n: usize) -> String {
    if n == 1 { "1 thread".to_owned() } else { format!("{n} threads") }
}
