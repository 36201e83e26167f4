//! `approval`: asks a person before a search grows beyond what was agreed to.
//!
//! It names thresholds and, where approvals must be signed, the key; the core runs the approval. What
//! a run has spent is judged with its progress, a network's size before it is built. Each threshold
//! is asked about once: what was approved holds for the rest of the run.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

nas_plugin_api::export_plugin! { policies: [Approval] }

nas_plugin_api::configuration! {
    /// Settings of the approval; a threshold that is left out asks for none.
    pub struct ApprovalConfig {
        /// Public key of minisign's that must have signed an approval; anybody may approve where it
        /// is left out.
        pub signer: Option<String> = None,
        /// Trials that need no approval.
        #[schemars(range(min = 1))]
        pub max_trials: Option<u64> = None,
        /// Hours of processors that need no approval.
        #[schemars(range(min = 0.0))]
        pub max_cpu_hours: Option<f64> = None,
        /// Hours of GPUs that need no approval.
        #[schemars(range(min = 0.0))]
        pub max_gpu_hours: Option<f64> = None,
        /// Kilowatt-hours that need no approval.
        #[schemars(range(min = 0.0))]
        pub max_energy_kwh: Option<f64> = None,
        /// Money that needs no approval.
        #[schemars(range(min = 0.0))]
        pub max_money: Option<f64> = None,
        /// Parameters of a network that need no approval.
        #[schemars(range(min = 1))]
        pub max_parameters: Option<u64> = None,
        /// Whether a network may leave the run's folder only with approval.
        pub export: bool = false,
    }
}

const SECONDS_PER_HOUR: f64 = 3600.0;

/// Asks a person before a search grows beyond what was agreed to.
pub struct Approval(ApprovalConfig);

/// Something that may need approval.
struct Threshold {
    /// What is to be approved.
    name: &'static str,
    found: f64,
    most: Option<f64>,
}

impl Component for Approval {
    const NAME: &'static str = "approval";
    const SUMMARY: &'static str = "asks a person before a search grows beyond what was agreed to";
    type Config = ApprovalConfig;
    type Context = ();

    fn create(config: ApprovalConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl SafetyPolicy for Approval {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Candidate, QuestionKind::Progress, QuestionKind::Export]
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let thresholds = match question {
            Question::Progress(_) => self.of_spending(context),
            Question::Candidate(candidate) => vec![Threshold {
                name: "parameters",
                found: candidate.cost.parameters as f64,
                most: self.0.max_parameters.map(|most| most as f64),
            }],
            Question::Export(_) => {
                vec![Threshold { name: "export", found: 1.0, most: self.0.export.then_some(0.0) }]
            }
            _ => Vec::new(),
        };
        let is_open = |threshold: &Threshold| {
            threshold.most.is_some_and(|most| threshold.found > most)
                && !context.is_approved(threshold.name, self.0.signer.as_deref())
        };
        let open = thresholds.into_iter().find(is_open);
        Ok(open.map_or_else(Verdict::allow, |threshold| self.ask(&threshold)))
    }
}

impl Approval {
    fn of_spending(&self, context: &PolicyContext) -> Vec<Threshold> {
        let (spent, config) = (&context.spent, &self.0);
        let threshold = |name, found, most| Threshold { name, found, most };
        let trials = config.max_trials.map(|most| most as f64);
        vec![
            threshold("trials", spent.trials as f64, trials),
            threshold("cpu_hours", spent.cpu_seconds / SECONDS_PER_HOUR, config.max_cpu_hours),
            threshold("gpu_hours", spent.gpu_seconds / SECONDS_PER_HOUR, config.max_gpu_hours),
            threshold("energy_kwh", spent.energy_kwh, config.max_energy_kwh),
            threshold("money", spent.money, config.max_money),
        ]
    }

    fn ask(&self, threshold: &Threshold) -> Verdict {
        let Threshold { name, found, most } = threshold;
        let most = most.unwrap_or(0.0);
        let reason = match *name {
            "export" => "a network may leave the run's folder only with approval".to_owned(),
            _ => format!("{found} {name} are more than the {most} that need no approval"),
        };
        let (threshold, signer) = ((*name).to_owned(), self.0.signer.clone());
        let action = Action::PauseForApproval { threshold, signer };
        Verdict::new(action, &format!("approval_of_{name}"), reason)
            .with(name, *found)
            .with("needs_no_approval", most)
    }
}
