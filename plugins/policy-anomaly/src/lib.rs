//! `anomaly`: halts a search whose results can't be, or whose trials mostly come to nothing.
//!
//! Two things are looked at. Single results (`result`): a value that is no number, an accuracy
//! outside of 0 to 1, networks that all guess the same. And how proposals end (`rates`): too many
//! failures, refusals or duplicates among the last ones. What it is not: a judge of how good a
//! network is, or how fast a search gets better (`runaway`).

mod rates;
mod result;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{PolicyContext, Question, QuestionKind, Verdict};

use rates::Rates;
use result::Guessing;

nas_plugin_api::export_plugin! { policies: [Anomaly] }

nas_plugin_api::configuration! {
    /// Settings of the anomaly rules.
    pub struct AnomalyConfig {
        /// Proposals over which rates are taken; before there are so many, no rate is judged.
        #[schemars(range(min = 5))]
        pub window: u32 = 50_u32,
        /// Highest share of failed trials among those that ended with or without a result: failed,
        /// diverged, out of memory, timed out. 1 allows all.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub max_failure_rate: f64 = 0.5,
        /// Highest share of proposals that are refused by a policy or not of the space. 1 allows
        /// all.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub max_refusal_rate: f64 = 0.9,
        /// Highest share of duplicates among proposals; above it there is a warning, since a search
        /// that is nearly done repeats itself. 1 allows all.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub max_duplicate_rate: f64 = 0.95,
        /// Networks in a row that all have the same validation accuracy (below 1), or are no better
        /// than chance, at which the search counts as stuck; 0 switches this off.
        pub stuck_trials: u32 = 10_u32,
        /// The accuracy of guessing, 1 divided by the number of classes; where it is left out, only
        /// equal accuracies count as stuck.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub chance: Option<f64> = None,
        /// How far above `chance` an accuracy still counts as guessing.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub chance_margin: f64 = 0.02,
    }
}

/// Halts a search whose results can't be, or whose trials mostly come to nothing.
pub struct Anomaly {
    config: AnomalyConfig,
    guessing: Guessing,
    rates: Rates,
}

impl Component for Anomaly {
    const NAME: &'static str = "anomaly";
    const SUMMARY: &'static str =
        "halts a search whose results can't be, or whose trials mostly come to nothing";
    type Config = AnomalyConfig;
    type Context = ();

    fn create(config: AnomalyConfig, (): ()) -> Result<Self, PluginError> {
        let shares = [
            ("max_failure_rate", config.max_failure_rate),
            ("max_refusal_rate", config.max_refusal_rate),
            ("max_duplicate_rate", config.max_duplicate_rate),
            ("chance", config.chance.unwrap_or(0.0)),
            ("chance_margin", config.chance_margin),
        ];
        if let Some((name, share)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            let text = format!("look for anomalies: {name} is {share}, not within 0 and 1");
            return Err(PluginError::configuration(text));
        }
        match config.window {
            0..=4 => Err(PluginError::configuration(
                "look for anomalies: window is below 5, too few for a rate",
            )),
            _ => Ok(Self { config, guessing: Guessing::default(), rates: Rates::default() }),
        }
    }
}

impl SafetyPolicy for Anomaly {
    fn answers(&self) -> Vec<QuestionKind> {
        use QuestionKind::{Candidate, Champion, Progress, Review};
        vec![Candidate, Review, Progress, Champion]
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        Ok(match question {
            Question::Review(review) => {
                let verdict = result::judge(review);
                verdict.stricter(self.guessing.judge(review, &self.config))
            }
            Question::Champion(review) => result::judge(review),
            Question::Progress(progress) => {
                let verdict = result::judge_progress(progress);
                verdict.stricter(self.rates.judge(&context.history, &self.config))
            }
            Question::Candidate(_) => self.rates.judge(&context.history, &self.config),
            _ => Verdict::allow(),
        })
    }
}
