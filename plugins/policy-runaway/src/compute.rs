//! What a search uses up: a generation that costs far more than those before, proposals that only
//! get refused, and too much for one run or for one lineage of networks.
//!
//! A score that rises is not the only way in which a search runs away: one whose networks grow with
//! every generation does so as well, and so does one that asks and asks without a network ever being
//! trained.

use std::collections::HashMap;

use nas_plugin_api::measurement::names::TRAIN_SECONDS;
use nas_plugin_api::trial::{Outcome, TrialId};
use nas_plugin_api::verdict::{
    Action, Candidate, PolicyContext, Progress, Review, Spending, Verdict,
};

use crate::RunawayConfig;
use crate::median::median;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// What was used so far.
#[derive(Default)]
pub(crate) struct Compute {
    /// What the checks count (`generation`, `epoch`, `trials`).
    unit: String,
    /// Processor and GPU seconds of the whole search at each check.
    at_checks: Vec<f64>,
    /// Training seconds of each network and of the longest line of those it was made from.
    of_lineages: HashMap<TrialId, f64>,
}

impl Compute {
    /// Judges what the search used up to the end of a unit.
    pub(crate) fn judge_progress(
        &mut self,
        progress: &Progress,
        context: &PolicyContext,
        config: &RunawayConfig,
    ) -> Verdict {
        if self.unit != progress.unit {
            // An epoch of a supernet and twenty trials can't be compared.
            self.unit.clone_from(&progress.unit);
            self.at_checks.clear();
        }
        self.at_checks.push(seconds(&context.spent));
        self.judge_growth(config)
            .or_else(|| judge_run(context, config))
            .unwrap_or_else(Verdict::allow)
    }

    /// The last unit cost many times what those before did.
    fn judge_growth(&self, config: &RunawayConfig) -> Option<Verdict> {
        let highest = config.max_cost_growth?;
        let costs: Vec<f64> = self.at_checks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (&last, before) = costs.split_last()?;
        let middle = median(before.to_vec());
        let is_known = before.len() >= config.history && middle > 0.0;
        let growth = last / middle;
        let is_runaway = is_known && last >= config.smallest_cost_seconds && growth > highest;
        is_runaway.then(|| {
            let unit = &self.unit;
            let reason = format!(
                "the last check's {unit} cost {last:.0} s of processors and GPUs, {growth:.1} times \
                 the median of those before, where {highest} times are allowed"
            );
            Verdict::new(Action::HaltRun, "cost_growth", reason)
                .with("cost_seconds", last)
                .with("median_seconds", middle)
                .with("growth", growth)
                .with("allowed", highest)
        })
    }

    /// Judges what proposals have come to so far, and what those cost that this one was made from.
    pub(crate) fn judge_candidate(
        &self,
        candidate: &Candidate,
        context: &PolicyContext,
        config: &RunawayConfig,
    ) -> Verdict {
        judge_refusals(context, config)
            .or_else(|| self.judge_lineage(candidate, config))
            .unwrap_or_else(Verdict::allow)
    }

    /// Refuses a network whose ancestors were trained for too long together.
    fn judge_lineage(&self, candidate: &Candidate, config: &RunawayConfig) -> Option<Verdict> {
        let highest = config.max_lineage_seconds?;
        let used = self.before(candidate);
        if used <= highest {
            return None;
        }
        let reason = format!(
            "the networks that it was made from were trained for {used:.0} s, where {highest} s are \
             allowed for one lineage"
        );
        let verdict = Verdict::new(Action::RejectCandidate, "lineage_compute", reason);
        Some(verdict.with("lineage_seconds", used).with("allowed", highest))
    }

    /// Notes how long a network was trained.
    pub(crate) fn note(&mut self, review: &Review) {
        let Review { candidate, measurements, .. } = review;
        let own = measurements.get(TRAIN_SECONDS).filter(|own| *own >= 0.0).unwrap_or(0.0);
        let all = own + self.before(candidate);
        self.of_lineages.insert(candidate.trial, all);
    }

    /// Training seconds of the longest line that leads to a candidate.
    fn before(&self, candidate: &Candidate) -> f64 {
        let of_parents = candidate.parents.iter().filter_map(|trial| self.of_lineages.get(trial));
        of_parents.copied().fold(0.0, f64::max)
    }
}

/// Most of what the strategy proposes is never trained.
fn judge_refusals(context: &PolicyContext, config: &RunawayConfig) -> Option<Verdict> {
    let highest = config.max_refused_per_trial?;
    let count = |outcome: Outcome| context.history.outcomes.get(outcome.name()).copied();
    let refused = [Outcome::Refused, Outcome::Invalid].into_iter().filter_map(count).sum::<u64>();
    let trials = context.spent.trials;
    let rate = refused as f64 / trials.max(1) as f64;
    (rate > highest).then(|| {
        let reason = format!(
            "{refused} proposals were refused or invalid while {trials} were trained, {rate:.1} for \
             each, where {highest} are allowed"
        );
        Verdict::new(Action::HaltRun, "proposal_rate", reason)
            .with("refused", refused as f64)
            .with("trials", trials as f64)
            .with("rate", rate)
            .with("allowed", highest)
    })
}

/// The whole search used more than one search may.
fn judge_run(context: &PolicyContext, config: &RunawayConfig) -> Option<Verdict> {
    let highest = config.max_run_hours?;
    let hours = seconds(&context.spent) / SECONDS_PER_HOUR;
    (hours > highest).then(|| {
        let reason = format!(
            "the search used {hours:.2} hours of processors and GPUs, where {highest} are allowed"
        );
        Verdict::new(Action::HaltRun, "run_compute", reason)
            .with("hours", hours)
            .with("allowed", highest)
    })
}

/// Processor and GPU seconds.
fn seconds(spent: &Spending) -> f64 {
    spent.cpu_seconds + spent.gpu_seconds
}
