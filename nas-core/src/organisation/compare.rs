//! Comparing a run's settings with an organisation's rules.
//!
//! Required policies take part as they are, beside those of the run, and the strictest verdict
//! wins: so no settings of a run can loosen them. Settings of the same policy that look looser are
//! refused all the same, since whoever wrote them expects them to count.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::template::{Options, Space};
use serde_json::{Map, Value};

use super::find::Organisation;
use super::rules::{BudgetCaps, PluginRules, Rules};
use crate::budget::{Budget, QuotaSettings, Rates};
use crate::launch::Problem;
use crate::minisign;
use crate::plugin::{Isolation, Registry, check_config};
use crate::settings::{ComponentSettings, PolicyMode, Settings};

impl Rules {
    /// What schemas of single values can't say.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.organisation.trim().is_empty() {
            return Err("`organisation` is empty; give a name that people know".to_owned());
        }
        if let Some(policy) = self.policies.iter().find(|one| one.mode == PolicyMode::Observe) {
            let name = &policy.name;
            return Err(format!("policy `{name}` has mode `observe`; what is required is obeyed"));
        }
        let is_digest = |text: &String| {
            text.len() == 64
                && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let PluginRules { sha256, trusted, .. } = &self.plugins;
        let lists = [("plugins", sha256), ("plugins", trusted), ("data", &self.data.sha256)];
        let mut digests = lists
            .iter()
            .flat_map(|(table, list)| list.iter().flatten().map(move |one| (table, one)));
        if let Some((table, wrong)) = digests.find(|(_, text)| !is_digest(text)) {
            return Err(format!("`{wrong}` in `{table}` is no sha256; it has 64 digits of 0-9a-f"));
        }
        if self.holdout.queries == Some(0) {
            return Err(
                "0 `queries` in `holdout` leave no result to look at; at least 1".to_owned()
            );
        }
        let keys = [("plugins.signer", &self.plugins.signer), ("approval.key", &self.approval.key)];
        for (name, key) in keys {
            if let Some(Err(error)) = key.as_deref().map(minisign::public_key) {
                return Err(format!("`{name}` is no public key of minisign's: {error}"));
            }
        }
        let caps = &self.budget;
        let numbers = [
            caps.wall_seconds,
            caps.cpu_seconds,
            caps.gpu_seconds,
            caps.energy_kwh,
            caps.money,
            caps.trial_seconds,
        ];
        match numbers.into_iter().flatten().find(|number| !(number.is_finite() && *number > 0.0)) {
            Some(number) => Err(format!("{number} in `budget` is no limit; it must be above 0")),
            None => Ok(()),
        }
    }
}

