//! `limits`: refuses networks that are too large, too slow, or made of what is not allowed.
//!
//! What a network costs and consists of is known before it is built, so those limits are judged
//! for every candidate. Latency is known when a trial has been measured; it is judged, with the
//! rest once more, before a result counts. A value exactly at a limit is allowed.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::names::LATENCY_MS;
use nas_plugin_api::verdict::{
    Action, Candidate, PolicyContext, Question, QuestionKind, Review, Verdict,
};

nas_plugin_api::export_plugin! { policies: [Limits] }

nas_plugin_api::configuration! {
    /// Settings of the limits; one that is left out (but the first) does not limit.
    pub struct LimitsConfig {
        /// Most parameters.
        #[schemars(range(min = 1))]
        pub max_parameters: Option<u64> = 50_000_000_u64,
        /// Most multiply-adds of one example.
        #[schemars(range(min = 1))]
        pub max_multiply_adds: Option<u64> = None,
        /// Most bytes of all feature maps of one example.
        #[schemars(range(min = 1))]
        pub max_activation_bytes: Option<u64> = None,
        /// Most layers with parameters on one path.
        #[schemars(range(min = 1))]
        pub max_depth: Option<u64> = None,
        /// Operations that no network may have, by name.
        pub denied_operations: Vec<String> = [],
        /// Least milliseconds of one example; less is no plausible measurement.
        #[schemars(range(min = 0.0))]
        pub min_latency_ms: Option<f64> = None,
        /// Most milliseconds of one example.
        #[schemars(range(min = 0.0))]
        pub max_latency_ms: Option<f64> = None,
    }
}

/// Refuses networks beyond fixed limits.
pub struct Limits(LimitsConfig);

impl Component for Limits {
    const NAME: &'static str = "limits";
    const SUMMARY: &'static str = "refuses networks that are too large, too slow or not allowed";
    type Config = LimitsConfig;
    type Context = ();

    fn create(config: LimitsConfig, (): ()) -> Result<Self, PluginError> {
        match (config.min_latency_ms, config.max_latency_ms) {
            (Some(min), Some(max)) if min > max => Err(PluginError::configuration(format!(
                "limit latency: min_latency_ms ({min}) is above max_latency_ms ({max})"
            ))),
            _ => Ok(Self(config)),
        }
    }
}

impl SafetyPolicy for Limits {
    fn answers(&self) -> Vec<QuestionKind> {
        use QuestionKind::{Candidate, Champion, Export, Review};
        vec![Candidate, Review, Champion, Export]
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        let limited = self.0.min_latency_ms.is_some() || self.0.max_latency_ms.is_some();
        let judged = matches!(
            question,
            QuestionKind::Review | QuestionKind::Champion | QuestionKind::Export
        );
        if limited && judged { vec![LATENCY_MS.to_owned()] } else { Vec::new() }
    }

    fn judge(&mut self, question: &Question, _: &PolicyContext) -> Result<Verdict, PluginError> {
        Ok(match question {
            Question::Candidate(candidate) => self.judge_candidate(candidate),
            Question::Review(review) | Question::Champion(review) | Question::Export(review) => {
                self.judge_candidate(&review.candidate).stricter(self.judge_latency(review))
            }
            _ => Verdict::allow(),
        })
    }
}

impl Limits {
    fn judge_candidate(&self, candidate: &Candidate) -> Verdict {
        let Candidate { cost, operations, .. } = candidate;
        let limits = &self.0;
        let denied = limits.denied_operations.iter().find_map(|name| {
            let times = operations.get(name.as_str()).copied().filter(|&times| times > 0)?;
            Some(reject("denied_operation", format!("`{name}` is denied"), "times", times.into()))
        });
        most("parameters", cost.parameters, limits.max_parameters)
            .or_else(|| most("multiply_adds", cost.multiply_adds, limits.max_multiply_adds))
            .or_else(|| {
                most("activation_bytes", cost.activation_bytes, limits.max_activation_bytes)
            })
            .or_else(|| most("depth", cost.depth.into(), limits.max_depth))
            .or(denied)
            .unwrap_or_else(Verdict::allow)
    }

    /// A trial without a result has no latency; one with a result and no latency is refused.
    fn judge_latency(&self, review: &Review) -> Verdict {
        let [min, max] = [self.0.min_latency_ms, self.0.max_latency_ms];
        if (min.is_none() && max.is_none()) || !review.outcome.has_result() {
            return Verdict::allow();
        }
        let latency = review.measurements.get(LATENCY_MS).unwrap_or(f64::NAN);
        let (min, max) = (min.unwrap_or(0.0), max.unwrap_or(f64::INFINITY));
        match (min..=max).contains(&latency) {
            true => Verdict::allow(),
            false => {
                let reason = format!("{latency} ms is not within {min} and {max} ms");
                reject("latency_limit", reason, LATENCY_MS, latency)
                    .with("min_latency_ms", min)
                    .with("max_latency_ms", max)
            }
        }
    }
}

/// A refusal if `found` is above the limit.
fn most(what: &str, found: u64, limit: Option<u64>) -> Option<Verdict> {
    let limit = limit.filter(|&limit| found > limit)?;
    let reason = format!("{found} {what} are more than {limit}");
    Some(reject(&format!("{what}_limit"), reason, what, found as f64).with("limit", limit as f64))
}

fn reject(code: &str, reason: String, evidence: &str, value: f64) -> Verdict {
    Verdict::new(Action::RejectCandidate, code, reason).with(evidence, value)
}
