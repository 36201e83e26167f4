//! `nas plugin`: which components are installed, and what can be set on them.

use clap::Subcommand as Derive;
use nas_core::plugin::{Known, Registry, Source};
use serde_json::{Value, json};

use crate::components::{self, KINDS, origin};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::output::style::{WARNING, paint};
use crate::output::table::{Align, Table};
use crate::report::Page;
use crate::schema::{Setting, settings};

/// What can be done.
#[derive(Derive)]
pub(crate) enum Subcommand {
    /// List the components of all plugins
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what can be set on a component
    Show {
        /// Its name, with its kind where several have it: `nb201`, `space:nb201`
        name: String,
        /// Print its JSON Schema and defaults
        #[arg(long)]
        json: bool,
    },
}

/// Lists or shows.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    let registry = components::registry()?;
    match subcommand {
        Subcommand::List { json: true } => {
            let all = registry.components().iter().map(as_json).collect::<Vec<_>>();
            output::data(format!("{:#}", Value::Array(all)));
        }
        Subcommand::List { json: false } => list(&registry),
        Subcommand::Show { name, json } => {
            for known in components::by_name(&registry, name)? {
                match json {
                    true => output::data(format!("{:#}", as_json(known))),
                    false => output::data(format!("{}\n", page(known))),
                }
            }
        }
    }
    Ok(ExitCode::Success)
}

fn list(registry: &Registry) {
    let columns = [
        ("kind", Align::Left),
        ("name", Align::Left),
        ("plugin", Align::Left),
        ("what it is", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for kind in KINDS {
        for known in registry.components().iter().filter(|known| known.info.kind == kind) {
            let info = &known.info;
            table.row([
                kind.name().to_owned(),
                info.name.clone(),
                origin(known),
                info.summary.clone(),
            ]);
        }
    }
    match table.is_empty() {
        true => output::note("No plugin was found; `nas doctor` shows where they are looked for."),
        false => output::data(table),
    }
    for broken in registry.broken() {
        output::note(format!("{}: failed to {}", paint(WARNING, "unusable"), broken.reason));
    }
}

fn page(known: &Known) -> Page {
    let info = &known.info;
    let mut page = Page::default();
    page.field("Name", format!("{} ({})", info.name, info.kind.name()));
    page.field("What", &info.summary);
    page.field("Plugin", origin(known));
    if let Source::Library(library) = &known.source {
        page.field("File", library.path.display());
        page.field("sha256", &library.sha256);
    }
    page.heading("Settings");
    let settings = settings(&info.schema, &info.defaults);
    match settings.is_empty() {
        true => page.line("  none"),
        false => page.line(table(&settings)),
    }
    for setting in settings.iter().filter(|setting| !setting.words.is_empty()) {
        page.heading(&setting.key);
        let mut words = Table::new(&[("", Align::Left), ("", Align::Left)]).indented(2);
        for (word, doc) in &setting.words {
            words.row([word.clone(), doc.clone()]);
        }
        page.line(words);
    }
    page
}

fn table(settings: &[Setting]) -> Table {
    let columns = [
        ("key", Align::Left),
        ("type", Align::Left),
        ("range", Align::Left),
        ("default", Align::Left),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns).indented(2);
    for setting in settings {
        let kind = if setting.words.is_empty() { setting.kind.clone() } else { "word".to_owned() };
        table.row([
            setting.key.clone(),
            kind,
            setting.range.clone(),
            setting.default.clone().unwrap_or_else(|| "—".to_owned()),
            setting.doc.clone(),
        ]);
    }
    table
}

fn as_json(known: &Known) -> Value {
    let library = match &known.source {
        Source::Library(library) => json!({
            "path": library.path, "sha256": library.sha256,
            "package": library.package, "version": library.version,
        }),
        _ => Value::Null,
    };
    json!({
        "kind": known.info.kind.name(), "name": known.info.name, "summary": known.info.summary,
        "schema": known.info.schema, "defaults": known.info.defaults, "library": library,
    })
}
