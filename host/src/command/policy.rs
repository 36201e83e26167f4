//! `nas policy`: what policies would have done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Subcommand as Derive;
use nas_core::launch::{RunFolder, replay_policies};
use nas_core::search::Objection;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::{Action, QuestionKind};
use serde_json::{Value, json};

use crate::arguments::RunsFolder;
use crate::components;
use crate::configuration;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::output::number;
use crate::output::progress::action;
use crate::output::table::{Align, Table};
use crate::report::{Page, RunView};

/// What can be done.
#[derive(Derive)]
pub(crate) enum Subcommand {
    /// Show what the policies of a file would have done in a run, from its journal; nothing is
    /// trained
    Replay {
        /// The run: its folder, its name, the beginning of its name, or `last`
        run: String,
        #[command(flatten)]
        runs: RunsFolder,
        /// A file (TOML) with tables `[[policy]]`; a configuration, or an organisation's policy
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Print every objection as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Asks policies about a run that is over.
pub(crate) fn run(subcommand: &Subcommand) -> Result<ExitCode, HostError> {
    let Subcommand::Replay { run, runs, policy, json } = subcommand;
    let view = RunView::read(RunFolder::open(run, &runs.runs)?)?;
    let name = view.folder.name();
    let Some(settings) = &view.settings else {
        let message = format!("the settings of `{name}` can't be read by this version");
        return Err(HostError::Usage { message });
    };
    let registry = components::registry()?;
    let configuration = configuration::with_policies_of(policy, settings, &registry)?;
    let objections =
        replay_policies(&view.folder, &configuration.settings, &registry, configuration.folder())?;
    if *json {
        output::data(format!("{:#}", as_json(&objections)));
        return Ok(ExitCode::Success);
    }
    let mut page = Page::default();
    page.line(format!("The policies of {} in {name}:", policy.display()));
    page.line("");
    if objections.is_empty() {
        page.line("None of them would have objected to anything.");
    } else {
        page.line(table(&objections));
        page.line("");
        consequences(&objections, &view, &mut page);
    }
    output::data(page);
    Ok(ExitCode::Success)
}

/// One row for each kind of objection.
fn table(objections: &[Objection]) -> Table {
    type Kind<'a> = (&'a str, QuestionKind, &'static str, &'a str, bool);
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let mut met: BTreeMap<usize, (u64, &Objection)> = BTreeMap::new();
    for one in objections {
        let verdict = &one.verdict;
        let word = action(&verdict.action);
        let kind = (one.policy.as_str(), one.question, word, verdict.code.as_str(), one.enforced);
        let place = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        });
        met.entry(place).or_insert((0, one)).0 += 1;
    }
    let mut table = Table::new(&[
        ("policy", Align::Left),
        ("asked", Align::Left),
        ("verdict", Align::Left),
        ("code", Align::Left),
        ("times", Align::Right),
        ("first at", Align::Left),
        ("first reason", Align::Left),
    ]);
    for (place, (times, first)) in met {
        let (policy, question, word, code, enforced) = kinds[place];
        let observed = if enforced { "" } else { " (observed only)" };
        let about = match first.trial {
            Some(trial) => format!("trial {trial}"),
            None => format!("event {}", first.seq),
        };
        table.row([
            policy.to_owned(),
            format!("{question:?}").to_lowercase(),
            format!("{word}{observed}"),
            code.to_owned(),
            times.to_string(),
            about,
            first.verdict.reason.clone(),
        ]);
    }
    table
}

/// How the run would have gone another way.
fn consequences(objections: &[Objection], view: &RunView, page: &mut Page) {
    let obeyed = || objections.iter().filter(|one| one.enforced);
    let refused: BTreeSet<TrialId> = obeyed()
        .filter(|one| matches!(one.question, QuestionKind::Candidate | QuestionKind::Review))
        .filter(|one| one.verdict.action.severity() >= Action::RejectCandidate.severity())
        .filter_map(|one| one.trial)
        .collect();
    if !refused.is_empty() {
        let (n, of) = (refused.len(), view.history.proposed());
        page.line(format!("{n} of {of} trials would have been refused."));
    }
    if let Some(champion) = view.champion() {
        let as_champion = obeyed().any(|one| {
            one.question == QuestionKind::Champion
                && one.verdict.action.severity() >= Action::RejectCandidate.severity()
        });
        if as_champion || refused.contains(&champion) {
            page.line(format!("The run's best trial, {champion}, is among what they refuse."));
        }
    }
    match obeyed().find(|one| ends_the_run(one)) {
        None => page.line("None of them would have ended the run before it ended."),
        Some(first) => {
            let (policy, code, seq) = (&first.policy, &first.verdict.code, first.seq);
            let spent = first.spent;
            page.line(format!(
                "Policy {policy} ({code}) would have ended the run at event {seq}, after {} trials, {} \
                 of wall time and {} of processors. What is listed from there on is what they say \
                 of the run as it went on.",
                spent.trials,
                number::seconds(spent.wall_seconds),
                number::seconds(spent.cpu_seconds)
            ));
        }
    }
}

/// Whether the run, or its one-shot search, would not have gone on.
fn ends_the_run(objection: &Objection) -> bool {
    let severity = objection.verdict.action.severity();
    match objection.question {
        QuestionKind::Plan | QuestionKind::Resume => severity > Action::Warn.severity(),
        QuestionKind::Champion => false,
        QuestionKind::Progress => severity >= Action::StopTrial.severity(),
        _ => severity > Action::StopTrial.severity(),
    }
}

fn as_json(objections: &[Objection]) -> Value {
    let one = |one: &Objection| {
        json!({
            "seq": one.seq,
            "policy": one.policy,
            "question": one.question,
            "trial": one.trial,
            "verdict": one.verdict,
            "enforced": one.enforced,
            "spent": one.spent,
        })
    };
    Value::Array(objections.iter().map(one).collect())
}