impl Organisation {
    /// Whether these settings keep to the rules; limits that they leave out get the rules' value.
    /// Nothing of any plugin is run.
    ///
    /// # Errors
    /// Every attempt to be looser.
    pub fn check(&self, settings: &mut Settings, registry: &Registry) -> Result<(), Vec<Problem>> {
        let mut problems = self.check_budget(&mut settings.budget);
        problems.extend(self.check_quota(settings));
        for (index, policy) in settings.policies.iter().enumerate() {
            let required = self.rules.policies.iter().filter(|one| one.name == policy.name);
            for required in required {
                problems.extend(self.check_policy(index, policy, required, registry));
            }
        }
        problems.extend(self.check_isolation(settings.execution.isolation));
        problems.extend(self.check_libraries(settings, registry));
        problems.extend(self.check_data(settings));
        problems.extend(self.check_holdout(settings));
        problems.extend(self.check_heartbeat(settings));
        problems.extend(self.check_export(settings));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Whether a space has only operations that the rules allow.
    ///
    /// # Errors
    /// Those that it may not have.
    pub fn check_space(&self, space: &Space) -> Result<(), Problem> {
        let Some(allowed) = &self.rules.operations.allowed else { return Ok(()) };
        let choices = space.template().choices.iter();
        let candidates = choices.filter_map(|choice| match &choice.options {
            Options::Operation { candidates, .. } => Some(candidates),
            _ => None,
        });
        let found: BTreeSet<&String> = candidates.flatten().collect();
        let others: Vec<&str> =
            found.into_iter().filter(|name| !allowed.contains(name)).map(String::as_str).collect();
        if others.is_empty() {
            return Ok(());
        }
        let text = format!(
            "space `{}` has the operations {}, which {} does not allow",
            space.name(),
            others.join(", "),
            self.title()
        );
        Err(Problem::new("space", text).expecting(format!("only {}", allowed.join(", "))))
    }

    fn check_budget(&self, budget: &mut Budget) -> Vec<Problem> {
        let caps: &BudgetCaps = &self.rules.budget;
        let default = Budget::default();
        let mut looser = Looser { title: self.title(), problems: Vec::new() };
        // Every field by its name: a new one can't be forgotten here.
        let Budget {
            wall_seconds,
            trials,
            cpu_seconds,
            gpu_seconds,
            trial_seconds: seconds,
            trial_memory_bytes: bytes,
            energy_kwh,
            money,
            rates,
        } = budget;
        looser.cap("wall_seconds", wall_seconds, caps.wall_seconds);
        looser.cap("trials", trials, caps.trials);
        looser.cap("cpu_seconds", cpu_seconds, caps.cpu_seconds);
        looser.cap("gpu_seconds", gpu_seconds, caps.gpu_seconds);
        looser.cap("energy_kwh", energy_kwh, caps.energy_kwh);
        looser.cap("money", money, caps.money);
        looser.rates(rates, &caps.rates);
        looser.cap_of_trial("trial_seconds", seconds, default.trial_seconds, caps.trial_seconds);
        let (default, cap) = (default.trial_memory_bytes, caps.trial_memory_bytes);
        looser.cap_of_trial("trial_memory_bytes", bytes, default, cap);
        looser.problems
    }

    /// Every run counts against the rules' quota, and against no other.
    fn check_quota(&self, settings: &mut Settings) -> Option<Problem> {
        let mut required = self.rules.quota.clone()?;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        required.file = absolute(folder.join(required.file));
        let own = settings.quota.replace(required.clone());
        let own = own.filter(|own| *own != required)?;
        let name = |one: &QuotaSettings| format!("team `{}` of `{}`", one.team, one.file.display());
        let text =
            format!("`quota` is {}, and {} has {}", name(&own), self.title(), name(&required));
        Some(Problem::new("quota", text).expecting("the same, or nothing"))
    }

    /// Compares a run's policy with the required one of the same name.
    fn check_policy(
        &self,
        index: usize,
        own: &ComponentSettings,
        required: &ComponentSettings,
        registry: &Registry,
    ) -> Vec<Problem> {
        let (title, name) = (self.title(), &own.name);
        if own.mode == PolicyMode::Observe {
            let text = format!("policy `{name}` has mode `observe`, and {title} has `enforce`");
            let problem = Problem::new(&format!("policy.{index}.mode"), text);
            return vec![problem.expecting("`enforce`, or no `mode`")];
        }
        // What is left out counts as its default, on both sides.
        let Ok(known) = registry.find(ComponentKind::Policy, name) else { return Vec::new() };
        let whole = |config: &Map<String, Value>| match check_config(&known.info, config) {
            Ok(Value::Object(whole)) => whole,
            _ => Map::new(),
        };
        let (ours, theirs) = (whole(&own.config), whole(&required.config));
        let written = own.config.keys();
        written
            .filter_map(|key| {
                let (ours, theirs) = (ours.get(key)?, theirs.get(key).unwrap_or(&Value::Null));
                let expected = expectation(key, ours, theirs)?;
                let text =
                    format!("`{key}` of policy `{name}` is {ours}, and {title} has {theirs}");
                Some(Problem::new(&format!("policy.{index}.{key}"), text).expecting(expected))
            })
            .collect()
    }

    fn check_isolation(&self, own: Option<Isolation>) -> Option<Problem> {
        let least = self.rules.plugins.isolation;
        let own = own.filter(|own| *own < least)?;
        let title = self.title();
        let text = format!("`isolation` in `execution` is `{own}`, and {title} has `{least}`");
        let problem = Problem::new("execution.isolation", text);
        Some(problem.expecting(format!("`{least}`, or nothing")))
    }

    fn check_libraries(&self, settings: &Settings, registry: &Registry) -> Vec<Problem> {
        let Some(allowed) = self.allowed_libraries() else { return Vec::new() };
        let kind = registry.strategy_kind(&settings.strategy.name, settings.supernet.is_some());
        let parts = settings.components(kind).into_iter();
        let required = self.rules.policies.iter();
        let required =
            required.map(|policy| (ComponentKind::Policy, policy.name.as_str(), &policy.config));
        let mut problems = Vec::new();
        for (kind, name, _) in parts.chain(required) {
            let Ok(record) = registry.record(kind, name) else { continue };
            let (Some(sha256), Some(library)) = (record.sha256, record.library) else { continue };
            if !allowed.allow(Path::new(&library), &sha256) {
                let text = format!(
                    "{} `{name}` comes from the library `{library}` with sha256 {sha256}, which {} \
                     does not allow",
                    kind.name(),
                    self.title()
                );
                let key =
                    if kind == ComponentKind::OneShotStrategy { "strategy" } else { kind.name() };
                problems.push(Problem::new(key, text).expecting(allowed.expected()));
            }
        }
        problems
    }
}

/// A path that means the same wherever the run is taken up.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Collects limits that are looser than the rules'.
struct Looser {
    title: String,
    problems: Vec<Problem>,
}

impl Looser {
    /// Gives a limit that was left out the rules' value, and notes one that is above it.
    fn cap<T: PartialOrd + Copy + std::fmt::Display>(
        &mut self,
        name: &str,
        own: &mut Option<T>,
        most: Option<T>,
    ) {
        let Some(most) = most else { return };
        match own {
            None => *own = Some(most),
            Some(own) if *own > most => {
                let text =
                    format!("`{name}` in `budget` is {own}, and {} allows {most}", self.title);
                let problem = Problem::new(&format!("budget.{name}"), text);
                self.problems.push(problem.expecting(format!("at most {most}")));
            }
            Some(_) => {}
        }
    }

