//! `holdout-audit`: halts a search that gets better on the validation split only.
//!
//! While it takes part, the supervisor now and then evaluates the best network on the holdout
//! (`[holdout]` says how often it may). Picking the best of many validation accuracies makes them
//! look better than they are, so a gap to the holdout is no news; this policy says when it is larger
//! than that explains: images that leak, a fitness that is gamed, a search that has learnt the
//! validation images by heart. What it is not: a second score. It sees a few networks, never the
//! images, and tells the strategy nothing.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::names;
use nas_plugin_api::toolkit::selection::{PickedGap, Share};
use nas_plugin_api::verdict::{
    Action, HoldoutReading, PolicyContext, Question, QuestionKind, Verdict,
};

nas_plugin_api::export_plugin! { policies: [HoldoutAudit] }

nas_plugin_api::configuration! {
    /// Settings of the comparison of validation and holdout.
    pub struct HoldoutAuditConfig {
        /// How probable it may be at most that a sound search is halted, over all reads of its run
        /// together.
        #[schemars(range(min = 1e-12, max = 0.5))]
        pub false_alarm_rate: f64 = 0.01,
        /// How much worse networks may honestly be on the holdout, where its images are known to be
        /// harder than those of the validation split: another year, another camera.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub allowed_gap: f64 = 0.0,
        /// Images of the validation split, for a benchmark; with data they are counted.
        #[schemars(range(min = 1))]
        pub validation_images: Option<u64> = None,
        /// Images of the holdout, for a benchmark; with data they are counted.
        #[schemars(range(min = 1))]
        pub holdout_images: Option<u64> = None,
    }
}

/// Halts a search that gets better on the validation split only.
///
/// The question at each read: is the gap between validation and holdout larger than picking the best
/// of so many networks explains? The level of `false_alarm_rate` is divided by the reads that the
/// run may make, and by the networks that there are to pick from
/// ([`PickedGap::probability`]), so it holds for the run, not for each look.
///
/// # Source
/// Dwork, Feldman, Hardt, Pitassi, Reingold, Roth. The reusable holdout: preserving validity in
/// adaptive data analysis, Science 349, 2015: a holdout keeps its worth only if it is asked rarely,
/// and says no more than needed. The division of the level is Bonferroni's.
pub struct HoldoutAudit {
    config: HoldoutAuditConfig,
    /// How many reads were judged.
    judged: usize,
}

impl Component for HoldoutAudit {
    const NAME: &'static str = "holdout-audit";
    const SUMMARY: &'static str = "halts a search that gets better on the validation split only";
    type Config = HoldoutAuditConfig;
    type Context = ();

    fn create(config: HoldoutAuditConfig, (): ()) -> Result<Self, PluginError> {
        let is_rate = config.false_alarm_rate > 0.0 && config.false_alarm_rate <= 0.5;
        match is_rate && (0.0..=1.0).contains(&config.allowed_gap) {
            true => Ok(Self { config, judged: 0 }),
            false => Err(PluginError::configuration(
                "compare validation and holdout: false_alarm_rate is above 0 and at most 0.5, \
                 allowed_gap within 0 and 1",
            )),
        }
    }
}

impl SafetyPolicy for HoldoutAudit {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Candidate, QuestionKind::Progress, QuestionKind::Champion]
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        match question {
            QuestionKind::Champion => vec![names::HOLDOUT_ACCURACY.to_owned()],
            _ => Vec::new(),
        }
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let readings = &context.holdout;
        let asked = match question {
            Question::Champion(review) => {
                readings.iter().rposition(|reading| reading.trial == review.candidate.trial)
            }
            // Each read is judged once: a policy that is only observed objects once, too.
            _ if readings.len() > self.judged => Some(readings.len() - 1),
            _ => None,
        };
        self.judged = readings.len();
        let (Some(first), Some(place)) = (readings.first(), asked) else {
            return Ok(Verdict::allow());
        };
        self.compare(first, &readings[place])
    }
}

impl HoldoutAudit {
    fn compare(
        &self,
        first: &HoldoutReading,
        reading: &HoldoutReading,
    ) -> Result<Verdict, PluginError> {
        let config = &self.config;
        let HoldoutReading { validation_accuracy, holdout_accuracy, trials, queries, .. } =
            *reading;
        let gap = PickedGap {
            validation: Share {
                accuracy: (validation_accuracy - config.allowed_gap).max(0.0),
                images: images(reading.validation_images, config.validation_images)?,
            },
            holdout: Share {
                accuracy: holdout_accuracy,
                images: images(reading.holdout_images, config.holdout_images)?,
            },
            trials,
        };
        let level = config.false_alarm_rate / f64::from(queries.max(1));
        let probability = gap.probability();
        if probability > level {
            return Ok(Verdict::allow());
        }
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let points = |share: f64| format!("{:.1}", 100.0 * share);
        let since = match first.trial == reading.trial {
            true => String::new(),
            false => format!(
                "; since trial {}, validation rose by {} points and the holdout by {}",
                first.trial,
                points(validation_accuracy - first.validation_accuracy),
                points(holdout_accuracy - first.holdout_accuracy)
            ),
        };
        let reason = format!(
            "trial {} has {} on the validation images and {} on the holdout; picking the best of \
             {trials} explains {} points of it, and a gap like this has a probability of at most \
             {probability:.1e} in a sound search{since}",
            reading.trial,
            percent(validation_accuracy),
            percent(holdout_accuracy),
            points(gap.explained()),
        );
        Ok(Verdict::new(Action::HaltRun, "validation_only", reason)
            .with("validation_accuracy", validation_accuracy)
            .with("holdout_accuracy", holdout_accuracy)
            .with("explained_by_picking", gap.explained())
            .with("probability", probability)
            .with("level", level))
    }
}

/// How many images a split has.
fn images(counted: u64, configured: Option<u64>) -> Result<u64, PluginError> {
    match (counted, configured) {
        (0, None) => Err(PluginError::configuration(
            "compare validation and holdout: nobody knows how many images the benchmark's splits \
             have",
        )
        .with_help("set validation_images and holdout_images of the policy")),
        (0, Some(configured)) => Ok(configured.max(1)),
        (counted, _) => Ok(counted),
    }
}
