//! `nas reference`: pages of the book that are generated from the code. The book's test compares
//! them, so they can't fall behind.

use clap::{CommandFactory, Subcommand as Derive};
use nas_core::plugin::Known;
use serde_json::Value;

use crate::cli::Cli;
use crate::components::{self, KINDS, origin};
use crate::configuration::settings_schema;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::schema::{Setting, settings};

/// Which page.
#[derive(Derive)]
pub(crate) enum Subcommand {
    /// Every setting, of the framework and of the installed components
    Configuration,
    /// Every command with its options
    Commands,
    /// The exit codes
    ExitCodes,
}

/// Prints a page as Markdown.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    output::data(match subcommand {
        Subcommand::Configuration => configuration()?,
        Subcommand::Commands => commands(),
        Subcommand::ExitCodes => exit_codes(),
    });
    Ok(ExitCode::Success)
}

fn configuration() -> Result<String, HostError> {
    let registry = components::registry()?;
    let mut all = settings(&settings_schema(), &Value::Null);
    // The section on policies has these.
    all.retain(|setting| setting.key != "policy" && !setting.key.ends_with(".mode"));
    let mut page = String::from(
        "# Configuration\n\n\
         A configuration is a TOML file. Unknown keys are refused; what is left out has the default \
         shown here. `nas search --set KEY=VALUE` sets one key on the command line.\n",
    );
    let top: Vec<&Setting> = all.iter().filter(|one| !one.key.contains('.')).collect();
    page.push_str(&format!("\n## Top level\n\n{}", markdown("", &top)));
    let tables = [
        "operations",
        "space",
        "strategy",
        "warm_start",
        "fitness",
        "data",
        "benchmark",
        "supernet",
        "inherit",
        "training",
        "budget",
        "quota",
        "execution",
        "stop",
    ];
    for table in tables {
        let prefix = format!("{table}.");
        let own: Vec<&Setting> = all.iter().filter(|one| one.key.starts_with(&prefix)).collect();
        page.push_str(&format!("\n## `[{table}]`\n\n{}", markdown(&prefix, &own)));
    }
    page.push_str(
        "\n## `[[policy]]`\n\nMay be given several times. Beside `name` and `mode` (`\"enforce\"`, or \
         `\"observe\"` to write down only what it would have done), each has the settings of its \
         component.\n\n# Components\n\nThe components of this project's plugins; their settings \
         stand in the table that names them.\n",
    );
    for kind in KINDS {
        let of_kind = registry.components().iter().filter(|known| known.info.kind == kind);
        of_kind.for_each(|known| page.push_str(&component(known)));
    }
    Ok(page.trim_end().to_owned())
}

fn component(known: &Known) -> String {
    let info = &known.info;
    let own = settings(&info.schema, &info.defaults);
    let table = match own.is_empty() {
        true => "It has no settings.\n".to_owned(),
        false => markdown("", &own.iter().collect::<Vec<_>>()),
    };
    let package = origin(known);
    let package = package.split(' ').next().unwrap_or_default();
    format!(
        "\n## {} `{}`\n\n{}{} (`{package}`).\n\n{table}",
        capital(info.kind.name()),
        info.name,
        info.summary[..1].to_uppercase(),
        &info.summary[1..],
    )
}

fn markdown(prefix: &str, settings: &[&Setting]) -> String {
    let mut table = String::from("| Key | What it is | Type | Default |\n|---|---|---|---|\n");
    for setting in settings {
        let range =
            if setting.range.is_empty() { String::new() } else { format!(", {}", setting.range) };
        let default = match (&setting.default, setting.required) {
            (Some(default), _) => format!("`{default}`"),
            (None, true) => "must be given".to_owned(),
            (None, false) => "—".to_owned(),
        };
        let name = setting.key.strip_prefix(prefix).unwrap_or(&setting.key);
        let mut doc = setting.doc.clone();
        for (word, meaning) in &setting.words {
            doc.push_str(&format!("<br>`\"{word}\"`: {meaning}"));
        }
        let kind = &setting.kind;
        let row = format!("| `{name}` | {doc} | {kind}{range} | {default} |\n");
        table.push_str(&row);
    }
    table
}

fn commands() -> String {
    let mut page = String::from("# Commands\n");
    let mut root = Cli::command().disable_help_subcommand(true).term_width(100);
    root.build();
    describe(&mut root, &mut page);
    page.trim_end().to_owned()
}

fn describe(command: &mut clap::Command, page: &mut String) {
    let name = command.get_display_name().unwrap_or(command.get_name()).replace('-', " ");
    page.push_str(&format!(
        "\n## `{name}`\n\n```text\n{}\n```\n",
        command.render_long_help().to_string().trim_end()
    ));
    let inner: Vec<String> = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
        .map(|inner| inner.get_name().to_owned())
        .collect();
    for name in inner {
        if let Some(inner) = command.find_subcommand_mut(&name) {
            describe(inner, page);
        }
    }
}

fn exit_codes() -> String {
    let mut page = String::from("| Code | Meaning |\n|---|---|\n");
    for code in ExitCode::ALL {
        page.push_str(&format!("| {} | {} |\n", code.number(), code.meaning()));
    }
    page.trim_end().to_owned()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
