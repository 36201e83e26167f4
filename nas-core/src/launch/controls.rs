//! Controls of a run that is over, taken from its folder.

use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::verdict::{Action, Candidate, PolicyContext, Question};

use super::anchor::check_anchored;
use super::audit::champion;
use super::start::{check_unchanged, executor, forces, within_quota};
use super::{LaunchError, Prepared, Problem, ResumeChanges, RunFolder, prepare};
use crate::budget::{Clock, Ledger, RealClock};
use crate::controls::{Controls, cut_off, planned};
use crate::journal::{Event, EventLog, Journal, Recorded};
use crate::plugin::Registry;
use crate::search::{KeepWeights, Observer, StopSignal, Training};
use crate::settings::{ControlSettings, Settings};

/// Makes the controls that are asked for and that the run does not have yet, on its best network.
///
/// # Errors
/// A run that is under way or has no best network, plugins that changed, a journal or workers that
/// fail. That the budget is spent is no error: the journal says that they were not run.
pub fn controls(
    folder: &RunFolder,
    registry: &Arc<Registry>,
    (asked, changes): (&ControlSettings, &ResumeChanges),
    observer: &mut dyn Observer,
    stop: &StopSignal,
) -> Result<(), LaunchError> {
    let unusable = |text: String| LaunchError::Settings(vec![Problem::new("", text)]);
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), Arc::clone(&clock))?;
    check_anchored(journal.reader(), folder)?;
    let history = journal.reader().history()?;
    let (Some(start), Some(champion)) = (&history.start, champion(&history)) else {
        return Err(unusable("no trial has a result that could be checked".to_owned()));
    };
    let mut settings: Settings = serde_json::from_value(history.settings.clone())
        .map_err(|error| unusable(error.to_string()))?;
    if let Some(budget) = &changes.budget {
        settings.budget = budget.clone();
    }
    check_unchanged(start, registry)?;
    let prepared = prepare(&settings, registry, &start.folder).map_err(LaunchError::Settings)?;
    if settings.benchmark.is_some() || settings.inherit.is_some() {
        return Err(unusable("controls train networks, and this run trained none".to_owned()));
    }
    let space = (prepared.space().space(), settings.seed);
    let accepts = |genotype: &Genotype| prepared.accepts(genotype);
    let genotype = &champion.proposal.genotype;
    let planned = planned(asked, genotype, &history.controls, space, accepts)
        .map_err(|error| unusable(error.to_string()))?;
    if planned.is_empty() {
        return Ok(());
    }
    let (workforce, margin) = forces(&settings);
    let ledger = Ledger::new(&settings.budget, workforce, margin, clock);
    let mut ledger = within_quota(ledger, &settings, folder)?;
    let recorded: Vec<Recorded> = journal.reader().events().collect::<Result<_, _>>()?;
    recorded.iter().for_each(|recorded| ledger.apply(&recorded.event));
    let changed = changes.budget.as_ref().and_then(|_| serde_json::to_value(&settings).ok());
    let mut events = vec![Event::ControlsBegan { settings: changed }];
    ledger.apply(&events[0]);
    events.extend(ledger.abandon_all().into_iter().map(|(id, usage)| cut_off(id, usage)));
    journal.append(&events)?;
    let fidelity = champion.proposal.details.fidelity.unwrap_or(prepared.parts.fidelity);
    let whole = (settings.training.recipe.clone(), settings.training.epochs);
    let needs = prepared.review_needs.clone();
    let work =
        Training::new(prepared.space().clone(), whole, folder.path(), KeepWeights::None, needs);
    let controls = Controls {
        ledger,
        log: &mut journal,
        executor: executor(&settings, prepared.data(), None, folder)?,
        work,
        fidelity,
        folder: folder.path(),
        observer,
        stop,
        next_number: history.controls.len() as u64,
    };
    Ok(controls.run(planned)?)
}

impl Prepared {
    /// Whether the policies let a network be built that nobody proposed.
    fn accepts(&self, genotype: &Genotype) -> bool {
        let Ok(outline) = self.space().outline(genotype) else { return false };
        let candidate = Candidate {
            genotype: genotype.clone(),
            cost: outline.cost,
            operations: outline.operations,
            ..Candidate::default()
        };
        let context =
            PolicyContext { budget: self.settings.budget.caps(), ..PolicyContext::default() };
        let verdict = self.parts.ask_policies(&Question::Candidate(candidate), &context);
        verdict.is_none_or(|(_, verdict)| verdict.action.severity() <= Action::Warn.severity())
    }
}
