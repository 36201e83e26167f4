//! `runaway`: halts a search whose score rises in a way that learning does not.
//!
//! A score that suddenly jumps, or that can't exist at all, is more often a leak, a broken
//! measurement or a candidate that games its score than a discovery; whatever is trained on from
//! there is wasted. The rule is asked once a generation, and every few epochs of a one-shot search.

mod median;
mod original;
mod robust;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{PolicyContext, Progress, Question, QuestionKind, Verdict};

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

/// Halts a search whose score rises in a way that learning does not.
pub struct Runaway {
    config: RunawayConfig,
    checks: Vec<Check>,
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
            false => Ok(Self { config, checks: Vec::new() }),
        }
    }
}

impl SafetyPolicy for Runaway {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Progress]
    }

    fn judge(&mut self, question: &Question, _: &PolicyContext) -> Result<Verdict, PluginError> {
        let Question::Progress(progress) = question else {
            return Ok(Verdict::allow());
        };
        if self.config.rule == Rule::Robust
            && let Some(verdict) = robust::impossible(progress.best, &self.config)
        {
            return Ok(verdict);
        }
        Ok(if self.check(progress) { self.judge_checks() } else { Verdict::allow() })
    }
}

impl Runaway {
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
