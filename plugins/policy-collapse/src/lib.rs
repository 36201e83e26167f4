//! `collapse`: stops a one-shot search that collapses to skip connections, and goes back to an epoch
//! before it did.
//!
//! As a differentiable search degenerates, the largest eigenvalue of the validation loss's Hessian in
//! the architecture weights rises, and skip connections fill the cells. Either can be watched. The
//! answer is to roll back to an earlier epoch: by default the search ends there and that epoch's
//! genotype counts; with `response = "adapt"` it goes on from there with more weight decay, which the
//! verdict's evidence carries as [`evidence::WEIGHT_DECAY_FACTOR`].
//!
//! It judges [`Question::Progress`] of searches that count epochs, and reads the signals of each
//! epoch; [`SafetyPolicy::needs`] names them, so that the core takes them.
//!
//! # Source
//! Zela et al. Understanding and robustifying differentiable architecture search. ICLR 2020 (DARTS-ES,
//! DARTS-ADA); `automl/RobustDARTS@3dec3fe`: src/utils.py `EVLocalAvg`, src/search/train_search.py.

mod eigenvalue;
mod signal;
mod skips;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{
    Action, PolicyContext, Progress, Question, QuestionKind, Verdict, evidence,
};

use crate::signal::Signal;

nas_plugin_api::export_plugin! { policies: [Collapse] }

nas_plugin_api::configuration! {
    /// Settings of the collapse guard.
    pub struct CollapseConfig {
        /// What is watched.
        pub rule: Rule = Rule::Eigenvalue,
        /// What follows when the search collapses.
        pub response: Response = Response::Stop,
        /// Signal with the largest signed eigenvalue.
        pub eigenvalue_signal: String = "hessian_eigenvalue",
        /// Epochs from one evaluation of the eigenvalue to the next, beginning with the first; what
        /// other epochs have is not looked at.
        #[schemars(range(min = 1))]
        pub epochs_between_evaluations: u32 = 2_u32,
        /// Evaluations in one mean, an odd number.
        #[schemars(range(min = 1))]
        pub window: usize = 5_usize,
        /// Evaluations between the two means that are compared.
        #[schemars(range(min = 1))]
        pub distance: usize = 4_usize,
        /// The search collapses when the mean now is more than so many times the mean before.
        #[schemars(range(min = 0.0))]
        pub ratio: f64 = 1.3,
        /// First epoch to which the search may go back, from 0; with the skip rule, first epoch that
        /// is judged.
        pub first_epoch: u32 = 10_u32,
        /// Signal with the number or share of skip connections in the present genotype.
        pub skip_signal: String = "skip_share",
        /// Most of them that are allowed: 0.25 is two of the eight edges of a DARTS cell.
        #[schemars(range(min = 0.0))]
        pub max_skips: f64 = 0.25,
        /// With `adapt`: factor of the weight decay at each collapse.
        #[schemars(range(min = 1.0))]
        pub weight_decay_factor: f64 = 10.0,
        /// With `adapt`: weight decay of the network weights at the start.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 3e-4,
        /// With `adapt`: highest weight decay, at which the search goes on whatever happens.
        #[schemars(range(min = 0.0))]
        pub max_weight_decay: f64 = 3e-2,
    }
}

nas_plugin_api::configuration! {
    /// What is watched.
    pub enum Rule {
        /// The largest eigenvalue of the Hessian, by the rule of RobustDARTS.
        Eigenvalue,
        /// The number or share of skip connections.
        Skips,
        /// Both; either is enough.
        Either,
    }
}

nas_plugin_api::configuration! {
    /// What follows when the search collapses.
    pub enum Response {
        /// The search ends with the genotype of an epoch before it collapsed (DARTS-ES).
        Stop,
        /// The search goes on from there with more weight decay (DARTS-ADA).
        Adapt,
    }
}

/// Goes back to an epoch before a one-shot search collapsed.
pub struct Collapse {
    config: CollapseConfig,
    eigenvalues: Signal,
    skips: Signal,
    /// How often weight decay was raised.
    raised: u32,
    /// Whether it was said that a signal is missing.
    warned: bool,
}

/// What a rule found.
pub(crate) struct Finding {
    /// Where the search was still sound, if it was.
    pub(crate) epoch: Option<u32>,
    pub(crate) reason: String,
    pub(crate) evidence: Vec<(&'static str, f64)>,
}

impl Component for Collapse {
    const NAME: &'static str = "collapse";
    const SUMMARY: &'static str =
        "goes back to an epoch before a one-shot search collapsed to skip connections";
    type Config = CollapseConfig;
    type Context = ();

