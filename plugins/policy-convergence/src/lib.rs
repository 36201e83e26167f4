//! `convergence`: ends a search that has found what it was looking for.
//!
//! Judged once a generation (or an epoch of a one-shot search): when more than `after` of them are
//! over and the best fitness so far is above `threshold`, there is nothing left to search for. A
//! score that good may also be a mistake or a cheat, so the reason asks to look at it.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

nas_plugin_api::export_plugin! { policies: [Convergence] }

nas_plugin_api::configuration! {
    /// Settings of the convergence rule.
    pub struct ConvergenceConfig {
        /// Generations (or epochs) that pass before the rule applies.
        pub after: u32 = 10_u32,
        /// The fitness above which a search has converged.
        pub threshold: f64 = 0.99,
    }
}

/// Ends a search whose best fitness is as good as it gets.
pub struct Convergence(ConvergenceConfig);

impl Component for Convergence {
    const NAME: &'static str = "convergence";
    const SUMMARY: &'static str = "ends a search whose best fitness is as good as it gets";
    type Config = ConvergenceConfig;
    type Context = ();

    fn create(config: ConvergenceConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl SafetyPolicy for Convergence {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Progress]
    }

    fn judge(&mut self, question: &Question, _: &PolicyContext) -> Result<Verdict, PluginError> {
        let Question::Progress(progress) = question else {
            return Ok(Verdict::allow());
        };
        let ConvergenceConfig { after, threshold } = self.0;
        let best = progress.best_so_far;
        if progress.completed <= after || best <= threshold || best.is_nan() {
            return Ok(Verdict::allow());
        }
        let reason = format!(
            "the best fitness after {} {} is {best}, above {threshold}; look whether it is real",
            progress.unit, progress.completed
        );
        Ok(Verdict::new(Action::HaltRun, "converged", reason)
            .with("best", best)
            .with("threshold", threshold))
    }
}