    /// Gives rates that were left out the rules' values, and notes those that are below them.
    fn rates(&mut self, own: &mut Rates, least: &Rates) {
        let Rates {
            watts_per_cpu,
            watts_per_gpu,
            price_per_cpu_hour,
            price_per_gpu_hour,
            price_per_hour,
        } = own;
        let mut floor = |name: &str, own: &mut f64, least: f64| {
            if *own == 0.0 {
                *own = least;
            } else if *own < least {
                let title = &self.title;
                let text = format!("`{name}` in `budget.rates` is {own}, and {title} has {least}");
                let problem = Problem::new(&format!("budget.rates.{name}"), text);
                self.problems.push(problem.expecting(format!("at least {least}")));
            }
        };
        floor("watts_per_cpu", watts_per_cpu, least.watts_per_cpu);
        floor("watts_per_gpu", watts_per_gpu, least.watts_per_gpu);
        floor("price_per_cpu_hour", price_per_cpu_hour, least.price_per_cpu_hour);
        floor("price_per_gpu_hour", price_per_gpu_hour, least.price_per_gpu_hour);
        floor("price_per_hour", price_per_hour, least.price_per_hour);
    }

    /// The same of a limit that has a default, which counts as left out.
    fn cap_of_trial<T: PartialOrd + Copy + std::fmt::Display>(
        &mut self,
        name: &str,
        own: &mut T,
        default: T,
        most: Option<T>,
    ) {
        let Some(most) = most.filter(|most| *own > *most) else { return };
        let mut limit = Some(*own).filter(|own| *own != default);
        self.cap(name, &mut limit, Some(most));
        *own = limit.unwrap_or(default);
    }
}

/// What would not be looser than the required value, unless this one is not.
///
/// A name says the direction: less is stricter for `max_…`, more for `min_…` and for lists of what
/// is denied. Nothing is known of any other number, word or flag, so it must be the same. Lists and
/// tables of anything else (conditions) come in addition.
fn expectation(key: &str, own: &Value, required: &Value) -> Option<String> {
    if own == required {
        return None;
    }
    let (ours, theirs) = (own.as_f64(), required.as_f64());
    if key.starts_with("max_") || key.starts_with("min_") {
        let is_looser = match (ours, theirs) {
            (_, None) => return None,
            (None, Some(_)) => true,
            (Some(ours), Some(theirs)) if key.starts_with("max_") => ours > theirs,
            (Some(ours), Some(theirs)) => ours < theirs,
        };
        let word = if key.starts_with("max_") { "most" } else { "least" };
        return is_looser.then(|| format!("at {word} {required}"));
    }
    match (own, required) {
        (Value::Array(ours), Value::Array(theirs)) if key.starts_with("denied_") => {
            let lacks: Vec<String> =
                theirs.iter().filter(|one| !ours.contains(one)).map(Value::to_string).collect();
            (!lacks.is_empty()).then(|| format!("{} too", lacks.join(", ")))
        }
        (Value::Array(_) | Value::Object(_), _) => None,
        _ => Some(format!("{required}, or nothing: the required policy judges anyway")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(key: &str, own: Value, required: Value, is_looser: bool) {
        assert_eq!(expectation(key, &own, &required).is_some(), is_looser, "{own} {required}");
    }

    #[test]
    fn only_what_is_known_to_be_stricter_passes() {
        check("max_parameters", json!(5), json!(5), false);
        check("max_parameters", json!(4), json!(5), false);
        check("max_parameters", json!(6), json!(5), true);
        check("max_parameters", Value::Null, json!(5), true);
        check("max_parameters", json!(6), Value::Null, false);
        check("min_latency_ms", json!(0.5), json!(1.0), true);
        check("min_latency_ms", json!(2), json!(1.0), false);
        check("threshold", json!(0.2), json!(0.1), true);
        check("threshold", json!(0.05), json!(0.1), true);
        check("rule", json!("original"), json!("robust"), true);
        check("denied_operations", json!(["a", "b"]), json!(["a"]), false);
        check("denied_operations", json!(["b"]), json!(["a"]), true);
        check("conditions", json!([{"name": "mine"}]), json!([]), false);
    }

    #[test]
    fn limits_that_a_run_leaves_out_are_the_rules() {
        let rules: Rules = toml::from_str(
            "organisation = \"one\"\n[budget]\ntrials = 10\ntrial_seconds = 60.0\ncpu_seconds = 5.0",
        )
        .unwrap();
        let organisation = Organisation {
            path: "policy.toml".into(),
            found_by: super::super::FoundBy::Run,
            sha256: String::new(),
            signed: None,
            unused: Vec::new(),
            rules,
        };
        let mut budget = Budget { cpu_seconds: Some(4.0), ..Budget::default() };
        assert!(organisation.check_budget(&mut budget).is_empty());
        assert_eq!(budget.trials, Some(10));
        assert_eq!(budget.cpu_seconds, Some(4.0));
        assert_eq!(budget.trial_seconds, 60.0);
        assert_eq!(budget.trial_memory_bytes, Budget::default().trial_memory_bytes);
        budget.trials = Some(11);
        budget.trial_seconds = 61.0;
        let problems = organisation.check_budget(&mut budget);
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["budget.trials", "budget.trial_seconds"]);
    }
}
