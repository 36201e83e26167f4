//! `runaway`: halts a search whose score rises in a way that learning does not, or that uses up what
//! no search needs.
//!
//! A score that suddenly jumps, or that can't exist at all, is more often a leak, a broken
//! measurement or a candidate that games its score than a discovery; whatever is trained on from
//! there is wasted. The rule is asked once a generation, and every few epochs of a one-shot search.

mod compute;
mod median;
mod original;
mod robust;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::names::TRAIN_SECONDS;
use nas_plugin_api::verdict::{PolicyContext, Progress, Question, QuestionKind, Verdict};

use compute::Compute;

nas_plugin_api::export_plugin! { policies: [Runaway] }

nas_plugin_api::configuration! {
    /// Settings of the runaway rule.
    pub struct RunawayConfig {
        /// How a runaway is recognised.
        pub rule: Rule = Rule::Robust,
        /// Epochs from one check of a one-shot search to the next.
        #[schemars(range(min = 1))]
        pub epochs_between_checks: u32 = 5_u32,
        /// Original rule: checks that are looked at.
        #[schemars(range(min = 2))]
        pub window: usize = 5_usize,
        /// Original rule: highest rise per check of the window.
        #[schemars(range(min = 0.0))]
        pub threshold: f64 = 0.1,
        /// Robust rule: improvements that must have been seen before one is judged.
        #[schemars(range(min = 2))]
        pub history: usize = 5_usize,
        /// Robust rule: an improvement is a jump when it is more than so many median absolute
        /// deviations above the median of those before it …
        #[schemars(range(min = 0.0))]
        pub deviations: f64 = 6.0,
        /// Robust rule: … and more than this above that median.
        #[schemars(range(min = 0.0))]
        pub smallest_jump: f64 = 0.2,
        /// Robust rule: the highest fitness that can exist, 1 for accuracies; the lowest loss that
        /// can exist, negated, where a loss is minimised; something huge where there is none.
        pub highest_possible: f64 = 1.0,
        /// Robust rule: a check's unit may cost so many times the median of those before it, once
        /// `history` are known …
        #[schemars(range(min = 1.0))]
        pub max_cost_growth: Option<f64> = 10.0,
        /// Robust rule: … if it cost at least so many seconds of processors and GPUs.
        #[schemars(range(min = 0.0))]
        pub smallest_cost_seconds: f64 = 60.0,
        /// Robust rule: proposals that may be refused or invalid for each network that is trained.
        #[schemars(range(min = 1.0))]
        pub max_refused_per_trial: Option<f64> = 100.0,
        /// Robust rule: hours of processors and GPUs that one run may use.
        #[schemars(range(min = 0.0))]
        pub max_run_hours: Option<f64> = None,
        /// Robust rule: seconds for which the networks that a candidate was made from may have been
        /// trained, along the longest line.
        #[schemars(range(min = 0.0))]
        pub max_lineage_seconds: Option<f64> = None,
    }
}

nas_plugin_api::configuration! {
    /// How a runaway is recognised.
    pub enum Rule {
        /// A jump far outside of what the improvements were so far, or an impossible fitness.
        Robust,
        /// A rise of more than `threshold` per check over the last `window` checks.
        Original,
    }
}

/// Halts a search whose score rises in a way that learning does not, or that uses up what no search
/// needs.
pub struct Runaway {
    config: RunawayConfig,
    checks: Vec<Check>,
    compute: Compute,
}

/// The fitness at one check.
struct Check {
    completed: u32,
    fitness: f64,
}

impl Component for Runaway {
    const NAME: &'static str = "runaway";
    const SUMMARY: &'static str =
        "halts a search whose score rises in a way that learning does not";
    type Config = RunawayConfig;
    type Context = ();

    fn create(config: RunawayConfig, (): ()) -> Result<Self, PluginError> {
        match config.window < 2 || config.history < 2 || config.epochs_between_checks == 0 {
            true => Err(PluginError::configuration(
                "look for a runaway: window and history need at least 2, \
                 epochs_between_checks at least 1",
            )),
            false => Ok(Self { config, checks: Vec::new(), compute: Compute::default() }),
        }
    }
}

impl SafetyPolicy for Runaway {
    fn answers(&self) -> Vec<QuestionKind> {
        use QuestionKind::{Candidate, Progress, Review};
        match self.config.rule {
            Rule::Original => vec![Progress],
            Rule::Robust if self.follows_lineages() => vec![Candidate, Progress, Review],
            Rule::Robust => vec![Candidate, Progress],
        }
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        let is_asked = question == QuestionKind::Review && self.follows_lineages();
        if is_asked { vec![TRAIN_SECONDS.to_owned()] } else { Vec::new() }
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        Ok(match question {
            Question::Progress(progress) => self.judge_progress(progress, context),
            Question::Candidate(candidate) if self.config.rule == Rule::Robust => {
                self.compute.judge_candidate(candidate, context, &self.config)
            }
            Question::Review(review) if self.follows_lineages() => {
                self.compute.note(review);
                Verdict::allow()
            }
            _ => Verdict::allow(),
        })
    }
}

impl Runaway {
    fn follows_lineages(&self) -> bool {
        self.config.rule == Rule::Robust && self.config.max_lineage_seconds.is_some()
    }

    fn judge_progress(&mut self, progress: &Progress, context: &PolicyContext) -> Verdict {
        let is_robust = self.config.rule == Rule::Robust;
        if is_robust && let Some(verdict) = robust::impossible(progress.best, &self.config) {
            return verdict;
        }
        let of_score = match self.check(progress) {
            true => self.judge_checks(),
            false => Verdict::allow(),
        };
        match is_robust {
            true => of_score.stricter(self.compute.judge_progress(progress, context, &self.config)),
            false => of_score,
        }
    }

    /// Notes the fitness, if this is a check.
    fn check(&mut self, progress: &Progress) -> bool {
        let Progress { completed, best, best_so_far, .. } = *progress;
        // A search that was rolled back comes by again.
        self.checks.retain(|check| check.completed < completed);
        let one_shot = progress.unit == "epoch";
        if one_shot && completed % self.config.epochs_between_checks != 0 {
            return false;
        }
        // The best of a population includes its survivors; an epoch has no survivors. The robust
        // rule takes what was reached so far, since recovering from a bad epoch is no jump.
        let fitness = match self.config.rule {
            Rule::Original if one_shot => best,
            _ => best_so_far,
        };
        // Minus infinity: no trial has a result yet.
        let known = fitness.is_finite();
        if known {
            self.checks.push(Check { completed, fitness });
        }
        known
    }

    fn judge_checks(&self) -> Verdict {
        let fitness: Vec<f64> = self.checks.iter().map(|check| check.fitness).collect();
        match self.config.rule {
            Rule::Robust => robust::judge(&fitness, &self.config),
            Rule::Original => original::judge(&fitness, &self.config),
        }
    }
}
