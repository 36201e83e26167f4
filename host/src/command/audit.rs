//! `nas audit`: what a run's journal has on record, and whether it is what was written.

use clap::{Args, Subcommand as Derive};
use nas_core::journal::{Anchor, AnchorFile, Journal, JournalError, Verification};
use nas_core::launch::RunFolder;
use serde_json::{Value, json};

use crate::arguments::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::{Page, on_record};

/// What can be done.
#[derive(Derive)]
pub(crate) enum Subcommand {
    /// Show what was decided in a run and why: settings, plugins, policies' objections, budget,
    /// reads of the holdout, stops
    Show {
        #[command(flatten)]
        run: Run,
        /// Show every event, proposals and results of trials too
        #[arg(long)]
        all: bool,
    },
    /// Check that the journal is what was written: name events that were changed, removed or
    /// inserted, and an end that was cut off where the anchor has the journal's head
    Verify {
        #[command(flatten)]
        run: Run,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print every event with its number, time and hash as a line of JSON
    Export {
        #[command(flatten)]
        run: Run,
    },
}

/// Which run.
#[derive(Args)]
pub(crate) struct Run {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
}

/// Shows, checks or exports.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    match subcommand {
        Subcommand::Show { run, all } => show(&run.folder()?, *all),
        Subcommand::Verify { run, json } => verify(&run.folder()?, *json),
        Subcommand::Export { run } => export(&run.folder()?),
    }
}

impl Run {
    fn folder(&self) -> Result<RunFolder, HostError> {
        Ok(RunFolder::open(&self.run, &self.runs.runs)?)
    }
}

fn show(folder: &RunFolder, all: bool) -> Result<ExitCode, HostError> {
    let mut page = Page::default();
    let mut hidden = 0_u64;
    for recorded in Journal::read_only(folder.path())?.events() {
        let recorded = recorded?;
        match on_record(&recorded, all) {
            Some(line) => page.line(line),
            None => hidden += 1,
        }
    }
    if hidden > 0 {
        page.line(format!("{hidden} events of trials are not shown; --all shows them."));
    }
    output::data(page);
    Ok(ExitCode::Success)
}

fn verify(folder: &RunFolder, json: bool) -> Result<ExitCode, HostError> {
    let journal = Journal::read_only(folder.path())?;
    let file = AnchorFile::from_environment();
    let anchors: Vec<Anchor> = match &file {
        Some(file) => journal.anchors(file)?,
        None => Vec::new(),
    };
    let found = journal.examine(&anchors)?;
    if json {
        output::data(as_json(&found, file.as_ref()));
    }
    if !found.findings.is_empty() {
        let run = folder.name();
        return Err(HostError::Tampered { run, findings: found.findings });
    }
    if let Some(error) = journal.events().find_map(Result::err) {
        return Err(error.into());
    }
    if !json {
        output::data(verdict(&found, file.as_ref()));
    }
    Ok(ExitCode::Success)
}

/// What a journal without findings is worth.
fn verdict(found: &Verification, file: Option<&AnchorFile>) -> String {
    let Verification { n_events, n_anchors, anchored, .. } = found;
    let consistent = format!("The journal is consistent: {n_events} events agree with each other");
    let Some(anchored) = anchored else {
        let place = match file {
            Some(file) => {
                format!("no copy of its head is in the anchor `{}`", file.path().display())
            }
            None => "no anchor is named (NAS_ANCHOR)".to_owned(),
        };
        return format!(
            "{consistent}. This does not show that nobody changed it: {place}, so an end that was \
             cut off, or a chain that was written anew as a whole, would not be seen."
        );
    };
    let copies = if *n_anchors == 1 { "1 copy" } else { "the copies" };
    let of = if *n_anchors == 1 { "" } else { ", the last one" };
    let place = file.map(|file| file.path().display().to_string()).unwrap_or_default();
    let after = match found.head.seq - anchored {
        0 => String::new(),
        n => format!(" The last {n} events came after that; nothing shows whether more are gone."),
    };
    format!(
        "{consistent}, and with {copies} of its head in the anchor `{place}`{of} of event \
         {anchored}.{after} This is worth as much as the anchor: whoever can rewrite both could \
         have changed both."
    )
}

fn as_json(found: &Verification, file: Option<&AnchorFile>) -> Value {
    let findings: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
    json!({
        "consistent": found.findings.is_empty(),
        "events": found.n_events,
        "head": { "seq": found.head.seq, "hash": found.head.hash.to_string() },
        "anchor": file.map(|file| file.path().display().to_string()),
        "anchors": found.n_anchors,
        "anchored": found.anchored,
        "findings": findings,
    })
}

/// The events' own text stays as it is: the hashes cover it to the byte.
fn export(folder: &RunFolder) -> Result<ExitCode, HostError> {
    for entry in Journal::read_only(folder.path())?.entries() {
        let entry = entry.map_err(|error: JournalError| HostError::from(error))?;
        output::data(format!(
            r#"{{"seq":{},"time_ms":{},"hash":"{}","event":{}}}"#,
            entry.seq, entry.time_ms, entry.hash, entry.body
        ));
    }
    Ok(ExitCode::Success)
}
