//! `nas plugin`: which components are installed, what can be set on them, and which libraries are
//! trusted.

use std::path::{Path, PathBuf};

use clap::Subcommand as Derive;
use nas_core::digest::sha256_of;
use nas_core::plugin::{Known, Places, PluginLoadError, Registry, Source, pin, unpin};
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
    /// Let components of these libraries run inside `nas`, with your rights
    Trust {
        /// The libraries; changed or built again, each is another one
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Have components of these libraries run in processes of their own, without rights
    Untrust {
        /// The libraries
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
}

/// Lists, shows, trusts or does not trust any more.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    match subcommand {
        Subcommand::List { json: true } => {
            let registry = components::registry()?;
            let all = registry.components().iter().map(|known| as_json(&registry, known));
            output::data(format!("{:#}", Value::Array(all.collect())));
        }
        Subcommand::List { json: false } => list(&*components::registry()?),
        Subcommand::Show { name, json } => {
            let registry = components::registry()?;
            for known in components::by_name(&registry, name)? {
                match json {
                    true => output::data(format!("{:#}", as_json(&registry, known))),
                    false => output::data(format!("{}\n", page(&registry, known))),
                }
            }
        }
        Subcommand::Trust { paths } => {
            for path in paths {
                let new = pin(&pins()?, &digest(path)?, &path.display().to_string())?;
                let word = if new { "trusted from now on" } else { "was trusted already" };
                output::data(format!("{} {word}", path.display()));
            }
        }
        Subcommand::Untrust { paths } => {
            for path in paths {
                let was = unpin(&pins()?, &digest(path)?)?;
                let word = if was { "not trusted any more" } else { "is not in your list" };
                output::data(format!("{} {word}", path.display()));
            }
        }
    }
    Ok(ExitCode::Success)
}

/// The user's own list of trusted libraries.
fn pins() -> Result<PathBuf, HostError> {
    Places::own_pins().ok_or_else(|| HostError::Usage {
        message: "there is no place for a list of trusted plugins: set HOME or XDG_CONFIG_HOME"
            .to_owned(),
    })
}

fn digest(path: &Path) -> Result<String, PluginLoadError> {
    sha256_of(path).map_err(|source| PluginLoadError::Read { path: path.to_owned(), source })
}

fn list(registry: &Registry) {
    let columns = [
        ("kind", Align::Left),
        ("name", Align::Left),
        ("plugin", Align::Left),
        ("runs", Align::Left),
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
                if registry.is_isolated(&known.source) { "isolated" } else { "inside" }.to_owned(),
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

fn page(registry: &Registry, known: &Known) -> Page {
    let info = &known.info;
    let mut page = Page::default();
    page.field("Name", format!("{} ({})", info.name, info.kind.name()));
    page.field("What", &info.summary);
    page.field("Plugin", origin(known));
    if let Source::Library(library) = &known.source {
        page.field("File", library.path.display());
        page.field("sha256", &library.sha256);
        let place = match registry.is_isolated(&known.source) {
            true => "in a process of its own, without rights (`nas plugin trust` changes that)",
            false => "inside `nas`, with your rights: it is trusted",
        };
        page.field("Runs", place);
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

fn as_json(registry: &Registry, known: &Known) -> Value {
    let library = match &known.source {
        Source::Library(library) => json!({
            "path": library.path, "sha256": library.sha256,
            "package": library.package, "version": library.version,
            "isolated": registry.is_isolated(&known.source),
        }),
        _ => Value::Null,
    };
    json!({
        "kind": known.info.kind.name(), "name": known.info.name, "summary": known.info.summary,
        "schema": known.info.schema, "defaults": known.info.defaults, "library": library,
    })
}