    fn create(config: CollapseConfig, (): ()) -> Result<Self, PluginError> {
        check(&config)?;
        let eigenvalues = Signal::every(config.epochs_between_evaluations);
        let skips = Signal::every(1);
        Ok(Self { config, eigenvalues, skips, raised: 0, warned: false })
    }
}

impl SafetyPolicy for Collapse {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Progress]
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        let CollapseConfig { eigenvalue_signal, skip_signal, .. } = &self.config;
        match (question, self.config.rule) {
            (QuestionKind::Progress, Rule::Eigenvalue) => vec![eigenvalue_signal.clone()],
            (QuestionKind::Progress, Rule::Skips) => vec![skip_signal.clone()],
            (QuestionKind::Progress, Rule::Either) => {
                vec![eigenvalue_signal.clone(), skip_signal.clone()]
            }
            _ => Vec::new(),
        }
    }

    fn judge(&mut self, question: &Question, _: &PolicyContext) -> Result<Verdict, PluginError> {
        match question {
            Question::Progress(progress) if progress.unit == "epoch" && progress.completed > 0 => {
                Ok(self.judge_epoch(progress))
            }
            _ => Ok(Verdict::allow()),
        }
    }
}

impl Collapse {
    fn judge_epoch(&mut self, progress: &Progress) -> Verdict {
        let epoch = progress.completed - 1;
        let Self { config, eigenvalues, skips, .. } = self;
        let value = |name: &str| progress.signals.get(name).copied();
        let is_evaluation = eigenvalues.note(epoch, value(&config.eigenvalue_signal));
        skips.note(epoch, value(&config.skip_signal));
        let watches = |rule| config.rule == rule || config.rule == Rule::Either;
        let by_eigenvalue = || match is_evaluation && watches(Rule::Eigenvalue) {
            true => eigenvalue::judge(eigenvalues, config),
            false => None,
        };
        let by_skips = || match watches(Rule::Skips) {
            true => skips::judge(skips, epoch, config),
            false => None,
        };
        match by_eigenvalue().or_else(by_skips) {
            Some(finding) => self.respond(finding),
            None => self.warn_of_a_missing_signal(epoch),
        }
    }

    fn respond(&mut self, finding: Finding) -> Verdict {
        let Finding { epoch, reason, evidence } = finding;
        let Some(epoch) = epoch else {
            let reason = format!("{reason}, in every epoch so far");
            return with_evidence(Verdict::new(Action::HaltRun, "collapse", reason), &evidence);
        };
        let action = Action::RollBack { epoch };
        match self.config.response {
            Response::Stop => {
                let reason = format!("{reason}; epoch {epoch} was still sound");
                with_evidence(Verdict::new(action, "collapse", reason), &evidence)
            }
            Response::Adapt if self.may_raise() => {
                self.raised += 1;
                let factor = self.config.weight_decay_factor;
                let reason =
                    format!("{reason}; on from epoch {epoch} with {factor} times the weight decay");
                with_evidence(Verdict::new(action, "collapse", reason), &evidence)
                    .with(evidence::WEIGHT_DECAY_FACTOR, factor)
            }
            Response::Adapt => Verdict::allow(),
        }
    }

    /// Whether the weight decay is not yet as high as it may get.
    fn may_raise(&self) -> bool {
        let CollapseConfig { weight_decay, weight_decay_factor, max_weight_decay, .. } =
            self.config;
        let exponent = i32::try_from(self.raised).unwrap_or(i32::MAX).saturating_add(1);
        // 3e-4 · 10² is a last bit above 3e-2.
        weight_decay * weight_decay_factor.powi(exponent) <= max_weight_decay * (1.0 + 1e-9)
    }

    /// Says once that the guard sees nothing.
    fn warn_of_a_missing_signal(&mut self, epoch: u32) -> Verdict {
        let missing: Vec<String> = self
            .needs(QuestionKind::Progress)
            .into_iter()
            .filter(|name| match *name == self.config.eigenvalue_signal {
                true => self.eigenvalues.is_empty(),
                false => self.skips.is_empty(),
            })
            .collect();
        if self.warned || missing.is_empty() || epoch < self.config.first_epoch {
            return Verdict::allow();
        }
        self.warned = true;
        let reason = format!(
            "no epoch so far has the signal {}: a collapse would not be seen",
            missing.join(", ")
        );
        Verdict::new(Action::Warn, "no_signal", reason)
    }
}

fn with_evidence(verdict: Verdict, evidence: &[(&'static str, f64)]) -> Verdict {
    evidence.iter().fold(verdict, |verdict, (name, value)| verdict.with(name, *value))
}

fn check(config: &CollapseConfig) -> Result<(), PluginError> {
    if config.window.is_multiple_of(2)
        || config.distance == 0
        || config.epochs_between_evaluations == 0
    {
        return Err(PluginError::configuration(format!(
            "look for a collapse with window {}, distance {} and epochs_between_evaluations {}: an \
             odd window and at least 1 are needed",
            config.window, config.distance, config.epochs_between_evaluations
        )));
    }
    let raises = config.weight_decay_factor > 1.0 && config.weight_decay > 0.0;
    if config.response == Response::Adapt && !raises {
        return Err(PluginError::configuration(format!(
            "raise the weight decay {} by {}: it must be above 0 and its factor above 1",
            config.weight_decay, config.weight_decay_factor
        )));
    }
    Ok(())
}
